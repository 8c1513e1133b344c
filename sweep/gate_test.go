package sweep_test

import (
	"strings"
	"testing"

	"loadgen/sweep"
)

const gated = "batch_name: b\noutput_base_dir: out\nbase_config: {model: m, url: 'mock://', warmup_request_count: 0, request_count: 1, concurrency: 1, prompt_input_tokens_mean: 4}\n"

// aSearch is a search that has a tier; it takes the place of the runs' own load.
const aSearch = "search: {over: concurrency, tiers: {chat: {request_latency.p95: 500}}}\n"

func TestGate(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"margins":   {"gate: {ttft.p95: 5%, throughput: 2.5%, error_rate: 1%}\n", "time_to_first_token.p95 > +5%, output_token_throughput < -2.5%, error_rate > +1%"},
		"rules":     {"gate: ['itl.p50 > +3%', 'osl.avg < -1%']\n", "inter_token_latency.p50 > +3%, output_sequence_length.avg < -1%"},
		"capacity":  {aSearch + "gate: {capacity: 5%}\n", "capacity < -5%"},
		"of a tier": {aSearch + "gate: [capacity.chat < -10%, capacity < -5%]\n", "capacity.chat < -10%, capacity < -5%"},
		"commented": {"gate:\n", ""},
		"none":      {"", ""},
	} {
		batch, err := sweep.Parse("b.yaml", []byte(batchOf(c.text)), sweep.Options{})
		if err != nil {
			t.Fatal(name, err)
		}
		if got := strings.Join(batch.Gate, ", "); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
	for text, want := range map[string]string{
		"gate: {capacity: 5%}\n":                              "is the answer of a search, and there is none",
		aSearch + "gate: {ttft.p95: 5%}\n":                    "cannot be gated in a search",
		aSearch + "gate: ['capacity.night < -5%']\n":          "night is no tier of the search",
		"gate: {speed: 5%}\n":                                 `"speed" is no metric`,
		"gate: {ttft.p95: 5}\n":                               "is no percentage",
		"gate: {ttft.p95: -5%}\n":                             "must be above 0%",
		"gate: {ttft.p95: 5%, time_to_first_token.p95: 6%}\n": "stands twice",
		"gate: ['ttft.p95']\n":                                "write METRIC.STATISTIC",
		"gate: 5%\n":                                          "must be a map of figures",
	} {
		if _, err := sweep.Parse("b.yaml", []byte(batchOf(text)), sweep.Options{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", strings.TrimSpace(text), err, want)
		}
	}
}

// batchOf is a batch file with a search or without.
func batchOf(text string) string {
	if strings.HasPrefix(text, aSearch) {
		return strings.NewReplacer("request_count: 1, concurrency: 1", "benchmark_duration: 10").Replace(gated) + text
	}
	return gated + text
}
