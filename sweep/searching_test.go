package sweep_test

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"loadgen"
	"loadgen/metrics"
	"loadgen/sweep"
)

const searching = `batch_name: b
output_base_dir: o
base_config: {model: m, url: 'mock://', streaming: true, warmup_request_count: 0, benchmark_duration: 60, prompt_input_tokens_mean: 20}
search: {over: concurrency, to: 1024, slos: {ttft.p95: 500}}
`

// An endpoint bears a load of TTFT by limit: at the capacity the p95 of the TTFT
// is the limit, and it grows with the load's square.
type bearing struct {
	ttft float64 // the capacity
	s    float64 // the standard error of every margin
	run  time.Duration
	took float64                                                    // seconds that an answer takes: of arrivals
	ruin func(load float64, number int) (invalid string, err error) // nil for none
}

// errFew ruins a probe: too few of its requests count.
var errFew = errors.New("too few")

// probe is the run that an ask comes to.
func (e bearing) probe(ask sweep.Ask) *sweep.Run {
	run := &sweep.Run{Ask: ask}
	run.Outcome.Elapsed = e.run
	load := ask.Cell.Probe.Load
	s := &metrics.Summary{}
	s.Counts.OK, s.Counts.Issued = 100, 100
	run.Summary = s
	run.Queue.InFlight = load * e.took
	y := 2 * math.Log(load/e.ttft)
	run.Margins = []metrics.Margin{
		{Limit: metrics.Limit{Name: "time_to_first_token.p95", Bound: 500}, Observed: 500 * math.Exp(y), N: 100, EffectiveN: 100, Y: y, S: e.s},
		{Limit: metrics.Limit{Name: "error_rate", Bound: 0.01}, N: 100, EffectiveN: 100, Y: -1, S: 0.5},
	}
	if e.ruin != nil {
		why, err := e.ruin(ask.Cell.Probe.Load, ask.Number)
		if why != "" {
			s.Validity = metrics.Validity{Verdict: metrics.Invalid, Reasons: []metrics.Sign{{Name: why, Verdict: metrics.Invalid, Text: why}}}
		}
		switch {
		case errors.Is(err, errFew):
			s.Counts.OK, run.Margins = 7, nil
		case errors.Is(err, errGivenUp):
			run.Err, run.Outcome.Cut = err, err.Error()
			run.Margins[1].Y = 5
			s.Errors = []metrics.Error{{Kind: loadgen.FailHTTP5xx, Count: 50}}
		case err != nil:
			run.Err, run.Summary, run.Margins = err, nil, nil
		}
	}
	return run
}

// errGivenUp ruins a probe: its requests failed until it was given up.
var errGivenUp = errors.New("given up")

// sought carries out a search and returns what was asked for, as LOAD or
// LOAD#NUMBER, and what was found.
func sought(t *testing.T, text string, e bearing) (asked []string, c sweep.Capacity) {
	t.Helper()
	batch := parse(t, text)
	plan := batch.Plan()
	var done []*sweep.Run
	for len(done) < 200 {
		left, _ := plan.Left(done)
		ask, ok := plan.Next(done)
		if ok != (left > 0) {
			t.Fatalf("%d runs are left, and there is a next: %v", left, ok)
		}
		if !ok {
			return asked, batch.Capacities(done)[0]
		}
		name := fmt.Sprintf("%g", ask.Cell.Probe.Load)
		if ask.Number > 1 {
			name += fmt.Sprintf("#%d", ask.Number)
		}
		asked = append(asked, name)
		done = append(done, e.probe(ask))
	}
	t.Fatal("the search has no end")
	return nil, sweep.Capacity{}
}

