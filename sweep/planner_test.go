package sweep_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"loadgen/metrics"
	"loadgen/sweep"
)

const planned = `batch_name: b
output_base_dir: o
base_config: {model: m, url: 'mock://', streaming: true, warmup_request_count: 0, request_count: 8, concurrency: 1, prompt_input_tokens_mean: 20}
`

// follow asks the planner of a batch for every run, each of which turns out as
// said, and returns what was asked for: the cell, the number, and whether it
// was skipped.
func follow(t *testing.T, batch *sweep.Batch, done []*sweep.Run, outcome func(sweep.Ask) *metrics.Summary) []string {
	t.Helper()
	var asked []string
	for plan := batch.Plan(); len(asked) < 1000; {
		left, _ := plan.Left(done)
		ask, ok := plan.Next(done)
		if ok != (left > 0) {
			t.Fatalf("%d runs are left, and there is a next: %v", left, ok)
		}
		if !ok {
			return asked
		}
		run := &sweep.Run{Ask: ask}
		name := strings.TrimPrefix(ask.Name(), "concurrency")
		if ask.Skip != "" {
			name = "no " + name
		} else if outcome != nil {
			run.Summary = outcome(ask)
		}
		asked = append(asked, name)
		done = append(done, run)
	}
	t.Fatal("the plan has no end")
	return nil
}

