package runner_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"loadgen/metrics"
)

// TestTheServersOwnMetricsAgree has 8 users of an endpoint whose timing is known,
// and holds what its metrics say against what was measured.
func TestTheServersOwnMetricsAgree(t *testing.T) {
	settings := []string{
		"base_config.concurrency=8", "base_config.benchmark_duration=20", "base_config.server_metrics=auto",
		"base_config.warmup_request_count=16", "mock={timing: batching, stamps: true}", "base_config.prompt_output_tokens_mean=50",
	}
	inVirtualTime(t, settings, func(t *testing.T, m *measured) {
		s := m.Summary.Server
		if s == nil {
			t.Fatal("nothing was observed")
		}
		for what, b := range map[string]*metrics.Both{"requests": s.Requests, "output tokens": s.OutputTokens, "input tokens": s.InputTokens} {
			if b == nil || b.Client != b.Server || b.Client == 0 {
				t.Errorf("%s: %+v, want the same on both sides", what, b)
			}
		}
		if b := s.Beside; b == nil || math.Abs(b.Client-8) > 0.5 || math.Abs(b.Server-b.Client) > 0.5 {
			t.Errorf("in flight %+v, want 8 on both sides", b)
		}
		if x := s.TTFT; x == nil || x.Client <= 0 || math.Abs(x.Client-x.Server) > 0.02*x.Client || math.Abs(x.Queue+x.Prefill-x.Server) > 0.05*x.Server {
			t.Errorf("TTFT %+v, want the same on both sides, and queue and prefill to make it", x)
		}
		for _, sign := range m.Summary.Validity.Signs {
			if sign.Name == "foreign_load" && (sign.Verdict != metrics.Valid || sign.Value != 0) {
				t.Errorf("foreign load: %+v", sign)
			}
		}
		if e := m.Run.Observed.Endpoints[0]; e.Failed > 0 || e.Fetches < 20 || e.URL != "http://endpoint/metrics" {
			t.Errorf("%d of %d scrapes of %s failed", e.Failed, e.Fetches, e.URL)
		}
	})
}

// TestMetricsThatFailEndNothing has an endpoint that is gone after 5 seconds, and
// one that has no metrics from the start.
func TestMetricsThatFailEndNothing(t *testing.T) {
	settings := []string{"base_config.concurrency=2", "base_config.benchmark_duration=10", "base_config.server_metrics=[http://endpoint/metrics, http://endpoint/none]"}
	inVirtualTime(t, settings, func(t *testing.T, m *measured) {
		notes := strings.Join(m.Summary.Validity.Notes, "; ")
		if m.Err != nil || !strings.Contains(notes, "http://endpoint/none") || !strings.Contains(notes, "status 404") {
			t.Errorf("error %v, notes %q", m.Err, notes)
		}
	})
	inTrouble(t, trouble{gone: 5 * time.Second}, append(settings, "base_config.server_metrics=auto"), func(t *testing.T, m *measured) {
		e := m.Run.Observed.Endpoints[0]
		if len(e.Gaps) != 1 || len(e.Points) < 5 || m.Summary.Server == nil {
			t.Errorf("gaps %+v behind %d points", e.Gaps, len(e.Points))
		}
	})
}
