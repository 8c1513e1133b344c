package metrics

// marks are a set of small numbers.
type marks struct {
	bits []uint64
	n    int // in it
}

// set adds a number that is not negative.
func (m *marks) set(i int) {
	word, bit := i/64, uint64(1)<<(i%64)
	for len(m.bits) <= word {
		m.bits = append(m.bits, 0)
	}
	if m.bits[word]&bit == 0 {
		m.bits[word] |= bit
		m.n++
	}
}
