package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"loadgen/analyze"
	"loadgen/internal/outside"
)

// maxIndent bounds the indent of the call tree: a session may be nested as
// deep as it has calls.
const maxIndent = 40

// maxRows bounds the rows of a list in the text report; the JSON files have
// more.
const maxRows = 50

// rows yields the first rows of a list of so many and says how many more there
// are, with those that the analysis itself left out.
func rows(b *strings.Builder, n, leftOut int, noun string, row func(i int)) {
	for i := range min(n, maxRows) {
		row(i)
	}
	if more := n - maxRows; more > 0 {
		leftOut += more
	}
	if leftOut > 0 {
		fmt.Fprintf(b, "(%d more %s)\n", leftOut, noun)
	}
}

// ProfilingText is workflow_profiling_report.txt: the profiler's analyses in
// AIQ's layout, each section behind three newlines. Sections whose analysis
// was not asked for are left out; below the lists stands how much of them was
// cut.
func ProfilingText(w *analyze.Workflow) string {
	var b strings.Builder
	section := func(text string) {
		b.WriteString("\n\n\n")
		b.WriteString(strings.TrimRight(text, "\n"))
	}
	if w.Simple != nil {
		section(simpleText(w))
	}
	if w.Nested != nil {
		section(nestedText(w))
	}
	if w.Spikes != nil {
		section(spikeText(w.Spikes))
	}
	if w.Patterns != nil {
		section(patternText(w))
	}
	if b.Len() > 0 {
		b.WriteByte('\n')
	}
	return outside.Text(b.String())
}

// two writes a number with the report's two decimals, N/A for none.
func two(n analyze.Number) string {
	if !n.Defined() {
		return absent
	}
	return fmt.Sprintf("%.2f", float64(n))
}

func simpleText(w *analyze.Workflow) string {
	var b strings.Builder
	if len(w.Simple) == 0 {
		return "No operations found to profile."
	}
	fmt.Fprintf(&b, "---- BOTTLENECK REPORT ----\nTotal distinct operations found: %d\n", len(w.Simple))
	fmt.Fprintf(&b, "Overall max concurrency (all ops): %d\n\n", w.Peak)
	b.WriteString("Top 3 Bottlenecks by bottleneck_score (avg_duration * max_concurrency):\n")
	ops := slices.Clone(w.Simple)
	slices.SortStableFunc(ops, func(a, b analyze.Member[analyze.Operation]) int {
		return cmp.Compare(b.Value.Score, a.Value.Score)
	})
	for i, op := range ops[:min(3, len(ops))] {
		o := op.Value
		fmt.Fprintf(&b, "%d) %s '%s': score=%s, avg_dur=%s, max_concurrency=%d\n", i+1, o.Type, o.Name, two(o.Score), two(o.Avg), o.MaxConcurrency)
	}
	return b.String()
}

func nestedText(w *analyze.Workflow) string {
	var b strings.Builder
	n := w.Nested
	fmt.Fprintf(&b, "=== Multi-Example Nested Call Profiling Report ===\nTotal calls (across all examples): %d\n\n", w.Calls)
	b.WriteString("-- Concurrency Distribution (all examples) --\n")
	c := n.Concurrency
	fmt.Fprintf(&b, "p50=%s, p90=%s, p95=%s, p99=%s\n\n", two(c.P50), two(c.P90), two(c.P95), two(c.P99))
	b.WriteString("-- Top 5 Calls by Bottleneck Score (subtree_time) --\n")
	for i, x := range n.Top {
		fmt.Fprintf(&b, "%d) UUID=%s, %s '%s', dur=%s, self_time=%s, subtree_time=%s, concurrency=%d, score=%s\n",
			i+1, x.UUID, x.Type, x.Name, two(x.Duration), two(x.Self), two(x.Subtree), x.Concurrency, two(x.Score))
	}
	b.WriteString("\n-- Full Tree(s) (All Examples) --\n")
	leftOut := 0
	if n.More != nil {
		leftOut = n.More.LeftOut
	}
	rows(&b, len(n.Nodes), leftOut, "calls", func(i int) {
		x := n.Nodes[i].Value
		indent := strings.Repeat("  ", min(n.Depths[i], maxIndent))
		fmt.Fprintf(&b, "%s- %s '%s' (uuid=%s, start=%s, end=%s, dur=%s)\n",
			indent, x.Type, x.Name, x.UUID, two(x.Start), two(x.End), two(x.Duration))
	})
	return b.String()
}

