package stats_test

import (
	"math"
	"testing"

	"loadgen/stats"
)

func sample(base, fresh []float64) stats.Sample {
	return stats.Sample{Cell: "c", Metric: "m", Margin: 0.05, Base: base, New: fresh}
}

func TestOneSampleAlone(t *testing.T) {
	higher := sample([]float64{100, 100}, []float64{80, 80})
	higher.Higher = true
	unequalRounds := sample([]float64{100, 102}, []float64{100, 101, 102})
	unequalRounds.Paired = true
	oneNight := sample([]float64{100}, []float64{200})
	oneNight.History = []float64{100}
	for name, c := range map[string]struct {
		sample stats.Sample
		want   stats.Verdict
	}{
		"without noise, the same":             {sample([]float64{100, 100}, []float64{100, 100}), stats.NoDifference},
		"without noise, within the margin":    {sample([]float64{100, 100}, []float64{104, 104}), stats.NoDifference},
		"without noise, beyond the margin":    {sample([]float64{100, 100}, []float64{106, 106}), stats.Worse},
		"without noise, smaller":              {sample([]float64{100, 100}, []float64{80, 80}), stats.Better},
		"without noise, less of what is good": {higher, stats.Worse},
		"one run a side":                      {sample([]float64{100}, []float64{200}), stats.CannotTell},
		"one run a side and one night before": {oneNight, stats.CannotTell},
		"two runs against one":                {sample([]float64{100, 101}, []float64{200}), stats.Worse},
		"a side without runs":                 {sample(nil, []float64{100, 101}), stats.CannotTell},
		"rounds that do not pair":             {unequalRounds, stats.NoDifference},
	} {
		if got := stats.Decide([]stats.Sample{c.sample}, stats.FamilyLevel)[0]; got.Verdict != c.want {
			t.Errorf("%s: %q, want %q: %+v", name, got.Verdict, c.want, got)
		}
	}
}

func TestNothingToDecide(t *testing.T) {
	if got := stats.Decide(nil, stats.FamilyLevel); len(got) != 0 {
		t.Errorf("decisions on nothing: %v", got)
	}
	if got := stats.Gate(nil); got != stats.NoDifference {
		t.Errorf("gate on nothing = %q", got)
	}
}

func TestTooLittleIsUndefined(t *testing.T) {
	for name, v := range map[string]float64{
		"mean of nothing":                stats.MeanInterval(nil, 0.95).Mean,
		"interval of one value":          stats.MeanInterval([]float64{7}, 0.95).HalfWidth,
		"ratio of one against one":       stats.PooledRatio([]float64{1}, []float64{2}, 0.95).SE,
		"ratio with an empty side":       stats.PooledRatio(nil, []float64{2}, 0.95).D,
		"pairs of different lengths":     stats.PairedRatio([]float64{1}, []float64{2, 3}, 0.95).D,
		"inflation of 19 values":         stats.InflationOf(make([]float64, 19), 1).Factor,
		"certificate of 19 values":       stats.Certify(make([]float64, 19), 0.5, 0.95).Bound,
		"certificate of nothing":         stats.Certify(nil, 0.5, 0.95).Quantile,
		"crossing of no loads":           stats.IsotonicCrossing(nil, 1.96).Capacity,
		"confidence of no rank":          stats.RankConfidence(0, 10, 0.5),
		"lowest passed load of no probe": first(stats.Bracket(nil)),
	} {
		if !math.IsNaN(v) {
			t.Errorf("%s = %v, want NaN", name, v)
		}
	}
}

func first(a, _ float64) float64 { return a }

func TestRanks(t *testing.T) {
	for name, c := range map[string]struct{ got, want int }{
		"58 values do not bound p95":             {stats.UpperRank(58, 0.95, 0.95), 0},
		"59 do, by their greatest":               {stats.UpperRank(59, 0.95, 0.95), 59},
		"no values bound nothing":                {stats.UpperRank(0, 0.5, 0.5), 0},
		"5 values bound the median from below":   {stats.LowerRank(5, 0.5, 0.95), 1}, // 1 − 2⁻⁵ = 0.969
		"4 values do not":                        {stats.LowerRank(4, 0.5, 0.95), 0}, // 1 − 2⁻⁴ = 0.938
		"the quotient of logs is a whole number": {stats.RequiredN(0.5, 0.75), 2},
		"one value is enough":                    {stats.RequiredN(0.1, 0.9), 1},
		"the exact p90 at 99 %, five over":       {stats.EarlyStopping(5, 0.9, 0, 0.99), 122},
		"a tolerance as large as p asks for one": {stats.EarlyStopping(3, 0.9, 0.9, 0.99), 1},
	} {
		if c.got != c.want {
			t.Errorf("%s: %d, want %d", name, c.got, c.want)
		}
	}
}

func TestFewValuesHaveNoChangePoint(t *testing.T) {
	for _, values := range [][]float64{nil, {1}, {1, 1, 1, 2, 2}, {5, 5, 5, 5, 5, 5, 5, 5}} {
		if points, candidates := stats.ChangePoints(values, stats.DefaultChangeRule); len(points)+len(candidates) != 0 {
			t.Errorf("%v changes at %v", values, points)
		}
	}
	points, _ := stats.ChangePoints([]float64{1, 1, 1, 2, 2, 2}, stats.DefaultChangeRule)
	if len(points) != 1 || points[0].Index != 3 || points[0].P != 0 {
		t.Errorf("three and three: %v, want a change at 3", points)
	}
}

func TestSearchEnds(t *testing.T) {
	b := stats.Bisection{Integer: true, Start: 8, Most: 20, Resolution: 0.05, MaxProbes: 20}
	probes := []stats.Probe{{8, stats.Pass}, {16, stats.Pass}}
	if load, _ := b.Next(probes); load != 20 {
		t.Errorf("after 16 of at most 20: %v, want 20", load)
	}
	probes = append(probes, stats.Probe{Load: 20, Answer: stats.Undecided})
	if _, stop := b.Next(probes); stop != stats.StopNoFail {
		t.Errorf("at the greatest load: %q, want %q", stop, stats.StopNoFail)
	}
	if _, stop := b.Next([]stats.Probe{{1, stats.Fail}}); stop != stats.StopNoPass {
		t.Errorf("one user fails: %q, want %q", stop, stats.StopNoPass)
	}
}

func TestMergingIsExactInAnyOrder(t *testing.T) {
	all := stats.MomentsOf([]float64{1, 2, 3, 4})
	parts := stats.MomentsOf([]float64{4}).Merge(stats.MomentsOf(nil)).Merge(stats.MomentsOf([]float64{2, 1, 3}))
	want := stats.Moments{N: 4, Mean: 2.5, M2: 5, Min: 1, Max: 4}
	if all != want || math.Abs(parts.M2-5) > 1e-12 || parts.N != 4 || parts.Mean != 2.5 {
		t.Errorf("whole %+v, merged %+v, want %+v", all, parts, want)
	}
}
