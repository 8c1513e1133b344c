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
	for i, m := range n.Nodes {
		x := m.Value
		indent := strings.Repeat("  ", min(n.Depths[i], maxIndent))
		fmt.Fprintf(&b, "%s- %s '%s' (uuid=%s, start=%s, end=%s, dur=%s)\n",
			indent, x.Type, x.Name, x.UUID, two(x.Start), two(x.End), two(x.Duration))
	}
	if n.More != nil && n.More.LeftOut > 0 {
		fmt.Fprintf(&b, "(%d more calls)\n", n.More.LeftOut)
	}
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
	for _, l := range s.Distribution {
		fmt.Fprintf(&b, "concurrency=%s: %s\n", l.Key, two(l.Value))
	}
	fmt.Fprintf(&b, "\nPercentiles => p50=%s, p90=%s, p95=%s, p99=%s\n", two(s.P50), two(s.P90), two(s.P95), two(s.P99))
	fmt.Fprintf(&b, "Spike threshold chosen: %d", s.Threshold)
	if s.More != nil {
		fmt.Fprintf(&b, " (%s)", s.More.ThresholdSource)
	}
	b.WriteString("\n\n-- Detected Spike Intervals --\n")
	if len(s.Intervals) == 0 {
		b.WriteString("No intervals exceed concurrency spike threshold.\n")
	}
	for i, x := range s.Intervals {
		fmt.Fprintf(&b, "%d) %s-%s, concurrency=%d, length=%s, #active_calls=%d\n",
			i+1, two(x.Start), two(x.End), x.Concurrency, two(x.End-x.Start), max(x.Calls, len(x.Active)))
	}
	if s.More != nil && s.More.LeftOut > 0 {
		fmt.Fprintf(&b, "(%d more spikes)\n", s.More.LeftOut)
	}
	b.WriteString("\n-- Correlation Stats for Spiked Calls --\n")
	fmt.Fprintf(&b, "Avg prompt tokens: %s\nAvg total tokens: %s\n", two(s.Tokens.Prompt), two(s.Tokens.Total))
	b.WriteString("\n-- Average Latency by Midpoint Concurrency --\n")
	for _, l := range s.Latency {
		fmt.Fprintf(&b, "concurrency=%s: %s\n", l.Key, two(l.Value))
	}
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
	for i, x := range p.Patterns {
		fmt.Fprintf(&b, "%d) Pattern: %s\n   Frequency: %d\n   Coverage: %s\n   Avg Duration: %s\n   Examples containing: %v\n",
			i+1, strings.Join(x.Items, " -> "), x.Frequency, two(x.Coverage), two(x.Duration), x.Examples)
	}
	return b.String()
}
