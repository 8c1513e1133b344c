package archive

import (
	"cmp"
	"fmt"
	"slices"

	"loadgen"
	"loadgen/report"
	"loadgen/results"
)

// foundText is what the searches of a batch found, as its report had it when it ended.
func foundText(searches []results.Capacity, o report.Options) string {
	var sentences, notes []string
	for i := range searches {
		c := &searches[i]
		for k := range c.Tiers {
			sentences = append(sentences, c.Sentence(&c.Tiers[k]))
		}
		of := ""
		if len(searches) > 1 {
			of = c.Subject(&results.CapacityTier{}) + ": "
		}
		for _, remark := range c.Remarks() {
			notes = append(notes, of+remark)
		}
		if n := len(c.Probes); n > 0 {
			notes = append(notes, fmt.Sprintf("%s%s, %.4g s of measurement", of, report.Count(n, "probe"), c.MeasuredFor))
		}
	}
	return report.AnswersText(sentences, notes, o)
}

// tablesOf are the runs of a batch as its tables show them: those of a search by their
// load, and its open loops, whose load is another, in a table of their own.
func tablesOf(runs []*Recording, searches []results.Capacity) [][]*report.Run {
	sorted := slices.Clone(runs)
	over := ""
	if len(searches) > 0 {
		over = searches[0].Over
		slices.SortStableFunc(sorted, func(a, b *Recording) int {
			x, y := lastValue(a), lastValue(b)
			return cmp.Or(cmp.Compare(a.Meta.Cell.Index, b.Meta.Cell.Index), cmp.Compare(amount(x.Value), amount(y.Value)), cmp.Compare(a.Meta.Repeat, b.Meta.Repeat))
		})
	}
	var main, open []*report.Run
	for _, r := range sorted {
		if key := lastValue(r).Key; over != "" && key != "" && key != over {
			open = append(open, shownRecording(r))
			continue
		}
		main = append(main, shownRecording(r))
	}
	return slices.DeleteFunc([][]*report.Run{main, open}, func(t []*report.Run) bool { return len(t) == 0 })
}

// lastValue is the last of a run's swept values: of a probe its load.
func lastValue(r *Recording) loadgen.Value {
	if v := r.Meta.Cell.Values; len(v) > 0 {
		return v[len(v)-1]
	}
	return loadgen.Value{}
}

func amount(v any) float64 {
	switch n := v.(type) {
	case int:
		return float64(n)
	case float64:
		return n
	}
	return 0
}
