package sweep_test

import (
	"strings"
	"testing"

	"loadgen/sweep"
)

const gated = "batch_name: b\noutput_base_dir: out\nbase_config: {model: m, url: 'mock://', warmup_request_count: 0, request_count: 1, concurrency: 1, prompt_input_tokens_mean: 4}\n"

func TestGate(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"margins":   {"gate: {ttft.p95: 5%, throughput: 2.5%, error_rate: 1%}\n", "time_to_first_token.p95 > +5%, output_token_throughput < -2.5%, error_rate > +1%"},
		"rules":     {"gate: ['itl.p50 > +3%', 'osl.avg < -1%']\n", "inter_token_latency.p50 > +3%, output_sequence_length.avg < -1%"},
		"commented": {"gate:\n", ""},
		"none":      {"", ""},
	} {
		batch, err := sweep.Parse("b.yaml", []byte(gated+c.text), sweep.Options{})
		if err != nil {
			t.Fatal(name, err)
		}
		if got := strings.Join(batch.Gate, ", "); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
	for text, want := range map[string]string{
		"gate: {speed: 5%}\n":                                 `"speed" is no metric`,
		"gate: {ttft.p95: 5}\n":                               "is no percentage",
		"gate: {ttft.p95: -5%}\n":                             "must be above 0%",
		"gate: {ttft.p95: 5%, time_to_first_token.p95: 6%}\n": "stands twice",
		"gate: ['ttft.p95']\n":                                "write METRIC.STATISTIC",
		"gate: 5%\n":                                          "must be a map of figures",
	} {
		if _, err := sweep.Parse("b.yaml", []byte(gated+text), sweep.Options{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", strings.TrimSpace(text), err, want)
		}
	}
}
