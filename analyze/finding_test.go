package analyze_test

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"loadgen"
	"loadgen/analyze"
)

// An endpoint is a model of one with a known cause of delay: it serves slots
// requests at once, first come first served, takes prefill seconds for each
// prompt token that it computes and decode seconds for each further token.
type endpoint struct {
	slots           int
	prefill, decode float64
	output          int
	prompt          func(i int) (text string, tokens int)
	cached          int // tokens of every prompt that the server reports cached; -1 for silence
}

// closedLoop runs users that ask again as soon as they are answered.
func (e endpoint) closedLoop(users, requests int) *loadgen.Trace {
	tr := &loadgen.Trace{Source: "loadgen"}
	free := make([]float64, e.slots) // when each slot is free
	ready := make([]float64, users)  // when each user asks next
	for i := range requests {
		u, s := earliest(ready), earliest(free)
		text, tokens := e.prompt(i)
		start := ready[u]
		begin := max(start, free[s])
		first := begin + 0.01 + e.prefill*float64(tokens-max(0, e.cached))
		end := first + e.decode*float64(e.output-1)
		free[s], ready[u] = end, end
		tr.Calls = append(tr.Calls, loadgen.Call{
			Example: i, ID: fmt.Sprint("r", i), Kind: loadgen.LLMCall, Name: "m",
			Start: start, Wrote: start, FirstToken: first, End: end,
			PromptTokens: tokens, CompletionTokens: e.output, CachedTokens: e.cached, ReasoningTokens: -1,
			Input: text, Function: "chat",
		})
	}
	return tr
}

func earliest(times []float64) int {
	k := 0
	for i, t := range times {
		if t < times[k] {
			k = i
		}
	}
	return k
}

// unique makes prompts that share nothing, of lengths around a mean.
func unique(mean int) func(i int) (string, int) {
	return func(i int) (string, int) {
		tokens := mean*3/4 + i*37%(mean/2)
		return strings.Repeat(fmt.Sprintf("%04d", i), tokens), tokens
	}
}

func (e endpoint) sweep(users ...int) []analyze.CellFacts {
	var cells []analyze.CellFacts
	for _, n := range users {
		cells = append(cells, analyze.FactsFrom(fmt.Sprintf("concurrency%d", n), n, 0, e.closedLoop(n, 30*n+100)))
	}
	return cells
}

func TestFindingsNameTheCauseFirst(t *testing.T) {
	shared := strings.Repeat("sys ", 1024)
	tests := []struct {
		name     string
		endpoint endpoint
		users    []int
		want     string
		check    func(t *testing.T, f analyze.Finding)
	}{
		{
			"sixteen slots and up to 64 users: they queue",
			endpoint{slots: 16, prefill: 1e-5, decode: 0.01, output: 100, prompt: unique(500), cached: -1},
			[]int{1, 4, 16, 32, 64},
			"queue",
			func(t *testing.T, f analyze.Finding) {
				if !strings.Contains(f.Title, "about 16 are") {
					t.Errorf("the title does not name the 16 slots: %s", f.Title)
				}
			},
		},
		{
			"eight slots and twelve users: the wait is short and still the cause",
			endpoint{slots: 8, prefill: 1e-5, decode: 0.01, output: 100, prompt: unique(500), cached: -1},
			[]int{1, 2, 8, 12},
			"queue", nil,
		},
		{
			"two milliseconds for a prompt token and slots enough: slow prefill",
			endpoint{slots: 64, prefill: 0.002, decode: 0.01, output: 100, prompt: unique(1000), cached: -1},
			[]int{1, 4, 16},
			"slow-prefill",
			func(t *testing.T, f analyze.Finding) {
				if got := float64(f.Evidence[0].Value); math.Abs(got-0.002) > 1e-9 {
					t.Errorf("seconds per token %v, the endpoint takes 0.002", got)
				}
			},
		},
		{
			"1,024 tokens in common that nobody caches: the shared prefix",
			endpoint{slots: 64, prefill: 0.001, decode: 0.01, output: 50, cached: -1, prompt: func(i int) (string, int) {
				own, tokens := unique(100)(i)
				return shared + own, 1024 + tokens
			}},
			[]int{1, 4, 16},
			"shared-prefix",
			func(t *testing.T, f analyze.Finding) {
				// 130, 220 and 580 requests, of which the first of each cell fills the cache.
				if want := float64(1024 * (129 + 219 + 579)); math.Abs(float64(f.Tokens)-want) > 0 {
					t.Errorf("tokens saved %v, want %v", f.Tokens, want)
				}
				if want := float64(f.Tokens) * 0.001; math.Abs(float64(f.Seconds)-want) > 1e-6*want {
					t.Errorf("seconds saved %v, want %v", f.Seconds, want)
				}
			},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			found := analyze.Findings(tt.endpoint.sweep(tt.users...), analyze.Defaults())
			if found[0].ID != tt.want {
				t.Fatalf("the first finding is %s (%s), want %s", found[0].ID, found[0].Title, tt.want)
			}
			if tt.check != nil {
				tt.check(t, found[0])
			}
		})
	}
}

func TestFindingsOfACacheThatWorksSayNothingOfIt(t *testing.T) {
	shared := strings.Repeat("sys ", 1024)
	e := endpoint{slots: 64, prefill: 0.001, decode: 0.01, output: 50, cached: 1024, prompt: func(i int) (string, int) {
		own, tokens := unique(100)(i)
		return shared + own, 1024 + tokens
	}}
	for _, f := range analyze.Findings(e.sweep(1, 4), analyze.Defaults()) {
		if f.ID == "shared-prefix" {
			t.Errorf("the server caches all there is, and yet: %s", f.Title)
		}
	}
}

