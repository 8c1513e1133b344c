package metrics_test

import (
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"loadgen"
	"loadgen/metrics"
)

// latencies folds requests of so many milliseconds each and returns the
// distribution of their latencies.
func latencies(t *testing.T, values []float64) metrics.Stats {
	t.Helper()
	c, err := metrics.NewCollector(metrics.Facts{})
	if err != nil {
		t.Fatal(err)
	}
	r := streamed(0, 0)
	for i, v := range values {
		r.Took = time.Duration(v * 1e6)
		r.Sent = time.Duration(i) * 10 * time.Microsecond
		r.Due, r.Ended, r.Chunks[0].At = r.Sent, r.Sent+r.Took, r.Took
		c.Add(r)
	}
	s := c.Summary(loadgen.Outcome{}, healthy(), loadgen.Transport{})
	return *s.Metric("request_latency").Stats
}

// fill returns n values: a stretch of them for each of the given runs, whose
// value and length alternate through the arguments; the last one is as long as
// it takes.
func fill(n int, runs ...float64) []float64 {
	var values []float64
	for i := 0; i < len(runs); i += 2 {
		for range int(runs[i+1]) {
			values = append(values, runs[i])
		}
	}
	for i := len(values); i < n; i++ {
		values = append(values, float64(1+i%100))
	}
	return values[:n]
}

// Up to the limit all statistics are those of the values themselves, however
// these came: alone, in runs, in blocks that are full or not.
func TestUpToTheLimitEveryValueIsHeld(t *testing.T) {
	for _, row := range []struct {
		name   string
		values []float64
	}{
		{"one value", fill(1)},
		{"one short of a block", fill(511)},
		{"a block and one", fill(513)},
		{"all the same", fill(1000, 7, 1000)},
		{"the same at first", fill(2000, 7, 1000)},
		{"zeros, then others", fill(2000, 0, 1000)},
		{"runs of several lengths", fill(3000, 5, 1, 6, 2, 5, 512, 6, 513, 0, 1000)},
		{"more than half of the limit", fill(metrics.ExactLimit * 3 / 4)},
		{"exactly the limit", fill(metrics.ExactLimit)},
		{"the limit, nearly all the same", fill(metrics.ExactLimit, 7, metrics.ExactLimit-10)},
	} {
		if diff := cmp.Diff(*metrics.NewStats(row.values), latencies(t, row.values)); diff != "" {
			t.Errorf("%s (-of the values +got):\n%s", row.name, diff)
		}
	}
}

// Beyond the limit percentiles are within 0.1 %, all else is exact.
func TestBeyondTheLimitWhatIsHeldIsCounted(t *testing.T) {
	const limit = metrics.ExactLimit
	for _, row := range []struct {
		name   string
		values []float64
	}{
		{"one more than the limit", fill(limit + 1)},
		{"many more", fill(limit * 5 / 4)},
		{"the same beyond the limit", fill(limit*5/4, 7, limit*5/4)},
		{"the same until beyond the limit", fill(limit*5/4, 7, limit+10)},
		{"a run across the limit", fill(limit*5/4, 7, 1, 8, limit-100, 9, 1, 8, 200)},
	} {
		want, got := metrics.NewStats(row.values), latencies(t, row.values)
		for name, pair := range map[string][2]float64{
			"avg": {want.Avg, got.Avg}, "std": {want.Std, got.Std}, "sum": {want.Sum, got.Sum},
			"min": {want.Min, got.Min}, "max": {want.Max, got.Max}, "count": {float64(want.Count), float64(got.Count)},
		} {
			if !near(pair[1], pair[0]) {
				t.Errorf("%s: %s is %g, want %g", row.name, name, pair[1], pair[0])
			}
		}
		// By nearest rank instead of interpolated: off by one value of 1 at most.
		for name, pair := range map[string][2]float64{"p1": {want.P1, got.P1}, "p50": {want.P50, got.P50}, "p99": {want.P99, got.P99}} {
			if math.Abs(pair[1]-pair[0]) > 1e-3*pair[0]+1 {
				t.Errorf("%s: %s is %g, want %g", row.name, name, pair[1], pair[0])
			}
		}
		if want.Min == want.Max && got.P50 != want.Min {
			t.Errorf("%s: the median of %g alone is %g", row.name, want.Min, got.P50)
		}
	}
}
