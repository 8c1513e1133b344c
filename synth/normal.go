package synth

import (
	"math"
	"math/bits"
	"math/rand/v2"
)

// A Normal is a normal distribution of lengths in tokens, of turns or of
// milliseconds. A standard deviation of 0 makes it a constant.
type Normal struct {
	Mean, Stddev float64
}

// draw returns a value of the distribution.
//
// The explicit conversion keeps compilers of other architectures from fusing
// the product and the sum, which would round differently.
func (n Normal) draw(rng *rand.PCG) float64 {
	if n.Stddev == 0 {
		return n.Mean
	}
	return n.Mean + float64(n.Stddev*gaussian(rng))
}

// atLeast returns a value rounded to an integer and clipped from below.
func (n Normal) atLeast(least int, rng *rand.PCG) int {
	return max(least, int(math.Round(n.draw(rng))))
}

// gaussian draws from the standard normal distribution by the ratio of uniforms
// (Kinderman and Monahan, 1977). The value comes from one division and one
// product, both correctly rounded everywhere; the logarithm, which is not, only
// decides whether a pair is taken.
func gaussian(rng *rand.PCG) float64 {
	const width = 1.7155277699214135 // 2·√(2/e)
	for {
		u := 1 - uniform(rng) // (0, 1]
		v := uniform(rng) - 0.5
		x := width * v / u
		if x*x <= -4*math.Log(u) {
			return x
		}
	}
}

// uniform draws from [0, 1) in steps of 2⁻⁵³.
func uniform(rng *rand.PCG) float64 {
	return float64(rng.Uint64()>>11) / (1 << 53)
}

// below draws an integer from [0, n). Its bias is n in 2⁶⁴.
func below(rng *rand.PCG, n int) int {
	high, _ := bits.Mul64(rng.Uint64(), uint64(n))
	return int(high)
}

// shuffle puts items into an order of chance (Fisher and Yates).
func shuffle[T any](rng *rand.PCG, items []T) {
	for i := len(items) - 1; i > 0; i-- {
		j := below(rng, i+1)
		items[i], items[j] = items[j], items[i]
	}
}
