package load_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"loadgen"
	"loadgen/load"
)

func first(s load.Schedule, n int) []time.Duration {
	var out []time.Duration
	for at := range s {
		if out = append(out, at); len(out) == n {
			break
		}
	}
	return out
}

func chance(seed loadgen.Seed) func() *rand.Rand {
	return func() *rand.Rand { return seed.Rand("arrivals") }
}

func TestConstantScheduleIsAbsolute(t *testing.T) {
	at := first(load.Arrival{Rate: 3}.Schedule(), 3001)
	for i, want := range map[int]time.Duration{0: 0, 1: 333333333, 2: 666666667, 3: time.Second, 3000: 1000 * time.Second} {
		if at[i] != want {
			t.Errorf("slot %d at %v, want %v: errors must not add up", i, at[i], want)
		}
	}
}

func TestSlowRates(t *testing.T) {
	if at := first(load.Arrival{Rate: 0.1}.Schedule(), 3); at[2] != 20*time.Second {
		t.Errorf("third slot of 0.1/s at %v, want 20s", at[2])
	}
}

// The figures are those of the statistics the project states: λ = 10 after a
// ramp of R = 4 s, n_r = λR/2 = 20 sends in it, t_i = √(2·i·R/λ).
func TestRateRamp(t *testing.T) {
	at := first(load.Arrival{Rate: 10, Ramp: 4 * time.Second}.Schedule(), 31)
	for i, want := range map[int]float64{0: 0, 1: 0.894427191, 2: 1.264911064, 5: 2, 10: 2.828427125, 20: 4, 30: 5} {
		if got := at[i].Seconds(); math.Abs(got-want) > 1e-9 {
			t.Errorf("slot %d at %.9f s, want %.9f", i, got, want)
		}
	}
}

func gaps(at []time.Duration) []float64 {
	g := make([]float64, 0, len(at))
	prev := time.Duration(0)
	for _, t := range at {
		g = append(g, (t - prev).Seconds())
		prev = t
	}
	return g
}

func moments(x []float64) (mean, cv float64) {
	for _, v := range x {
		mean += v / float64(len(x))
	}
	s := 0.0
	for _, v := range x {
		s += (v - mean) * (v - mean)
	}
	return mean, math.Sqrt(s/float64(len(x))) / mean
}

func TestGapsHaveTheAskedShape(t *testing.T) {
	const n, rate = 20000, 25.0
	for _, tt := range []struct {
		name       string
		smoothness float64
		cv         float64 // of gamma gaps: 1/√k
	}{
		{"constant", 0, 0},
		{"poisson", 1, 1},
		{"smoother", 4, 0.5},
		{"burstier", 0.25, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			at := first(load.Arrival{Rate: rate, Smoothness: tt.smoothness, Rand: chance(1)}.Schedule(), n+1)
			mean, cv := moments(gaps(at)[1:])
			if math.Abs(mean*rate-1) > 0.05 || math.Abs(cv-tt.cv) > 0.05*max(tt.cv, 0.01) {
				t.Errorf("gaps have mean %.5f s and coefficient of variation %.3f, want %.5f and %.3f", mean, cv, 1/rate, tt.cv)
			}
		})
	}
}

// The Kolmogorov–Smirnov distance of n exponential gaps stays below 1.63/√n in
// 99 of 100 samples; the seeds are fixed.
func TestPoissonGapsAreExponential(t *testing.T) {
	const n, rate = 5000, 8.0
	for seed := loadgen.Seed(1); seed <= 5; seed++ {
		g := gaps(first(load.Arrival{Rate: rate, Smoothness: 1, Rand: chance(seed)}.Schedule(), n))
		slices.Sort(g)
		d := 0.0
		for i, x := range g {
			f := 1 - math.Exp(-rate*x)
			d = max(d, f-float64(i)/n, float64(i+1)/n-f)
		}
		if limit := 1.63 / math.Sqrt(n); d > limit {
			t.Errorf("seed %d: distance %.4f from the exponential, want at most %.4f", seed, d, limit)
		}
	}
}

func TestSameSeedSameSchedule(t *testing.T) {
	a := load.Arrival{Rate: 100, Smoothness: 1, Rand: chance(42)}
	if !slices.Equal(first(a.Schedule(), 1000), first(a.Schedule(), 1000)) {
		t.Error("ranging twice gave two schedules")
	}
	b := load.Arrival{Rate: 100, Smoothness: 1, Rand: chance(43)}
	if slices.Equal(first(a.Schedule(), 10), first(b.Schedule(), 10)) {
		t.Error("two seeds gave one schedule")
	}
}

func ExampleArrival_Schedule() {
	poisson := load.Arrival{Rate: 10, Smoothness: 1, Rand: func() *rand.Rand { return loadgen.Seed(1).Rand("arrivals") }}
	for at := range poisson.Schedule() {
		if at > 500*time.Millisecond {
			break
		}
		fmt.Println(at)
	}
	// Output:
	// 57.668527ms
	// 411.17688ms
	// 448.365823ms
}
