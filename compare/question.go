package compare

import (
	"maps"
	"slices"

	"loadgen/metrics"
)

// A Question is what a search was asked for one capacity.
type Question struct {
	Unit   string `json:"unit"` // of its loads
	Limits string `json:"limits"`
}

// questions are what the searches among some runs were asked.
func questions(runs []CompareRun) map[metrics.Figure]Question {
	asked := map[metrics.Figure]Question{}
	for _, r := range runs {
		if r.Search != nil {
			for f, found := range r.Search.Found {
				asked[f] = Question{r.Search.Unit, found.Limits}
			}
		}
	}
	return asked
}

// lastAsked keeps of every capacity the nights that were asked what the last one was:
// another question has another answer, whatever became of the service. It returns what
// that was, and which nights were asked something else.
func lastAsked(nights []Night) (same []Night, asked map[metrics.Figure]Question, others []string) {
	asked = map[metrics.Figure]Question{}
	for _, n := range slices.Backward(nights) {
		for f, q := range n.Asked {
			if _, ok := asked[f]; !ok {
				asked[f] = q
			}
		}
	}
	same = slices.Clone(nights)
	for i := range same {
		n, other := &same[i], false
		n.Cells = slices.Clone(n.Cells)
		for k := range n.Cells {
			c := &n.Cells[k]
			c.Figures = maps.Clone(c.Figures)
			maps.DeleteFunc(c.Figures, func(f metrics.Figure, _ float64) bool {
				otherwise := f.Tag == metrics.Capacity && n.Asked[f] != asked[f]
				other = other || otherwise
				return otherwise
			})
			c.Bounds = maps.Clone(c.Bounds)
			maps.DeleteFunc(c.Bounds, func(f metrics.Figure, _ string) bool { return n.Asked[f] != asked[f] })
		}
		if other {
			others = append(others, n.Dir)
		}
	}
	return same, asked, others
}
