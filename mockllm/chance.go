package mockllm

import (
	"hash/fnv"
	"math"
	"math/rand/v2"
	"time"
)

// stream returns the random numbers of the i-th item of a purpose: each item
// has its own, so none depends on the order in which requests come.
func stream(seed uint64, purpose string, i uint64) *rand.Rand {
	h := fnv.New64a()
	h.Write([]byte(purpose))
	return rand.New(rand.NewPCG(mix(seed^h.Sum64()), mix(i+1)))
}

// mix is the finalizer of SplitMix64: neighbouring numbers become unrelated.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// A jitter multiplies durations by lognormal factors of mean 1 and a given
// coefficient of variation cv: exp(σz − σ²/2) with σ² = ln(1 + cv²).
type jitter struct {
	sigma float64
	rng   *rand.Rand
}

func newJitter(cv float64, seed uint64, purpose string, i uint64) jitter {
	if cv == 0 {
		return jitter{}
	}
	return jitter{math.Sqrt(math.Log1p(cv * cv)), stream(seed, purpose, i)}
}

func (j jitter) of(d time.Duration) time.Duration {
	if j.rng == nil {
		return d
	}
	return time.Duration(float64(d) * math.Exp(j.sigma*j.rng.NormFloat64()-j.sigma*j.sigma/2))
}
