package report_test

import (
	"fmt"
	"strings"
	"testing"

	"loadgen"
	"loadgen/analyze"
	"loadgen/report"
)

func TestProfilingTextHasAIQsLayout(t *testing.T) {
	call := func(example int, id string, start, end float64) loadgen.Call {
		return loadgen.Call{
			Example: example, ID: id, Kind: loadgen.LLMCall, Name: "m", Start: start, Wrote: -1, FirstToken: -1, End: end,
			PromptTokens: 100, CompletionTokens: 50, CachedTokens: -1, ReasoningTokens: -1,
		}
	}
	tr := &loadgen.Trace{Calls: []loadgen.Call{call(0, "a", 0, 4), call(1, "b", 1, 5), call(2, "c", 2, 3)}}
	opt := analyze.Defaults()
	opt.AIQ = true
	got := report.ProfilingText(analyze.Run(tr, opt).Workflow)
	want := `


---- BOTTLENECK REPORT ----
Total distinct operations found: 1
Overall max concurrency (all ops): 3

Top 3 Bottlenecks by bottleneck_score (avg_duration * max_concurrency):
1) LLM 'm': score=9.00, avg_dur=3.00, max_concurrency=3


=== Multi-Example Nested Call Profiling Report ===
Total calls (across all examples): 3

-- Concurrency Distribution (all examples) --
p50=2.00, p90=3.00, p95=3.00, p99=3.00

-- Top 5 Calls by Bottleneck Score (subtree_time) --
1) UUID=a, LLM 'm', dur=4.00, self_time=4.00, subtree_time=4.00, concurrency=3, score=4.00
2) UUID=b, LLM 'm', dur=4.00, self_time=4.00, subtree_time=4.00, concurrency=2, score=4.00
3) UUID=c, LLM 'm', dur=1.00, self_time=1.00, subtree_time=1.00, concurrency=3, score=1.00

-- Full Tree(s) (All Examples) --
- LLM 'm' (uuid=a, start=0.00, end=4.00, dur=4.00)
- LLM 'm' (uuid=b, start=1.00, end=5.00, dur=4.00)
- LLM 'm' (uuid=c, start=2.00, end=3.00, dur=1.00)


=== Concurrency Spike Analysis ===
Total calls in dataset: 3
Total time observed: 5.00 units (sum of concurrency timeline)

-- Concurrency Distribution --
concurrency=1: 2.00
concurrency=2: 2.00
concurrency=3: 1.00

Percentiles => p50=2.00, p90=3.00, p95=3.00, p99=3.00
Spike threshold chosen: 3

-- Detected Spike Intervals --
1) 2.00-3.00, concurrency=3, length=1.00, #active_calls=3

-- Correlation Stats for Spiked Calls --
Avg prompt tokens: 100.00
Avg total tokens: 150.00

-- Average Latency by Midpoint Concurrency --
concurrency=2: 4.00
concurrency=3: 2.50


=== PrefixSpan Sub-Workflow Mining w/ LLM Text ===
Total examples: 3
Patterns found: 1

1) Pattern: LLM:m
   Frequency: 3
   Coverage: 1.00
   Avg Duration: 3.00
   Examples containing: [0 1 2]
`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestProfilingTextOfADeepTreeStaysSmall(t *testing.T) {
	const n = 5000
	tr := &loadgen.Trace{}
	for i := range n {
		tr.Calls = append(tr.Calls, loadgen.Call{
			ID: fmt.Sprint(i), Kind: loadgen.FunctionCall, Name: "f", Start: float64(i), End: float64(3*n - i), Wrote: -1, FirstToken: -1,
		})
	}
	opt := analyze.Options{NestedStack: true}
	text := report.ProfilingText(analyze.Run(tr, opt).Workflow)
	if lines := strings.Count(text, "\n"); len(text) > 250*lines {
		t.Errorf("%d lines in %d bytes: want no more than 250 bytes each", lines, len(text))
	}
}

func TestProfilingTextOfNothingSaysSo(t *testing.T) {
	text := report.ProfilingText(analyze.Run(&loadgen.Trace{}, analyze.Defaults()).Workflow)
	for _, want := range []string{"No operations found to profile.", "No intervals exceed concurrency spike threshold.", "No frequent patterns found"} {
		if !strings.Contains(text, want) {
			t.Errorf("nothing says %q:\n%s", want, text)
		}
	}
}

func TestProfilingTextHasFiftyRowsOfAList(t *testing.T) {
	tr := &loadgen.Trace{}
	for i := range 1000 {
		at := float64(10 * i)
		for k := range 1 + i%3*40 { // spikes between quiet times
			tr.Calls = append(tr.Calls, loadgen.Call{
				Example: i, ID: fmt.Sprint(i, "-", k), Kind: loadgen.LLMCall, Name: "m", Start: at, Wrote: -1, FirstToken: -1, End: at + 1,
				PromptTokens: 100, CompletionTokens: 50, CachedTokens: -1, ReasoningTokens: -1,
			})
		}
	}
	text := report.ProfilingText(analyze.Run(tr, analyze.Defaults()).Workflow)
	if n := strings.Count(text, "\n"); n > 250 {
		t.Errorf("%d lines", n)
	}
	if n := strings.Count(text, "- LLM 'm' (uuid="); n != 50 {
		t.Errorf("%d calls of the tree, want 50", n)
	}
	if want := fmt.Sprintf("(%d more calls)", len(tr.Calls)-50); !strings.Contains(text, want) {
		t.Errorf("no %q", want)
	}
}
