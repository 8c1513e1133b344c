package analyze_test

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"loadgen"
	"loadgen/analyze"
	"loadgen/metrics"
)

// 30,000 requests, of which the first third is quick, the next slow and the
// last fails, and a trace that keeps the first 10,000 to end.
func TestFactsAreOfTheWholeRunThoughItsTraceIsCut(t *testing.T) {
	tracer := &analyze.Tracer{MaxCalls: 10_000}
	asked := metrics.Facts{Load: loadgen.Load{Users: 10}}
	c, err := metrics.NewCollector(asked)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 30_000 {
		took := 10 * time.Millisecond
		r := &loadgen.Record{Request: &loadgen.Request{ID: fmt.Sprint(i), Session: fmt.Sprint(i)}, Usage: loadgen.NoUsage, OutputTokens: 2, Streamed: true}
		r.Sent = time.Duration(i) * time.Millisecond
		if i >= 10_000 {
			took = 100 * time.Millisecond
		}
		r.Took, r.Ended = took, r.Sent+took
		r.Chunks = []loadgen.Chunk{{At: took / 2}, {At: took}}
		if i >= 20_000 {
			r.Failure = &loadgen.Failure{Kind: loadgen.FailHTTP5xx}
		}
		tracer.Add(r)
		c.Add(r)
	}
	s := c.Summary(loadgen.Outcome{Issued: 30_000}, loadgen.Health{}, loadgen.Transport{})
	f := analyze.FactsOf(loadgen.Cell{}, asked, &s, tracer.Trace())
	if f.Requests != 30_000 || f.Failed != 10_000 || f.Failures["http_5xx"] != 10_000 {
		t.Errorf("%d requests, %d failed, by kind %v", f.Requests, f.Failed, f.Failures)
	}
	// The successful ones: 10,000 of 10 ms and 10,000 of 100 ms.
	if got := 1000 * float64(f.Latency.Mean); math.Abs(got-55) > 1e-6 {
		t.Errorf("mean latency %v ms, want 55", got)
	}
	if !math.IsNaN(f.FailedTime) {
		t.Errorf("the failed calls took %v s, though the trace has none of them", f.FailedTime)
	}
	found := analyze.Findings([]analyze.CellFacts{f}, analyze.Defaults())
	if want := "10000 of 30000 requests failed, most with http 5xx"; found[0].Title != want {
		t.Errorf("the first finding is %q, want %q", found[0].Title, want)
	}
}

// evidence returns a number that a finding rests on.
func evidence(t *testing.T, f analyze.Finding, what string) analyze.Evidence {
	t.Helper()
	for _, e := range f.Evidence {
		if e.What == what {
			return e
		}
	}
	t.Fatalf("the finding %s has no %q: %v", f.ID, what, f.Evidence)
	return analyze.Evidence{}
}

func TestEveryRunAtALoadCounts(t *testing.T) {
	e := endpoint{slots: 4, decode: 0.01, output: 20, prompt: unique(100), cached: -1}
	cells := e.sweep(1, 4, 16)
	again := e.sweep(16)[0]
	again.TTFT.Mean *= 2 // the second run at 16 waited twice as long
	again.Latency.Mean += again.TTFT.Mean / 2
	cells = append(cells, again)
	found := analyze.Findings(cells, analyze.Defaults())
	if found[0].ID != "queue" {
		t.Fatalf("the first finding is %s: %s", found[0].ID, found[0].Title)
	}
	got := evidence(t, found[0], "mean TTFT at the most load")
	if want := float64(cells[2].TTFT.Mean) * 1.5; math.Abs(float64(got.Value)-want) > 1e-9 {
		t.Errorf("mean TTFT at 16 is %v, want %v: the mean of both runs", got.Value, want)
	}
	if want := "concurrency16 and 1 more at this load"; got.Where != want {
		t.Errorf("it stands at %q, want %q", got.Where, want)
	}
}

