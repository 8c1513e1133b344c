package analyze

import (
	"fmt"
	"slices"
)

// A study is what the looks share: the cells in order of load, and what their
// prompts and prefills tell.
type study struct {
	opt    Options
	cells  []CellFacts
	loaded []CellFacts    // those with times, the least load first
	levels []CellFacts    // loaded, the runs at one load together
	views  []*view        // of loaded
	caches []*PrefixCache // of loaded
}

func newStudy(cells []CellFacts, opt Options, ready func(*CellFacts) *view) *study {
	opt.AIQ = false
	s := &study{opt: opt, cells: cells, loaded: byLoad(cells)}
	for i := range s.loaded {
		v := ready(&s.loaded[i])
		s.views = append(s.views, v)
		s.caches = append(s.caches, v.cacheBound())
	}
	s.levels = levelsOf(s.loaded)
	return s
}

// sweeps returns a study for each sweep of a load with all else the same, in
// order of the cells.
func (s *study) sweeps() []*study {
	var out []*study
	sweep := map[string]*study{}
	for i := range s.cells {
		if at := s.cells[i].At; sweep[at] == nil {
			sweep[at] = &study{opt: s.opt}
			out = append(out, sweep[at])
		}
	}
	if len(out) == 1 {
		return []*study{s}
	}
	for i := range s.loaded {
		part := sweep[s.loaded[i].At]
		part.loaded = append(part.loaded, s.loaded[i])
		part.views, part.caches = append(part.views, s.views[i]), append(part.caches, s.caches[i])
	}
	out = slices.DeleteFunc(out, func(part *study) bool { return len(part.loaded) == 0 })
	for _, part := range out {
		part.cells, part.levels = part.loaded, levelsOf(part.loaded)
	}
	return out
}

// acrossLoads looks, in each sweep of a load, at what more load does. A cause
// that several of them show is told once, for the one where it costs most,
// with the costs of all.
func (s *study) acrossLoads() []Finding {
	sweeps := s.sweeps()
	type shown struct {
		Finding
		at     string
		cost   Number
		others int
	}
	var causes []*shown
	for _, part := range sweeps {
		for _, look := range []func() []Finding{part.queue, part.prefill, part.sharedPrefix, part.decode} {
			for _, f := range look() {
				i := slices.IndexFunc(causes, func(c *shown) bool { return c.ID == f.ID })
				if i < 0 {
					causes = append(causes, &shown{Finding: f, at: part.loaded[0].At, cost: f.Seconds})
					continue
				}
				c := causes[i]
				seconds, tokens, others := both(c.Seconds, f.Seconds), both(c.Tokens, f.Tokens), c.others+1
				if positive(float64(f.Seconds)) > positive(float64(c.cost)) {
					*c = shown{Finding: f, at: part.loaded[0].At, cost: f.Seconds}
				}
				c.Seconds, c.Tokens, c.others = seconds, tokens, others
			}
		}
	}
	var found []Finding
	for _, c := range causes {
		switch {
		case len(sweeps) > 1 && c.others > 0:
			c.Title += fmt.Sprintf(" (at %s, and at %d more)", c.at, c.others)
		case len(sweeps) > 1:
			c.Title += fmt.Sprintf(" (at %s)", c.at)
		}
		found = append(found, c.Finding)
	}
	return found
}

// both adds costs; one that is not known counts for nothing beside one that
// is.
func both(a, b Number) Number {
	switch {
	case !a.Defined():
		return b
	case !b.Defined():
		return a
	}
	return a + b
}

// compares reports whether any sweep has two levels of load.
func (s *study) compares() bool {
	return slices.ContainsFunc(s.sweeps(), func(part *study) bool { return len(part.levels) > 1 })
}

// base and top are the levels of the least and the most load.
func (s *study) base() *CellFacts { return &s.levels[0] }
func (s *study) top() *CellFacts  { return &s.levels[len(s.levels)-1] }
