package archive

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"math/rand/v2"
	"net"
	"os"
	"slices"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"loadgen"
	"loadgen/compare"
	"loadgen/internal/memnet"
	"loadgen/metrics"
	"loadgen/mockllm"
	"loadgen/runner"
	"loadgen/stats"
	"loadgen/sweep"
)

// A drifter is the recorder of a night whose endpoint is not quite the same in
// any two runs: every run gets one of its own, whose times are off as a whole.
// Together with the chance within a run that makes a run-to-run coefficient of
// variation of 6 % of the TTFT's p95, and of 3 % of the ITL.
type drifter struct {
	chance     *rand.Rand
	ttft, itl  float64 // times that of the others
	rules      []compare.CompareRule
	runs       []compare.CompareRun
	network    *memnet.Listener
	stop       func()
	runStarted time.Time
}

func (d *drifter) dial(ctx context.Context, network, address string) (net.Conn, error) {
	return d.network.DialContext(ctx, network, address)
}

func (d *drifter) StartRun(*sweep.Run) (runner.RunRecorder, error) {
	d.runStarted = time.Now()
	off := func(times, deviation float64, d time.Duration, rng *rand.Rand) time.Duration {
		return time.Duration(times * math.Exp(deviation*rng.NormFloat64()) * float64(d))
	}
	settings := mockllm.DefaultConfig()
	settings.Timing, settings.Jitter, settings.Seed = mockllm.Fixed, 0.2, d.chance.Uint64()
	settings.TTFT = off(d.ttft, 0.042, 50*time.Millisecond, d.chance)
	settings.ITL = off(d.itl, 0.03, 10*time.Millisecond, d.chance)
	endpoint, err := mockllm.New(settings)
	if err != nil {
		return nil, err
	}
	network := memnet.Listen()
	ctx, stop := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- endpoint.Serve(ctx, network) }()
	d.network, d.stop = network, func() { stop(); <-served }
	return d, nil
}

func (d *drifter) Session(*loadgen.Session) error                     { return nil }
func (d *drifter) Record(*loadgen.Record, *metrics.Measurement) error { return nil }

func (d *drifter) End(run *sweep.Run) error {
	d.stop()
	r := compare.CompareRun{
		Dir: run.Name(), Cell: run.Cell.Values, Started: d.runStarted, Ended: time.Now(),
		Figures: map[metrics.Figure]float64{},
		// No verdict: what the real machine does meanwhile weighs on no virtual time.
	}
	for _, rule := range d.rules {
		if v, ok := summarized(run.Summary, rule.Figure); ok {
			r.Figures[rule.Figure] = v
		}
	}
	d.runs = append(d.runs, r)
	return nil
}

// nightly is a batch of six cells and five rounds.
const nightly = `batch_name: night
output_base_dir: unused
repeats: 5
base_config:
  model: mock-model
  tokenizer: cl100k_base
  url: mock://
  streaming: true
  preconnect: false
  warmup_request_count: 0
  request_count: 100
  prompt_input_tokens_mean: 20
  prompt_output_tokens_mean: 12
sweeps:
  concurrency: [1, 2, 4, 8, 16, 32]
`

// changedCell is the one that gets slower where one does.
const changedCell = "concurrency=8"

// A night makes the runs of a batch in virtual time.
type night struct {
	words *runner.Vocabulary
	rules []compare.CompareRule
}

// runs makes those of the cells that only names, none for all, with an endpoint
// so many times as slow.
func (n *night) runs(t *testing.T, seed uint64, ttft, itl float64, only ...string) (runs []compare.CompareRun) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		batch, err := sweep.Parse("night.yaml", []byte(nightly), sweep.Options{
			Only: only, Overrides: []string{fmt.Sprintf("base_config.random_seed=%d", seed)},
		})
		if err != nil {
			t.Fatal(err)
		}
		d := &drifter{chance: rand.New(rand.NewPCG(seed, 0)), ttft: ttft, itl: itl, rules: n.rules}
		r := &runner.Runner{
			Batch: batch, Recorder: d, Endpoint: "http://endpoint", Dial: d.dial,
			LookupEnv: func(string) (string, bool) { return "", false }, Version: "test",
			Vocabulary: func(context.Context, string, string) *runner.Vocabulary { return n.words },
			Stop:       t.Context(), Log: slog.New(slog.DiscardHandler),
		}
		if _, err := r.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		runs = d.runs
	})
	return runs
}

// with replaces the runs of the changed cell, in the order of the rounds.
func with(runs, changed []compare.CompareRun) []compare.CompareRun {
	out := slices.Clone(runs)
	for i := range out {
		if compare.CellKey(out[i].Cell) == changedCell {
			out[i].Figures, changed = changed[0].Figures, changed[1:]
		}
	}
	return out
}

// later moves runs to the next day.
func later(runs []compare.CompareRun) []compare.CompareRun {
	out := slices.Clone(runs)
	for i := range out {
		out[i].Started, out[i].Ended = out[i].Started.AddDate(0, 0, 1), out[i].Ended.AddDate(0, 0, 1)
	}
	return out
}

