package metrics_test

import (
	"testing"

	"loadgen/metrics"
)

func TestLimits(t *testing.T) {
	for _, tt := range []struct {
		name  string
		bound float64
		words string // empty for a fault
	}{
		{"ttft.p95", 500, "TTFT p95 ≤ 500 ms"},
		{"inter_token_latency.avg", 40, "ITL avg ≤ 40 ms"},
		{"itl", 40, "ITL avg ≤ 40 ms"},
		{"output_token_throughput_per_user.p5", 20, "Output Token Throughput Per User p5 ≥ 20 tokens/sec/user"},
		{"error_rate", 0.01, "error rate ≤ 1 %"},
		{"goodput_fraction", 0.99, "good requests ≥ 99 %"},
		{"error_rate", 1, ""},
		{"goodput_fraction", 99, ""},
		{"ttft.max", 500, ""},
		{"ttft.p95", 0, ""},
		{"output_token_throughput", 100, ""},
		{"speed.p95", 1, ""},
	} {
		l, err := metrics.ParseLimit(tt.name, tt.bound)
		switch {
		case tt.words == "" && err == nil:
			t.Errorf("%s: %g is taken for a limit: %s", tt.name, tt.bound, l)
		case tt.words != "" && err != nil:
			t.Errorf("%s: %v", tt.name, err)
		case tt.words != "" && l.String() != tt.words:
			t.Errorf("%s: %q, want %q", tt.name, l, tt.words)
		}
	}
}