func spikeText(s *analyze.SpikeReport) string {
	var b strings.Builder
	fmt.Fprintf(&b, "=== Concurrency Spike Analysis ===\nTotal calls in dataset: %d\n", s.Calls)
	total := analyze.Number(0)
	for _, l := range s.Distribution {
		total += l.Value
	}
	fmt.Fprintf(&b, "Total time observed: %s units (sum of concurrency timeline)\n\n-- Concurrency Distribution --\n", two(total))
	level := func(levels analyze.Object[analyze.Number]) func(int) {
		return func(i int) { fmt.Fprintf(&b, "concurrency=%s: %s\n", levels[i].Key, two(levels[i].Value)) }
	}
	rows(&b, len(s.Distribution), 0, "levels", level(s.Distribution))
	fmt.Fprintf(&b, "\nPercentiles => p50=%s, p90=%s, p95=%s, p99=%s\n", two(s.P50), two(s.P90), two(s.P95), two(s.P99))
	fmt.Fprintf(&b, "Spike threshold chosen: %d", s.Threshold)
	if s.More != nil {
		fmt.Fprintf(&b, " (%s)", s.More.ThresholdSource)
	}
	b.WriteString("\n\n-- Detected Spike Intervals --\n")
	if len(s.Intervals) == 0 {
		b.WriteString("No intervals exceed concurrency spike threshold.\n")
	}
	leftOut := 0
	if s.More != nil {
		leftOut = s.More.LeftOut
	}
	rows(&b, len(s.Intervals), leftOut, "spikes", func(i int) {
		x := s.Intervals[i]
		fmt.Fprintf(&b, "%d) %s-%s, concurrency=%d, length=%s, #active_calls=%d\n",
			i+1, two(x.Start), two(x.End), x.Concurrency, two(x.End-x.Start), max(x.Calls, len(x.Active)))
	})
	b.WriteString("\n-- Correlation Stats for Spiked Calls --\n")
	fmt.Fprintf(&b, "Avg prompt tokens: %s\nAvg total tokens: %s\n", two(s.Tokens.Prompt), two(s.Tokens.Total))
	b.WriteString("\n-- Average Latency by Midpoint Concurrency --\n")
	rows(&b, len(s.Latency), 0, "levels", level(s.Latency))
	return b.String()
}

func patternText(w *analyze.Workflow) string {
	var b strings.Builder
	p := w.Patterns
	b.WriteString("=== PrefixSpan Sub-Workflow Mining w/ LLM Text ===\n")
	fmt.Fprintf(&b, "Total examples: %d\nPatterns found: %d\n\n", w.Sessions, len(p.Patterns))
	if len(p.Patterns) == 0 {
		b.WriteString("No frequent patterns found by PrefixSpan with the given min_support.\n")
	}
	rows(&b, len(p.Patterns), 0, "patterns", func(i int) {
		x := p.Patterns[i]
		examples, more := x.Examples, ""
		if left := len(examples) - maxRows; left > 0 {
			examples, more = examples[:maxRows], fmt.Sprintf(" and %d more", left)
		}
		fmt.Fprintf(&b, "%d) Pattern: %s\n   Frequency: %d\n   Coverage: %s\n   Avg Duration: %s\n   Examples containing: %v%s\n",
			i+1, strings.Join(x.Items, " -> "), x.Frequency, two(x.Coverage), two(x.Duration), examples, more)
	})
	return b.String()
}
