package loadgen

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"math/rand/v2"
)

// A Seed is the root of all chance in a batch or a cell. Every use draws from
// a stream of its own, named by its purpose, so that a new use never shifts
// the others.
type Seed uint64

// Rand returns the stream for a purpose: the same seed and purpose give the
// same numbers on every machine.
func (s Seed) Rand(purpose string) *rand.Rand {
	return rand.New(s.source(purpose, 0))
}

// RandAt returns the stream for the i-th item of a purpose. Items can thus be
// made in any order, by any number of goroutines, with the same outcome.
func (s Seed) RandAt(purpose string, i int) *rand.Rand {
	return rand.New(s.source(purpose, uint64(i)+1))
}

// Sub returns the seed of a part of the batch, named by its purpose.
func (s Seed) Sub(purpose string) Seed {
	sum := s.hash(purpose, 0)
	return Seed(binary.BigEndian.Uint64(sum[:8]))
}

// UUID returns the name of the i-th item of a purpose in the form of a random
// UUID (version 4).
func (s Seed) UUID(purpose string, i uint64) string {
	b := s.hash(purpose, i+1)
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	text := make([]byte, 0, 36)
	for k, group := range [...][2]int{{0, 4}, {4, 6}, {6, 8}, {8, 10}, {10, 16}} {
		if k > 0 {
			text = append(text, '-')
		}
		text = hex.AppendEncode(text, b[group[0]:group[1]])
	}
	return string(text)
}

func (s Seed) source(purpose string, i uint64) rand.Source {
	sum := s.hash(purpose, i)
	return rand.NewPCG(binary.BigEndian.Uint64(sum[:8]), binary.BigEndian.Uint64(sum[8:16]))
}

func (s Seed) hash(purpose string, i uint64) [sha256.Size]byte {
	var space [64]byte // on the stack: longer purposes than it takes are rare
	b := binary.BigEndian.AppendUint64(space[:0], uint64(s))
	b = binary.BigEndian.AppendUint64(b, i)
	return sha256.Sum256(append(b, purpose...))
}
