package metrics_test

import (
	"testing"
	"time"

	"loadgen"
	"loadgen/metrics"
)

// At the end of a closed loop users ask no more: who is still answered has the
// endpoint to himself. Four users whose answers take 8 s send until 40 s; the last
// of each ends after that, and took 5 s for it.
func TestThoseWhoAreAnsweredWhenOthersAskNoMoreAreNoEvidence(t *testing.T) {
	latency := metrics.Limit{Name: "request_latency.p50", Bound: 8000}
	for _, tt := range []struct {
		mode loadgen.LoadMode
		want int // sent after two latencies, 15 s
	}{
		{loadgen.ClosedLoop, 12}, // at 16, 24 and 32 s, a latency before the last were
		{loadgen.OpenLoop, 16},   // and at 40 s: arrivals know nothing of answers
	} {
		c, err := metrics.NewCollector(metrics.Facts{Load: loadgen.Load{Mode: tt.mode}, Sought: []metrics.Limit{latency}})
		if err != nil {
			t.Fatal(err)
		}
		for i := range 24 {
			sent := time.Duration(i/4) * 8 * time.Second
			took := 8 * time.Second
			if i >= 20 {
				took = 5 * time.Second
			}
			c.Add(&loadgen.Record{Phase: loadgen.Profiling, Index: i, Sent: sent, Took: took, Ended: sent + took})
		}
		if m := c.Margins(true)[0]; m.N != tt.want {
			t.Errorf("%v: %d requests are evidence, want %d", tt.mode, m.N, tt.want)
		}
	}
}

// One user whose answers take 8 s sends at 0, 8 … 72 s. Sixteen seconds are left out
// at the beginning; the eight that stay are as few as may be, and the last is one of
// them.
func TestTooFewAreNotMadeFewer(t *testing.T) {
	c, err := metrics.NewCollector(metrics.Facts{Load: loadgen.Load{Mode: loadgen.ClosedLoop}, Sought: []metrics.Limit{{Name: "request_latency.p50", Bound: 8000}}})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 10 {
		sent := time.Duration(i) * 8 * time.Second
		c.Add(&loadgen.Record{Phase: loadgen.Profiling, Index: i, Sent: sent, Took: 8 * time.Second, Ended: sent + 8*time.Second})
	}
	if m := c.Margins(true)[0]; m.N != 8 {
		t.Errorf("%d requests are evidence, want 8", m.N)
	}
}
