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

func TestSLOsInOneWord(t *testing.T) {
	for _, tt := range []struct{ text, words string }{ // no words: a fault
		{"ttft.p95<500ms", "TTFT p95 ≤ 500 ms"},
		{"ttft.p99 <= 1.5 s", "TTFT p99 ≤ 1500 ms"},
		{"itl.avg<40", "ITL avg ≤ 40 ms"},
		{"error_rate<1%", "error rate ≤ 1 %"},
		{"error_rate<0.02", "error rate ≤ 2 %"},
		{"goodput_fraction>=99%", "good requests ≥ 99 %"},
		{"output_token_throughput_per_user.p5>20", "Output Token Throughput Per User p5 ≥ 20 tokens/sec/user"},
		{"ttft.p95>500ms", ""}, // larger is worse
		{"goodput_fraction<99%", ""},
		{"ttft.p95<5%", ""},
		{"error_rate<5ms", ""},
		{"error_rate<5", ""},
		{"output_sequence_length.avg>5ms", ""},
		{"ttft.p95=500", ""},
		{"ttft.p95<fast", ""},
		{"<500", ""},
		{"", ""},
	} {
		l, err := metrics.ParseSLO(tt.text)
		switch {
		case tt.words == "" && err == nil:
			t.Errorf("%q is taken for %s", tt.text, l)
		case tt.words != "" && (err != nil || l.String() != tt.words):
			t.Errorf("%q is %q (%v), want %q", tt.text, l, err, tt.words)
		}
	}
}
