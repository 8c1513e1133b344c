package analyze

import (
	"cmp"
	"slices"

	"loadgen"
)

// A Nested is nested_stack_analysis.
type Nested struct {
	Concurrency NestedConcurrency `json:"concurrency"`
	Nodes       Object[Node]      `json:"node_metrics"`
	Top         []Node            `json:"top_bottlenecks"`
	More        *NestedMore       `json:"loadgen,omitempty"`

	// Depths are how deep each of Nodes lies in its tree, for the text report.
	Depths []int `json:"-"`
}

// NestedConcurrency is the level over time. Times are unix seconds.
type NestedConcurrency struct {
	Segments [][3]Number `json:"timeline_segments"` // start, end, level
	P50      Number      `json:"p50"`
	P90      Number      `json:"p90"`
	P95      Number      `json:"p95"`
	P99      Number      `json:"p99"`
}

// A Node is one call in the tree.
type Node struct {
	UUID        string `json:"uuid"`
	Type        string `json:"operation_type"`
	Name        string `json:"operation_name"`
	Start       Number `json:"start_time"`
	End         Number `json:"end_time"`
	Duration    Number `json:"duration"`
	Self        Number `json:"self_time"`            // not covered by children
	Subtree     Number `json:"subtree_time"`         // AIQ: self plus the children's subtrees; else seconds of the critical path below and in it
	Concurrency int    `json:"concurrency_midpoint"` // level halfway through
	Score       Number `json:"bottleneck_score"`     // the subtree time

	More *NodeMore `json:"loadgen,omitempty"`
}

// NodeMore is what AIQ does not say of a node.
type NodeMore struct {
	Critical Number `json:"critical_path_time"` // of its own on the session's critical path
	Share    Number `json:"attributed_time"`    // each instant divided among all leaves active
	Saved    Number `json:"parallel_saving"`    // children's seconds minus the time they cover
}

// NestedMore is the sound view of all sessions.
type NestedMore struct {
	LeafConcurrency Object[Number]   `json:"leaf_concurrency"` // level: seconds
	PhaseShare      Object[Number]   `json:"phase_share"`      // of the seconds of all phases
	Critical        []CriticalByName `json:"critical_path_by_operation"`
	CriticalPath    []CriticalStep   `json:"critical_path"` // of the longest session
	Saved           Number           `json:"parallel_saving"`
	Sessions        int              `json:"sessions"`
	LeftOut         int              `json:"nodes_left_out"`
}

// A CriticalStep is a stretch of the path that determined when a session
// ended.
type CriticalStep struct {
	UUID    string `json:"uuid"`
	Self    bool   `json:"self"` // the call's own time, between its children
	Seconds Number `json:"seconds"`
}

// A CriticalByName is what an operation adds to the critical paths of all
// sessions.
type CriticalByName struct {
	Operation string `json:"operation"`
	Seconds   Number `json:"seconds"`
	Share     Number `json:"share"`
}

// NestedStack builds the tree of calls of every session, by parent ids where
// the trace has them and by containment where not, and finds where the time
// of each goes. AIQ's form rebuilds the toolkit's stack, which takes
// overlapping calls for nested ones.
func NestedStack(tr *loadgen.Trace, opt Options) *Nested {
	return newView(tr, opt).nested()
}

