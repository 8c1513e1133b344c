package metrics_test

import (
	"testing"
	"time"

	"loadgen"
	"loadgen/metrics"
)

func TestConcurrencyIsWeightedByTime(t *testing.T) {
	for _, row := range []struct {
		name          string
		spans         [][2]int // sent and ended, ms
		avg, max, p50 float64
	}{
		{"one that ends when another begins does not overlap it", [][2]int{{0, 100}, {100, 200}}, 1, 1, 1},
		{"two at once for half of the time", [][2]int{{0, 100}, {50, 100}}, 1.5, 2, 1},
		{"a pause counts as none", [][2]int{{0, 100}, {300, 400}}, 0.5, 1, 0},
		{"one inside another", [][2]int{{0, 100}, {40, 60}}, 1.2, 2, 1},
		{"no time at all is no request in flight", [][2]int{{0, 100}, {50, 50}}, 1, 1, 1},
	} {
		var records []*loadgen.Record
		for _, s := range row.spans {
			records = append(records, failed(time.Duration(s[0])*ms, time.Duration(s[1]-s[0])*ms, loadgen.FailTimeout))
		}
		s := collect(t, metrics.Facts{}, records...)
		got := s.Metric("effective_concurrency").Stats
		if !near(got.Avg, row.avg) || got.Max != row.max || got.P50 != row.p50 {
			t.Errorf("%s: avg %g, max %g, p50 %g; want %g, %g, %g", row.name, got.Avg, got.Max, got.P50, row.avg, row.max, row.p50)
		}
	}
}

// The first waits 100 of its 200 ms for its first token, the second 50 of 100,
// and a third fails; the run lasts 400 ms. Prefill is 150 request · ms, decode
// 150, too.
func TestConcurrencyIsPrefillThenDecode(t *testing.T) {
	records := []*loadgen.Record{
		streamed(0, 100*ms, 200*ms),
		streamed(50*ms, 50*ms, 100*ms),
		failed(300*ms, 100*ms, loadgen.FailTimeout),
	}
	s := collect(t, metrics.Facts{}, records...)
	for tag, want := range map[string][3]float64{ // average, maximum, median
		"effective_concurrency":         {1, 2, 1},
		"effective_prefill_concurrency": {0.375, 2, 0},
		"effective_decode_concurrency":  {0.375, 2, 0},
	} {
		got := s.Metric(tag).Stats
		if !near(got.Avg, want[0]) || got.Max != want[1] || got.P50 != want[2] {
			t.Errorf("%s: avg %g, max %g, p50 %g; want %g", tag, got.Avg, got.Max, got.P50, want)
		}
	}
}
