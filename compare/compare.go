// Package compare says whether one side of runs is worse than another, and how
// sure that is, and where a figure of many nights changed its level. It is pure.
//
// The statistics are those of stats; where the runs come from is archive's
// business, how the answer reads report's.
package compare

import (
	"errors"
	"fmt"
	"math"

	"loadgen/analyze"
	"loadgen/metrics"
	"loadgen/stats"
)

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
