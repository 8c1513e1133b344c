package report_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"loadgen"
	"loadgen/metrics"
	"loadgen/report"
)

func TestTheAnswerInWords(t *testing.T) {
	ttft := metrics.Limit{Name: "time_to_first_token.p95", Bound: 500}
	itl := metrics.Limit{Name: "inter_token_latency.p95", Bound: 40}
	found := func(capacity, lower, upper float64) metrics.Fit {
		return metrics.Fit{Capacity: metrics.Bound(capacity), Lower: metrics.Bound(lower), Upper: metrics.Bound(upper), Binding: &ttft}
	}
	for _, tt := range []struct {
		want string
		c    report.Capacity
	}{
		{
			"carries 46 users (44 to 48, 95 %) within TTFT p95 ≤ 500 ms, ITL p95 ≤ 40 ms: 1,820 tokens/s; at 52 TTFT breaks first",
			report.Capacity{
				Unit: "users", One: "user", Status: "found", Limits: []metrics.Limit{ttft, itl}, Fit: found(46, 44, 48), Confidence: 0.95,
				Tokens: 1820.2, Breaks: &metrics.Margin{Limit: ttft}, BreaksAt: 52, Confirmed: true, Refuted: true, Certified: true,
			},
		},
		{
			"carries 46 users (44 to 48, 95 %) within TTFT p95 ≤ 500 ms: 1,820 tokens/s, 455 per GPU",
			report.Capacity{
				Unit: "users", One: "user", Status: "found", Limits: []metrics.Limit{ttft}, Fit: found(46, 44, 48), Confidence: 0.95,
				Tokens: 1820.2, PerGPU: 455.05, Confirmed: true, Refuted: true, Certified: true,
			},
		},
		{
			"carries 46 users (40 to 50, 95 %) within TTFT p95 ≤ 500 ms; not certified: the interval is wider than 5 %",
			report.Capacity{
				Unit: "users", One: "user", Status: "found", Limits: []metrics.Limit{ttft}, Fit: found(46, 40, 50), Confidence: 0.95,
				Tokens: math.NaN(), Confirmed: true, Refuted: true, Precision: 0.05, PassedAt: 40, FailedAt: 48,
			},
		},
		{
			"carries 46 users (44 to 48, 95 %) within TTFT p95 ≤ 500 ms; not certified; for a certificate arrivals like these need benchmark_duration: 27, or a coarser precision",
			report.Capacity{
				Unit: "users", One: "user", Status: "found", Limits: []metrics.Limit{ttft}, Fit: found(46, 44, 48), Confidence: 0.95,
				Tokens: math.NaN(), Confirmed: true, Refuted: true, Precision: 0.05, PassedAt: 44, FailedAt: 48, Lacks: 27 * time.Second,
			},
		},
		{
			"carries 46 users (44 to 48, 95 %) within TTFT p95 ≤ 500 ms; not certified: what was run at 45 failed",
			report.Capacity{
				Unit: "users", One: "user", Status: "found", Limits: []metrics.Limit{ttft}, Fit: found(46, 44, 48), Confidence: 0.95,
				Tokens: math.NaN(), Confirmed: true, Refuted: true, Precision: 0.05, PassedAt: 44, FailedAt: 45,
			},
		},
		{
			"carries 46 users (44 to 48, 95 %) within TTFT p95 ≤ 500 ms; not certified: what was run at 49 passed",
			report.Capacity{
				Unit: "users", One: "user", Status: "found", Limits: []metrics.Limit{ttft}, Fit: found(46, 44, 48), Confidence: 0.95,
				Tokens: math.NaN(), Confirmed: true, Refuted: true, Precision: 0.05, PassedAt: 49, FailedAt: metrics.Bound(math.NaN()),
			},
		},
		{
			"carries 12.35 requests/s (0 to open, 90 %) within TTFT p95 ≤ 500 ms; not confirmed by a fresh run",
			report.Capacity{
				Unit: "requests/s", Status: "found", Limits: []metrics.Limit{ttft}, Fit: found(12.346, math.NaN(), math.Inf(1)), Confidence: 0.9,
				Tokens: math.NaN(),
			},
		},
		{
			"carries at least 1 user within ITL p95 ≤ 40 ms: 20 tokens/s; no load that was tried broke a limit",
			report.Capacity{Unit: "users", One: "user", Status: "no_fail", Limits: []metrics.Limit{itl}, Fit: found(1, 1, math.Inf(1)), Tokens: 20},
		},
		{
			"does not carry even the least load that was tried within ITL p95 ≤ 40 ms",
			report.Capacity{Unit: "users", One: "user", Status: "no_pass", Limits: []metrics.Limit{itl}, Fit: found(math.NaN(), math.NaN(), 1), Tokens: 20},
		},
		{
			"carries 8 users and not 16 within ITL p95 ≤ 40 ms: the search did not come to its end",
			report.Capacity{Unit: "users", One: "user", Status: "open", Limits: []metrics.Limit{itl}, PassedAt: 8, FailedAt: 16},
		},
	} {
		if got := tt.c.Answer(); got != tt.want {
			t.Errorf("got  %s\nwant %s", got, tt.want)
		}
	}
}

func TestAnswersOfCellsAndTiersAreTold(t *testing.T) {
	itl := metrics.Limit{Name: "inter_token_latency.p95", Bound: 40}
	c := report.Capacity{
		Values: []loadgen.Value{{Key: "prompt_input_tokens_mean", Value: 100}}, Tier: "chat", Unit: "users", One: "user", Status: "no_pass", Limits: []metrics.Limit{itl},
	}
	text := report.CapacityText([]report.Capacity{c}, []string{"something"}, report.Options{})
	if !strings.HasPrefix(text, "prompt_input_tokens_mean 100, chat: does not carry") || !strings.HasSuffix(text, "note: something\n") {
		t.Errorf("got %q", text)
	}
}
