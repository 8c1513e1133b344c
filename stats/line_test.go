package stats_test

import (
	"math"
	"testing"

	"loadgen/stats"
)

// Three probes at 1, e and e², of weights 1, 1 and 1, lie at −1.1, 0.2 and 0.9 over
// the logarithms 0, 1 and 2: a slope of 1 through their mean of (1, 0), which crosses 0
// at e. They are −0.1, 0.2 and −0.1 off the line. The error of the crossing is that of
// the mean there, 1/√3; one farther the line turns by 1/√2 more.
func TestAStraightLineCrosses(t *testing.T) {
	line, ok := stats.StraightCrossing([]stats.Load{{X: 1, Y: -1.1, S: 1}, {X: math.E, Y: 0.2, S: 1}, {X: math.Exp(2), Y: 0.9, S: 1}})
	if !ok || math.Abs(line.At-math.E) > 1e-9 || math.Abs(line.Chi2-0.06) > 1e-9 || line.Free != 1 {
		t.Errorf("%+v, %v; want a crossing at e, χ² 0.06 of one degree of freedom", line, ok)
	}
	for load, want := range map[float64]float64{math.E: math.Sqrt(1.0 / 3), math.Exp(2): math.Sqrt(1.0/3 + 1.0/2)} {
		if got := line.ErrorAt(load); math.Abs(got-want) > 1e-9 {
			t.Errorf("the error at %g is %g, want %g", load, got, want)
		}
	}
}

// A probe of a third the error weighs nine times as much.
func TestALineIsWeighted(t *testing.T) {
	line, _ := stats.StraightCrossing([]stats.Load{{X: 1, Y: -1, S: 1}, {X: 1, Y: 0, S: 1.0 / 3}, {X: math.E, Y: 0.9, S: 1}})
	// The mean at 1 is −1/10; from there to 0.9 a tenth of the way is 0.
	if want := math.Exp(0.1); math.Abs(line.At-want) > 1e-9 {
		t.Errorf("the line crosses at %g, want %g", line.At, want)
	}
}

func TestALineThatDoesNotRiseCrossesNowhere(t *testing.T) {
	for name, loads := range map[string][]stats.Load{
		"falling":    {{X: 1, Y: 1, S: 1}, {X: 2, Y: -1, S: 1}},
		"flat":       {{X: 1, Y: 1, S: 1}, {X: 2, Y: 1, S: 1}},
		"one load":   {{X: 2, Y: -1, S: 1}, {X: 2, Y: 1, S: 1}},
		"no load":    nil,
		"one single": {{X: 2, Y: -1, S: 1}},
	} {
		if line, ok := stats.StraightCrossing(loads); ok {
			t.Errorf("%s: %+v", name, line)
		}
	}
}
