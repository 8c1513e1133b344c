package analyze

import (
	"cmp"
	"slices"

	"loadgen"
)

// Defects counts what in a trace cannot be true or is not known; such calls
// are left out of every figure that needs what they lack.
type Defects struct {
	Open           int `json:"calls_without_end"`
	Reversed       int `json:"calls_ending_before_start"`
	NoStart        int `json:"calls_without_start"`
	UnknownParents int `json:"unknown_parents"`
	Cycles         int `json:"parent_cycles"`
}

// Any reports whether there is a defect.
func (d Defects) Any() bool { return d != Defects{} }

// A view is a trace made ready: its usable calls by session and time, who
// encloses whom, and which of them are the leaves that count as in flight.
type view struct {
	trace   *loadgen.Trace
	opt     Options
	defects Defects
	calls   []*loadgen.Call // by example, start, longest first
	parent  []int32         // index of the enclosing call, -1 at the top
	child   []int32         // indices of children by parent, each in order of start
	childAt []int32         // where a call's children begin in child; one more than calls
	order   []int32         // every call after its parent
	leaf    []bool
	flight  *Timeline // leaves
	sorted  []*prompts

	crowds *SpikeReport // by spikes, once it was asked
	cache  *PrefixCache // by cacheBound, likewise
}

// under returns the view for other options of the sound form: what depends on
// them alone is worked out anew.
func (v *view) under(opt Options) *view {
	out := *v
	out.opt, out.crowds, out.cache = opt, nil, nil
	return &out
}

func newView(tr *loadgen.Trace, opt Options) *view {
	v := &view{trace: tr, opt: opt, calls: make([]*loadgen.Call, 0, len(tr.Calls))}
	for i := range tr.Calls {
		c := &tr.Calls[i]
		switch {
		case c.Start < 0:
			v.defects.NoStart++
			continue
		case c.End < 0:
			v.defects.Open++
		case c.End < c.Start:
			v.defects.Reversed++
		}
		// The toolkit keeps what has no duration as a call of no length.
		if c.Done() || opt.AIQ {
			v.calls = append(v.calls, c)
		}
	}
	slices.SortStableFunc(v.calls, func(a, b *loadgen.Call) int {
		return cmp.Or(cmp.Compare(a.Example, b.Example), cmp.Compare(a.Start, b.Start), cmp.Compare(b.End, a.End))
	})
	v.nest()
	v.findLeaves()
	v.flight = v.timeline(func(i int) bool { return v.leaf[i] })
	return v
}

// timeline sweeps over the calls that a test selects by index.
func (v *view) timeline(keep func(i int) bool) *Timeline {
	starts := make([]float64, 0, len(v.calls))
	ends := make([]float64, 0, len(v.calls))
	if v.trace.Untimed {
		return NewTimeline(nil, nil)
	}
	for i, c := range v.calls {
		if keep(i) {
			starts = append(starts, c.Start)
			ends = append(ends, max(c.Start, c.End))
		}
	}
	return NewTimeline(starts, ends)
}

// children returns the indices of a call's children in order of start.
func (v *view) children(i int) []int32 { return v.child[v.childAt[i]:v.childAt[i+1]] }

// findLeaves marks what counts as in flight: the outermost LLM calls, and
// every other call that encloses none. Whatever lies inside an LLM call is a
// part of it: a phase, or the same request traced a second time.
func (v *view) findLeaves() {
	v.leaf = make([]bool, len(v.calls))
	inside := make([]bool, len(v.calls))
	for _, i := range v.order {
		if p := v.parent[i]; p >= 0 {
			inside[i] = inside[p] || v.calls[p].Kind == loadgen.LLMCall
		}
		v.leaf[i] = !inside[i] && (v.calls[i].Kind == loadgen.LLMCall || len(v.children(int(i))) == 0)
	}
}

// leaves yields the calls that count as in flight.
func (v *view) leaves(yield func(i int, c *loadgen.Call) bool) {
	for i, c := range v.calls {
		if v.leaf[i] && !yield(i, c) {
			return
		}
	}
}

// sessions yields the calls of one example after another, with the index of
// the first.
func (v *view) sessions(yield func(from int, calls []*loadgen.Call) bool) {
	for from := 0; from < len(v.calls); {
		to := from + 1
		for to < len(v.calls) && v.calls[to].Example == v.calls[from].Example {
			to++
		}
		if !yield(from, v.calls[from:to]) {
			return
		}
		from = to
	}
}

// absolute turns a time of the trace into unix seconds.
func (v *view) absolute(t float64) Number { return Number(v.trace.Epoch + t) }

// span returns the first start and the last end of all calls.
func (v *view) span() (from, to float64) {
	for i, c := range v.calls {
		if i == 0 || c.Start < from {
			from = c.Start
		}
		if i == 0 || c.End > to {
			to = c.End
		}
	}
	return from, to
}
