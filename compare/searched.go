package compare

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"loadgen/metrics"
	"loadgen/stats"
)

// A Search is what a run that is a whole search found, by figure: a capacity for
// each of its tiers.
type Search struct {
	Unit  string // of its loads
	Found map[metrics.Figure]Found
}

// A Found is the answer of a search for one capacity.
type Found struct {
	// Limits are what the load is to keep, in words.
	Limits string
	// Value is the capacity, or what bounds it: a load that was borne where
	// none failed, the least that was tried where none was borne.
	Value float64
	Bound Bounded
	// Lower and Upper are the ends of its interval at a confidence; 0 and
	// infinite where it has none.
	Lower, Upper, Confidence float64
	// Reached are the limits that were met, and where.
	Reached []Reached
	// Why there is neither; empty for an answer.
	Why string
}

// A Reached is the load at which a limit is met; 0 where it is kept at none.
type Reached struct {
	Limit metrics.Limit
	At    float64
}

// Bounded says that a figure is only known to be at least, or below, a value.
type Bounded string

// The bounds of a figure; empty for one that is known.
const (
	AtLeast Bounded = "at least"
	Below   Bounded = "below"
)

// Sign stands before the value of what is only bounded: ≥ or <.
func (b Bounded) Sign() string {
	return map[Bounded]string{AtLeast: "≥ ", Below: "< "}[b]
}

// bounds are the capacities of some runs that are only bounded.
func bounds(runs []CompareRun) map[metrics.Figure]string {
	all := map[metrics.Figure]string{}
	for _, r := range runs {
		if r.Search == nil {
			continue
		}
		for f, found := range r.Search.Found {
			if found.Bound != "" && found.Why == "" {
				all[f] = fmt.Sprintf("%s%.4g", found.Bound.Sign(), found.Value)
			}
		}
	}
	return all
}

// Figures are the capacities that are known.
func (s *Search) Figures() map[metrics.Figure]float64 {
	known := map[metrics.Figure]float64{}
	for f, found := range s.Found {
		if found.Why == "" && found.Bound == "" {
			known[f] = found.Value
		}
	}
	return known
}

// standardError is that of the answer's logarithm by its interval, 0 for an
// exact one; false where the interval has no end.
func (f *Found) standardError() (float64, bool) {
	z := stats.NormalQuantile((1 + f.Confidence) / 2)
	below, above := f.Lower > 0, !math.IsInf(f.Upper, 1) && f.Upper >= f.Value
	switch {
	case below && above:
		return math.Log(f.Upper/f.Lower) / (2 * z), true
	case below:
		return math.Log(f.Value/f.Lower) / z, f.Lower < f.Value
	case above:
		return math.Log(f.Upper/f.Value) / z, f.Upper > f.Value
	}
	return 0, false
}

// forCell are the rules of a cell: in place of that of the capacity one for each
// capacity that a search of either side looked for and no rule names.
func (p *cellPair) forCell(rules []CompareRule) []CompareRule {
	var all []metrics.Figure
	for _, r := range slices.Concat(p.base, p.fresh) {
		if r.Search != nil {
			for f := range r.Search.Found {
				all = append(all, f)
			}
		}
	}
	return EachCapacity(rules, all)
}

// EachCapacity puts in place of the rule of the capacity one for each of some
// capacities that no other rule names.
func EachCapacity(rules []CompareRule, of []metrics.Figure) []CompareRule {
	var out []CompareRule
	for _, r := range rules {
		if r.Figure.Tag != metrics.Capacity || r.Figure.Stat != "" {
			out = append(out, r)
			continue
		}
		slices.SortFunc(of, func(a, b metrics.Figure) int { return cmp.Compare(a.Stat, b.Stat) })
		for _, f := range slices.Compact(of) {
			named := func(other CompareRule) bool { return other.Figure == f }
			if f == r.Figure || !slices.ContainsFunc(rules, named) {
				each := r
				each.Figure = f
				out = append(out, each)
			}
		}
	}
	return out
}

// found are the answers of the searches among some runs.
func found(runs []CompareRun, f metrics.Figure) []Found {
	var all []Found
	for _, r := range runs {
		if r.Search != nil {
			if found, ok := r.Search.Found[f]; ok {
				all = append(all, found)
			}
		}
	}
	return all
}