// searchedBy makes the search of a batch of one cell by what its runs come to, and
// returns them with the answer.
func searchedBy(t *testing.T, text string, probe func(sweep.Ask) *sweep.Run) ([]*sweep.Run, sweep.TierCapacity) {
	t.Helper()
	batch := parse(t, text)
	plan := batch.Plan()
	var done []*sweep.Run
	for len(done) < 60 {
		ask, ok := plan.Next(done)
		if !ok {
			return done, batch.Capacities(done)[0].Tiers[0]
		}
		done = append(done, probe(ask))
	}
	t.Fatal("the search has no end")
	return nil, sweep.TierCapacity{}
}

func TestASearchDoublesHalvesAndConfirms(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		e          bearing
		asked      string
		status     string
		capacity   float64
	}{
		{
			"a capacity of whole users", searching,
			bearing{ttft: 10.5, s: 0.01},
			// At 1 and 4 there is room for 110 and 6.9 times the TTFT: four times the load
			// each. 16 fails; the line between crosses at 10.5: 11 fails, 10 passes; then
			// the proofs.
			"1 4 16 11 10 10#2 11#2", sweep.CapacityFound, 10,
		},
		{"nothing breaks", searching, bearing{ttft: 5000, s: 0.01}, "1 4 16 64 256 1024", sweep.CapacityNoFail, 1024},
		{"not even one user", searching, bearing{ttft: 0.5, s: 0.01}, "1", sweep.CapacityNoPass, math.NaN()},
		{
			"the first load is too much: it is halved", strings.Replace(searching, "to: 1024", "from: 64", 1),
			bearing{ttft: 10.5, s: 0.01},
			"64 32 16 8 11 10 10#2 11#2", sweep.CapacityFound, 10,
		},
		{
			"a rate of four digits", strings.Replace(searching, "over: concurrency, to: 1024", "over: request_rate, precision: 40%", 1),
			bearing{ttft: 2.9, s: 0.01},
			// 2 passes, 4 fails; the line crosses at 2.9, which is within 40 % of both its
			// neighbours only once it was tried.
			"1 2 4 2.9 2.9#2 4.06", sweep.CapacityFound, 2.9,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			asked, c := sought(t, tt.text, tt.e)
			if d := cmp.Diff(tt.asked, strings.Join(asked, " ")); d != "" {
				t.Errorf("asked for (-want +got):\n%s", d)
			}
			tier := c.Tiers[0]
			got := float64(tier.Fit.Capacity)
			if tier.Status != tt.status || math.Abs(got-tt.capacity) > 1e-3*tt.capacity && !(math.IsNaN(got) && math.IsNaN(tt.capacity)) {
				t.Errorf("%s %g, want %s %g", tier.Status, got, tt.status, tt.capacity)
			}
			if tt.status == sweep.CapacityFound && (!tier.Confirmed || !tier.Refuted || !tier.Certified) {
				t.Errorf("confirmed %v, refuted above %v, certified %v; want all", tier.Confirmed, tier.Refuted, tier.Certified)
			}
		})
	}
}

