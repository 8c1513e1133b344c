package runner_test

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"strings"
	"testing"
	"testing/synctest"

	"loadgen"
	"loadgen/internal/memnet"
	"loadgen/metrics"
	"loadgen/mockllm"
	"loadgen/runner"
	"loadgen/stats"
	"loadgen/sweep"
)

// forgetful keeps nothing.
type forgetful struct{}

func (forgetful) StartRun(*sweep.Run) (runner.RunRecorder, error)    { return forgetful{}, nil }
func (forgetful) Session(*loadgen.Session) error                     { return nil }
func (forgetful) Record(*loadgen.Record, *metrics.Measurement) error { return nil }
func (forgetful) End(*sweep.Run) error                               { return nil }

// search makes the runs of a batch file in virtual time.
func search(t *testing.T, text string, settings ...string) (*sweep.Batch, []*sweep.Run) {
	t.Helper()
	words := vocabulary()
	var batch *sweep.Batch
	var runs []*sweep.Run
	synctest.Test(t, func(t *testing.T) {
		var err error
		batch, err = sweep.Parse("search.yaml", []byte(text), sweep.Options{Overrides: settings})
		if err != nil {
			t.Fatal(err)
		}
		batch.Mock.Precise = false // time is virtual
		endpoint, err := mockllm.New(batch.Mock)
		if err != nil {
			t.Fatal(err)
		}
		network := memnet.Listen()
		ctx, stop := context.WithCancel(t.Context())
		served := make(chan error, 1)
		go func() { served <- endpoint.Serve(ctx, network) }()
		r := &runner.Runner{
			Batch: batch, Recorder: forgetful{}, Endpoint: "http://endpoint", Dial: network.DialContext,
			LookupEnv: func(string) (string, bool) { return "", false }, Version: "test",
			Vocabulary: func(context.Context, string, string) *runner.Vocabulary { return words },
			Stop:       t.Context(), Log: slog.New(slog.DiscardHandler),
		}
		if runs, err = r.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		stop()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	return batch, runs
}

// sought is a search whose endpoint and limits are settings.
const sought = `batch_name: capacity
output_base_dir: unused
base_config:
  model: mock-model
  tokenizer: cl100k_base
  url: mock://
  streaming: true
  warmup_request_count: 0
  benchmark_duration: 20
  prompt_input_tokens_mean: 40
  prompt_output_tokens_mean: 20
  # Of the machine that the test runs on, whose time is not virtual.
  validity: {gc_pause_p99: 1e9, process_cpu: 1e9, throttled: 1e9, stood_still: 1e9, sched_latency_ttft: 1e9, sched_latency_itl: 1e9}
search: {over: concurrency, to: 256}
`

// TestACapacityThatIsKnownIsFound searches endpoints whose capacity follows from
// their formulas: so many answers at once, the rest waits.
func TestACapacityThatIsKnownIsFound(t *testing.T) {
	for _, tt := range []struct {
		name     string
		settings []string
		capacity float64
		binding  string
	}{
		{
			// Eight run at once; the ninth user waits for another's end, of 200 ms
			// every time.
			"eight seats",
			[]string{"mock={prefill_base: 0s, prefill_per_token: 0s, decode_base: 10ms, decode_per_seq: 0s, max_num_seqs: 8}", "search.slos={ttft.p95: 35}"},
			8, "time_to_first_token.p95",
		},
		{
			// A step takes 5 ms and 1 ms for each user: (5 + n) ms ≤ 20.5 ms. A user
			// whose answer has ended misses a step or two of two hundred.
			"tokens that share a step",
			[]string{"mock={prefill_base: 0s, prefill_per_token: 0s, decode_base: 5ms, decode_per_seq: 1ms}", "base_config.prompt_output_tokens_mean=200", "base_config.benchmark_duration=60", "search.slos={itl.p95: 20.5}"},
			15, "inter_token_latency.p95",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			batch, runs := search(t, sought, tt.settings...)
			c := batch.Capacities(runs)[0]
			tier := c.Tiers[0]
			if tier.Status != sweep.CapacityFound || float64(tier.Fit.Capacity) != tt.capacity || tier.Binding.Name != tt.binding {
				t.Errorf("%s %g by %v, want %g by %s\n%s", tier.Status, tier.Fit.Capacity, tier.Binding, tt.capacity, tt.binding, told(&c))
			}
			if !tier.Confirmed || !tier.Refuted || float64(tier.Lower) > tt.capacity || float64(tier.Upper) < tt.capacity {
				t.Errorf("confirmed %v, refuted %v, %g to %g\n%s", tier.Confirmed, tier.Refuted, tier.Lower, tier.Upper, told(&c))
			}
			for _, run := range runs {
				if o := run.Outcome; o.Cancelled || o.Cut != "" || o.Missed > 0 || run.Err != nil {
					t.Errorf("%s: %+v, %v: a probe that ends early is whole", run.Name(), o, run.Err)
				}
				last := run.Cell.Probe.Looks[len(run.Cell.Probe.Looks)-1]
				said := strings.Contains(strings.Join(run.Outcome.Notes, "\n"), "a probe that had seen enough after ")
				if early := run.Outcome.Elapsed < last; early != said {
					t.Errorf("%s took %v of %v, and its notes are %q", run.Name(), run.Outcome.Elapsed, last, run.Outcome.Notes)
				}
			}
		})
	}
}

// A request waits for the step that runs and takes 20 of 10 ms: eight users have
// 8 / 0.21 s = 38.1 requests/s. Arrivals as fast as that keep a house of eight seats full, and the queue before it grows: an open loop at the rate of the
// capacity breaks what the users kept.
func TestAnOpenLoopAtTheRateOfAFullHouseQueues(t *testing.T) {
	batch, runs := search(t, sought, "mock={prefill_base: 0s, prefill_per_token: 0s, decode_base: 10ms, decode_per_seq: 0s, max_num_seqs: 8}",
		"search.slos={ttft.p95: 35}", "search.from=8", "search.confirm_open=true", "base_config.benchmark_duration=5")
	c := batch.Capacities(runs)[0]
	tier := c.Tiers[0]
	o := tier.OpenLoop
	if tier.Fit.Capacity != 8 || o == nil || math.Abs(o.Rate-38.1) > 0.5 || o.Answer != stats.Fail || o.Broken == nil || o.Broken.Name != "time_to_first_token.p95" {
		t.Errorf("%g users, and an open loop %+v; want 8, and one of 38.1 requests/s that breaks TTFT\n%s", tier.Fit.Capacity, o, told(&c))
	}
	if last := runs[len(runs)-1]; last.Facts.Load.Mode != loadgen.OpenLoop || len(c.Probes) != len(runs)-1 {
		t.Errorf("the last run is %+v, one of %d beside %d probes", last.Facts.Load, len(runs), len(c.Probes))
	}
}

// told lists the probes of a search.
func told(c *sweep.Capacity) (text string) {
	for _, p := range c.Probes {
		text += fmt.Sprintf("%g %s %v %s in %v\n", p.Load, p.Purpose, p.Answers, p.Void, p.Run.Outcome.Elapsed)
		for _, m := range p.Run.Margins {
			text += fmt.Sprintf("  %s: %.4g of %d (%.3g), y %.3g ± %.3g\n", m.Limit, m.Observed, m.N, m.EffectiveN, m.Y, m.S)
		}
	}
	return text
}
