package synth

import (
	"io"
	"math/rand/v2"
)

// Draw is the value of a distribution, clipped from below.
func (n Normal) Draw(least int, rng *rand.PCG) int { return n.atLeast(least, rng) }

// Draw picks a component of a mixture.
func (m Mixture) Draw(rng *rand.PCG) Component { return m.draw(rng) }

// ReadItems reads a file whose entries may have most bytes to its end, and
// returns the line of each entry.
func ReadItems(f Format, r io.Reader, most int64) ([]int, error) {
	items, err := newItemReader(f, r, most)
	if err != nil {
		return nil, err
	}
	var lines []int
	for {
		it, err := items.next()
		if err == io.EOF {
			return lines, nil
		}
		if err != nil {
			return append(lines, it.line), err
		}
		lines = append(lines, it.line)
	}
}
