package metrics_test

import (
	"math"
	"testing"

	"loadgen/metrics"
)

func near(got, want float64) bool { return math.Abs(got-want) <= 1e-9*math.Max(1, math.Abs(want)) }

func TestPercentilesInterpolateBetweenOrderStatistics(t *testing.T) {
	ten := []float64{10, 9, 8, 7, 6, 5, 4, 3, 2, 1}
	hundreds := []float64{100, 200, 300, 400}
	for _, row := range []struct {
		values  []float64
		p, want float64
	}{
		{ten, 50, 5.5},
		{ten, 90, 9.1},
		{ten, 95, 9.55},
		{ten, 99, 9.91},
		{ten, 0, 1},
		{ten, 100, 10},
		{hundreds, 50, 250},
		{hundreds, 90, 370},
		{hundreds, 95, 385},
		{hundreds, 99, 397},
		{[]float64{7}, 99, 7},
	} {
		if got := metrics.Percentile(metrics.Sorted(row.values), row.p); !near(got, row.want) {
			t.Errorf("p%g of %v = %g, want %g", row.p, row.values, got, row.want)
		}
	}
}

func TestAPercentileNeedsAValueBeyondIt(t *testing.T) {
	for _, row := range []struct {
		p    float64
		need int64
	}{{90, 10}, {95, 20}, {99, 100}, {99.9, 1000}, {10, 10}, {1, 100}} {
		if metrics.Supported(row.p, row.need-1) || !metrics.Supported(row.p, row.need) {
			t.Errorf("p%g is not supported from %d values on", row.p, row.need)
		}
	}
}

// Twenty batches of five equal values 1, 2 … 20: mean 10.5, sample deviation
// of the batch means √35, t(0.975; 19) = 2.093024, so the half width is
// 2.093024·√35/√20 = 2.768820.
func TestBatchMeansIgnoreHowManyValuesABatchHas(t *testing.T) {
	var values []float64
	for i := range 20 {
		for range 5 {
			values = append(values, float64(i+1))
		}
	}
	got, ok := metrics.BatchMeans(values)
	if !ok || !near(got.Mean, 10.5) || math.Abs(got.High-10.5-2.768820) > 1e-5 || math.Abs(10.5-got.Low-2.768820) > 1e-5 {
		t.Errorf("got %+v", got)
	}
	if _, ok := metrics.BatchMeans(values[:99]); ok {
		t.Error("99 values gave an interval")
	}
}
