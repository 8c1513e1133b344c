package archive

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"loadgen/results"
	"loadgen/sweep"
)

// The expected phases are those that AIPerf writes for the same load; of the
// two requests of the warm-up it says so in a phase before.
func TestTheLoadInAIPerfsTerms(t *testing.T) {
	warmup := results.InputPhase{Name: "warmup", Kind: "warmup", Type: "concurrency", Excluded: true, Requests: 2}
	for _, row := range []struct {
		name, keys string
		rate       float64 // as resolved by the run
		want       results.InputPhase
	}{
		{
			"a closed loop for a number of requests has no grace period", "concurrency: 4\n  request_count: 40", 0,
			results.InputPhase{Type: "concurrency", Requests: 40, Concurrency: 4},
		},
		{
			"a closed loop for a time", "concurrency: 4\n  benchmark_duration: 60", 0,
			results.InputPhase{Type: "concurrency", Duration: 60, Concurrency: 4, Grace: 30},
		},
		{
			"an open loop under a ceiling", "concurrency: 4\n  benchmark_duration: 60\n  request_rate: 5", 5,
			results.InputPhase{Type: "constant", Duration: 60, Concurrency: 4, Rate: 5, Grace: 30},
		},
		{
			"a rate that the warm-up found", "concurrency: 4\n  benchmark_duration: 60\n  request_rate: auto\n  request_rate_mode: poisson", 7.5,
			results.InputPhase{Type: "poisson", Duration: 60, Rate: 7.5, Grace: 30},
		},
		{
			"gamma arrivals have a shape", "benchmark_duration: 60\n  request_rate: 5\n  request_rate_mode: gamma\n  request_rate_smoothness: 2", 5,
			results.InputPhase{Type: "gamma", Duration: 60, Rate: 5, Smoothness: 2, Grace: 30},
		},
		{
			"users with a pace share the sum of their rates", "benchmark_duration: 60\n  num_users: 3\n  user_request_rate: 2", 6,
			results.InputPhase{Type: "user_centric", Duration: 60, Rate: 6, Users: 3, Grace: 30},
		},
	} {
		batch, err := sweep.Parse("test.yaml", []byte("batch_name: b\noutput_base_dir: d\nbase_config:\n  model: m\n  url: mock://\n  warmup_request_count: 2\n  "+row.keys+"\n"), sweep.Options{})
		if err != nil {
			t.Errorf("%s: %v", row.name, err)
			continue
		}
		run := &sweep.Run{Ask: sweep.Ask{Cell: &batch.Cells()[0]}}
		run.Facts.Load.Rate = row.rate
		row.want.Name, row.want.Kind = "profiling", "profiling"
		if diff := cmp.Diff([]results.InputPhase{warmup, row.want}, inputConfig(run).Phases); diff != "" {
			t.Errorf("%s (-want +got):\n%s", row.name, diff)
		}
	}
}
