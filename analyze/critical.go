package analyze

import (
	"cmp"
	"slices"
	"strconv"

	"loadgen"
)

// A stretch is time of a call's own on a critical path.
type stretch struct {
	call     int32
	from, to float64
}

// gap stands in a stretch for the time in which nothing of a session ran.
const gap = -1

// criticalPath finds what determined when a session ended: from its end
// backwards, always the call that ended last before the moment reached, and
// within it the same; the rest is the enclosing call's own time, or at the top
// a gap. A call that ended later than that, overlapping the one already
// chosen, held nothing up and is passed over. Stretches come latest first.
func (v *view) criticalPath(roots []int32, yield func(stretch)) {
	type frame struct {
		call     int32 // or gap, for the session
		children []int32
		cursor   float64
		from     float64
	}
	byEnd := func(children []int32) []int32 {
		sorted := slices.Clone(children)
		slices.SortStableFunc(sorted, func(a, b int32) int { return cmp.Compare(v.calls[a].End, v.calls[b].End) })
		return sorted
	}
	if len(roots) == 0 {
		return
	}
	top := frame{call: gap, children: byEnd(roots), from: v.calls[roots[0]].Start}
	top.cursor = v.calls[top.children[len(top.children)-1]].End
	stack := []frame{top}
	for len(stack) > 0 {
		f := &stack[len(stack)-1]
		last := len(f.children) - 1
		for last >= 0 && v.calls[f.children[last]].End > f.cursor {
			last--
		}
		if last < 0 || v.calls[f.children[last]].End <= f.from {
			if f.cursor > f.from {
				yield(stretch{f.call, f.from, f.cursor})
			}
			stack = stack[:len(stack)-1]
			continue
		}
		child := f.children[last]
		c := v.calls[child]
		if f.cursor > c.End {
			yield(stretch{f.call, c.End, f.cursor})
		}
		from := max(c.Start, f.from)
		f.children = f.children[:last]
		f.cursor = from
		stack = append(stack, frame{call: child, children: byEnd(v.children(int(child))), cursor: c.End, from: from})
	}
}

// criticalTimes returns each call's own seconds on its session's critical
// path.
func (v *view) criticalTimes() []float64 {
	times := make([]float64, len(v.calls))
	for _, roots := range v.rootsBySession() {
		v.criticalPath(roots, func(s stretch) {
			if s.call != gap {
				times[s.call] += s.to - s.from
			}
		})
	}
	return times
}

// rootsBySession yields each session's number and its top calls in order of
// start.
func (v *view) rootsBySession() func(yield func(int, []int32) bool) {
	return func(yield func(int, []int32) bool) {
		var roots []int32
		for from, calls := range v.sessions {
			roots = roots[:0]
			for i := range calls {
				if v.parent[from+i] < 0 {
					roots = append(roots, int32(from+i))
				}
			}
			if !yield(calls[0].Example, roots) {
				return
			}
		}
	}
}

func (v *view) nestedMore(critical, saved []float64) *NestedMore {
	more := &NestedMore{LeafConcurrency: v.leafConcurrency(), PhaseShare: v.phaseShare(), Saved: 0}
	for _, s := range saved {
		more.Saved += Number(s)
	}
	v.criticalByName(more, critical)
	longest, longestRoots := -1.0, []int32(nil)
	for _, roots := range v.rootsBySession() {
		more.Sessions++
		end := 0.0
		for _, r := range roots {
			end = max(end, v.calls[r].End)
		}
		if len(roots) == 0 {
			continue
		}
		if took := end - v.calls[roots[0]].Start; took > longest {
			longest, longestRoots = took, slices.Clone(roots)
		}
	}
	v.criticalPath(longestRoots, func(s stretch) {
		step := CriticalStep{UUID: "gap", Seconds: Number(s.to - s.from)}
		if s.call != gap {
			step.UUID, step.Self = v.calls[s.call].ID, len(v.children(int(s.call))) > 0
		}
		more.CriticalPath = append(more.CriticalPath, step)
	})
	slices.Reverse(more.CriticalPath)
	more.CriticalPath = mergeSteps(more.CriticalPath)
	more.CriticalPath = more.CriticalPath[:v.opt.limit(len(more.CriticalPath))]
	return more
}

// mergeSteps adds up the stretches of each call, in order of its first.
func mergeSteps(steps []CriticalStep) []CriticalStep {
	at := make(map[string]int, len(steps))
	merged := steps[:0]
	for _, s := range steps {
		if k, seen := at[s.UUID]; seen {
			merged[k].Seconds += s.Seconds
			continue
		}
		at[s.UUID] = len(merged)
		merged = append(merged, s)
	}
	return merged
}

func (v *view) criticalByName(more *NestedMore, critical []float64) {
	byName, total := map[string]float64{}, 0.0
	for i, c := range v.calls {
		if critical[i] == 0 {
			continue
		}
		name := operation(c)
		if len(v.children(i)) > 0 {
			name += ".self"
		}
		byName[name] += critical[i]
		total += critical[i]
	}
	for name, seconds := range byName {
		more.Critical = append(more.Critical, CriticalByName{name, Number(seconds), Number(seconds / total)})
	}
	slices.SortFunc(more.Critical, func(a, b CriticalByName) int {
		return cmp.Or(cmp.Compare(b.Seconds, a.Seconds), cmp.Compare(a.Operation, b.Operation))
	})
}

// leafConcurrency is how long each number of calls was in flight, from the
// first start to the last end of all calls.
func (v *view) leafConcurrency() Object[Number] {
	levels := v.flight.Distribution()
	from, to := v.span()
	first, last := v.flight.Span()
	if outside := (to - from) - (last - first); outside > 0 && !v.trace.Untimed {
		if len(levels) == 0 || levels[0].Level != 0 {
			levels = slices.Insert(levels, 0, LevelTime{})
		}
		levels[0].Seconds += outside
	}
	return levelObject(levels)
}

func levelObject(levels []LevelTime) Object[Number] {
	o := make(Object[Number], len(levels))
	for i, l := range levels {
		o[i] = Member[Number]{strconv.Itoa(l.Level), Number(l.Seconds)}
	}
	return o
}

// phaseShare divides the time of all phases: the spans that a trace has under
// a call, and the phases that its LLM calls tell of themselves.
func (v *view) phaseShare() Object[Number] {
	var order []string
	seconds, total := map[string]float64{}, 0.0
	add := func(phase string, took float64) {
		if _, seen := seconds[phase]; !seen {
			order = append(order, phase)
		}
		seconds[phase] += took
		total += took
	}
	for i, c := range v.calls {
		switch {
		case c.Kind == loadgen.SpanCall && v.parent[i] >= 0 && len(v.children(i)) == 0:
			add(c.Name, c.Duration())
		case c.Kind == loadgen.LLMCall && c.FirstToken >= c.Start && c.FirstToken <= c.End && len(v.children(i)) == 0:
			from := c.Start
			if c.Wrote >= c.Start && c.Wrote <= c.FirstToken {
				add(PhaseConnect, c.Wrote-c.Start)
				from = c.Wrote
			}
			add(PhasePrefill, c.FirstToken-from)
			add(PhaseDecode, c.End-c.FirstToken)
		}
	}
	shares := make(Object[Number], 0, len(order))
	for _, phase := range order {
		if total > 0 {
			shares = append(shares, Member[Number]{phase, Number(seconds[phase] / total)})
		}
	}
	return shares
}
