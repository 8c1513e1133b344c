package tokenizer

import (
	"errors"
	"hash/maphash"
	"math/bits"
)

// Caps on what a file may claim; the largest published vocabulary has
// 262,208 tokens and 514,906 merges.
const (
	maxTokens     = 1 << 20
	maxMerges     = 1 << 20
	maxTokenBytes = 1 << 12
)

// A vocab maps token ids to bytes and bytes to ids. All tokens lie in one
// blob, and the hash table holds ids only, so that the garbage collector has
// three slices to look at rather than 200,000 strings.
type vocab struct {
	seed  maphash.Seed
	blob  []byte
	spans []span   // by id
	slots []uint32 // open addressing: id+1, 0 where empty
	used  int
	index int // length of the longest token that find can answer
}

// A span is a stretch of the blob; n is 0 for an id that is not used.
type span struct{ at, n uint32 }

func newVocab(tokens, bytes int) *vocab {
	v := &vocab{seed: maphash.MakeSeed(), blob: make([]byte, 0, bytes), spans: make([]span, 0, tokens)}
	v.grow(tokens)
	return v
}

// put gives token the id. A token that text can never spell, because its
// bytes are reserved to another one, is stored but not found.
func (v *vocab) put(id int, token string, findable bool) error {
	switch {
	case id < 0 || id >= maxTokens:
		return errors.New("token id out of range")
	case len(token) == 0 || len(token) > maxTokenBytes:
		return errors.New("token of no bytes or of too many")
	case id < len(v.spans) && v.spans[id].n > 0:
		return errors.New("token id given twice")
	}
	for len(v.spans) <= id {
		v.spans = append(v.spans, span{})
	}
	v.spans[id] = span{uint32(len(v.blob)), uint32(len(token))}
	v.blob = append(v.blob, token...)
	if findable {
		v.link(id)
	}
	return nil
}

// link makes the bytes of id findable; of two equal tokens the later wins.
func (v *vocab) link(id int) {
	token := v.bytes(id)
	mask := uint64(len(v.slots) - 1)
	for at := maphash.Bytes(v.seed, token) & mask; v.slots[at] != 0; at = (at + 1) & mask {
		if string(v.bytes(int(v.slots[at]-1))) == string(token) {
			v.slots[at] = uint32(id + 1)
			return
		}
	}
	if v.used++; 2*v.used > len(v.slots) {
		v.grow(v.used)
	}
	v.place(id)
}

// place is link for a token that is not there yet, where there is room.
func (v *vocab) place(id int) {
	token := v.bytes(id)
	mask := uint64(len(v.slots) - 1)
	at := maphash.Bytes(v.seed, token) & mask
	for v.slots[at] != 0 {
		at = (at + 1) & mask
	}
	v.slots[at] = uint32(id + 1)
	v.index = max(v.index, len(token))
}

// grow makes room for n tokens at half load at most.
func (v *vocab) grow(n int) {
	old := v.slots
	v.slots = make([]uint32, 1<<bits.Len(uint(2*max(n, 8))))
	for _, slot := range old {
		if slot != 0 {
			v.place(int(slot - 1))
		}
	}
}

// bytes returns the bytes of an id, none for an id that is not used.
func (v *vocab) bytes(id int) []byte {
	if id < 0 || id >= len(v.spans) {
		return nil
	}
	s := v.spans[id]
	return v.blob[s.at : s.at+s.n : s.at+s.n]
}

func (v *vocab) hash(s string) uint64 { return maphash.String(v.seed, s) }

// find returns the id of the token with exactly these bytes.
func (v *vocab) find(s string) (int32, bool) {
	if len(s) > v.index {
		return 0, false
	}
	return v.findHashed(s, v.hash(s))
}

func (v *vocab) findHashed(s string, hash uint64) (int32, bool) {
	mask := uint64(len(v.slots) - 1)
	for at := hash & mask; v.slots[at] != 0; at = (at + 1) & mask {
		id := v.slots[at] - 1
		if sp := v.spans[id]; int(sp.n) == len(s) && string(v.blob[sp.at:sp.at+sp.n]) == s {
			return int32(id), true
		}
	}
	return 0, false
}
