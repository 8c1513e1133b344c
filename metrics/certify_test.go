package metrics_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"loadgen"
	"loadgen/metrics"
)

// ran is the summary of a run whose requests took so many milliseconds each; one
// of 0 failed.
func ran(t *testing.T, rule metrics.CertifyRule, budgets map[string]float64, took []int) *metrics.Summary {
	t.Helper()
	c, err := metrics.NewCollector(metrics.Facts{Certified: metrics.Certifiable(budgets, rule), CertifyBy: rule})
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
			for _, c := range ran(t, metrics.ByOrder, tt.budgets, tt.took).Certificates {
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

// TestNeighboursAreThoseThatWereSentTogether has a slow phase of 60 among 1,200
// requests, numbered as they were sent, and as two workers number them of whom one
// sends twice as many.
func TestNeighboursAreThoseThatWereSentTogether(t *testing.T) {
	certified := func(number func(i int) int) []metrics.Certificate {
		c, err := metrics.NewCollector(metrics.Facts{Certified: metrics.Certifiable(nil, metrics.ByOrder), CertifyBy: metrics.ByOrder})
		if err != nil {
			t.Fatal(err)
		}
		for i := range 1200 {
			r := &loadgen.Record{Phase: loadgen.Profiling, Index: number(i), Sent: time.Duration(i) * time.Second, Took: 10 * ms}
			if i >= 600 && i < 660 {
				r.Took = 900 * ms
			}
			r.Ended = r.Sent + r.Took
			c.Add(r)
		}
		return c.Summary(loadgen.Outcome{Issued: 1200}, loadgen.Health{}, loadgen.Transport{}).Certificates
	}
	alone := certified(func(i int) int { return i })
	if n := alone[0].EffectiveN; n > 200 {
		t.Errorf("a slow phase counts for %d of 1,200", n)
	}
	together := certified(func(i int) int {
		if i%3 == 2 {
			return i/3*2 + 1
		}
		return (i/3*2 + i%3) * 2
	})
	if diff := cmp.Diff(alone, together); diff != "" {
		t.Errorf("certificates (-alone +together):\n%s", diff)
	}
}

// spread are so many requests of 1 ms, and so many slow ones of 900 ms, one every
// n/slow, so that each of twenty batches has the same share of them as near as can
// be.
func spread(n, slow int) []int {
	took := make([]int, n)
	for i := range took {
		took[i] = 1
		if slow > 0 && i*slow/n != (i+1)*slow/n {
			took[i] = 900
		}
	}
	return took
}

// The numbers of requests are those of MLPerf's published table: for p99 459 with
// none beyond, 662 with one, 838 with two, 1,307 with five; for p90 44 and 64.
func TestWhatARunProvesByMLPerfsRule(t *testing.T) {
	limit := map[string]float64{"request_latency.p99": 500}
	for _, tt := range []struct {
		name    string
		rule    metrics.CertifyRule
		took    []int
		budgets map[string]float64
		want    string
	}{
		{"enough, and all of them quick", metrics.MLPerfServer, spread(459, 0), limit, "latency p99 ≤ 500 ms at 99 % by MLPerf's rule: certified, 0 of 459 requests took longer or failed"},
		{"one request short", metrics.MLPerfServer, spread(458, 0), limit, "latency p99 ≤ 500 ms at 99 % by MLPerf's rule: not enough requests: 459 needed with 0 over the limit, 458 seen"},
		{"one slow request asks for more", metrics.MLPerfServer, spread(661, 1), limit, "latency p99 ≤ 500 ms at 99 % by MLPerf's rule: not enough requests: 662 needed with 1 over the limit, 661 seen"},
		{"five slow ones in as many as they need", metrics.MLPerfServer, spread(1307, 5), limit, "latency p99 ≤ 500 ms at 99 % by MLPerf's rule: certified, 5 of 1307 requests took longer or failed"},
		{"so slow that more would not help", metrics.MLPerfServer, spread(1300, 26), limit, "latency p99 ≤ 500 ms at 99 % by MLPerf's rule: not certified, 26 of 1300 requests took longer or failed: more than 1 in 100"},
		{"no limit, too few for an estimate", metrics.MLPerfMultiStream, spread(400, 0), nil, "latency p99 at 99 % by MLPerf's rule: not enough requests: 662 needed, 400 seen"},
		// Of 838 two may lie beyond: the second greatest.
		{"no limit, an estimate", metrics.MLPerfMultiStream, spread(838, 1), nil, "latency p99 ≤ 1 ms at 99 % by MLPerf's rule"},
		{"no limit, too few to discard the slow one", metrics.MLPerfMultiStream, spread(837, 1), nil, "latency p99 ≤ 900 ms at 99 % by MLPerf's rule"},
		{"one stream", metrics.MLPerfSingleStream, spread(64, 0), nil, "latency p90 ≤ 1 ms at 99 % by MLPerf's rule"},
		{"one stream, one request short", metrics.MLPerfSingleStream, spread(63, 0), nil, "latency p90 at 99 % by MLPerf's rule: not enough requests: 64 needed, 63 seen"},
		{"failures lie beyond", metrics.MLPerfSingleStream, append(make([]int, 1), spread(63, 0)...), nil, "latency p90 at 99 % by MLPerf's rule: no bound, too many requests failed"},
		// Twenty slow requests in a row are one of twenty batches of 100, of which a
		// fifth is slow: 100 · (0.19² + 19 · 0.01²)/19 = 0.2 is their scatter, where
		// independent ones would have 0.01 · 0.99: 2,000 are worth 99.
		{"a burst", metrics.MLPerfServer, append(append(spread(1000, 0), repeated(900, 20)...), spread(980, 0)...), map[string]float64{"request_latency.p90": 500}, "latency p90 ≤ 500 ms at 99 % by MLPerf's rule: certified, 20 of 2000 requests took longer or failed; the rule takes them for independent, they are worth 99 that are"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for _, c := range ran(t, tt.rule, tt.budgets, tt.took).Certificates {
				got = append(got, c.String())
			}
			if !slices.Contains(got, tt.want) {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
}

func repeated(ms, n int) []int {
	took := make([]int, n)
	for i := range took {
		took[i] = ms
	}
	return took
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
