package results

import (
	"fmt"
	"iter"
	"math"
	"path/filepath"
	"slices"
	"strings"

	"loadgen"
	"loadgen/metrics"
)

// Searches returns what the searches of a batch found, those included that were
// broken off before a probe ended, or never begun: they have no answer. nil for a
// batch without.
func Searches(dir string) ([]Capacity, error) {
	all, err := ReadCapacities(dir)
	if err != nil {
		return nil, err
	}
	if all == nil {
		if searched, err := hasProbe(dir); err != nil || !searched {
			return nil, err
		}
	}
	cells, err := plannedCells(dir)
	if err != nil {
		return nil, err
	}
	if len(all) == 0 && len(cells) == 0 {
		cells = []loadgen.Cell{{}} // a batch that does not say of what cells
	}
	for _, cell := range cells {
		of := func(c Capacity) bool { return fmt.Sprint(c.Cell.Values) == fmt.Sprint(cell.Values) }
		if at := slices.IndexFunc(all, of); at >= 0 {
			all[at].Cell = cell
			continue
		}
		all = append(all, unsearched(cell, all))
	}
	return all, nil
}

// unsearched is the search for a cell of which no probe has ended, as the others were
// asked.
func unsearched(cell loadgen.Cell, others []Capacity) Capacity {
	c := Capacity{Cell: cell, Stopped: "interrupted", Tiers: []CapacityTier{{}}}
	if len(others) > 0 {
		o := &others[0]
		c.Over, c.Unit, c.Confidence, c.Precision, c.Tiers = o.Over, o.Unit, o.Confidence, o.Precision, slices.Clone(o.Tiers)
	}
	unknown := metrics.Bound(math.NaN())
	for i, t := range c.Tiers {
		c.Tiers[i] = CapacityTier{
			Name: t.Name, Limits: t.Limits, Status: "open", Answer: "is not known: no probe of the search came to its end",
			Capacity: unknown, Lower: unknown, Upper: unknown, PassedAt: unknown, FailedAt: unknown, RefutedAt: unknown, BreaksAt: unknown,
		}
	}
	return c
}

// hasProbe reports whether a batch's directory holds a run of a search.
func hasProbe(dir string) (bool, error) {
	runs, err := RunDirs(dir)
	if err != nil {
		return false, err
	}
	for _, run := range runs {
		if below, err := filepath.Rel(dir, run); err == nil && IsProbe(below) {
			return true, nil
		}
	}
	return false, nil
}

// Subject names what an answer is of: the swept values and the tier; empty where there
// are none.
func (c *Capacity) Subject(t *CapacityTier) string {
	var parts []string
	for _, v := range c.Cell.Values {
		parts = append(parts, fmt.Sprintf("%s %v", v.Key, v.Value))
	}
	if t.Name != "" {
		parts = append(parts, t.Name)
	}
	return strings.Join(parts, ", ")
}

// Sentence is the answer with what it is of.
func (c *Capacity) Sentence(t *CapacityTier) string {
	if subject := c.Subject(t); subject != "" {
		return subject + ": " + t.Answer
	}
	return t.Answer
}

// Remarks are what is to be known beside the answers, a sentence each.
func (c *Capacity) Remarks() []string {
	remarks := slices.Clone(c.Notes)
	for i := range c.Tiers {
		if o := c.Tiers[i].OpenLoop; o != nil && o.Words != "" {
			remarks = append(remarks, strings.TrimPrefix(c.Tiers[i].Name+": ", ": ")+o.Words)
		}
	}
	return remarks
}

// Found reports whether the capacity is known: not where nothing broke, so that it is
// at least so much, where everything did, or where the search did not come to its end.
func (t *CapacityTier) Found() bool { return t.Status == "found" }

// Numbers yields the capacity and its interval by name, as far as they are known.
// Where nothing broke the load that was borne is the lower end. What a search without an
// answer came to is no number that a chart may draw.
func (t *CapacityTier) Numbers() iter.Seq2[string, float64] {
	return func(yield func(string, float64) bool) {
		for _, n := range []struct {
			name string
			v    metrics.Bound
			of   bool
		}{
			{metrics.Capacity, t.Capacity, t.Found()},
			{"capacity_lower", t.Lower, t.Found() || t.Status == "no_fail"},
			{"capacity_upper", t.Upper, t.Found()},
		} {
			if n.of && n.v.Known() && n.v > 0 && !yield(n.name, float64(n.v)) {
				return
			}
		}
	}
}
