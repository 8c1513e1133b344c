package metrics_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"loadgen"
	"loadgen/metrics"
)

func TestGoodRequestsMeetEveryLimit(t *testing.T) {
	// TTFT 100 ms, latency 300 ms, 11 tokens: 20 ms ITL, 50 tokens/s per user.
	record := with(streamed(0, 100*ms, 300*ms), 11)
	single := with(streamed(0, 100*ms), 1) // has no ITL
	for _, row := range []struct {
		name string
		slos map[string]float64
		rec  *loadgen.Record
		good bool
	}{
		{"exactly at the limit", map[string]float64{"time_to_first_token": 100}, record, true},
		{"above it", map[string]float64{"time_to_first_token": 99.9}, record, false},
		{"all of several", map[string]float64{"time_to_first_token": 100, "request_latency": 300}, record, true},
		{"all but one of several", map[string]float64{"time_to_first_token": 100, "request_latency": 299}, record, false},
		{"at least so much where more is better", map[string]float64{"output_token_throughput_per_user": 50}, record, true},
		{"less where more is better", map[string]float64{"output_token_throughput_per_user": 51}, record, false},
		{"a missing metric is not good", map[string]float64{"inter_token_latency": 1000}, single, false},
		{"a failed request is not good", map[string]float64{"time_to_first_token": 100}, failed(0, ms, loadgen.FailHTTP5xx), false},
	} {
		s := collect(t, metrics.Facts{SLOs: row.slos}, row.rec)
		if got := *s.Counts.Good == 1; got != row.good {
			t.Errorf("%s: good is %v", row.name, got)
		}
	}
	for _, tag := range []string{"ttft", "request_throughput", "inter_chunk_latency"} {
		if _, err := metrics.NewCollector(metrics.Facts{SLOs: map[string]float64{tag: 1}}); err == nil {
			t.Errorf("an slo on %s was accepted", tag)
		}
	}
}

// Ten requests, one every 100 ms and answered in 100 ms: 10/s. When every other
// one is refused, the good ones are half as many in the same time.
func TestAServerThatRefusesHalfHalvesGoodput(t *testing.T) {
	var all, half []*loadgen.Record
	for i := range 20 {
		sent := time.Duration(i) * 100 * ms
		all = append(all, with(streamed(sent, 50*ms, 100*ms), 2))
		if i%2 == 0 {
			half = append(half, with(streamed(sent, 50*ms, 100*ms), 2))
		} else {
			half = append(half, failed(sent, ms, loadgen.FailRateLimited))
		}
	}
	half[19] = with(streamed(1900*ms, 50*ms, 100*ms), 2) // both runs last two seconds
	half[0] = with(streamed(0, 50*ms, 100*ms), 2)
	facts := metrics.Facts{SLOs: map[string]float64{"request_latency": 100}}
	a, h := collect(t, facts, all...), collect(t, facts, half...)
	if got := value(t, a, "goodput"); !near(got, 10) {
		t.Errorf("goodput of the willing server is %g, want 10", got)
	}
	if got := value(t, h, "goodput"); !near(got, 5.5) { // 11 of 20 in 2 s
		t.Errorf("goodput of the refusing server is %g, want 5.5", got)
	}
	if got := value(t, h, "good_request_fraction"); !near(got, 0.55) {
		t.Errorf("good fraction is %g, want 0.55", got)
	}
	if got := value(t, h, "request_throughput"); got > value(t, a, "request_throughput") {
		t.Errorf("refusals made the run faster: %g", got)
	}
}

