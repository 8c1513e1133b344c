package sink

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"loadgen/results"
)

// A Probe is what a run was in a search for capacity: at a load that may be more than
// what is borne, so that it may well break its limits, fail or end early.
type Probe struct {
	Load float64
	// Purpose is bracket, refine, confirm, refute or open_loop; empty for a run that
	// the search did not come to weigh.
	Purpose string
	// Void says why it is no vote; empty for one that is.
	Void string
	// Says is how it stood to the limits: pass, fail or undecided, of each tier.
	Says string
}

// kind is what it was made to, for machines.
func (p *Probe) kind() string { return cmp.Or(p.Purpose, "void") }

// compare orders probes of a cell by their load, open loops behind them, whose load is
// another.
func (p *Probe) compare(q *Probe) int {
	if p == nil || q == nil {
		return 0
	}
	open := map[bool]int{true: 1}
	return cmp.Or(cmp.Compare(open[p.Purpose == openLoop], open[q.Purpose == openLoop]), cmp.Compare(p.Load, q.Load))
}

const openLoop = "open_loop"

// markProbes says of each run what it was in the search.
func (b *Batch) markProbes() {
	for _, r := range b.Runs {
		r.Probe = &Probe{Void: cmp.Or(r.Unfit, "the search did not weigh it")}
		if n := len(r.Meta.Cell.Values); n > 0 {
			last := r.Meta.Cell.Values[n-1]
			r.Probe.Load, _ = asFloat(last.Value)
			if over := b.Searches[0].Over; over != "" && last.Key != over {
				r.Probe.Purpose = openLoop
			}
		}
	}
	for i := range b.Searches {
		c := &b.Searches[i]
		for _, p := range c.Probes {
			if r := b.at(p.Dir); r != nil {
				r.Probe = &Probe{Load: p.Load, Purpose: p.Purpose, Void: p.Void, Says: says(c, p.Answers)}
			}
		}
		for _, t := range c.Tiers {
			if o := t.OpenLoop; o != nil && b.at(o.RunDir) != nil {
				b.at(o.RunDir).Probe = &Probe{Load: o.Rate, Purpose: openLoop, Void: o.Void, Says: says(c, map[string]string{t.Name: o.Answer})}
			}
		}
	}
}

// at is the run in a directory below the batch's; nil for none.
func (b *Batch) at(dir string) *Run {
	if at := slices.IndexFunc(b.Runs, func(r *Run) bool { return r.Name == dir }); at >= 0 {
		return b.Runs[at]
	}
	return nil
}

// says is how a probe stood to the limits of each tier.
func says(c *results.Capacity, answers map[string]string) string {
	var parts []string
	for _, t := range c.Tiers {
		if a := answers[t.Name]; a != "" {
			parts = append(parts, strings.TrimSpace(t.Name+" "+a))
		}
	}
	return strings.Join(parts, ", ")
}

// An answer is what a search found for a cell within the limits of a tier.
type answer struct {
	of   *results.Capacity
	tier *results.CapacityTier
}

// answers are those of all searches of the batch.
func (b *Batch) answers() []answer { return answersOf(b.Searches) }

func answersOf(searches []results.Capacity) []answer {
	var all []answer
	for i := range searches {
		for k := range searches[i].Tiers {
			all = append(all, answer{&searches[i], &searches[i].Tiers[k]})
		}
	}
	return all
}

// runsOf are the runs of a search: those of its cell, whose last value is the load.
func (b *Batch) runsOf(c *results.Capacity) []*Run {
	var runs []*Run
	for _, r := range b.Runs {
		if v := r.Meta.Cell.Values; len(v) > 0 && fmt.Sprint(v[:len(v)-1]) == fmt.Sprint(c.Cell.Values) {
			runs = append(runs, r)
		}
	}
	return runs
}

// answered reports whether any request of a search succeeded.
func (b *Batch) answered(c *results.Capacity) bool {
	return slices.ContainsFunc(b.runsOf(c), func(r *Run) bool { return r.Summary != nil && r.Summary.Counts.OK > 0 })
}

// first is a run that tells the settings of a search: one of its own, where it has any.
func (b *Batch) first(c *results.Capacity) *Run {
	if runs := b.runsOf(c); len(runs) > 0 {
		return runs[0]
	}
	return b.Runs[0]
}

// model is what a search asked.
func (b *Batch) model(c *results.Capacity) string {
	for _, v := range c.Cell.Values {
		if v.Key == "model" {
			return fmt.Sprint(v.Value)
		}
	}
	return b.first(c).setting("model")
}

// span is when a search began and ended; that of the batch's first run where it was
// not begun.
func (b *Batch) span(c *results.Capacity) (from, to time.Time) {
	from = b.first(c).began()
	to = from
	for _, r := range b.runsOf(c) {
		if r.Ended.After(to) {
			to = r.Ended
		}
	}
	return from, to
}

// limitsText are the limits of a tier in words.
func limitsText(t *results.CapacityTier) string {
	var parts []string
	for _, l := range t.Limits {
		parts = append(parts, l.String())
	}
	return strings.Join(parts, ", ")
}
