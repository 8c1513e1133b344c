package stats_test

import (
	"math"
	"testing"

	"loadgen/stats"
)

// Six pairs with variances 2 and 8 and no covariance: F(2, 4) at 95 % is 6.944 in
// the tables, so k = 2 · 5 / (6 · 4) · 6.944 = 2.8935, and the half axes are
// √(2k) = 2.4056 and √(8k) = 4.8113.
func TestTheRegionIsAsWideAsTheTablesSay(t *testing.T) {
	a, b := math.Sqrt(2.5), math.Sqrt(10)
	xs := []float64{10 + a, 10 - a, 10 + a, 10 - a, 10, 10}
	ys := []float64{20 + b, 20 + b, 20 - b, 20 - b, 20, 20}
	r, ok := stats.MeanRegion(xs, ys, 0.95)
	if !ok {
		t.Fatal("no region")
	}
	for _, tc := range []struct {
		what        string
		angle, x, y float64
	}{
		{"to the right", 0, 12.4056, 20},
		{"upwards", math.Pi / 2, 10, 24.8113},
		{"to the left", math.Pi, 7.5944, 20},
	} {
		if x, y := r.At(tc.angle); math.Abs(x-tc.x) > 1e-3 || math.Abs(y-tc.y) > 1e-3 {
			t.Errorf("%s: %v, %v, want %v, %v", tc.what, x, y, tc.x, tc.y)
		}
	}
}

// Of figures that move together the region is a line along them.
func TestTheRegionOfWhatMovesTogetherIsNarrow(t *testing.T) {
	r, ok := stats.MeanRegion([]float64{1, 2, 3, 4, 5}, []float64{2, 4, 6, 8, 10}, 0.95)
	if !ok {
		t.Fatal("no region")
	}
	for angle := 0.0; angle < 6; angle++ {
		if x, y := r.At(angle); math.Abs(y-2*x) > 1e-6 {
			t.Errorf("at %v: %v, %v", angle, x, y)
		}
	}
}

func TestTooFewPairsHaveNoRegion(t *testing.T) {
	for _, tc := range []struct {
		why    string
		xs, ys []float64
	}{
		{"none", nil, nil},
		{"three", []float64{1, 2, 3}, []float64{1, 2, 4}},
		{"one without its other", []float64{1, 2, 3, 4, 5}, []float64{1, 2, 3, 4}},
		{"no number", []float64{1, 2, 3, math.NaN()}, []float64{1, 2, 3, 4}},
	} {
		if r, ok := stats.MeanRegion(tc.xs, tc.ys, 0.95); ok {
			t.Errorf("%s: %+v", tc.why, r)
		}
	}
}
