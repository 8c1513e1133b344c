package analyze

import (
	"cmp"
	"slices"
	"strings"

	"loadgen"
	"loadgen/metrics"
)

// An Operation is all calls of one type and name: simple_stack_analysis.
type Operation struct {
	Type           string          `json:"operation_type"`
	Name           string          `json:"operation_name"`
	Count          int             `json:"usage_count"`
	Avg            Number          `json:"avg_duration"`
	P95            Number          `json:"p95_duration"`
	P99            Number          `json:"p99_duration"`
	MaxConcurrency int             `json:"max_concurrency"`
	Score          Number          `json:"bottleneck_score"` // average duration × largest concurrency
	More           *OperationShare `json:"loadgen,omitempty"`
}

// An OperationShare says how much of all the work an operation is.
type OperationShare struct {
	Failed int    `json:"failed"`
	Max    Number `json:"max_duration"`
	Total  Number `json:"total_busy_time"` // seconds, all calls together
	Share  Number `json:"share_of_total"`  // of the LLM and tool calls' seconds
}

// SimpleStack sums up LLM and tool calls by type and name. Durations are of
// calls that succeeded; failures count as concurrency. AIQ's form mixes them,
// lets an LLM and a tool of one name share their concurrency, and resolves
// equal times by the spelling of the ids.
func SimpleStack(tr *loadgen.Trace, opt Options) Object[Operation] {
	return newView(tr, opt).simpleStack()
}

func (v *view) simpleStack() Object[Operation] {
	type group struct {
		op              Operation
		durations       []float64
		starts, ends    []float64
		total, failures float64
	}
	groups := map[string]*group{}
	all := 0.0
	for _, c := range v.calls {
		if c.Kind != loadgen.LLMCall && c.Kind != loadgen.ToolCallKind || c.End < 0 {
			continue
		}
		key := operation(c)
		g := groups[key]
		if g == nil {
			g = &group{op: Operation{Type: c.Kind.String(), Name: c.Name}}
			groups[key] = g
		}
		g.starts = append(g.starts, c.Start)
		g.ends = append(g.ends, max(c.Start, c.End))
		g.total += c.Duration()
		all += c.Duration()
		if c.Failed && !v.opt.AIQ {
			g.failures++
			continue
		}
		g.durations = append(g.durations, c.Duration())
	}
	var peaks map[string]int
	if v.opt.AIQ {
		peaks = v.aiqPeaks()
	}
	out := make(Object[Operation], 0, len(groups))
	for key, g := range groups {
		op := g.op
		sorted := metrics.Sorted(g.durations)
		op.Count = len(g.starts)
		op.Avg = Number(metrics.Mean(g.durations))
		op.P95 = Number(metrics.Percentile(sorted, 95))
		op.P99 = Number(metrics.Percentile(sorted, 99))
		if v.opt.AIQ {
			op.MaxConcurrency = peaks[op.Name]
		} else {
			op.MaxConcurrency = peakOf(g.starts, g.ends)
			op.More = &OperationShare{
				Failed: int(g.failures), Max: Number(metrics.Percentile(sorted, 100)), Total: Number(g.total), Share: undefined,
			}
			if all > 0 {
				op.More.Share = Number(g.total / all)
			}
		}
		op.Score = op.Avg * Number(op.MaxConcurrency)
		out = append(out, Member[Operation]{key, op})
	}
	slices.SortFunc(out, func(a, b Member[Operation]) int { return strings.Compare(a.Key, b.Key) })
	return out
}

// operation is the key of what a call does: LLM:<model>, TOOL:<name>.
func operation(c *loadgen.Call) string { return c.Kind.String() + ":" + c.Name }

// peak returns the highest level. Calls of no length never reach one.
func (t *Timeline) peak() int {
	top := 0
	for _, s := range t.Segments {
		top = max(top, s.Level)
	}
	return top
}

// aiqPeaks is the toolkit's largest concurrency by name: a sweep in order of
// time in which equal times stay in the order of the calls' ids.
func (v *view) aiqPeaks() map[string]int {
	type step struct {
		time  float64
		delta int
		name  string
	}
	byID := slices.Clone(v.calls)
	slices.SortStableFunc(byID, func(a, b *loadgen.Call) int { return strings.Compare(a.ID, b.ID) })
	var steps []step
	for _, c := range byID {
		if (c.Kind == loadgen.LLMCall || c.Kind == loadgen.ToolCallKind) && c.End >= 0 {
			steps = append(steps, step{c.Start, 1, c.Name}, step{c.End, -1, c.Name})
		}
	}
	slices.SortStableFunc(steps, func(a, b step) int { return cmp.Compare(a.time, b.time) })
	level, peak := map[string]int{}, map[string]int{}
	for _, s := range steps {
		level[s.name] += s.delta
		peak[s.name] = max(peak[s.name], level[s.name])
	}
	return peak
}
