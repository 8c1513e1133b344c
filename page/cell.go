package page

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"loadgen"
	"loadgen/metrics"
	"loadgen/stats"
)

// A cell is a combination of swept values with its runs.
type cell struct {
	values []loadgen.Value
	runs   []*Run
}

func cellsOf(runs []*Run) []*cell {
	var cells []*cell
	byKey := map[string]*cell{}
	for _, r := range runs {
		key := named(r.Values)
		c := byKey[key]
		if c == nil {
			c = &cell{values: r.Values}
			byKey[key] = c
			cells = append(cells, c)
		}
		c.runs = append(c.runs, r)
	}
	return cells
}

// named is key=value, ….
func named(values []loadgen.Value) string {
	parts := make([]string, len(values))
	for i, v := range values {
		parts[i] = fmt.Sprintf("%s=%v", v.Key, v.Value)
	}
	return strings.Join(parts, ", ")
}

// shortKeys shortens AIPerf's paths to their last part, where these differ.
func shortKeys(values []loadgen.Value) []loadgen.Value {
	short := slices.Clone(values)
	for i := range short {
		short[i].Key = short[i].Key[strings.LastIndexByte(short[i].Key, '.')+1:]
		if slices.ContainsFunc(short[:i], func(v loadgen.Value) bool { return v.Key == short[i].Key }) {
			return values
		}
	}
	return short
}

// number returns the value of a key where it is a number.
func (c *cell) number(key string) (float64, bool) {
	for _, v := range c.values {
		if v.Key == key {
			return numeric(v.Value)
		}
	}
	return 0, false
}

func numeric(v any) (float64, bool) {
	switch n := v.(type) {
	case int:
		return float64(n), true
	case int64:
		return float64(n), true
	case float64:
		return n, !math.IsNaN(n) && !math.IsInf(n, 0)
	}
	return 0, false
}

// without is the name of the cell's values but for that of a key.
func (c *cell) without(key string) string {
	return named(slices.DeleteFunc(slices.Clone(c.values), func(v loadgen.Value) bool { return v.Key == key }))
}

// A measured is a figure of a cell: the mean of its sound runs, with the 95 %
// interval where there are several.
type measured struct {
	mean, low, high float64
	runs            int
}

// figure returns a figure over the runs that can be relied on; false for none.
func (c *cell) figure(f metrics.Figure) (measured, bool) {
	var values []float64
	for _, r := range c.runs {
		if v, ok := r.figure(f); ok && !r.invalid() {
			values = append(values, v)
		}
	}
	if len(values) == 0 {
		return measured{}, false
	}
	i := stats.MeanInterval(values, confidence)
	m := measured{mean: i.Mean, low: i.Mean, high: i.Mean, runs: len(values)}
	if len(values) > 1 && !math.IsNaN(i.HalfWidth) && !math.IsInf(i.HalfWidth, 0) {
		m.low, m.high = i.Mean-i.HalfWidth, i.Mean+i.HalfWidth
	}
	return m, true
}

const confidence = 0.95

// weak says that a run of those which count is to be read with care.
func (c *cell) weak() bool { return slices.ContainsFunc(c.runs, (*Run).weak) }

// figure returns a figure of the run: a rate is that under load, as in the
// tables.
func (r *Run) figure(f metrics.Figure) (float64, bool) {
	if r.Summary == nil {
		return 0, false
	}
	if f.Tag == metrics.ErrorRate {
		n := &r.Summary.Counts
		return 100 * float64(n.Failed) / float64(n.Issued), n.Issued > 0
	}
	if v, ok := r.Summary.UnderLoad(f.Tag); ok {
		return v, true
	}
	m := r.Summary.Metric(f.Tag)
	switch {
	case m == nil:
		return 0, false
	case m.Value != nil:
		return *m.Value, true
	}
	v, ok := m.Stats.Named(f.Stat)
	return v, ok && !math.IsNaN(v)
}

func figureOf(tag, stat string) metrics.Figure { return metrics.Figure{Tag: tag, Stat: stat} }
