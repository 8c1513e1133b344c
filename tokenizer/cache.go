package tokenizer

import (
	"strings"
	"sync/atomic"
)

// A cache remembers the ids of words. A slot holds the latest word that
// hashes to it, so it is bounded without an order to keep, and goroutines
// share it without a lock: an entry never changes once it is stored.
type cache struct {
	slots [1 << 14]atomic.Pointer[entry]
}

type entry struct {
	word string
	ids  []int32
}

// longestCached bounds the cache to about 4 MiB; longer words do not recur.
const longestCached = 64

func (c *cache) slot(hash uint64) *atomic.Pointer[entry] {
	// The vocabulary's table uses the low bits.
	return &c.slots[hash>>50]
}

func newEntry(word string, ids []int32) *entry {
	return &entry{strings.Clone(word), append([]int32(nil), ids...)}
}
