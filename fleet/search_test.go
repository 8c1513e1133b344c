package fleet

import (
	"math"
	"slices"
	"testing"

	"loadgen/sweep"
)

// sought is a search whose endpoint and limits are settings.
const sought = `batch_name: capacity
output_base_dir: unused
base_config:
  model: mock-model
  tokenizer: cl100k_base
  url: mock://
  streaming: true
  warmup_request_count: 0
  benchmark_duration: 5
  prompt_input_tokens_mean: 40
  prompt_output_tokens_mean: 20
  # Of the machine that the test runs on, whose time is not virtual.
  validity: {gc_pause_p99: 1e9, process_cpu: 1e9, throttled: 1e9, stood_still: 1e9, sched_latency_p99: 1e9, sched_latency_ttft: 1e9, sched_latency_itl: 1e9}
`

// TestASearchOfWorkersFindsWhatOneFinds searches endpoints whose capacity follows
// from their formulas, with three workers. The first loads have fewer users than
// that.
func TestASearchOfWorkersFindsWhatOneFinds(t *testing.T) {
	for name, tt := range map[string]struct {
		settings []string
		capacity float64 // within the precision, where it is no whole number
		binding  string
	}{
		// Eight run at once; the ninth user waits for another's end.
		"of users": {
			[]string{"search={over: concurrency, to: 16, slos: {ttft.p95: 35}}", "mock={prefill_base: 0s, prefill_per_token: 0s, decode_base: 10ms, decode_per_seq: 0s, max_num_seqs: 8}"},
			8, "time_to_first_token.p95",
		},
		// Of r requests/s a quota of 50 lets 50 through: 1 % fail at 50 / 0.99. At the
		// first load two thirds do, which is a vote, and no fault of the workers.
		"of arrivals, beyond which requests fail": {
			[]string{"search={over: request_rate, from: 120, slos: {ttft.p95: 1000}}", "mock={prefill_base: 5ms, prefill_per_token: 0s, requests_per_second: 50, burst: 2, decode_base: 4ms, decode_per_seq: 50us}", "base_config.benchmark_duration=2"},
			50 / 0.99, "error_rate",
		},
	} {
		t.Run(name, func(t *testing.T) {
			staged(t, sought, tt.settings, func(t *testing.T, s *stage) {
				r := s.runner(&keeper{}, t.Context())
				r.Crew = &troupe{stage: s, size: 3}
				runs, err := r.Run(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				c := s.batch.Capacities(runs)[0]
				tier := c.Tiers[0]
				off := math.Abs(float64(tier.Fit.Capacity)/tt.capacity - 1)
				if whole := tt.capacity == math.Trunc(tt.capacity); tier.Status != sweep.CapacityFound || whole && off > 0 || off > 0.05 || tier.Binding.Name != tt.binding {
					t.Errorf("%s %g by %v, want %g by %s", tier.Status, tier.Fit.Capacity, tier.Binding, tt.capacity, tt.binding)
				}
				if !tier.Confirmed || !tier.Refuted {
					t.Errorf("confirmed %v, refuted %v", tier.Confirmed, tier.Refuted)
				}
				for _, p := range c.Probes {
					if p.Void != "" || p.Run.Outcome.Cut != "" {
						t.Errorf("the probe of %g is void: %s, %s", p.Load, p.Void, p.Run.Outcome.Cut)
					}
				}
				// An answer that is sure ends a probe for all at once.
				if !slices.ContainsFunc(runs, func(run *sweep.Run) bool { return run.Outcome.Elapsed < run.Cell.Config.BenchmarkDuration/2 }) {
					t.Error("no probe has ended at its first look")
				}
			})
		})
	}
}
