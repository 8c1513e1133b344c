package load

import (
	"iter"
	"math"
	"math/rand/v2"
	"time"
)

// A Schedule gives the offsets from the run's epoch at which sessions are due,
// in ascending order. It is a pure value: ranging over it twice gives the same
// offsets.
//
// Times are absolute, so a late send never shifts the ones after it.
type Schedule = iter.Seq[time.Duration]

// An Arrival is the shape of an open loop's gaps.
type Arrival struct {
	// Smoothness is the shape k of gamma-distributed gaps: 1 is a Poisson
	// process, above 1 is smoother, below 1 burstier. 0 means constant gaps.
	Smoothness float64
	// Rate is in sessions per second, above 0; it may be below 1.
	Rate float64
	// Ramp is the time in which the rate climbs linearly from 0 to Rate.
	Ramp time.Duration
	// Rand returns the stream of chance for the gaps, from its beginning.
	// Constant gaps do not ask for it.
	Rand func() *rand.Rand
}

// scale is the resolution of an arrival process before it is laid onto a rate:
// billionths of an expected arrival. Whole numbers keep the sum free of
// rounding that could differ between processors.
const scale = 1e9

// Schedule returns the endless offsets of the arrival.
//
// The process is first drawn at one arrival a second, then each of its points
// u is moved to the time t at which the ramp has let u arrivals be expected:
// t = √(2uR/λ) while u < λR/2, then R + (u − λR/2)/λ.
func (a Arrival) Schedule() Schedule {
	return func(yield func(time.Duration) bool) {
		ramp := a.Ramp.Seconds()
		climbed := a.Rate * ramp / 2
		for unit := range a.unit() {
			u := float64(unit) / scale
			var t float64
			if u < climbed {
				t = math.Sqrt(2 * u * ramp / a.Rate)
			} else {
				t = ramp + (u-climbed)/a.Rate
			}
			if t >= math.MaxInt64/float64(time.Second) || !yield(time.Duration(math.Round(t*float64(time.Second)))) {
				return
			}
		}
	}
}

// unit returns the points of the process at one arrival a second, in units of
// 1/scale.
func (a Arrival) unit() iter.Seq[int64] {
	if a.Smoothness == 0 {
		return func(yield func(int64) bool) {
			for at := int64(0); at >= 0; at += scale {
				if !yield(at) {
					return
				}
			}
		}
	}
	return func(yield func(int64) bool) {
		rng := a.Rand()
		for at := int64(0); ; {
			at += int64(math.Round(a.gap(rng) * scale))
			if at < 0 || !yield(at) {
				return
			}
		}
	}
}

// gap draws one gap with mean 1. The sampling stands here because goldens fix
// it and no library promises the same numbers in its next version.
func (a Arrival) gap(rng *rand.Rand) float64 {
	if a.Smoothness == 1 {
		return exponential(rng)
	}
	return gamma(rng, a.Smoothness) / a.Smoothness
}

// uniform returns a number in (0, 1]: its logarithm is finite.
func uniform(rng *rand.Rand) float64 {
	return float64(rng.Uint64()>>11+1) / (1 << 53)
}

func exponential(rng *rand.Rand) float64 { return -math.Log(uniform(rng)) }

// gamma draws from the gamma distribution with shape k and scale 1, by
// Marsaglia and Tsang, "A simple method for generating gamma variables" (2000).
func gamma(rng *rand.Rand, k float64) float64 {
	if k < 1 {
		return gamma(rng, k+1) * math.Pow(uniform(rng), 1/k)
	}
	d := k - 1.0/3
	c := 1 / math.Sqrt(9*d)
	for {
		x := normal(rng)
		v := 1 + c*x
		if v <= 0 {
			continue
		}
		v = v * v * v
		if math.Log(uniform(rng)) < x*x/2+d-d*v+d*math.Log(v) {
			return d * v
		}
	}
}

// normal draws from the standard normal distribution, by Box and Muller; the
// second number of the pair is not kept, so that a draw depends on nothing
// before it.
func normal(rng *rand.Rand) float64 {
	r := math.Sqrt(-2 * math.Log(uniform(rng)))
	return r * math.Cos(2*math.Pi*uniform(rng))
}

// Replay is the schedule of a recorded trace: its offsets as they are.
func Replay(offsets []time.Duration) Schedule {
	return func(yield func(time.Duration) bool) {
		for _, at := range offsets {
			if !yield(at) {
				return
			}
		}
	}
}