func TestRunsThatDifferInMoreThanTheirLoadAreNotCompared(t *testing.T) {
	// Each setting serves what it is asked; with long answers all takes longer.
	short := endpoint{slots: 64, decode: 0.01, output: 20, prompt: unique(100), cached: -1}
	long := endpoint{slots: 64, decode: 0.05, output: 200, prompt: unique(100), cached: -1}
	cells := append(short.sweep(1, 2), long.sweep(4, 8)...)
	for i := range cells {
		cells[i].At = []string{"prompt_output_tokens_mean=20", "prompt_output_tokens_mean=200"}[i/2]
	}
	for _, f := range analyze.Findings(cells, analyze.Defaults()) {
		if f.ID == "slow-decode-under-load" || f.ID == "queue" {
			t.Errorf("%s: %s", f.ID, f.Title)
		}
	}
	queues := endpoint{slots: 2, decode: 0.05, output: 200, prompt: unique(100), cached: -1}
	cells = append(short.sweep(1, 2), queues.sweep(1, 8)...)
	for i := range cells {
		cells[i].At = []string{"prompt_output_tokens_mean=20", "prompt_output_tokens_mean=200"}[i/2]
	}
	found := analyze.Findings(cells, analyze.Defaults())
	if found[0].ID != "queue" || !strings.HasSuffix(found[0].Title, "(at prompt_output_tokens_mean=200)") {
		t.Errorf("the first finding is %s: %s", found[0].ID, found[0].Title)
	}
}

// An endpoint that caches what prompts share and does not say so: TTFT follows
// the prompt's own part, too short for all of it.
func TestASilentCacheIsNotTakenForNone(t *testing.T) {
	shared := strings.Repeat("sys ", 1024)
	e := endpoint{slots: 64, prefill: 0.001, decode: 0.01, output: 50, cached: 1024, prompt: func(i int) (string, int) {
		own, tokens := unique(100)(i)
		return shared + own, 1024 + tokens
	}}
	var cells []analyze.CellFacts
	for _, users := range []int{1, 4} {
		tr := e.closedLoop(users, 200)
		for i := range tr.Calls {
			tr.Calls[i].CachedTokens = -1
		}
		cells = append(cells, analyze.FactsFrom(fmt.Sprint("concurrency", users), users, 0, tr))
	}
	for _, f := range analyze.Findings(cells, analyze.Defaults()) {
		if f.ID == "shared-prefix" {
			t.Errorf("%s", f.Title)
		}
	}
}

func TestAClosedLoopIsNotToldOfACeiling(t *testing.T) {
	late := func(asked metrics.Facts) analyze.Finding {
		c, err := metrics.NewCollector(asked)
		if err != nil {
			t.Fatal(err)
		}
		tracer := &analyze.Tracer{}
		for i := range 100 {
			r := &loadgen.Record{Request: &loadgen.Request{ID: fmt.Sprint(i), Session: fmt.Sprint(i)}, Usage: loadgen.NoUsage, OutputTokens: 2, Streamed: true}
			r.Due = time.Duration(i) * 100 * time.Millisecond
			r.Sent = r.Due + 80*time.Millisecond
			r.Took, r.Ended = 50*time.Millisecond, r.Sent+50*time.Millisecond
			r.Chunks = []loadgen.Chunk{{At: 10 * time.Millisecond}, {At: 50 * time.Millisecond}}
			tracer.Add(r)
			c.Add(r)
		}
		s := c.Summary(loadgen.Outcome{Issued: 100}, loadgen.Health{}, loadgen.Transport{})
		for _, f := range analyze.Findings([]analyze.CellFacts{analyze.FactsOf(loadgen.Cell{}, asked, &s, tracer.Trace())}, analyze.Defaults()) {
			if f.ID == "late-sends" {
				return f
			}
		}
		t.Fatal("late requests are not found")
		return analyze.Finding{}
	}
	for _, asked := range []metrics.Facts{{Load: loadgen.Load{Users: 4}}, {Load: loadgen.Load{Mode: loadgen.OpenLoop, Rate: 10}}} {
		f := late(asked)
		if text := f.Title + strings.Join(f.Try, " "); strings.Contains(text, "ceiling") {
			t.Errorf("asked for a %s, told: %s", asked.Load.Mode, text)
		}
	}
}
