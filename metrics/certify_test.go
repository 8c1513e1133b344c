package metrics_test

import (
	"fmt"
	"testing"
	"time"

	"loadgen"
	"loadgen/metrics"
)

// ran is the summary of a run whose requests took so many milliseconds each; one
// of 0 failed.
func ran(t *testing.T, budgets map[string]float64, took []int) *metrics.Summary {
	t.Helper()
	c, err := metrics.NewCollector(metrics.Facts{Certified: metrics.Certifiable(budgets)})
	if err != nil {
		t.Fatal(err)
	}
	for i, ms := range took {
		r := &loadgen.Record{Phase: loadgen.Profiling, Index: i, Sent: time.Duration(i) * time.Second, Took: time.Duration(ms) * time.Millisecond}
		r.Ended = r.Sent + r.Took
		if ms == 0 {
			r.Failure = &loadgen.Failure{Kind: loadgen.FailConnect}
		}
		c.Add(r)
	}
	s := c.Summary(loadgen.Outcome{Issued: len(took)}, loadgen.Health{}, loadgen.Transport{})
	return &s
}

// Sixty requests of 1 to 60 ms, in an order in which neighbours tell nothing of
// each other. By the binomial table the greatest of 59 values bounds the p95 at
// 95 %, of 60 likewise. The p99 needs 299 independent ones; one of sixty lies above
// it, and the variance of twenty batch means, (19·(1/60)² + (1/3 − 1/60)²)/19, is
// by 60/59 what independent ones would have: 299 · 60/59 = 304.1.
func TestWhatARunProves(t *testing.T) {
	var took []int
	for i := range 60 {
		took = append(took, 1+i*7%60)
	}
	failing := append([]int(nil), took...)
	failing[30] = 0
	for _, tt := range []struct {
		name    string
		took    []int
		budgets map[string]float64
		name0   string
		want    string
	}{
		{"a bound", took, nil, "request_latency.p95", "latency p95 ≤ 60 ms at 95 %"},
		{"a limit that is kept", took, map[string]float64{"request_latency.p95": 60}, "request_latency.p95", "latency p95 ≤ 60 ms at 95 %: certified, it is at most 60 ms"},
		{"one that may not be", took, map[string]float64{"request_latency.p95": 58}, "request_latency.p95", "latency p95 ≤ 58 ms at 95 %: not certified, it may be up to 60 ms"},
		{"too few", took, map[string]float64{"request_latency.p99": 500}, "request_latency.p99", "latency p99 ≤ 500 ms at 95 %: not enough requests: 305 needed, 60 seen"},
		{"far too few", took[:10], nil, "request_latency.p95", "latency p95 at 95 %: not enough requests: 59 needed, 10 seen"},
		{"failures are slow", failing, nil, "request_latency.p95", "latency p95 at 95 %: no bound, too many requests failed"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := ""
			for _, c := range ran(t, tt.budgets, tt.took).Certificates {
				if c.Name == tt.name0 {
					got = fmt.Sprint(c)
				}
			}
			if got != tt.want {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
}

func TestNoCertificatesUnlessAskedFor(t *testing.T) {
	c, err := metrics.NewCollector(metrics.Facts{})
	if err != nil {
		t.Fatal(err)
	}
	c.Add(&loadgen.Record{Phase: loadgen.Profiling, Took: time.Second, Ended: time.Second})
	if s := c.Summary(loadgen.Outcome{Issued: 1}, loadgen.Health{}, loadgen.Transport{}); s.Certificates != nil {
		t.Errorf("certificates %v", s.Certificates)
	}
}
