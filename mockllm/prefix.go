package mockllm

import (
	"container/list"
	"encoding/binary"
	"hash/maphash"
)

// A prefixCache remembers blocks of prompts, each named by the hash of itself
// and of all before it, so that a chain of names is a path in a trie. When it is
// full the least recently used block goes, the end of a prompt before its
// beginning.
type prefixCache struct {
	room  int // blocks
	order *list.List
	byID  map[uint64]*list.Element
}

func newPrefixCache(tokens int) *prefixCache {
	return &prefixCache{room: tokens / blockTokens, order: list.New(), byID: map[uint64]*list.Element{}}
}

var hashSeed = maphash.MakeSeed()

// blocks returns the names of the prompt's full blocks.
func (p prompt) blocks() []uint64 {
	const size = blockTokens * tokenBytes
	ids := make([]uint64, 0, len(p)/size)
	var buf [8 + size]byte
	for i := 0; i+size <= len(p); i += size {
		copy(buf[8:], p[i:i+size])
		ids = append(ids, maphash.Bytes(hashSeed, buf[:]))
		binary.LittleEndian.PutUint64(buf[:8], ids[len(ids)-1])
	}
	return ids
}

// held returns how many of the blocks, from the first, are in the cache.
func (c *prefixCache) held(blocks []uint64) int {
	for i, id := range blocks {
		if _, ok := c.byID[id]; !ok {
			return i
		}
	}
	return len(blocks)
}

// keep puts the blocks in and marks them used.
func (c *prefixCache) keep(blocks []uint64) {
	blocks = blocks[:min(len(blocks), c.room)]
	for i := len(blocks) - 1; i >= 0; i-- {
		if at, ok := c.byID[blocks[i]]; ok {
			c.order.MoveToFront(at)
		} else {
			c.byID[blocks[i]] = c.order.PushFront(blocks[i])
		}
	}
	for c.order.Len() > c.room {
		delete(c.byID, c.order.Remove(c.order.Back()).(uint64))
	}
}
