// Package compare says whether one side of runs is worse than another, and how
// sure that is, and where a figure of many nights changed its level. It is pure.
//
// The statistics are those of stats; where the runs come from is archive's
// business, how the answer reads report's.
package compare

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"loadgen"
	"loadgen/analyze"
	"loadgen/metrics"
	"loadgen/stats"
)

// A CompareSide is one side of a comparison: any number of runs of any number
// of cells.
type CompareSide struct {
	Name  string // BASE or NEW
	Paths []string
	Runs  []CompareRun
}

// Single reports whether a cell of the side has one run that has a say.
func (s CompareSide) Single() bool {
	runs := map[string]int{}
	for _, r := range s.Runs {
		if !r.Mute() {
			runs[CellKey(r.Cell)]++
		}
	}
	for _, n := range runs {
		if n == 1 {
			return true
		}
	}
	return false
}

// A CompareRun is what a comparison needs to know of a run.
type CompareRun struct {
	Dir            string
	Cell           []loadgen.Value
	Started, Ended time.Time // zero where unknown
	// Unfit says why the run has no say: it failed, was cancelled or never
	// ended. Empty for a run with figures.
	Unfit    string
	Validity metrics.Validity
	// Figures are in display units; an error rate is a share of 1. A figure
	// that the run lacks is absent.
	Figures map[metrics.Figure]float64
	// Conditions are what the run ran under: configuration, host, version.
	Conditions []Setting
	// Search is what it found, where the run is a whole search; nil for others.
	Search *Search
}

// Mute reports whether the run has no say.
func (r CompareRun) Mute() bool { return r.Unfit != "" || r.Validity.Verdict == metrics.Invalid }

// A Setting is one thing that a run ran under.
type Setting struct{ Key, Value string }

// CompareOptions are what a comparison is asked for.
type CompareOptions struct {
	// Rules are the figures compared, each once; [DefaultCompareRules] for
	// none.
	Rules []CompareRule
	// History holds the figures of earlier nights without change, by cell
	// (the key of [CellKey]) and figure. They tell the noise where a side has
	// a single run.
	History map[string]map[metrics.Figure][]float64
}

// A Comparison is what NEW is against BASE.
type Comparison struct {
	// Verdict is of all gated results together: worse if any is, else cannot
	// tell if any is, else better if any is.
	Verdict   stats.Verdict `json:"verdict"`
	Base      SideFacts     `json:"base"`
	New       SideFacts     `json:"new"`
	Results   []Compared    `json:"results"`
	Unmatched []Unmatched   `json:"unmatched"`
	LeftOut   []LeftOut     `json:"left_out"`
	// Differences are all settings in which the sides differ.
	Differences []Difference `json:"differences"`
	// Conditions are what makes the answer worth less than it says.
	Conditions []Condition `json:"conditions"`
	Moved      *Moved      `json:"moved_most,omitempty"`
}

// SideFacts say what a side consists of.
type SideFacts struct {
	Name  string   `json:"name"`
	Paths []string `json:"paths,omitempty"`
	Runs  int      `json:"runs"` // that have a say
	// Searches are those of them that are whole searches.
	Searches int `json:"searches,omitempty"`

	Cells int        `json:"cells"`
	From  *time.Time `json:"from,omitempty"`
	To    *time.Time `json:"to,omitempty"`
}