// round returns one run of each cell.
func round(runs []compare.CompareRun, number int) []compare.CompareRun {
	const cells = 6
	return runs[number*cells : (number+1)*cells]
}

// TestComparisonsOfRealRuns compares nights that the runner made against the
// simulated endpoint, each run with its own chance: of prompts, of the endpoint's
// jitter, and of how fast it is today. LOADGEN_COMPARISONS sets their number, for
// the table of docs/statistics.md.
func TestComparisonsOfRealRuns(t *testing.T) {
	n := 6
	if set := os.Getenv("LOADGEN_COMPARISONS"); set != "" {
		var err error
		if n, err = strconv.Atoi(set); err != nil {
			t.Fatal(err)
		}
	}
	nights := &night{
		words: Vocabulary(),
		rules: compare.DefaultCompareRules(),
	}
	var figures []metrics.Figure
	for _, r := range nights.rules {
		figures = append(figures, r.Figure)
	}
	var mu sync.Mutex
	hits := map[string]int{}
	var tails, gaps []float64 // what the changed cell's figures are in all runs of BASE
	compared := func(t *testing.T, what string, base, fresh []compare.CompareRun, history []compare.CompareSide, holds func(*compare.Comparison) bool) {
		o := compare.CompareOptions{Rules: nights.rules, History: historyOf(history, figures)}
		c, err := compare.Compare(compare.CompareSide{Name: "BASE", Runs: base}, compare.CompareSide{Name: "NEW", Runs: fresh}, o)
		if err != nil {
			t.Fatal(err)
		}
		if len(c.LeftOut) > 0 {
			t.Errorf("%s: left out: %v", what, c.LeftOut)
		}
		held := holds(c)
		t.Logf("%s: %v", what, held) // so that one that is broken off has told something
		mu.Lock()
		defer mu.Unlock()
		if held {
			hits[what]++
		}
	}
	worse := func(c *compare.Comparison) bool { return c.Verdict == stats.Worse }
	found := func(metric string) func(c *compare.Comparison) bool {
		return func(c *compare.Comparison) bool {
			return slices.ContainsFunc(c.Results, func(r compare.Compared) bool {
				return r.Cell == changedCell && r.Metric == metric && r.Verdict == stats.Worse
			})
		}
	}
	t.Run("all", func(t *testing.T) {
		for i := range n {
			t.Run(fmt.Sprint(i), func(t *testing.T) {
				t.Parallel()
				seed := uint64(10*i + 1)
				base, fresh := nights.runs(t, seed, 1, 1), later(nights.runs(t, seed+1, 1, 1))
				compared(t, "alarm", base, fresh, nil, worse)
				compared(t, "itl", base, with(fresh, nights.runs(t, seed+2, 1, 1.1, changedCell)), nil, found("inter_token_latency.p50"))
				compared(t, "ttft", base, with(fresh, nights.runs(t, seed+3, 1.2, 1, changedCell)), nil, found("time_to_first_token.p95"))
				var earlier []compare.CompareSide
				for r := 1; r < 5; r++ {
					earlier = append(earlier, compare.CompareSide{Runs: round(base, r)}, compare.CompareSide{Runs: round(fresh, r)})
				}
				compared(t, "single", round(base, 0), round(fresh, 0), earlier, worse)
				mu.Lock()
				defer mu.Unlock()
				for _, r := range base {
					if compare.CellKey(r.Cell) == changedCell {
						tails = append(tails, math.Log(r.Figures[figureOf(t, "time_to_first_token.p95")]))
						gaps = append(gaps, math.Log(r.Figures[figureOf(t, "inter_token_latency.p50")]))
					}
				}
			})
		}
	})
	t.Logf("%d comparisons, CV %.1f %% of the TTFT's p95 and %.1f %% of the ITL's p50", n, 100*stats.MeanInterval(tails, 0.95).SD, 100*stats.MeanInterval(gaps, 0.95).SD)
	slack := 3 * math.Sqrt(0.05*0.95/float64(n))
	for _, row := range []struct {
		what, name  string
		least, most float64
	}{
		{"alarm", "A/A", 0, 0.05},
		{"itl", "ITL +10 % in one cell", 0.9, 1},
		{"ttft", "TTFT p95 +20 % in one cell", 0.9, 1},
		{"single", "A/A, one run a side, 8 earlier nights", 0, 0.05},
	} {
		share := float64(hits[row.what]) / float64(n)
		t.Logf("%s: %.1f %%", row.name, 100*share)
		if share > row.most+slack || share < row.least-slack {
			t.Errorf("%s: %.1f %%, want %.0f to %.0f", row.name, 100*share, 100*row.least, 100*row.most)
		}
	}
}

func figureOf(t *testing.T, name string) metrics.Figure {
	f, err := metrics.ParseFigure(name)
	if err != nil {
		t.Fatal(err)
	}
	return f
}
