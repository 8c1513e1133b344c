package loadgen

import (
	"crypto/sha256"
	"encoding/binary"
	"math/rand/v2"
)

// A Seed is the root of all chance in a batch or a cell. Every use draws from
// a stream of its own, named by its purpose, so that a new use never shifts
// the others.
type Seed uint64

// Rand returns the generator for a purpose: the same seed and purpose give the
// same numbers on every machine.
func (s Seed) Rand(purpose string) *rand.Rand {
	high, low := s.hash(purpose, forRand)
	return rand.New(rand.NewPCG(high, low))
}

// Sub returns the seed of a part of the batch, named by its purpose.
func (s Seed) Sub(purpose string) Seed {
	sub, _ := s.hash(purpose, forRand)
	return Seed(sub)
}

// Stream returns the generators for the items of a purpose.
func (s Seed) Stream(purpose string) Stream {
	high, low := s.hash(purpose, forStream)
	return Stream{high, low}
}

// What a purpose is hashed for: the same name may serve Rand and Stream, whose
// numbers have nothing to do with each other.
const forRand, forStream = 0, 1

// hash returns 128 bits that a seed, a purpose and a use of it stand for.
func (s Seed) hash(purpose string, use uint64) (high, low uint64) {
	b := binary.BigEndian.AppendUint64(nil, uint64(s))
	b = binary.BigEndian.AppendUint64(b, use)
	sum := sha256.Sum256(append(b, purpose...))
	return binary.BigEndian.Uint64(sum[:8]), binary.BigEndian.Uint64(sum[8:16])
}

// A Stream has a generator for each item of a purpose. Items can thus be made
// in any order, by any number of goroutines, with the same outcome. It costs a
// hash to make and next to nothing to use.
type Stream struct{ high, low uint64 }

// At returns the generator for the i-th item, by value, so that it needs no
// memory of its own. No two items of a stream begin in the same state.
func (s Stream) At(i int) rand.PCG {
	at := uint64(i) * stride
	var rng rand.PCG
	rng.Seed(mix(s.high+at), mix(s.low+at))
	return rng
}

// stride is 2⁶⁴ divided by the golden ratio, made odd: that of SplitMix64
// (Steele, Lea and Flood, Fast Splittable Pseudorandom Number Generators, 2014).
const stride = 0x9e3779b97f4a7c15

// mix makes numbers that differ in any bit differ in about half of them, and
// no two of them equal. It is the finalizer of SplitMix64: Murmur's, with the
// constants that Stafford found for it (variant 13 of his Better Bit Mixing,
// 2011).
func mix(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// UUIDLen is the length of a UUID's text.
const UUIDLen = 36

// AppendUUID draws a random UUID (version 4) and appends its text.
func AppendUUID(dst []byte, rng *rand.PCG) []byte {
	const version, variant = 4 << 12, 2 << 62
	high, low := rng.Uint64()&^(15<<12)|version, rng.Uint64()&^(3<<62)|variant
	front, back := hexDigits(uint32(high)), hexDigits(uint32(low>>32))
	text := binary.LittleEndian
	dst = text.AppendUint64(dst, hexDigits(uint32(high>>32)))
	dst = text.AppendUint32(append(dst, '-'), uint32(front))
	dst = text.AppendUint32(append(dst, '-'), uint32(front>>32))
	dst = text.AppendUint32(append(dst, '-'), uint32(back))
	dst = text.AppendUint32(append(dst, '-'), uint32(back>>32))
	return text.AppendUint64(dst, hexDigits(uint32(low)))
}

// hexDigits returns the eight hexadecimal digits of x as text, the first one
// in the lowest byte. It finds all eight at once: there are two UUIDs to be
// written for every request.
func hexDigits(x uint32) uint64 {
	const each = 0x0101010101010101
	n := uint64(x)>>16 | uint64(x&0xffff)<<32
	n = (n>>8 | n<<16) & 0x00ff00ff00ff00ff
	n = (n>>4 | n<<8) & 0x0f0f0f0f0f0f0f0f
	letters := (n + 6*each) >> 4 & each // 1 where the digit is above 9
	return n + '0'*each + ('a'-'9'-1)*letters
}
