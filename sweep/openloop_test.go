package sweep_test

import (
	"fmt"
	"strings"
	"testing"

	"loadgen"
	"loadgen/metrics"
	"loadgen/stats"
	"loadgen/sweep"
)

// arriving makes the runs of a search that ends with an open loop, which comes to
// run; its users send two requests a second each.
func arriving(t *testing.T, text string, open func(ask sweep.Ask, run *sweep.Run)) (asked []string, c sweep.Capacity) {
	t.Helper()
	batch := parse(t, strings.Replace(text, "over: concurrency", "over: concurrency, confirm_open: true", 1))
	plan := batch.Plan()
	var done []*sweep.Run
	for len(done) < 100 {
		ask, ok := plan.Next(done)
		if !ok {
			return asked, batch.Capacities(done)[0]
		}
		asked = append(asked, ask.Name())
		run := bearing{ttft: 10.5, s: 0.01}.probe(ask)
		if ask.Cell.Probe.Open > 0 {
			open(ask, run)
		} else {
			own := 0.0
			run.Summary.Metrics = []metrics.Metric{{Tag: "request_throughput", Value: &own}}
			run.Summary.Loaded = &metrics.Window{From: 0, To: 1, RequestThroughput: 2.00004 * ask.Cell.Probe.Load}
		}
		done = append(done, run)
	}
	t.Fatal("the search has no end")
	return nil, sweep.Capacity{}
}

func TestAnOpenLoopAtTheRateOfTheCapacity(t *testing.T) {
	margin := func(y float64) []metrics.Margin {
		return []metrics.Margin{
			{Limit: metrics.Limit{Name: "time_to_first_token.p95", Bound: 500}, N: 100, Y: y, S: 0.01},
			{Limit: metrics.Limit{Name: "error_rate", Bound: 0.01}, N: 100, Y: -1, S: 0.1},
		}
	}
	for _, tt := range []struct {
		name string
		y    float64
		want stats.Answer
	}{{"it breaks a limit", 0.7, stats.Fail}, {"it keeps them", -0.7, stats.Pass}, {"it is not sure", 0.01, stats.Undecided}} {
		t.Run(tt.name, func(t *testing.T) {
			var cell *sweep.Cell
			asked, c := arriving(t, searching, func(ask sweep.Ask, run *sweep.Run) { cell, run.Margins = ask.Cell, margin(tt.y) })
			// The last of all, and once: after the proofs at 10 and at 11.
			if last := asked[len(asked)-1]; strings.Count(strings.Join(asked, "\n"), "request_rate") != 1 || last != "search/request_rate20, probe 1" {
				t.Errorf("asked for %s", strings.Join(asked, "; "))
			}
			p := cell.Pacing
			if p.Mode != loadgen.OpenLoop || p.Rate != 20 || p.Smoothness != 1 || p.Concurrency != 0 {
				t.Errorf("the load is %+v, want 20 requests/s at random times", p)
			}
			if got := fmt.Sprint(cell.Probe.Looks); got != "[2m0s 4m0s 8m0s]" {
				t.Errorf("it is looked at after %s, want as an open loop is", got)
			}
			tier := c.Tiers[0]
			if tier.OpenLoop == nil || tier.OpenLoop.Answer != tt.want || tier.OpenLoop.Rate != 20 || (tier.OpenLoop.Broken != nil) != (tt.y > 0) {
				t.Errorf("it said %+v, want %s", tier.OpenLoop, tt.want)
			}
			// It has no vote, and is none of the probes.
			if tier.Fit.Capacity != 10 || !tier.Confirmed || !tier.Refuted || len(c.Probes) != len(asked)-1 {
				t.Errorf("the answer is %g, confirmed %v, refuted %v, of %d probes", tier.Fit.Capacity, tier.Confirmed, tier.Refuted, len(c.Probes))
			}
		})
	}
}

func TestAnOpenLoopThatProvesNothingIsTriedTwice(t *testing.T) {
	asked, c := arriving(t, searching, func(_ sweep.Ask, run *sweep.Run) {
		run.Summary.Validity = metrics.Validity{Verdict: metrics.Invalid, Reasons: []metrics.Sign{{Name: "process_cpu", Verdict: metrics.Invalid, Text: "no CPU was left"}}}
	})
	if n := strings.Count(strings.Join(asked, "\n"), "request_rate20"); n != 2 {
		t.Errorf("it was tried %d times", n)
	}
	if tier := c.Tiers[0]; tier.OpenLoop.Void != "INVALID: no CPU was left" || tier.Status != sweep.CapacityFound {
		t.Errorf("%s, and the open loop %q", tier.Status, tier.OpenLoop.Void)
	}
}

func TestAnOpenLoopStandsForUsersAlone(t *testing.T) {
	for written, want := range map[string]string{
		"search.over=request_rate":                                              "needs a search over concurrency",
		"base_config.session_turns_mean=3":                                      "session_turns_mean: cannot be combined with search.confirm_open",
		"base_config={input_file: talks.json, custom_dataset_type: multi_turn}": "input_file: cannot be combined with search.confirm_open",
	} {
		text := searching
		if block, ok := strings.CutPrefix(written, "base_config={"); ok {
			text, written = strings.Replace(text, "base_config: {", "base_config: {"+strings.TrimSuffix(block, "}")+", ", 1), "batch_name=c"
		}
		_, err := sweep.Parse("b.yaml", []byte(text), sweep.Options{Overrides: []string{"search.confirm_open=true", written}})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", written, err, want)
		}
	}
}
