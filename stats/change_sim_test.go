package stats_test

import (
	"flag"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"loadgen/stats"
)

// nightly is how many series of nights are simulated; the table of
// docs/statistics.md has 1,000.
var nightly = flag.Int("series", 60, "series of nights to simulate")

// nights are run-level figures with a coefficient of variation of 3 %, of which
// successive ones have a correlation; those from step on are higher.
func nights(rng *rand.Rand, n int, follow float64, step int, by float64) []float64 {
	values := make([]float64, n)
	z := rng.NormFloat64()
	for i := range values {
		if i > 0 {
			z = follow*z + math.Sqrt(1-follow*follow)*rng.NormFloat64()
		}
		values[i] = 100 * math.Exp(0.03*z)
		if i >= step {
			values[i] *= by
		}
	}
	return values
}

// firstTold is the number of nights after which a look at every night first
// tells a change, -1 if none does.
func firstTold(values []float64, from int) int {
	for n := from; n <= len(values); n++ {
		if points, _ := stats.ChangePoints(values[:n], stats.DefaultChangeRule); len(points) > 0 {
			return n
		}
	}
	return -1
}

func TestChangePointRates(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, follow := range []float64{0, 0.3} {
		alarms := 0
		for range *nightly {
			if firstTold(nights(rng, 90, follow, 90, 1), 6) >= 0 {
				alarms++
			}
		}
		share := 100 * float64(alarms) / float64(*nightly)
		t.Logf("90 nights, looked at every night, correlation %.1f: %.1f %% of series have a false alarm", follow, share)
		if follow == 0 && share > 5+300*math.Sqrt(0.05*0.95/float64(*nightly)) {
			t.Errorf("%.1f %% false alarms, want at most about 5", share)
		}
	}
	const before, after = 30, 15
	for _, by := range []float64{1.10, 1.20} {
		var delays []int
		for range *nightly {
			if n := firstTold(nights(rng, before+after, 0, before, by), before+1); n >= 0 {
				delays = append(delays, n-before)
			}
		}
		slices.Sort(delays)
		found := 100 * float64(len(delays)) / float64(*nightly)
		if found < 80 {
			t.Fatalf("a step of %.0f %%: found in %.0f %% within %d nights", 100*(by-1), found, after)
		}
		t.Logf("a step of %.0f %%: found in %.1f %% within %d nights, median after %d", 100*(by-1), found, after, delays[len(delays)/2])
		if delays[len(delays)/2] > 4 {
			t.Errorf("a step of %.0f %%: median delay %d nights, want at most 4", 100*(by-1), delays[len(delays)/2])
		}
	}
}