func TestProbesThatProveNothing(t *testing.T) {
	errLost := errors.New("the endpoint is gone")
	for _, tt := range []struct {
		name  string
		ruin  func(load float64, number int) (string, error)
		asked string
		note  string
	}{
		{
			"one INVALID run is made once more", func(load float64, n int) (string, error) {
				if load == 11 && n == 1 {
					return "process_cpu", nil
				}
				return "", nil
			},
			"1 4 16 11 11#2 10 10#2 11#3", "",
		},
		{
			"proofs that are INVALID have an end", func(load float64, n int) (string, error) {
				if load == 10 && n > 1 {
					return "process_cpu", nil
				}
				return "", nil
			},
			"1 4 16 11 10 10#2 10#3 10#4 11#2", "",
		},
		{
			"twice INVALID is a wall", func(load float64, _ int) (string, error) {
				if load >= 8 {
					return "process_cpu", nil
				}
				return "", nil
			},
			// The double of what was measured is tried when four times it is behind the wall.
			"1 4 16 16#2 8 8#2", "at 8 no measurement could be made, twice",
		},
		{
			"too few requests are told as such", func(load float64, _ int) (string, error) {
				if load >= 4 {
					return "", errFew
				}
				return "", nil
			},
			"1 4 4#2 2", "at 4 no measurement could be made, twice: had too few requests, 7 with those that do not count at its beginning: raise benchmark_duration",
		},
		{
			"what the endpoint fails at is a vote", func(load float64, _ int) (string, error) {
				if load >= 16 {
					return "failed", nil
				}
				return "", nil
			},
			"1 4 16 11 10 10#2 11#2", "",
		},
		{
			"a run that is given up is made once more", func(load float64, n int) (string, error) {
				if load == 4 && n == 1 {
					return "", errGivenUp
				}
				return "", nil
			},
			"1 4 4#2 16 11 10 10#2 11#2", "",
		},
		{
			"twice given up for what the endpoint fails at is a vote", func(load float64, _ int) (string, error) {
				if load > 10 {
					return "", errGivenUp
				}
				return "", nil
			},
			"1 4 16 16#2 8 11 11#2 9 10 10#2 11#3", "",
		},
		{
			"a run that broke off is made once more", func(load float64, n int) (string, error) {
				if load == 4 && n == 1 {
					return "", errLost
				}
				return "", nil
			},
			"1 4 4#2 16 11 10 10#2 11#2", "",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			asked, c := sought(t, searching, bearing{ttft: 10.5, s: 0.01, ruin: tt.ruin})
			if d := cmp.Diff(tt.asked, strings.Join(asked, " ")); d != "" {
				t.Errorf("asked for (-want +got):\n%s", d)
			}
			if open := c.Tiers[0].Status == sweep.CapacityOpen; open != (tt.note != "") || open != (c.Wall != "") {
				t.Errorf("%s, behind the wall %q", c.Tiers[0].Status, c.Wall)
			}
			if notes := strings.Join(c.Notes, "\n"); !strings.HasPrefix(notes, tt.note) || tt.note == "" && notes != "" {
				t.Errorf("notes %q, want %q", notes, tt.note)
			}
		})
	}
}

func TestASearchThatRunsOutOfTimeKeepsItsBracket(t *testing.T) {
	text := strings.Replace(searching, "to: 1024", "time_limit: 5m", 1)
	asked, c := sought(t, text, bearing{ttft: 3, s: 0.01, run: time.Minute})
	tier := c.Tiers[0]
	// 1, 4, 2 and 3; the fifth minute is for a proof.
	if len(asked) != 5 || c.Stopped != "time_limit" || c.Used != 5*time.Minute {
		t.Errorf("%d probes, stopped by %s after %v; want 5, time_limit and 5m", len(asked), c.Stopped, c.Used)
	}
	if tier.Low != 2 || tier.High != 4 {
		t.Errorf("between %g and %g, want 2 and 4", tier.Low, tier.High)
	}
}

func TestAnswersThatDoNotFallAreTold(t *testing.T) {
	_, c := sought(t, searching, bearing{ttft: 20, s: 0.01})
	batch := parse(t, searching)
	var done []*sweep.Run
	for _, p := range c.Probes {
		done = append(done, p.Run)
	}
	// Another night, in which 64 was tried and passed.
	ask := sweep.Ask{Cell: probeOf(t, batch, 64), Number: 1}
	done = append(done, bearing{ttft: 100, s: 0.01}.probe(ask))
	if notes := strings.Join(batch.Capacities(done)[0].Notes, "\n"); !strings.Contains(notes, "do not fall with the load: 21 failed and 64 passed") {
		t.Errorf("notes %q do not say that 64 passed above 21", notes)
	}
}

// probeOf returns the cell of a load, as a search comes to it where all passes.
func probeOf(t *testing.T, batch *sweep.Batch, load float64) *sweep.Cell {
	t.Helper()
	var done []*sweep.Run
	for range 20 {
		ask, _ := batch.Plan().Next(done)
		if ask.Cell.Probe.Load == load {
			return ask.Cell
		}
		done = append(done, bearing{ttft: 1e6, s: 0.01}.probe(ask))
	}
	t.Fatalf("no probe of %g", load)
	return nil
}