func TestOrderOfRuns(t *testing.T) {
	const three = "sweeps: {concurrency: [1, 2, 4]}\n"
	for _, tt := range []struct {
		name, keys string
		want       []string
	}{
		{"one run of a batch without sweeps", "", []string{"the run"}},
		{"each cell once", three, []string{"1", "2", "4"}},
		{"rounds", three + "repeats: 2\n", []string{"1, repeat 1", "2, repeat 1", "4, repeat 1", "1, repeat 2", "2, repeat 2", "4, repeat 2"}},
		{"blocks", three + "repeats: 2\nrepeat_order: blocked\n", []string{"1, repeat 1", "1, repeat 2", "2, repeat 1", "2, repeat 2", "4, repeat 1", "4, repeat 2"}},
		{"repeats without sweeps", "repeats: 3\n", []string{"the run, repeat 1", "the run, repeat 2", "the run, repeat 3"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if d := cmp.Diff(tt.want, follow(t, parse(t, planned+tt.keys), nil, nil)); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}

func TestShuffledRoundsHoldEveryCell(t *testing.T) {
	keys := planned + "sweeps: {concurrency: [1, 2, 3, 4, 5, 6, 7, 8]}\nrepeats: 5\nrepeat_order: shuffled\n"
	got := follow(t, parse(t, keys), nil, nil)
	if again := follow(t, parse(t, keys), nil, nil); !slices.Equal(got, again) {
		t.Error("the order is another one each time")
	}
	orders := map[string]bool{}
	for round := range slices.Chunk(got, 8) {
		orders[strings.Join(round, " ")[:8]] = true
		cells := map[string]bool{}
		for _, name := range round {
			cells[name] = true
		}
		if len(cells) != 8 {
			t.Errorf("a round holds %d of 8 cells: %v", len(cells), round)
		}
	}
	if len(orders) < 2 {
		t.Error("all rounds have the same order")
	}
}

// TestRunsStandInTheirOrder follows the plan, so that the order is its own, and
// turns what was made around.
func TestRunsStandInTheirOrder(t *testing.T) {
	const three = planned + "sweeps: {concurrency: [1, 2, 4]}\n"
	for name, keys := range map[string]string{
		"each cell once": "", "rounds": "repeats: 3\n", "blocks": "repeats: 3\nrepeat_order: blocked\n",
		"shuffled rounds": "repeats: 3\nrepeat_order: shuffled\n", "rounds with an open end": "repeat_until: {metric: time_to_first_token.p95, half_width: 0.05, max: 6}\n",
	} {
		t.Run(name, func(t *testing.T) {
			batch := parse(t, three+keys)
			var made []*sweep.Run
			for plan := batch.Plan(); ; {
				ask, ok := plan.Next(made)
				if !ok {
					break
				}
				value := float64(50 * (ask.Number % 2 * ask.Cell.Index))
				made = append(made, &sweep.Run{Ask: ask, Summary: scored(100+value, metrics.Valid)})
			}
			around := slices.Clone(made)
			slices.Reverse(around)
			if !slices.Equal(batch.InOrder(around), made) || slices.Equal(around, made) {
				t.Error("runs that were made in another order do not stand in that of the plan")
			}
		})
	}
}

// A night that goes on asks for what is missing, in whatever order the rest was made.
func TestAPlanGoesOnWhereItStopped(t *testing.T) {
	batch := parse(t, planned+"sweeps: {concurrency: [1, 2, 4]}\nrepeats: 2\n")
	cells := batch.Cells()
	done := []*sweep.Run{
		{Ask: sweep.Ask{Cell: &cells[2], Number: 1}},
		{Ask: sweep.Ask{Cell: &cells[0], Number: 1}},
	}
	want := []string{"2, repeat 1", "1, repeat 2", "2, repeat 2", "4, repeat 2"}
	if d := cmp.Diff(want, follow(t, batch, done, nil)); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

func TestSeedsOfRepeats(t *testing.T) {
	batch := parse(t, planned)
	if !batch.VarySeed || batch.Repeats != 1 {
		t.Errorf("by default there are %d repeats and vary_seed is %v, want 1 and true", batch.Repeats, batch.VarySeed)
	}
	cell := &batch.Cells()[0]
	seed := func(n int, vary bool) uint64 { return uint64(sweep.Ask{Cell: cell, Number: n}.Seed(vary)) }
	if one := uint64(cell.Seed); seed(0, true) != one || seed(1, true) != one || seed(2, false) != one {
		t.Error("the first run of a cell, and every one that is to send the same, has the cell's seed")
	}
	if seed(2, true) == seed(1, true) || seed(2, true) == seed(3, true) {
		t.Error("repeats that are to differ share a seed")
	}
}

// scored is a summary with a p95 of the time to first token, in milliseconds.
func scored(ttft float64, verdict metrics.Verdict) *metrics.Summary {
	s := &metrics.Summary{Counts: metrics.Counts{OK: 1}, Metrics: []metrics.Metric{{
		Tag: "time_to_first_token", Unit: "ms", Stats: &metrics.Stats{P95: ttft},
	}}}
	s.Validity.Verdict = verdict
	return s
}

func TestHopelessCellsAreSkipped(t *testing.T) {
	const levels = "sweeps: {concurrency: [1, 2, 4, 8], prompt_output_tokens_mean: [10, 20]}\n"
	for _, tt := range []struct {
		name, keys string
		ttft       func(concurrency, tokens int) float64
		invalid    func(concurrency int) bool
		skipped    []string
	}{
		{
			name: "all are well", keys: levels + "stop_when: time_to_first_token.p95 > 300\n",
			ttft: func(c, _ int) float64 { return float64(10 * c) },
		},
		{
			name: "those above one that was too slow, and no other length of answers", keys: levels + "stop_when: [time_to_first_token.p95 > 300]\n",
			ttft:    func(c, tokens int) float64 { return float64(tokens * c * 10) }, // 20 tokens at 2 users: 400
			skipped: []string{"4 20", "8 10", "8 20"},
		},
		{
			name: "a figure that may be too small", keys: levels + "stop_when: time_to_first_token.p95 < 15\n",
			ttft:    func(c, _ int) float64 { return float64(10 * c) },
			skipped: []string{"2 10", "2 20", "4 10", "4 20", "8 10", "8 20"},
		},
		{
			name: "behind two that were invalid", keys: levels + "stop_when: INVALID x 2\n",
			ttft: func(int, int) float64 { return 1 }, invalid: func(c int) bool { return c >= 2 },
			skipped: []string{"8 10", "8 20"},
		},
		{
			name: "not behind two with a valid one between", keys: levels + "stop_when: INVALID x 2\n",
			ttft: func(int, int) float64 { return 1 }, invalid: func(c int) bool { return c == 1 || c == 4 },
		},
		{
			name: "an order from high to low skips nothing", keys: "sweeps: {concurrency: [8, 4]}\nstop_when: time_to_first_token.p95 > 1\n",
			ttft: func(int, int) float64 { return 100 },
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			value := func(a sweep.Ask, key string) int {
				for _, v := range a.Cell.Values {
					if v.Key == key {
						return v.Value.(int)
					}
				}
				return 0
			}
			batch := parse(t, planned+tt.keys)
			var skipped []string
			var done []*sweep.Run
			for plan := batch.Plan(); len(done) < 100; {
				ask, ok := plan.Next(done)
				if !ok {
					break
				}
				run := &sweep.Run{Ask: ask}
				users, tokens := value(ask, "concurrency"), value(ask, "prompt_output_tokens_mean")
				if ask.Skip != "" {
					skipped = append(skipped, fmt.Sprint(users, " ", tokens))
				} else {
					verdict := metrics.Valid
					if tt.invalid != nil && tt.invalid(users) {
						verdict = metrics.Invalid
					}
					run.Summary = scored(tt.ttft(users, tokens), verdict)
				}
				done = append(done, run)
			}
			if d := cmp.Diff(tt.skipped, skipped); d != "" {
				t.Errorf("skipped (-want +got):\n%s", d)
			}
		})
	}
}

func TestStopRulesThatAreNone(t *testing.T) {
	for text, want := range map[string]string{
		"time_to_first_token.p95":             "is no condition",
		"time_to_first_tokn.p95 > 3":          "is no metric",
		"time_to_first_token.p94 > 3":         "is no statistic",
		"time_to_first_token.p95 >= 3":        "is no condition",
		"time_to_first_token.p95 > 3 seconds": "is no condition",
		"INVALID x none":                      "is no condition",
		"TTFT.p95 > 3":                        "write time_to_first_token.p95",
		"{a: b}":                              "must be a condition",
	} {
		list := faults(t, planned+"stop_when: ["+text+"]\n", sweep.Options{})
		if len(list) != 1 || !strings.Contains(list[0].Error(), want) {
			t.Errorf("%s: %v, want %q", text, list, want)
		}
	}
}

func TestAShortNameIsToldItsLongOne(t *testing.T) {
	for keys, want := range map[string]string{
		"sweeps: {slos.ttft: [500]}\n":                            "write time_to_first_token",
		"sweeps: {budgets.itl.p99: [50]}\n":                       "write inter_token_latency.p99",
		"repeat_until: {metric: latency.p95, half_width: 0.05}\n": "write request_latency.p95",
		"stop_when: e2e.p95 > 3\n":                                "write request_latency.p95",
	} {
		list := faults(t, planned+keys, sweep.Options{})
		if len(list) != 1 || !strings.Contains(list[0].Error(), want) {
			t.Errorf("%s: %v, want %q", keys, list, want)
		}
	}
}

func TestAHalfWidthIsAShare(t *testing.T) {
	list := faults(t, planned+"repeat_until: {metric: time_to_first_token.p95, half_width: 5}\n", sweep.Options{})
	if len(list) != 1 || !strings.Contains(list[0].Error(), "half_width: must be below 1, not 5") {
		t.Error(list)
	}
}

func TestRepeatsUntilAFigureIsPrecise(t *testing.T) {
	const keys = planned + "sweeps: {concurrency: [1, 2, 4]}\nrepeat_until: {metric: time_to_first_token.p95, half_width: 0.05, max: 6}\n"
	// Three values of mean 100 and standard deviation 2.1: ± 4.303·2.1/√3 = 5.2,
	// just too wide. With a fourth at the mean: ± 3.182·1.715/2 = 2.7.
	near := []float64{97.9, 102.1, 100, 100, 100, 100}
	wide := []float64{50, 150, 100, 50, 150, 100}
	same := []float64{100, 100, 100, 100, 100, 100}
	batch := parse(t, keys)
	got := follow(t, batch, nil, func(a sweep.Ask) *metrics.Summary {
		values := map[int][]float64{0: same, 1: near, 2: wide}[a.Cell.Index]
		return scored(values[a.Number-1], metrics.Valid)
	})
	runs := map[string]int{}
	for _, name := range got {
		cell, _, _ := strings.Cut(name, ",")
		runs[cell]++
	}
	if d := cmp.Diff(map[string]int{"1": 3, "2": 4, "4": 6}, runs); d != "" {
		t.Errorf("runs of each cell (-want +got):\n%s", d)
	}
}

func TestInvalidRunsMakeNothingPrecise(t *testing.T) {
	batch := parse(t, planned+"repeat_until: {metric: time_to_first_token.p95, half_width: 0.05, max: 5}\n")
	got := follow(t, batch, nil, func(a sweep.Ask) *metrics.Summary { return scored(100, metrics.Invalid) })
	if len(got) != 5 {
		t.Errorf("%d runs, want 5: none of them counts", len(got))
	}
}
