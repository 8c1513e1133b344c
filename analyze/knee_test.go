package analyze_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"loadgen/analyze"
)

func TestKneeByPower(t *testing.T) {
	nan := math.NaN()
	for _, tt := range []struct {
		name                string
		throughput, latency []float64
		want                int
	}{
		{"nothing measured", nil, nil, -1},
		{"one load has no knee", []float64{10}, []float64{1}, -1},
		{"two loads have no knee", []float64{10, 11}, []float64{1, 2}, -1},
		{"throughput doubles, then only latency does", []float64{10, 20, 40, 40}, []float64{1, 1, 1, 2}, 2},
		{"still rising at the last load: the knee lies beyond", []float64{10, 20, 40, 80}, []float64{1, 1, 1, 1}, -1},
		{"overloaded from the start", []float64{10, 10, 10}, []float64{1, 2, 4}, 0},
		{"missing numbers are passed over", []float64{10, nan, 40, 0, 41}, []float64{1, 1, 1, 1, 3}, 2},
		{"the last usable load decides, not the last", []float64{10, 20, 40, nan}, []float64{1, 1, 1, 1}, -1},
		{"a latency of zero is no measurement", []float64{10, 20, 30}, []float64{0, 1, 1}, -1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := analyze.KneeByPower(tt.throughput, tt.latency); got != tt.want {
				t.Errorf("knee at %d, want %d", got, tt.want)
			}
		})
	}
}

// The asymptotic bounds of a closed loop with service time 1 s and a ceiling
// of 10/s: latency max(1, N/10), throughput min(N, 10); the bend is at 10.
var users = []float64{1, 2, 4, 8, 16, 32, 64}

func TestFitKnee(t *testing.T) {
	closedLoop := func(n float64) float64 { return max(1, n/10) }
	for _, tt := range []struct {
		name          string
		loads, values []float64
		shape         analyze.KneeShape
		slope, knee   float64
		after         float64 // slope after the knee
	}{
		{"no point", nil, nil, analyze.KneeNone, 0, 0, 0},
		{"one point is flat", []float64{4}, []float64{2}, analyze.KneeFlat, 0, 0, 0},
		{"two equal points are flat", []float64{1, 2}, []float64{2, 2}, analyze.KneeFlat, 0, 0, 0},
		{"two points within a percent are flat", []float64{1, 2}, []float64{2, 2.01}, analyze.KneeFlat, 0, 0, 0},
		{"two points make a line", []float64{1, 3}, []float64{2, 4}, analyze.KneeLinear, 1, 0, 0},
		{"equal values are flat", []float64{1, 2, 4, 8}, []float64{2, 2, 2, 2}, analyze.KneeFlat, 0, 0, 0},
		{"all at the same load are flat", []float64{4, 4, 4}, []float64{1, 2, 3}, analyze.KneeFlat, 0, 0, 0},
		{"a line", []float64{1, 2, 4, 8}, []float64{1.5, 2, 3, 5}, analyze.KneeLinear, 0.5, 0, 0},
		{"a falling line", []float64{1, 2, 3, 4}, []float64{8, 6, 4, 2}, analyze.KneeLinear, -2, 0, 0},
		{"the order of the points does not matter", []float64{8, 1, 4, 2}, []float64{5, 1.5, 3, 2}, analyze.KneeLinear, 0.5, 0, 0},
		{"missing points are left out", []float64{1, 2, math.NaN(), 4, 8}, []float64{1.5, 2, 9, 3, math.Inf(1)}, analyze.KneeLinear, 0.5, 0, 0},
		{"a closed loop's latency bends upwards", users, each(users, closedLoop), analyze.KneeRising, 0, 10, 0.1},
		{"a closed loop's throughput saturates", users, each(users, func(n float64) float64 { return min(n, 10) }), analyze.KneeSaturated, 1, 10, 0},
		{"two slopes", users, each(users, func(n float64) float64 { return 1 + n/5 + 0.4*max(0, n-12) }), analyze.KneeRising, 0.2, 12, 0.6},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := analyze.FitKnee(tt.loads, tt.values)
			if f.Shape != tt.shape {
				t.Fatalf("shape %s, want %s (%+v)", f.Shape, tt.shape, f)
			}
			near(t, "slope", f.Slope, tt.slope)
			near(t, "knee", f.Knee, tt.knee)
			if tt.knee > 0 {
				near(t, "slope after the knee", f.Slope+f.Bend, tt.after)
			}
		})
	}
}

