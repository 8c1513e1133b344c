package sink_test

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"testing"

	"loadgen/sink"
	"loadgen/sweep"
)

func TestGuideLLMsReport(t *testing.T) {
	dir := night(t)
	if _, err := write(t, dir, &sink.Options{}, sweep.Export{To: "guidellm"}); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, sink.GuideLLMName))
	if err != nil {
		t.Fatal(err)
	}
	type summary struct {
		Successful *struct {
			Mean, Median, Variance, Min, Max float64
			Count                            int
			Sum                              float64 `json:"total_sum"`
			Percentiles                      struct{ P50, P999 float64 }
		}
	}
	var report struct {
		Metadata   struct{ Version int }
		Benchmarks []struct {
			Config struct {
				Strategy struct {
					Type    string `json:"type_"`
					Streams int
				}
				Environment struct{ Verdict string }
			}
			State struct {
				Successful int `json:"successful_requests"`
				Errored    int `json:"errored_requests"`
			} `json:"scheduler_state"`
			Duration float64
			Metrics  struct {
				Latency     summary `json:"request_latency"`
				TTFT        summary `json:"time_to_first_token_ms"`
				TPOT        summary `json:"time_per_output_token_ms"`
				Rate        summary `json:"requests_per_second"`
				Tokens      summary `json:"output_tokens_per_second"`
				Concurrency summary `json:"request_concurrency"`
			}
		}
	}
	if err := json.Unmarshal(text, &report); err != nil {
		t.Fatal(err)
	}
	if report.Metadata.Version != 2 || len(report.Benchmarks) != 1 {
		t.Fatalf("version %d, %d benchmarks: want that of the run with figures", report.Metadata.Version, len(report.Benchmarks))
	}
	b := report.Benchmarks[0]
	if s := b.Config.Strategy; s.Type != "concurrent" || s.Streams != 1 || b.Config.Environment.Verdict != "INVALID" || b.State.Successful != 2 || b.State.Errored != 1 {
		t.Errorf("config %+v, state %+v", b.Config, b.State)
	}
	// Two requests of 0.14 s, sent at 0 and 1 s, each with 3 tokens of output.
	near := func(what string, got, want float64) {
		t.Helper()
		if math.Abs(got-want) > 1e-6 {
			t.Errorf("%s is %g, want %g", what, got, want)
		}
	}
	m := b.Metrics
	near("duration", b.Duration, 1.14)
	near("latency", m.Latency.Successful.Mean, 0.14)
	near("variance of the latency", m.Latency.Successful.Variance, 0)
	near("TTFT", m.TTFT.Successful.Percentiles.P999, 100)
	near("time per output token", m.TPOT.Successful.Mean, 140.0/3)
	near("requests per second", m.Rate.Successful.Mean, 2/1.14)
	near("the highest of them", m.Rate.Successful.Max, 1/0.14)
	near("their median", m.Rate.Successful.Median, 1)
	near("tokens per second", m.Tokens.Successful.Mean, 6/1.14)
	near("all tokens", m.Tokens.Successful.Sum, 6)
	near("in flight", m.Concurrency.Successful.Mean, 0.28/1.14)
	near("at least", m.Concurrency.Successful.Min, 0)
	if m.Latency.Successful.Count != 2 {
		t.Errorf("%d latencies, want 2", m.Latency.Successful.Count)
	}
}