// One set of probes serves all tiers: the second needs only those around its own
// capacity.
func TestTiersShareProbes(t *testing.T) {
	text := strings.Replace(searching, "slos: {ttft.p95: 500}", "tiers: {batch: {ttft.p95: 2000}, chat: {ttft.p95: 500}}", 1)
	asked, c := sought(t, text, bearing{ttft: 10.5, s: 0.01})
	// 2000 ms is four times the limit: twice the load, 21. Between 16 and 32:
	// √(16·32) = 22.6, √(16·23) = 19.2, √(19·23) = 20.9, √(21·23) = 22.0. Of chat
	// 8 and 16 are known.
	want := "1 2 4 8 16 32 23 19 21 22 20 18 17 21#2 23#2 11 9 10 10#2 11#2"
	got := strings.Join(asked, " ")
	if n := strings.Count(want, " "); strings.Count(got, " ") > n {
		t.Errorf("asked for %s, which is more than %d runs", got, n+1)
	}
	if batch, chat := c.Tiers[0], c.Tiers[1]; batch.Name != "batch" || batch.Fit.Capacity < 20 || batch.Fit.Capacity > 21 || chat.Fit.Capacity != 10 {
		t.Errorf("%s %g and %s %g, want batch 20 or 21 and chat 10", batch.Name, batch.Fit.Capacity, chat.Name, chat.Fit.Capacity)
	}
}

// A search that goes on is the one that was broken off.
func TestASearchGoesOnWhereItStopped(t *testing.T) {
	whole, _ := sought(t, searching, bearing{ttft: 10.5, s: 0.01})
	batch := parse(t, searching)
	var done []*sweep.Run
	for i, want := range whole {
		ask, ok := batch.Plan().Next(done)
		name := fmt.Sprintf("%g", ask.Cell.Probe.Load)
		if !ok || !strings.HasPrefix(want, name) {
			t.Fatalf("run %d is at %s, want %s", i, name, want)
		}
		// An interrupted one says nothing and is made again.
		broken := bearing{ttft: 0.1, s: 0.01}.probe(ask)
		broken.Outcome.Cancelled = true
		if again, _ := batch.Plan().Next(append(done[:len(done):len(done)], broken)); again.Cell.Probe.Load != ask.Cell.Probe.Load {
			t.Fatalf("after an interrupt at %s the search goes on at %g", name, again.Cell.Probe.Load)
		}
		done = append(done, bearing{ttft: 10.5, s: 0.01}.probe(ask))
	}
}

// Where every request fails from a load on, that is what the endpoint bears: the
// search goes on between.
func TestALoadAtWhichAllFailsIsAVote(t *testing.T) {
	batch := parse(t, searching)
	var done []*sweep.Run
	var asked []string
	for range 50 {
		ask, ok := batch.Plan().Next(done)
		if !ok {
			break
		}
		asked = append(asked, fmt.Sprintf("%g", ask.Cell.Probe.Load))
		run := bearing{ttft: 1e6, s: 0.01}.probe(ask)
		if ask.Cell.Probe.Load > 10 {
			run.Err = errors.New("every request failed")
			run.Summary.Counts.OK, run.Summary.Counts.Failed = 0, 100
			run.Summary.Validity = metrics.Validity{Verdict: metrics.Invalid, Reasons: []metrics.Sign{{Name: "nothing_measured", Verdict: metrics.Invalid}}}
			run.Margins = []metrics.Margin{{Limit: metrics.Limit{Name: "error_rate", Bound: 0.01}, Observed: 1, N: 100, EffectiveN: 100, Y: 9, S: 1}}
		}
		done = append(done, run)
	}
	if d := cmp.Diff("1 4 16 8 11 9 10 10 11", strings.Join(asked, " ")); d != "" {
		t.Errorf("asked for (-want +got):\n%s", d)
	}
	tier := batch.Capacities(done)[0].Tiers[0]
	if tier.Fit.Capacity != 10 || tier.Binding.Name != "error_rate" || tier.BreaksAt != 11 {
		t.Errorf("%g by %v, breaks at %g; want 10 by error_rate, which breaks at 11", tier.Fit.Capacity, tier.Binding, tier.BreaksAt)
	}
}

