package metrics_test

import (
	"math"
	"testing"

	"loadgen/metrics"
)

// Eight probes near the limit, four at each of two loads a factor of e^0.2 apart, lie
// at −0.1 and 0.1 with errors of 0.1: the line crosses half way, and the slope of 1 makes
// its standard error 0.1/√8. They agree with it fully, so that what they say of their
// errors counts as four probes and the scatter is √(4/10); at 10 degrees of freedom
// Student's t is 2.228.
func TestProbesNearALimitAreFittedByALine(t *testing.T) {
	var probes []metrics.Probe
	low, high := 10.0, 10*math.Exp(0.2)
	for range 4 {
		probes = append(probes, at(low, -0.1, -2), at(high, 0.1, -2))
	}
	fit := metrics.FitCapacity(probes, []metrics.Limit{ttft}, metrics.Fitted{Confidence: 0.95})
	middle, se := 10*math.Exp(0.1), 0.1/math.Sqrt(8)*math.Sqrt(0.4)
	for name, pair := range map[string][2]float64{
		"capacity": {float64(fit.Capacity), middle}, "standard error": {fit.SE, se}, "scatter": {fit.Scatter, math.Sqrt(0.4)},
		"lower": {float64(fit.Lower), middle * math.Exp(-2.228*se)}, "upper": {float64(fit.Upper), middle * math.Exp(2.228*se)},
	} {
		if math.Abs(pair[0]-pair[1]) > 1e-3*pair[1] {
			t.Errorf("%s %g, want %g", name, pair[0], pair[1])
		}
	}
}

// The interval has the confidence that was asked for: of 10 degrees of freedom Student's
// t is 1.812 at 90 % and 3.169 at 99 %.
func TestTheIntervalHasItsConfidence(t *testing.T) {
	var probes []metrics.Probe
	for range 4 {
		probes = append(probes, at(10, -0.1, -2), at(10*math.Exp(0.2), 0.1, -2))
	}
	for confidence, want := range map[float64]float64{0.9: 1.812, 0.99: 3.169} {
		fit := metrics.FitCapacity(probes, []metrics.Limit{ttft}, metrics.Fitted{Confidence: confidence})
		if got := math.Log(float64(fit.Upper)/float64(fit.Capacity)) / fit.SE; math.Abs(got-want) > 1e-3 {
			t.Errorf("at %g it reaches %.4g standard errors up, want %.4g", confidence, got, want)
		}
	}
	// By the isotonic fit of two probes 1.645 and 2.576 errors of 0.1 of a way of 2.
	for confidence, want := range map[float64]float64{0.9: (1 + 0.1645) / 2, 0.99: (1 + 0.2576) / 2} {
		fit := metrics.FitCapacity([]metrics.Probe{at(10, -1, -2), at(20, 1, -1)}, []metrics.Limit{ttft}, metrics.Fitted{Confidence: confidence})
		if got := math.Log2(float64(fit.Upper) / 10); math.Abs(got-want) > 1e-4 {
			t.Errorf("at %g it reaches %.5g of the way, want %.5g", confidence, got, want)
		}
	}
}

// The interval of an open loop is no narrower than the precision, and runs of its
// queue that agree make no error less.
func TestAnOpenLoopIsNoMoreCertainThanThePrecision(t *testing.T) {
	var probes []metrics.Probe
	for range 100 {
		probes = append(probes, at(10, -0.1, -2), at(10*math.Exp(0.2), 0.1, -2))
	}
	fit := metrics.FitCapacity(probes, []metrics.Limit{ttft}, metrics.Fitted{Open: true, Precision: 0.05, Confidence: 0.95})
	middle := 10 * math.Exp(0.1)
	if lower, upper := float64(fit.Lower), float64(fit.Upper); math.Abs(lower-middle/1.05) > 1e-6 || math.Abs(upper-middle*1.05) > 1e-6 {
		t.Errorf("%g to %g, want %g to %g", lower, upper, middle/1.05, middle*1.05)
	}
	if fit.Scatter != 1 {
		t.Errorf("the scatter is %g, want 1", fit.Scatter)
	}
}

// What has not settled yet decides nothing unless it is far within the limit, and rests
// on more than a few requests. No failed request at all is as far as can be.
func TestOnlyWhatIsFarWithinIsDecidedEarly(t *testing.T) {
	of := func(y float64, n int) []metrics.Margin {
		return []metrics.Margin{{Limit: ttft, N: n, Y: y, S: 0.02}, {Limit: metrics.Limit{Name: metrics.ErrorRate, Bound: 0.01}, N: n, Y: -1, S: 0.5}}
	}
	limits := []metrics.Limit{ttft, {Name: metrics.ErrorRate, Bound: 0.01}}
	for _, tt := range []struct {
		name    string
		margins []metrics.Margin
		want    bool
	}{
		// log 1.25 is 0.223, and 1.645·0.02 is 0.033.
		{"a pass within a quarter", of(-0.25, 100), false},
		{"a pass by more", of(-0.26, 100), true},
		{"a failure", of(2, 100), false},
		{"of few requests", of(-2, 29), false},
		{"of enough", of(-2, 30), true},
		{"nothing known", nil, false},
	} {
		if got := metrics.Far(tt.margins, limits, 0.95); got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}