// A Compared is the answer for one figure in one cell.
type Compared struct {
	Cell   string              `json:"cell"` // its key; empty for a batch without sweeps
	Values analyze.Object[any] `json:"values"`
	Figure metrics.Figure      `json:"-"`
	Metric string              `json:"metric"`
	Unit   string              `json:"unit"`
	Higher bool                `json:"higher_is_better"`
	Margin float64             `json:"margin"`
	Rule   string              `json:"rule,omitempty"` // as --fail-on has it
	Gated  bool                `json:"gated"`

	BaseRuns int `json:"base_runs"`
	NewRuns  int `json:"new_runs"`
	History  int `json:"history_runs,omitempty"`
	// Base and New are geometric means over runs; arithmetic for the error
	// rate, in per cent.
	Base analyze.Number `json:"base_mean"`
	New  analyze.Number `json:"new_mean"`
	// BaseBound and NewBound say that a capacity is at least so, or below it:
	// its search found no end, or no beginning.
	BaseBound Bounded `json:"base_bound,omitempty"`
	NewBound  Bounded `json:"new_bound,omitempty"`
	// Ratio is New over Base with its 95 % interval; for the error rate, of
	// the shares of requests that did not fail.
	Ratio analyze.Number `json:"ratio"`
	Lower analyze.Number `json:"lower"`
	Upper analyze.Number `json:"upper"`
	// P is the smaller of the two adjusted p-values, of worse and of better.
	P analyze.Number `json:"adjusted_p"`
	// Noise is the standard deviation of a run's logarithm, about its
	// coefficient of variation, moderated over the cells.
	Noise   analyze.Number `json:"run_noise"`
	Paired  bool           `json:"by_round"`
	Verdict stats.Verdict  `json:"verdict"`
	// Reason says why nothing can be told.
	Reason string `json:"reason,omitempty"`
	// Needs is about how many runs a side would settle it; 0 where unknown.
	Needs int `json:"runs_needed,omitempty"`

	shift float64 // oriented difference of logs: positive is worse
	zero  int     // runs whose figure is 0 and has no logarithm
}

// Change is the relative change; for the error rate in points of a share.
func (c *Compared) Change() float64 {
	if c.Figure.Tag == metrics.ErrorRate {
		return float64(c.New-c.Base) / 100
	}
	return float64(c.Ratio) - 1
}

// An Unmatched is a cell that only one side has.
type Unmatched struct {
	Side string `json:"side"`
	Cell string `json:"cell"`
	Runs int    `json:"runs"`
}

// A LeftOut is a run without a say.
type LeftOut struct {
	Side string `json:"side"`
	Dir  string `json:"dir"`
	Why  string `json:"why"`
}

// ErrNothingToCompare says that no cell has fit runs on both sides.
var ErrNothingToCompare = errors.New("nothing to compare")

// Compare says for every cell that both sides have, and every figure, whether
// NEW is worse, better, no different within the margin, or whether the runs
// cannot tell. The statistics are those of [stats.Decide]; what speaks against
// them is in Conditions and takes back verdicts where they would promise too
// much.
func Compare(base, fresh CompareSide, o CompareOptions) (*Comparison, error) {
	if len(o.Rules) == 0 {
		o.Rules = DefaultCompareRules()
	}
	c := &Comparison{
		Results: []Compared{}, Unmatched: []Unmatched{}, LeftOut: []LeftOut{},
		Differences: []Difference{}, Conditions: []Condition{},
	}
	b, n := c.fit(base), c.fit(fresh)
	c.Base, c.New = b.facts(), n.facts()
	pairs := c.match(b, n)
	if len(pairs) == 0 {
		return c, fmt.Errorf("%w: no cell has fit runs on both sides (%s)", ErrNothingToCompare, c.whyNothing(b, n))
	}
	c.differ(pairs)
	c.decide(pairs, o)
	c.doubt(pairs, b, n)
	c.conclude()
	c.explain(pairs)
	return c, nil
}

// fit keeps the runs that have a say, in the order of time, and names the
// others.
func (c *Comparison) fit(s CompareSide) CompareSide {
	kept := CompareSide{Name: s.Name, Paths: s.Paths}
	for _, r := range s.Runs {
		switch {
		case r.Unfit != "":
			c.LeftOut = append(c.LeftOut, LeftOut{s.Name, r.Dir, r.Unfit})
		case r.Validity.Verdict == metrics.Invalid:
			c.LeftOut = append(c.LeftOut, LeftOut{s.Name, r.Dir, "INVALID" + firstReason(r.Validity)})
		default:
			kept.Runs = append(kept.Runs, r)
		}
	}
	slices.SortStableFunc(kept.Runs, func(a, b CompareRun) int {
		return cmp.Or(a.Started.Compare(b.Started), cmp.Compare(a.Dir, b.Dir))
	})
	return kept
}

func firstReason(v metrics.Validity) string {
	if len(v.Reasons) == 0 {
		return ""
	}
	return ": " + v.Reasons[0].Text
}

func (s CompareSide) facts() SideFacts {
	f := SideFacts{Name: s.Name, Paths: s.Paths, Runs: len(s.Runs), Cells: len(cellsOf(s))}
	for _, r := range s.Runs {
		if r.Search != nil {
			f.Searches++
		}
	}
	if from, to, ok := s.span(); ok {
		f.From, f.To = &from, &to
	}
	return f
}

