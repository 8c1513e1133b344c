package synth_test

import (
	"math"
	"testing"

	"loadgen"
	"loadgen/synth"
)

func TestLengthsAreNormal(t *testing.T) {
	const n = 100_000
	for _, row := range []struct {
		name   string
		normal synth.Normal
		least  int
		share  map[int]float64 // of draws at most so long
	}{
		{"no spread is a constant", synth.Normal{Mean: 550}, 1, map[int]float64{549: 0, 550: 1}},
		{"rounded, not cut", synth.Normal{Mean: 2.6}, 1, map[int]float64{2: 0, 3: 1}},
		{
			"a spread follows the normal distribution",
			synth.Normal{Mean: 550, Stddev: 100},
			1,
			map[int]float64{349: phi(-2.005), 449: phi(-1.005), 550: phi(0.005), 650: phi(1.005), 850: phi(3.005)},
		},
		{
			"what is below the least is clipped",
			synth.Normal{Mean: 1, Stddev: 5},
			1,
			map[int]float64{0: 0, 1: phi(0.1), 6: phi(1.1)},
		},
		{"delays may be nothing", synth.Normal{Mean: 0, Stddev: 1}, 0, map[int]float64{-1: 0, 0: phi(0.5), 1: phi(1.5)}},
	} {
		t.Run(row.name, func(t *testing.T) {
			rng := loadgen.Seed(7).Stream(row.name).At(0)
			count := map[int]int{}
			for range n {
				x := row.normal.Draw(row.least, &rng)
				for limit := range row.share {
					if x <= limit {
						count[limit]++
					}
				}
			}
			for limit, want := range row.share {
				// Four standard deviations of a binomial share.
				slack := 4*math.Sqrt(want*(1-want)/n) + 1e-9
				if got := float64(count[limit]) / n; math.Abs(got-want) > slack {
					t.Errorf("%.4f of the draws are at most %d, want %.4f ± %.4f", got, limit, want, slack)
				}
			}
		})
	}
}

func phi(x float64) float64 { return math.Erfc(-x/math.Sqrt2) / 2 }