func TestFindingsSayWhatTheDataDoesNotCarry(t *testing.T) {
	same := func(int) (string, int) { return "", 100 }
	e := endpoint{slots: 8, prefill: 1e-4, decode: 0.01, output: 20, prompt: same, cached: -1}
	untimed := e.closedLoop(1, 40)
	for i := range untimed.Calls {
		untimed.Calls[i].FirstToken = -1
	}
	failed := e.closedLoop(1, 40)
	for i := range failed.Calls {
		failed.Calls[i].Failed, failed.Calls[i].Error = true, "timeout"
	}
	tests := []struct {
		name  string
		trace *loadgen.Trace
		want  string
	}{
		{"nothing at all", &loadgen.Trace{}, "no request ended"},
		{"one request", e.closedLoop(1, 1), "1 successful requests"},
		{"one level of load", e.closedLoop(2, 100), "one level of load"},
		{"prompts of one length", e.closedLoop(2, 100), "prompts of one length"},
		{"no first-token times", untimed, "no request tells both"},
		{"failures alone", failed, "40 of 40 requests failed"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var titles []string
			for _, f := range analyze.Findings([]analyze.CellFacts{analyze.FactsFrom("", 0, 0, tt.trace)}, analyze.Defaults()) {
				titles = append(titles, f.Title)
			}
			if all := strings.Join(titles, "\n"); !strings.Contains(all, tt.want) {
				t.Errorf("no finding says %q:\n%s", tt.want, all)
			}
		})
	}
}

// A probe of a search ends when it has seen enough, which is not for who reads the
// findings to change.
func TestFewRequestsOfAProbeAreNoLack(t *testing.T) {
	e := endpoint{slots: 4, prefill: 0.001, decode: 0.01, output: 10, prompt: unique(100), cached: -1}
	few, many := analyze.FactsFrom("few", 1, 0, e.closedLoop(1, 10)), analyze.FactsFrom("many", 4, 0, e.closedLoop(4, 100))
	for _, probe := range []bool{false, true} {
		few.Probe = probe
		told := 0
		for _, f := range analyze.Findings([]analyze.CellFacts{few, many}, analyze.Options{}) {
			if f.Title == "not enough data: 10 successful requests" {
				told++
				if e := f.Evidence[0]; e.Value != 10 || e.Where != "few" {
					t.Errorf("its evidence: %+v", e)
				}
			}
		}
		if told != map[bool]int{false: 1, true: 0}[probe] {
			t.Errorf("probe %v: told %d times", probe, told)
		}
	}
}

func TestRequestsCancelledAtTheEndAreNoFinding(t *testing.T) {
	tr := &loadgen.Trace{}
	for i := range 40 {
		c := llm(i, fmt.Sprint(i), float64(i), float64(i)+1)
		if c.Failed = i >= 30; c.Failed {
			c.Error = string(loadgen.FailCancelled)
		}
		tr.Calls = append(tr.Calls, c)
	}
	for _, f := range analyze.Findings([]analyze.CellFacts{analyze.FactsFrom("", 1, 0, tr)}, analyze.Defaults()) {
		if f.ID == "failures" {
			t.Errorf("found: %s", f.Title)
		}
	}
}

// Figures of a run on an endpoint with room for 128: the batch grows with the
// load, and with it every step.
func TestASlowBatchIsNoQueue(t *testing.T) {
	cell := func(users int, ttft, itl, throughput float64) analyze.CellFacts {
		e := endpoint{slots: 128, prefill: 0, decode: itl, output: 40, cached: -1, prompt: func(i int) (string, int) {
			return fmt.Sprintf("%04d", i), 200
		}}
		f := analyze.FactsFrom(fmt.Sprint("concurrency", users), users, 0, e.closedLoop(users, 40*users))
		f.TTFT.Mean, f.ITL.Mean, f.Throughput = analyze.Number(ttft), analyze.Number(itl), throughput
		f.Latency.Mean = analyze.Number(ttft + 39*itl)
		return f
	}
	cells := []analyze.CellFacts{cell(1, 0.020, 0.0081, 2.6), cell(4, 0.026, 0.0098, 9.5), cell(16, 0.075, 0.0166, 22.4)}
	for _, f := range analyze.Findings(cells, analyze.Defaults()) {
		if f.ID == "queue" {
			t.Errorf("16 users of an endpoint for 128 are said to queue: %s", f.Title)
		}
	}
}

func TestProfileOfARunIsRunAndItsFindings(t *testing.T) {
	tr := longRun(400)
	for _, aiq := range []bool{false, true} {
		opt := analyze.Defaults()
		opt.AIQ = aiq
		facts := analyze.FactsFrom("", 8, 0, tr)
		want := analyze.Run(tr, opt)
		want.Findings = analyze.Findings([]analyze.CellFacts{facts}, opt)
		if more := want.Optimization.More; more != nil {
			more.Findings = want.Findings
		}
		asJSON := func(p *analyze.Profile) string {
			text, err := json.Marshal(p)
			if err != nil {
				t.Fatal(err)
			}
			return string(text)
		}
		if d := cmp.Diff(asJSON(want), asJSON(facts.Profile(opt))); d != "" {
			t.Errorf("AIQ's form %v: %s", aiq, d)
		}
	}
}