// span is the time from the first start to the last end; false where a run's
// time is unknown.
func (s CompareSide) span() (from, to time.Time, ok bool) {
	for i, r := range s.Runs {
		if r.Started.IsZero() {
			return from, to, false
		}
		end := r.Ended
		if end.Before(r.Started) {
			end = r.Started
		}
		if i == 0 || r.Started.Before(from) {
			from = r.Started
		}
		if i == 0 || end.After(to) {
			to = end
		}
	}
	return from, to, len(s.Runs) > 0
}

func (c *Comparison) whyNothing(b, n CompareSide) string {
	switch {
	case len(b.Runs) == 0 && len(n.Runs) == 0:
		return "no run of either side is fit"
	case len(b.Runs) == 0:
		return "no run of " + b.Name + " is fit"
	case len(n.Runs) == 0:
		return "no run of " + n.Name + " is fit"
	}
	return "the values of their cells differ"
}

// decide fills Results, cell by cell.
func (c *Comparison) decide(pairs []cellPair, o CompareOptions) {
	var samples []stats.Sample
	var tested []int // the row of each sample
	for _, p := range pairs {
		for _, rule := range p.forCell(o.Rules) {
			if rule.Unstreamed && p.streamed() {
				continue
			}
			row, sample := p.sample(rule, o.History[p.key][rule.Figure])
			if row.BaseRuns+row.NewRuns == row.zero {
				continue // such runs do not have it, or it is 0 throughout
			}
			if row.Verdict == "" {
				samples, tested = append(samples, sample), append(tested, len(c.Results))
			}
			c.Results = append(c.Results, row)
		}
	}
	for i, d := range stats.Decide(samples, stats.FamilyLevel) {
		c.Results[tested[i]].answer(d)
		c.Results[tested[i]].bounded()
	}
}

// answer takes a decision over into a row.
func (c *Compared) answer(d stats.Decision) {
	c.shift = d.D
	c.Verdict = d.Verdict
	c.P = analyze.Number(min(d.AdjustedWorse, d.AdjustedBetter))
	c.Noise = analyze.Number(math.Sqrt(d.Variance))
	c.Ratio, c.Lower, c.Upper = analyze.Number(d.Ratio), analyze.Number(d.Lower), analyze.Number(d.Upper)
	if c.Verdict != stats.CannotTell {
		return
	}
	switch {
	case c.zero > 0:
		c.Reason = "a figure of 0 has no ratio"
	case c.BaseRuns == 0 || c.NewRuns == 0:
		c.Reason = "only one side has it"
	case d.DF == 0:
		c.Reason = "one run a side, and nothing tells how much runs differ by chance: repeat them, or give earlier nights with --history"
	case c.Figure.Tag == metrics.Capacity && math.IsInf(d.TotalDF, 1):
		c.Reason = fmt.Sprintf("answers are sure to about %.1f%%: a smaller search.precision, several searches a side or earlier nights tell more", 100*c.Noise)
	default:
		c.Needs = needed(d, c.Margin, max(c.BaseRuns, c.NewRuns))
		c.Reason = fmt.Sprintf("runs differ by %.1f%% among themselves; about %d a side would settle it", 100*c.Noise, c.Needs)
		if c.Needs > mostNeeded {
			c.Reason = fmt.Sprintf("runs differ by %.1f%% among themselves: find out why, no reasonable number of them settles it", 100*c.Noise)
		}
	}
}

// mostNeeded runs a side are not worth advising.
const mostNeeded = 100

// needed is about how many runs a side bring the answer: the distance between
// the change and the margin must be three standard errors. A change right at
// the margin is never settled; it counts as a third of a margin away.
func needed(d stats.Decision, margin float64, have int) int {
	limit := math.Log1p(margin)
	distance := max(math.Abs(limit-math.Abs(d.D)), limit/3)
	return max(int(math.Ceil(2*d.Variance*9/(distance*distance))), have+1)
}

// conclude sets the verdict over all gated rows.
func (c *Comparison) conclude() {
	var gated []stats.Decision
	for _, r := range c.Results {
		if r.Gated {
			gated = append(gated, stats.Decision{Verdict: r.Verdict})
		}
	}
	c.Verdict = stats.Gate(gated)
	if len(gated) == 0 {
		c.Verdict = stats.CannotTell
	}
}