func TestFitKneeReportsHowWell(t *testing.T) {
	exact := analyze.FitKnee([]float64{1, 2, 4, 8}, []float64{1.5, 2, 3, 5})
	near(t, "R² of an exact line", *exact.RSquared, 1)
	near(t, "R² of the best rising curve", *exact.Monotone, 1)

	if f := analyze.FitKnee([]float64{1, 2, 3}, []float64{2, 2, 2}); f.RSquared != nil {
		t.Errorf("R² of equal values is %v, want none", *f.RSquared)
	}

	// Values 1, 3, 2: the mean is 2 and the squares around it 2; the best
	// never-falling curve is 1, 2.5, 2.5, which leaves 0.5.
	near(t, "R² of the best rising curve", *analyze.FitKnee([]float64{1, 2, 3}, []float64{1, 3, 2}).Monotone, 0.75)
}

func TestKneeCrossing(t *testing.T) {
	rising := analyze.FitKnee(users, each(users, func(n float64) float64 { return max(1, n/10) }))
	flat := analyze.FitKnee([]float64{1, 2, 4, 8}, []float64{2, 2, 2, 2})
	falling := analyze.FitKnee([]float64{1, 2, 3, 4}, []float64{8, 6, 4, 2})
	for _, tt := range []struct {
		name    string
		fit     analyze.KneeFit
		limit   float64
		load    float64
		crossed bool
	}{
		{"after the knee", rising, 2, 20, true},
		{"a limit that is never reached", rising, 100, 64, false},
		{"below the floor", rising, 0.5, 1, true},
		{"flat below the limit", flat, 3, 8, false},
		{"flat above the limit", flat, 1, 1, true},
		{"falling from above the limit", falling, 5, 1, true},
		{"falling below the limit", falling, 9, 4, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			load, crossed := tt.fit.Crossing(tt.limit)
			near(t, "load", load, tt.load)
			if crossed != tt.crossed {
				t.Errorf("crossed %v, want %v", crossed, tt.crossed)
			}
		})
	}
}

// Whatever the points, the fit does not panic, is finite, and is no worse than
// the mean; with 2 % noise on a true bend the bend is found near its place.
func TestFitKneeOnAnyPoints(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		n := rng.IntN(12)
		x, y := make([]float64, n), make([]float64, n)
		for i := range n {
			x[i], y[i] = float64(rng.IntN(9)), math.Round(rng.NormFloat64()*3)*math.Pow(10, float64(rng.IntN(7)-3))
		}
		f := analyze.FitKnee(x, y)
		for _, v := range []float64{f.Intercept, f.Slope, f.Knee, f.Bend, f.At(3)} {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				t.Fatalf("fit through %v, %v is not finite: %+v", x, y, f)
			}
		}
		if f.RSquared != nil && *f.RSquared < -1e-9 {
			t.Fatalf("fit through %v, %v is worse than the mean: R² %v", x, y, *f.RSquared)
		}
	}
	loads := []float64{1, 2, 4, 8, 12, 16, 24, 32, 48, 64}
	for range 200 {
		noisy := each(loads, func(n float64) float64 { return max(1, n/10) * (1 + 0.02*rng.NormFloat64()) })
		if f := analyze.FitKnee(loads, noisy); f.Shape != analyze.KneeRising || f.Knee < 7 || f.Knee > 13 {
			t.Fatalf("knee of %v: %+v, want a rise near 10", noisy, f)
		}
	}
}

func each(x []float64, f func(float64) float64) []float64 {
	y := make([]float64, len(x))
	for i := range x {
		y[i] = f(x[i])
	}
	return y
}

func near(t *testing.T, what string, got, want float64) {
	t.Helper()
	if math.Abs(got-want) > 1e-9+1e-6*math.Abs(want) {
		t.Errorf("%s is %v, want %v", what, got, want)
	}
}