func TestEveryRequestIsAccountedFor(t *testing.T) {
	s := judged(t, metrics.Facts{}, loadgen.Outcome{Issued: 7, Missed: 2}, healthy(), loadgen.Transport{},
		streamed(0, 10*ms), streamed(0, 10*ms),
		failed(0, ms, loadgen.FailHTTP5xx), failed(0, ms, loadgen.FailHTTP5xx), failed(0, ms, loadgen.FailTimeout),
		failed(0, ms, loadgen.FailCancelled),
	)
	want := metrics.Counts{Issued: 7, OK: 2, Failed: 3, Cancelled: 1, Lost: 1, Missed: 2}
	if diff := cmp.Diff(want, s.Counts); diff != "" {
		t.Errorf("counts (-want +got):\n%s", diff)
	}
	errs := []metrics.Error{
		{Kind: loadgen.FailHTTP5xx, Message: "why", Count: 2},
		{Kind: loadgen.FailCancelled, Message: "why", Count: 1},
		{Kind: loadgen.FailTimeout, Message: "why", Count: 1},
	}
	if diff := cmp.Diff(errs, s.Errors); diff != "" {
		t.Errorf("errors (-want +got):\n%s", diff)
	}
	if got := value(t, s, "error_request_count"); got != 4 {
		t.Errorf("error_request_count = %g, want 4", got)
	}
	if got := value(t, s, "completed_request_count"); got != 6 {
		t.Errorf("completed_request_count = %g, want 6", got)
	}
	if got := value(t, s, "request_error_rate"); !near(got, 400.0/6) {
		t.Errorf("request_error_rate = %g, want 66.7", got)
	}
}

func TestWhatDoesNotApplyIsAbsent(t *testing.T) {
	for _, row := range []struct {
		name    string
		records []*loadgen.Record
		want    []string
	}{
		{"no record at all", nil, nil},
		{
			"nothing but failures",
			[]*loadgen.Record{failed(0, ms, loadgen.FailConnect)},
			[]string{"request_count", "error_request_count", "completed_request_count", "request_error_rate", "effective_concurrency"},
		},
	} {
		s := collect(t, metrics.Facts{}, row.records...)
		var got []string
		for _, m := range s.Metrics {
			got = append(got, m.Tag)
		}
		if diff := cmp.Diff(row.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", row.name, diff)
		}
	}
	plain := with(streamed(0, 100*ms), 50)
	plain.Streamed = false
	s := collect(t, metrics.Facts{}, plain)
	for _, tag := range []string{"time_to_first_token", "inter_token_latency", "inter_chunk_latency", "goodput", "adj_request_latency"} {
		if s.Metric(tag) != nil {
			t.Errorf("a clean run that was not streamed has %s", tag)
		}
	}
}

// Latencies 100, 200, 300 and one failure. By nearest rank of four, p50 is the
// 2nd, p75 the 3rd, p90 the 4th: infinite, so absent.
func TestAdjustedMetricsCountFailuresAsInfinite(t *testing.T) {
	s := collect(t, metrics.Facts{},
		streamed(0, 100*ms), streamed(0, 200*ms), streamed(0, 300*ms), failed(0, ms, loadgen.FailTimeout))
	got := s.Metric("adj_request_latency").Stats
	if got.P50 != 200 || got.P75 != 300 || !math.IsNaN(got.P90) || !math.IsNaN(got.Avg) || got.Count != 4 {
		t.Errorf("got %+v", *got)
	}
}

// Requested 100: off by at most 5 is a match, off by 6 is not. Requested 2000:
// 5 % would be 100, but 50 is the most.
func TestOutputLengthMismatchIsCountedByAIPerfsRule(t *testing.T) {
	for _, row := range []struct{ asked, got, want int }{
		{100, 105, 0}, {100, 95, 0}, {100, 106, 1}, {100, 94, 1}, {2000, 1950, 0}, {2000, 1949, 1},
	} {
		r := with(streamed(0, 100*ms, 200*ms), row.got)
		r.Request.MaxTokens = row.asked
		if got := value(t, collect(t, metrics.Facts{}, r), "osl_mismatch_count"); int(got) != row.want {
			t.Errorf("%d tokens for %d asked: %g mismatches, want %d", row.got, row.asked, got, row.want)
		}
	}
}