// capacity collects a capacity of a cell. Each search says by itself how far it may
// be off: no other run is needed to tell that.
func (p *cellPair) capacity(row *Compared, s *stats.Sample) {
	base, fresh := found(p.base, row.Figure), found(p.fresh, row.Figure)
	row.BaseRuns, row.NewRuns = len(base), len(fresh)
	row.Unit = unitsOf(slices.Concat(p.base, p.fresh))
	s.Base, row.BaseBound = answers(base)
	s.New, row.NewBound = answers(fresh)
	if a, b := unitsOf(p.base), unitsOf(p.fresh); len(base) > 0 && len(fresh) > 0 && a != b {
		row.unasked(fmt.Sprintf("BASE is in %s, NEW in %s", a, b))
		return
	}
	if a, b := limitsOf(base), limitsOf(fresh); len(base) > 0 && len(fresh) > 0 && a != b {
		row.unasked(fmt.Sprintf("BASE was sought within %s, NEW within %s", a, b))
		return
	}
	for _, side := range []struct {
		name string
		of   []Found
	}{{"BASE", base}, {"NEW", fresh}} {
		for i := range side.of {
			if why := side.of[i].Why; why != "" {
				row.unasked(side.name + " has no answer: " + why)
				return
			}
			if e, ok := side.of[i].standardError(); ok || side.of[i].Bound != "" {
				s.Stated = append(s.Stated, e)
			}
		}
	}
	if len(s.Stated) < len(base)+len(fresh) {
		s.Stated = nil
	}
}

func unitsOf(runs []CompareRun) string {
	var units []string
	for _, r := range runs {
		if r.Search != nil && !slices.Contains(units, r.Search.Unit) {
			units = append(units, r.Search.Unit)
		}
	}
	return strings.Join(units, " and ")
}

// limitsOf are the limits within which some answers were sought.
func limitsOf(of []Found) string {
	var all []string
	for _, f := range of {
		if !slices.Contains(all, f.Limits) {
			all = append(all, f.Limits)
		}
	}
	return strings.Join(all, " and ")
}

// answers are the values of some answers, and their bound where one of them is one.
func answers(of []Found) (values []float64, bound Bounded) {
	for _, f := range of {
		if f.Why == "" {
			values, bound = append(values, f.Value), cmp.Or(bound, f.Bound)
		}
	}
	return values, bound
}

// bounded takes back what does not hold for every capacity within the bounds.
func (c *Compared) bounded() {
	if c.BaseBound == "" && c.NewBound == "" {
		return
	}
	c.Lower, c.Upper = undefined, undefined
	holds := c.Verdict == stats.Worse && c.BaseBound != Below && c.NewBound != AtLeast ||
		c.Verdict == stats.Better && c.BaseBound != AtLeast && c.NewBound != Below
	if !holds {
		c.unasked("a search found no end of what is borne, or no load that is: give it a greater `to`, or a smaller `from`")
	}
}

// unasked is the answer of a row without a change to speak of.
func (c *Compared) unasked(why string) {
	c.Verdict, c.Reason, c.Needs = stats.CannotTell, why, 0
	c.Ratio, c.Lower, c.Upper, c.P, c.Noise, c.shift = undefined, undefined, undefined, undefined, undefined, math.NaN()
}

// reached says which limits set a capacity on both sides, the least first, and what
// they are about.
func (p *cellPair) reached(f metrics.Figure) (Part, string) {
	base, fresh := found(p.base, f), found(p.fresh, f)
	if len(base) == 0 || len(fresh) == 0 {
		return PartUnknown, "only one side has a search"
	}
	was := map[metrics.Limit]float64{}
	for _, r := range base[len(base)-1].Reached {
		was[r.Limit] = r.At
	}
	now := slices.Clone(fresh[len(fresh)-1].Reached)
	slices.SortStableFunc(now, func(a, b Reached) int { return cmp.Compare(a.At, b.At) })
	var parts []string
	for _, r := range now {
		before, ok := was[r.Limit]
		switch {
		case !ok, r.At == 0 && before == 0:
		case r.At == 0:
			parts = append(parts, fmt.Sprintf("%s is kept at no load, was met at %.4g", r.Limit, before))
		case before == 0:
			parts = append(parts, fmt.Sprintf("%s is met at %.4g, was kept at no load", r.Limit, r.At))
		default:
			parts = append(parts, fmt.Sprintf("%s is met at %.4g, was %.4g", r.Limit, r.At, before))
		}
	}
	if len(parts) == 0 {
		return PartUnknown, "no limit is met on both sides"
	}
	part := PartUnknown
	switch tag, _, _ := strings.Cut(now[0].Limit.Name, "."); tag {
	case "inter_token_latency":
		part = PartDecode
	case metrics.ErrorRate:
		part = PartErrors
	}
	return part, strings.Join(parts, "; ")
}
