package stats_test

import (
	"math"
	"testing"

	"loadgen/stats"
)

// TestStatedErrors: ln(30/27) = 0.10536. Errors of 0.01 on both sides make one of
// 0.01414, and the 95 % interval 0.10536 ± 1.96 × 0.01414.
func TestStatedErrors(t *testing.T) {
	decide := func(s stats.Sample) stats.Decision {
		s.Cell, s.Metric, s.Higher, s.Margin = "c", "capacity", true, 0.05
		return stats.Decide([]stats.Sample{s}, stats.FamilyLevel)[0]
	}
	d := decide(stats.Sample{Base: []float64{30}, New: []float64{27}, Stated: []float64{0.01, 0.01}})
	for name, pair := range map[string][2]float64{
		"D": {d.D, 0.10536}, "SE": {d.SE, 0.014142}, "lower": {d.Lower, 0.87539}, "upper": {d.Upper, 0.92528},
	} {
		if math.Abs(pair[0]-pair[1]) > 1e-4 {
			t.Errorf("%s is %g, want %g", name, pair[0], pair[1])
		}
	}
	if !math.IsInf(d.DF, 1) || d.Verdict != stats.Worse {
		t.Errorf("%+v", d)
	}
	// Nights that differ by 0.7 % (one degree of freedom) do not contradict an error of
	// 1 %: it counts for four runs, and t(5) at 97.5 % is 2.571.
	d = decide(stats.Sample{Base: []float64{30}, New: []float64{27}, Stated: []float64{0.01, 0.01}, History: []float64{30, 30.3}})
	if d.TotalDF != 5 || math.Abs(d.Variance-1e-4) > 1e-9 || math.Abs(d.Lower-0.8679) > 1e-4 {
		t.Errorf("%+v", d)
	}
	// Nights that differ by 14 % do: 0.02 is more than 3.84 times 0.0001.
	d = decide(stats.Sample{Base: []float64{30}, New: []float64{27}, Stated: []float64{0.01, 0.01}, History: []float64{30, 36.64}})
	if d.TotalDF != 1 || math.Abs(d.Variance-0.02) > 1e-4 || d.Verdict != stats.CannotTell {
		t.Errorf("%+v", d)
	}
	for _, row := range []struct {
		name string
		of   stats.Sample
		want stats.Verdict
	}{
		{"nothing stated, one run a side", stats.Sample{Base: []float64{30}, New: []float64{27}}, stats.CannotTell},
		{"exact", stats.Sample{Base: []float64{30}, New: []float64{27}, Stated: []float64{0, 0}}, stats.Worse},
		{"exact and equal", stats.Sample{Base: []float64{30}, New: []float64{30}, Stated: []float64{0, 0}}, stats.NoDifference},
		{"errors larger than the change", stats.Sample{Base: []float64{30}, New: []float64{27}, Stated: []float64{0.1, 0.1}}, stats.CannotTell},
		{"runs that agree by chance, whose errors are large", stats.Sample{Base: []float64{30, 30}, New: []float64{27, 27}, Stated: []float64{0.1, 0.1, 0.1, 0.1}}, stats.CannotTell},
		{"runs that differ by more than they state", stats.Sample{Base: []float64{20, 30, 40}, New: []float64{18, 27, 36}, Stated: []float64{0, 0, 0, 0, 0, 0}}, stats.CannotTell},
		{"earlier nights that differ by more", stats.Sample{Base: []float64{30}, New: []float64{27}, History: []float64{20, 30, 40, 25}, Stated: []float64{0, 0}}, stats.CannotTell},
	} {
		if got := decide(row.of); got.Verdict != row.want {
			t.Errorf("%s: %s, want %s: %+v", row.name, got.Verdict, row.want, got)
		}
	}
}