// Any key of which more is harder can be varied; probes of a closed loop have its
// looks.
func TestASearchOverTheLengthOfPrompts(t *testing.T) {
	text := strings.Replace(searching, "over: concurrency, to: 1024", "over: prompt_input_tokens_mean, from: 16", 1)
	text = strings.Replace(text, "prompt_input_tokens_mean: 20", "concurrency: 4", 1)
	asked, c := sought(t, text, bearing{ttft: 100.5, s: 0.01})
	// At 16 there is room for 39 times the TTFT, at 64 for (100.5/64)² = 2.47 times:
	// 157 fails. The line between crosses at 100.5: 100 is undecided. A tenth of the gap
	// above it is a factor of 1.57^0.1 = 1.046: 105 fails, and there is no gap left.
	if got := strings.Join(asked, " "); got != "16 64 157 100 105 100#2 105#2" {
		t.Errorf("asked for %s", got)
	}
	if got := float64(c.Tiers[0].Fit.Capacity); got != 100 {
		t.Errorf("found %g, want 100", got)
	}
	probe := c.Probes[0].Run.Cell
	if probe.Config.PromptInputTokensMean != 16 || probe.Config.Concurrency != 4 || probe.Dir != "search/prompt_input_tokens_mean16" || len(probe.Probe.Looks) != 8 || probe.Probe.Looks[0] != 15*time.Second || probe.Probe.Looks[7] != 4*time.Minute {
		t.Errorf("the first probe is %s: %+v", probe.Dir, probe.Probe)
	}
}

func TestKeysThatNoSearchCanVary(t *testing.T) {
	for key, want := range map[string]string{
		"benchmark_duration":       "benchmark_duration does not load the endpoint more the larger it is",
		"session_turn_delay_mean":  "does not load the endpoint more",
		"random_seed":              "does not load the endpoint more",
		"model":                    "must be a key of numbers, which model is not",
		"slos":                     "must be a key of numbers",
		"concurency":               "concurency is no key of base_config",
		"prompt_input_tokens_mena": "did you mean prompt_input_tokens_mean?",
	} {
		_, err := sweep.Parse("b.yaml", []byte(strings.Replace(searching, "over: concurrency", "over: "+key, 1)), sweep.Options{})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("over: %s: %v, want %q", key, err, want)
		}
	}
}

// Runs that differ more than they say of themselves, as those of users who meet
// one another by the chance of their start, are followed by short ones around the
// limit, so many and no more.
func TestProbesThatContradictEachOtherAreRefined(t *testing.T) {
	batch := parse(t, searching)
	plan := batch.Plan()
	var done []*sweep.Run
	short := 0
	for len(done) < 100 {
		ask, ok := plan.Next(done)
		if !ok {
			break
		}
		if len(ask.Cell.Probe.Looks) == 1 {
			short++
		}
		chance := 1 + 0.2*float64(len(done)%3-1) // of what the load bears in this run
		done = append(done, bearing{ttft: 40.5 * chance, s: 0.01}.probe(ask))
	}
	c := batch.Capacities(done)[0]
	if short < 4 || short > 16 || len(done) == 100 {
		t.Errorf("%d short runs of %d, want 4 to 16", short, len(done))
	}
	refined := 0
	for _, p := range c.Probes {
		if p.Purpose == "refine" {
			refined++
		}
	}
	if got := float64(c.Tiers[0].Fit.Capacity); refined != short || got < 36 || got > 45 {
		t.Errorf("%d of them are called refine, and the answer is %g; want %d and about 40", refined, got, short)
	}
}