func (v *view) nested() *Nested {
	if v.opt.AIQ {
		v.aiqStack()
	}
	n := len(v.calls)
	self, saved, subtree := make([]float64, n), make([]float64, n), make([]float64, n)
	for i := range v.calls {
		self[i], saved[i] = v.selfTime(i)
	}
	var critical []float64
	if !v.opt.AIQ {
		critical = v.criticalTimes()
	}
	for k := len(v.order) - 1; k >= 0; k-- {
		i := v.order[k]
		if v.opt.AIQ {
			subtree[i] += self[i]
		} else {
			subtree[i] += critical[i]
		}
		if p := v.parent[i]; p >= 0 {
			subtree[p] += subtree[i]
		}
	}
	all := v.flight
	if v.opt.AIQ {
		all = v.timeline(func(int) bool { return true })
	}
	out := &Nested{Concurrency: v.nestedConcurrency(all)}
	node := func(i int) Node {
		c := v.calls[i]
		x := Node{
			UUID: c.ID, Type: c.Kind.String(), Name: c.Name,
			Start: v.absolute(c.Start), End: v.absolute(max(c.Start, c.End)), Duration: Number(c.Duration()),
			Self: Number(self[i]), Subtree: Number(subtree[i]), Score: Number(subtree[i]),
			Concurrency: all.Level(c.Start + c.Duration()/2),
		}
		if v.opt.AIQ {
			// The toolkit reports spans as functions, by their function's name.
			if c.Kind == loadgen.SpanCall {
				x.Type, x.Name = loadgen.FunctionCall.String(), c.Function
			}
			return x
		}
		x.More = &NodeMore{Critical: Number(critical[i]), Share: undefined, Saved: Number(saved[i])}
		if v.leaf[i] && !v.trace.Untimed {
			x.More.Share = Number(all.Share(c.Start, c.End))
		}
		return x
	}
	v.fillTree(out, node)
	byScore := make([]int32, n)
	for i := range byScore {
		byScore[i] = int32(i)
	}
	slices.SortStableFunc(byScore, func(a, b int32) int { return cmp.Compare(subtree[b], subtree[a]) })
	for _, i := range byScore[:min(5, n)] {
		out.Top = append(out.Top, node(int(i)))
	}
	if !v.opt.AIQ {
		out.More = v.nestedMore(critical, saved)
		out.More.LeftOut = n - len(out.Nodes)
	}
	return out
}

func (v *view) nestedConcurrency(t *Timeline) NestedConcurrency {
	levels := t.Distribution()
	c := NestedConcurrency{
		Segments: [][3]Number{},
		P50:      levelPercentile(levels, 50), P90: levelPercentile(levels, 90),
		P95: levelPercentile(levels, 95), P99: levelPercentile(levels, 99),
	}
	for _, s := range t.Segments[:v.opt.limit(len(t.Segments))] {
		c.Segments = append(c.Segments, [3]Number{v.absolute(s.Start), v.absolute(s.End), Number(s.Level)})
	}
	return c
}

// fillTree walks the trees depth first, with a stack of its own: a session may
// be nested as deep as it has calls.
func (v *view) fillTree(out *Nested, node func(int) Node) {
	type place struct{ i, depth int32 }
	most := v.opt.limit(len(v.calls))
	out.Nodes = make(Object[Node], 0, most)
	var stack []place
	for root, p := range v.parent {
		if p >= 0 {
			continue
		}
		for stack = append(stack[:0], place{int32(root), 0}); len(stack) > 0; {
			at := stack[len(stack)-1]
			stack = stack[:len(stack)-1]
			if len(out.Nodes) == most {
				return
			}
			out.Depths = append(out.Depths, int(at.depth))
			x := node(int(at.i))
			out.Nodes = append(out.Nodes, Member[Node]{x.UUID, x})
			children := v.children(int(at.i))
			for k := len(children) - 1; k >= 0; k-- {
				stack = append(stack, place{children[k], at.depth + 1})
			}
		}
	}
}

// selfTime returns the part of a call that no child covers, and by how much
// its children would take longer one after another than they did.
func (v *view) selfTime(i int) (self, saved float64) {
	c := v.calls[i]
	covered, sum, reached := 0.0, 0.0, c.Start
	for _, k := range v.children(i) {
		child := v.calls[k]
		from, to := max(child.Start, c.Start), min(child.End, c.End)
		sum += max(0, to-from)
		if from = max(from, reached); to > from {
			covered += to - from
			reached = to
		}
	}
	return max(0, c.Duration()-covered), max(0, sum-covered)
}

// aiqStack nests as the toolkit does: a start is a child of whatever is on
// top, an end pops only what is on top, so a call that ends out of turn stays
// and swallows all that come after it.
func (v *view) aiqStack() {
	v.calls = slices.DeleteFunc(slices.Clone(v.calls), func(c *loadgen.Call) bool { return c.Kind == loadgen.WorkflowCall })
	v.parent = v.parent[:len(v.calls)]
	var buf []event
	var stack []int32
	for from, calls := range v.sessions {
		stack = stack[:0]
		buf = eventsOf(calls, buf)
		for _, e := range buf {
			i := int32(from) + e.call
			switch {
			case e.start:
				v.parent[i] = -1
				if len(stack) > 0 {
					v.parent[i] = stack[len(stack)-1]
				}
				stack = append(stack, i)
			case len(stack) > 0 && stack[len(stack)-1] == i:
				stack = stack[:len(stack)-1]
			}
		}
	}
	v.listChildren()
	v.sortTopDown()
}
