package synth

import (
	"hash/maphash"
	"sync"

	"loadgen"
)

const (
	beginningChunk = 64      // bytes; as many as the 16 tokens of a usual cache's block
	mostBeginnings = 1 << 18 // chunks that are known at once, of 16 MiB of text
)

// beginnings are the prompts that a dataset has yielded, by the hashes of their
// chunks, each chained to those before it: as servers with a prefix cache know
// them. It tells with how much a prompt begins like an earlier one.
type beginnings struct {
	mu    sync.Mutex
	seed  maphash.Seed
	known map[uint64]struct{}
}

func newBeginnings() *beginnings {
	return &beginnings{seed: maphash.MakeSeed(), known: map[uint64]struct{}{}}
}

// add takes in a prompt and returns with how many of its tokens, at most, it
// begins like one that was added before: all of them once more chunks have been
// seen than are kept.
func (b *beginnings) add(messages []loadgen.Message, tokens int) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	var h maphash.Hash
	h.SetSeed(b.seed)
	size, shared, alike, full := 0, 0, true, false
	chunk := func(text string) {
		_, _ = h.WriteString(text)
		size += len(text)
		_, seen := b.known[h.Sum64()]
		if alike = alike && seen; alike {
			shared = size
		}
		if full = full || len(b.known) >= mostBeginnings; !full {
			b.known[h.Sum64()] = struct{}{}
		}
	}
	for _, m := range messages {
		_ = h.WriteByte(0) // ends a message
		_, _ = h.WriteString(m.Role)
		for text := m.Content; text != ""; {
			n := min(len(text), beginningChunk)
			chunk(text[:n])
			text = text[n:]
		}
	}
	if full || shared == size {
		return tokens
	}
	// The chunk in which they part may be alike for the most part.
	return min(tokens, (shared+beginningChunk)*tokens/size)
}