func TestWarmupStandsApart(t *testing.T) {
	warm := streamed(0, 900*ms)
	warm.Phase = loadgen.Warmup
	s := collect(t, metrics.Facts{}, warm, streamed(0, 100*ms))
	if got := value(t, s, "request_latency"); got != 100 {
		t.Errorf("request latency %g, want 100", got)
	}
	i := slices.IndexFunc(s.Warmup, func(m metrics.Metric) bool { return m.Tag == "request_latency" })
	if i < 0 || s.Warmup[i].Stats.Avg != 900 || s.Counts.Warmup != 1 {
		t.Errorf("warm-up: %+v", s.Warmup)
	}
}

// Beyond ExactLimit percentiles come from a histogram: within 0.1 % of the
// exact ones; average and extremes stay as they are.
func TestManyRequestsGoIntoHistograms(t *testing.T) {
	c, err := metrics.NewCollector(metrics.Facts{})
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(1, 2))
	n := metrics.ExactLimit + 1000
	values := make([]float64, n)
	r := streamed(0, 0)
	r.Request.MaxTokens = 100
	for i := range n {
		took := time.Duration(rng.ExpFloat64() * 1e8)
		values[i] = float64(took) / 1e6
		r.Sent = time.Duration(i) * ms
		r.Due, r.Ended, r.Took, r.Chunks[0].At = r.Sent, r.Sent+took, took, took
		c.Add(with(r, 90+i%20)) // off by −10 % to +9 %
	}
	s := c.Summary(loadgen.Outcome{MaxFlight: 9}, healthy(), loadgen.Transport{})
	exact, got := metrics.NewStats(values), s.Metric("request_latency").Stats
	for _, row := range []struct {
		name      string
		got, want float64
		within    float64
	}{
		{"p1", got.P1, exact.P1, 2e-3},
		{"p50", got.P50, exact.P50, 2e-3},
		{"p99", got.P99, exact.P99, 2e-3},
		{"avg", got.Avg, exact.Avg, 1e-9},
		{"std", got.Std, exact.Std, 1e-9},
		{"min", got.Min, exact.Min, 0},
		{"max", got.Max, exact.Max, 0},
	} {
		if math.Abs(row.got-row.want) > row.within*row.want {
			t.Errorf("%s = %g, exactly %g", row.name, row.got, row.want)
		}
	}
	// The differences are −10, −9 … +9 in equal shares: the fifth of twenty is
	// the p25.
	if m := s.Metric("osl_mismatch_diff_pct").Stats; math.Abs(m.P25 - -6) > 0.01 || m.Min != -10 || m.Max != 9 {
		t.Errorf("negative values: %+v", *m)
	}
	if s.Metric("effective_concurrency").Stats.Max != 9 || s.Percentiles == "exact, linear interpolation" {
		t.Errorf("the summary does not say that it is not exact: %s", s.Percentiles)
	}
}

func TestLiveFiguresWhileRecordsCome(t *testing.T) {
	c, err := metrics.NewCollector(metrics.Facts{})
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	done := make(chan struct{})
	wg.Go(func() {
		for {
			select {
			case <-done:
				return
			default:
				c.Live()
			}
		}
	})
	for i := range 100 { // one every 100 ms, TTFT 100 ms, ITL 50 ms, 5 tokens
		c.Add(with(streamed(time.Duration(i)*100*ms, 100*ms, 300*ms), 5))
	}
	c.Add(failed(0, ms, loadgen.FailTimeout))
	c.Add(failed(0, ms, loadgen.FailCancelled))
	close(done)
	wg.Wait()
	l := c.Live()
	elapsed := 10.2 // the last is sent at 9.9 s and takes 0.3
	if l.OK != 100 || l.Failed != 1 || l.Cancelled != 1 || l.Tokens != 500 ||
		!near(l.RequestRate, 100/elapsed) || !near(l.TokenRate, 500/elapsed) ||
		math.Abs(l.TTFTP50-100) > 0.1 || math.Abs(l.ITLP99-50) > 0.05 {
		t.Errorf("got %+v", l)
	}
}
