package tokenizer

import (
	"hash/maphash"
	"math/bits"
)

// A bpe is byte-pair encoding: of all neighbours that may merge, those of
// the lowest rank do, the leftmost first, until none is left.
type bpe struct {
	vocab *vocab
	// pairs says which ids merge. It is nil where every token is the merge
	// of any two that spell it: then ranks has the rank of each token, or is
	// nil where the id is the rank, as in tiktoken.
	pairs *pairs
	ranks []uint32
	// letters are the ids of single bytes, -1 where there is none. It is nil
	// where words begin as characters instead (SentencePiece).
	letters *[256]int32
	// bytes are the ids of <0x00> to <0xFF>, for characters that are not in
	// the vocabulary; nil without byte fallback.
	bytes    *[256]int32
	unknown  int32 // id for what nothing else spells, -1 to leave it out
	fuse     bool  // several unknown in a row are one
	anyWhole bool  // a word that is a token is that token, merges or no
}

// A piece is a part of a word that is a token already.
type piece struct {
	at, prev, next int32 // its first byte; its neighbours in the list, -1 at the ends
	id             int32
	merged         int32  // what it and the next one merge to
	rank           uint32 // of that merge; noMerge where there is none
}

const noMerge = 1<<32 - 1

// encode appends the ids of word to ids. It takes O(n log n) time: a word
// can be a whole book where the pattern does not cut.
func (m *bpe) encode(sc *scratch, ids []int32, word string) []int32 {
	if m.anyWhole {
		if id, ok := m.vocab.find(word); ok {
			return append(ids, id)
		}
	}
	sc.pieces, sc.heap = m.begin(sc.pieces[:0], word), sc.heap[:0]
	for i := range sc.pieces {
		m.match(sc, word, int32(i))
	}
	for len(sc.heap) > 0 {
		top := sc.heap.pop()
		i := int32(uint32(top))
		p := &sc.pieces[i]
		if p.rank != uint32(top>>32) {
			continue // one of the two has merged otherwise since
		}
		next := &sc.pieces[p.next]
		next.rank = noMerge
		p.id, p.next = p.merged, next.next
		if p.next >= 0 {
			sc.pieces[p.next].prev = i
		}
		m.match(sc, word, i)
		if p.prev >= 0 {
			m.match(sc, word, p.prev)
		}
	}
	if len(sc.pieces) == 0 {
		return ids
	}
	for i := int32(0); i >= 0; i = sc.pieces[i].next {
		ids = append(ids, sc.pieces[i].id)
	}
	return ids
}

// begin splits word into its bytes or characters.
func (m *bpe) begin(ps []piece, word string) []piece {
	add := func(at int, id int32) {
		n := int32(len(ps))
		ps = append(ps, piece{at: int32(at), prev: n - 1, next: n + 1, id: id, rank: noMerge})
	}
	for i := 0; i < len(word); {
		n := 1
		var id int32
		if m.letters != nil {
			id = m.letters[word[i]]
		} else {
			_, n = classAt(word, i)
			if known, ok := m.vocab.find(word[i : i+n]); ok {
				id = known
			} else if m.bytes != nil {
				for j := i; j < i+n; j++ {
					add(j, m.bytes[word[j]])
				}
				i += n
				continue
			} else {
				id = -1
			}
		}
		if id < 0 {
			id = m.unknown
		}
		fused := m.fuse && id == m.unknown && len(ps) > 0 && ps[len(ps)-1].id == id
		if id >= 0 && !fused {
			add(i, id)
		}
		i += n
	}
	if len(ps) > 0 {
		ps[len(ps)-1].next = -1
	}
	return ps
}

// match finds what piece i and its next one merge to, and queues that.
func (m *bpe) match(sc *scratch, word string, i int32) {
	p := &sc.pieces[i]
	p.rank = noMerge
	if p.next < 0 {
		return
	}
	next := &sc.pieces[p.next]
	var ok bool
	if m.pairs != nil {
		p.rank, p.merged, ok = m.pairs.find(p.id, next.id)
	} else {
		end := len(word)
		if next.next >= 0 {
			end = int(sc.pieces[next.next].at)
		}
		p.merged, ok = m.vocab.find(word[p.at:end])
		p.rank = uint32(p.merged)
		if ok && m.ranks != nil {
			p.rank = m.ranks[p.merged]
		}
	}
	if !ok {
		p.rank = noMerge
		return
	}
	sc.heap.push(uint64(p.rank)<<32 | uint64(i))
}

// pairs is a hash table from two ids to the rank and the result of their
// merge.
type pairs struct {
	slots []pairSlot
	odd   uint64 // random, so that no file can choose its collisions
	shift int
}

type pairSlot struct {
	key          uint64 // 0 where empty, else the two ids, each plus one
	rank, merged uint32
}

func newPairs(n int) *pairs {
	width := bits.Len(uint(2 * max(n, 8)))
	return &pairs{
		slots: make([]pairSlot, 1<<width),
		odd:   maphash.Bytes(maphash.MakeSeed(), nil) | 1,
		shift: 64 - width,
	}
}

// slot returns where the pair is or would be put. The table is never full:
// it was made for twice as many.
func (p *pairs) slot(a, b int32) (*pairSlot, uint64) {
	key := uint64(a+1)<<32 | uint64(b+1)
	mask := uint64(len(p.slots) - 1)
	at := key * p.odd >> p.shift
	for p.slots[at].key != key && p.slots[at].key != 0 {
		at = (at + 1) & mask
	}
	return &p.slots[at], key
}

// put records a merge; of a pair given twice the later rank counts.
func (p *pairs) put(a, b int32, rank int, merged int32) {
	s, key := p.slot(a, b)
	*s = pairSlot{key, uint32(rank), uint32(merged)}
}

func (p *pairs) find(a, b int32) (rank uint32, merged int32, ok bool) {
	s, _ := p.slot(a, b)
	return s.rank, int32(s.merged), s.key != 0
}

// A heap gives the smallest of its numbers first.
type heap []uint64

func (h *heap) push(x uint64) {
	*h = append(*h, x)
	s := *h
	for i := len(s) - 1; i > 0; {
		up := (i - 1) / 2
		if s[up] <= s[i] {
			break
		}
		s[up], s[i] = s[i], s[up]
		i = up
	}
}

func (h *heap) pop() uint64 {
	s := *h
	top, n := s[0], len(s)-1
	s[0] = s[n]
	s = s[:n]
	*h = s
	for i := 0; ; {
		child := 2*i + 1
		if child >= n {
			return top
		}
		if child+1 < n && s[child+1] < s[child] {
			child++
		}
		if s[i] <= s[child] {
			return top
		}
		s[i], s[child] = s[child], s[i]
		i = child
	}
}
