package metrics_test

import (
	"testing"

	"loadgen/metrics"
)

func TestParseFigure(t *testing.T) {
	for text, want := range map[string]string{
		"time_to_first_token.p95": "time_to_first_token.p95",
		"ttft.p95":                "time_to_first_token.p95",
		" TTFT ":                  "time_to_first_token.avg",
		"tpot.avg":                "inter_token_latency.avg",
		"output_token_throughput": "output_token_throughput",
		"throughput.avg":          "output_token_throughput",
		"error_rate":              "error_rate",
		"request_error_rate":      "error_rate",
	} {
		if f, err := metrics.ParseFigure(text); err != nil || f.String() != want {
			t.Errorf("%q: %v, %v, want %s", text, f, err, want)
		}
	}
	for _, text := range []string{"", "speed", "ttft.p96", "ttft.", "error_rate.p95", "request_throughput.p99", "ttft.std"} {
		if f, err := metrics.ParseFigure(text); err == nil {
			t.Errorf("%q was taken as %v", text, f)
		}
	}
	for figure, larger := range map[string]bool{"ttft.p95": false, "throughput": true, "error_rate": false, "goodput": true} {
		if f, _ := metrics.ParseFigure(figure); f.Larger() != larger {
			t.Errorf("%s: larger is better: %v", figure, !larger)
		}
	}
}
