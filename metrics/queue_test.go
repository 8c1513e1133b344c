package metrics_test

import (
	"math"
	"testing"
	"time"

	"loadgen"
	"loadgen/metrics"
)

// queueOf collects requests that are sent a second apart and take so many seconds; those
// that take 0 are not over.
func queueOf(t *testing.T, took []float64) metrics.Queue {
	t.Helper()
	c, err := metrics.NewCollector(metrics.Facts{Load: loadgen.Load{Mode: loadgen.OpenLoop}, Sought: []metrics.Limit{{Name: "request_latency.p50", Bound: 1000}}})
	if err != nil {
		t.Fatal(err)
	}
	for i, s := range took {
		if s > 0 {
			sent, took := time.Duration(i)*time.Second, time.Duration(s*1e9)
			c.Add(&loadgen.Record{Phase: loadgen.Profiling, Index: i, Sent: sent, Took: took, Ended: sent + took})
		}
	}
	return c.Queue()
}

// series are n values by their numbers from 0.
func series(n int, of func(i int) float64) []float64 {
	v := make([]float64, n)
	for i := range v {
		v[i] = of(i)
	}
	return v
}

func TestAQueueIsSeenInWhatIsOver(t *testing.T) {
	for _, tt := range []struct {
		name     string
		took     []float64
		inFlight float64
		grows    bool
	}{
		{"nothing was seen", nil, 0, false},
		{"ten of 0.1 s in 9.1 s", series(10, func(int) float64 { return 0.1 }), 1 / 9.1, false},
		{"one that later ones overtook is in flight throughout", []float64{0.5, 0, 0.5, 0.5, 0.5}, 1 + 2/4.5, false},
		{"the last that are not over are not known of", []float64{0.5, 0.5, 0, 0}, 1 / 1.5, false},
		// The later half of the last 30 takes 1.5 s longer, and the means of five batches
		// in each differ by 0.3 s from one to the next: five standard errors.
		{"each takes 0.1 s longer than the one before", series(40, func(i int) float64 { return 0.1 * float64(i+1) }), 82 / 43.0, true},
		{"short and long in turn", series(40, func(i int) float64 { return 1 + float64(i%2) }), 60 / 41.0, false},
		{"longer by a twentieth is no queue", series(40, func(i int) float64 { return 1 + float64(i/25)/20 }), 40.75 / 40.05, false},
		{"too few to tell", series(20, func(i int) float64 { return 0.1 * float64(i+1) }), 21 / 21.0, false},
	} {
		if got := queueOf(t, tt.took); math.Abs(got.InFlight-tt.inFlight) > 1e-9 || got.Grows != tt.grows {
			t.Errorf("%s: %+v, want %g and %v", tt.name, got, tt.inFlight, tt.grows)
		}
	}
}

// Of arrivals every 10 ms one is answered every 20 ms. After 40 s the latest answer took
// 20 s, and all that count may have slower neighbours.
func TestAQueueThatGrowsIsSeenToBreakALimit(t *testing.T) {
	for _, tt := range []struct {
		name  string
		mode  loadgen.LoadMode
		bound float64
		known bool
	}{
		{"a limit that is broken", loadgen.OpenLoop, 1000, true},
		{"not one that those who left it keep", loadgen.OpenLoop, 60000, false},
		{"users wait for their own answers", loadgen.ClosedLoop, 1000, false},
	} {
		limit := metrics.Limit{Name: "request_latency.p95", Bound: tt.bound}
		c, err := metrics.NewCollector(metrics.Facts{Load: loadgen.Load{Mode: tt.mode}, Sought: []metrics.Limit{limit}})
		if err != nil {
			t.Fatal(err)
		}
		for i := range 2000 {
			sent, ended := time.Duration(i)*10*time.Millisecond, time.Duration(i+1)*20*time.Millisecond
			c.Add(&loadgen.Record{Phase: loadgen.Profiling, Index: i, Sent: sent, Took: ended - sent, Ended: ended})
		}
		if m := c.Margins(false)[0]; m.Known() != tt.known || tt.known && m.Y-2*m.S < 0 {
			t.Errorf("%s: %+v", tt.name, m)
		}
	}
}
