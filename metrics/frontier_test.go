package metrics_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"loadgen"
	"loadgen/metrics"
)

// A run of 100 tokens/s for each user and 400 in all, on so many GPUs, is not
// beaten by one that is slower for each user. What is slower in both is, and so is
// what is INVALID, however fast.
func TestTheFrontierOfABatch(t *testing.T) {
	run := func(perUser, all float64, gpus int, prompt int) metrics.FrontierRun {
		s := &metrics.Summary{
			GPUs:   gpus,
			Counts: metrics.Counts{Issued: 100, OK: 100},
			Loaded: &metrics.Window{To: 60, TokenThroughput: &all},
			Metrics: []metrics.Metric{
				{Tag: "output_token_throughput", Value: &all},
				{Tag: "output_token_throughput_per_user", Stats: &metrics.Stats{Avg: perUser}},
			},
		}
		return metrics.FrontierRun{Values: []loadgen.Value{{Key: "gpus", Value: gpus}, {Key: "prompt_input_tokens_mean", Value: prompt}}, Summary: s}
	}
	// A run whose GPUs make so many tokens of a joule, by vendor.
	energy := func(r metrics.FrontierRun, nvidia, amd float64) metrics.FrontierRun {
		for tag, v := range map[string]float64{"nvidia_output_tokens_per_joule": nvidia, "amd_output_tokens_per_joule": amd} {
			if v > 0 {
				r.Summary.Metrics = append(r.Summary.Metrics, metrics.Metric{Tag: tag, Value: &v})
			}
		}
		return r
	}
	// Likewise a run whose GPU takes so much power under load.
	power := func(r metrics.FrontierRun, watts float64) metrics.FrontierRun {
		r.Summary.Server = &metrics.Server{Server: &loadgen.Server{GPUs: []loadgen.GPU{{Levels: map[string]loadgen.ServerLevel{"power": {Avg: watts}}}}}}
		return r
	}
	invalid, failing := run(900, 9000, 1, 100), run(900, 9000, 1, 100)
	invalid.Summary.Validity.Verdict = metrics.Invalid
	failing.Summary.Counts.Failed = 10
	for _, tt := range []struct {
		name string
		runs []metrics.FrontierRun
		want []bool
	}{
		{"each is better in one", []metrics.FrontierRun{run(100, 400, 1, 100), run(50, 900, 1, 100)}, []bool{true, true}},
		{"one is worse in both", []metrics.FrontierRun{run(100, 400, 1, 100), run(90, 300, 1, 100)}, []bool{true, false}},
		{"twice the GPUs for little more", []metrics.FrontierRun{run(100, 400, 1, 100), run(100, 500, 2, 100)}, []bool{true, false}},
		{"GPUs that are not known count as one", []metrics.FrontierRun{run(100, 400, 0, 100), run(90, 500, 0, 100)}, []bool{true, true}},
		{"other work is another frontier", []metrics.FrontierRun{run(100, 400, 1, 100), run(10, 40, 1, 8000)}, []bool{true, true}},
		{"slower, of less energy", []metrics.FrontierRun{energy(run(100, 400, 1, 100), 1, 0), energy(run(90, 300, 1, 100), 2, 0)}, []bool{true, true}},
		{"slower, of more energy", []metrics.FrontierRun{energy(run(100, 400, 1, 100), 2, 0), energy(run(90, 300, 1, 100), 1, 0)}, []bool{true, false}},
		{"GPUs of two vendors: half a joule and half a joule a token", []metrics.FrontierRun{energy(run(100, 400, 1, 100), 2, 2), energy(run(90, 300, 1, 100), 1.1, 0)}, []bool{true, true}},
		{"power under load comes first: 1 and 1.5 tokens/J", []metrics.FrontierRun{power(energy(run(100, 400, 1, 100), 9, 0), 400), power(energy(run(90, 300, 1, 100), 1, 0), 200)}, []bool{true, true}},
		{"energy that one of them does not tell", []metrics.FrontierRun{run(100, 400, 1, 100), energy(run(90, 300, 1, 100), 2, 0)}, []bool{true, false}},
		{"what proves nothing", []metrics.FrontierRun{run(100, 400, 1, 100), invalid, failing, {}}, []bool{true, false, false, false}},
	} {
		if diff := cmp.Diff(tt.want, metrics.Frontier(tt.runs)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}
