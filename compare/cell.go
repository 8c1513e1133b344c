package compare

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"

	"loadgen"
	"loadgen/analyze"
	"loadgen/metrics"
	"loadgen/stats"
)

// CellKey names a cell by its values, whatever their order in the batch file:
// concurrency=8, prompt_input_tokens_mean=512. Numbers count by their value.
func CellKey(values []loadgen.Value) string {
	parts := make([]string, len(values))
	for i, v := range values {
		parts[i] = v.Key + "=" + valueText(v.Value)
	}
	slices.Sort(parts)
	return strings.Join(parts, ", ")
}

func valueText(v any) string {
	switch v := v.(type) {
	case json.Number:
		if f, err := v.Float64(); err == nil {
			return fmt.Sprint(f)
		}
	case int:
		return fmt.Sprint(float64(v))
	case int64:
		return fmt.Sprint(float64(v))
	}
	return fmt.Sprint(v)
}

// A cellPair is a cell that both sides have.
type cellPair struct {
	key         string
	values      []loadgen.Value
	base, fresh []CompareRun // in the order of time
}

// A cellRuns are the runs of one cell of one side.
type cellRuns struct {
	key  string
	runs []CompareRun
}

// cellsOf groups runs by cell, in the order of the first.
func cellsOf(s CompareSide) []cellRuns {
	var cells []cellRuns
	at := map[string]int{}
	for _, r := range s.Runs {
		key := CellKey(r.Cell)
		i, known := at[key]
		if !known {
			i = len(cells)
			at[key] = i
			cells = append(cells, cellRuns{key: key})
		}
		cells[i].runs = append(cells[i].runs, r)
	}
	return cells
}

// match pairs the cells of equal values and names the others. Where each side
// is a single cell they are paired whatever their values, which are then told
// as a difference of configuration: that is what was asked for.
func (c *Comparison) match(b, n CompareSide) []cellPair {
	base, fresh := cellsOf(b), cellsOf(n)
	if len(base) == 1 && len(fresh) == 1 {
		key := base[0].key
		if key != fresh[0].key {
			key = orNone(key) + " → " + orNone(fresh[0].key)
		}
		return []cellPair{{key, base[0].runs[0].Cell, base[0].runs, fresh[0].runs}}
	}
	var pairs []cellPair
	for _, cell := range base {
		i := slices.IndexFunc(fresh, func(o cellRuns) bool { return o.key == cell.key })
		if i < 0 {
			c.Unmatched = append(c.Unmatched, Unmatched{b.Name, cell.key, len(cell.runs)})
			continue
		}
		pairs = append(pairs, cellPair{cell.key, cell.runs[0].Cell, cell.runs, fresh[i].runs})
	}
	for _, cell := range fresh {
		if !slices.ContainsFunc(base, func(o cellRuns) bool { return o.key == cell.key }) {
			c.Unmatched = append(c.Unmatched, Unmatched{n.Name, cell.key, len(cell.runs)})
		}
	}
	return pairs
}

func orNone(text string) string {
	if text == "" {
		return "none"
	}
	return text
}

// streamed reports whether a run has a time to the first token.
func (p *cellPair) streamed() bool {
	return len(figures(p.base, medianTTFT))+len(figures(p.fresh, medianTTFT)) > 0
}

// leastPaired runs a side are compared by round: with two, a single degree of
// freedom would be left.
const leastPaired = 3

// byRound reports whether the runs of both sides took turns: each with its
// partner, before either side's next.
func (p *cellPair) byRound() bool {
	if len(p.base) != len(p.fresh) || len(p.base) < leastPaired {
		return false
	}
	for i := range p.base {
		if p.base[i].Started.IsZero() || p.fresh[i].Started.IsZero() {
			return false
		}
		if i > 0 && (!p.base[i].Started.After(p.fresh[i-1].Started) || !p.fresh[i].Started.After(p.base[i-1].Started)) {
			return false
		}
	}
	return true
}

// leastShare stands for a share of successes of 0, which has no logarithm.
const leastShare = 1e-3

// sample collects a figure of a cell.
func (p *cellPair) sample(rule CompareRule, history []float64) (Compared, stats.Sample) {
	row := Compared{
		Cell: p.key, Values: objectOf(p.values), Figure: rule.Figure, Metric: rule.Figure.String(),
		Unit: rule.Figure.Unit(), Higher: rule.Higher, Margin: rule.Margin, Rule: rule.Text, Gated: rule.Gated,
	}
	s := stats.Sample{
		Cell: p.key, Metric: row.Metric, Higher: rule.Higher, Margin: rule.Margin,
		Base: figures(p.base, rule.Figure), New: figures(p.fresh, rule.Figure), Paired: p.byRound(),
	}
	row.BaseRuns, row.NewRuns = len(s.Base), len(s.New)
	if rule.Figure.Tag == metrics.Capacity {
		p.capacity(&row, &s)
	}
	if min(row.BaseRuns, row.NewRuns) == 1 {
		s.History = withLog(history)
		row.History = len(s.History)
	}
	row.Paired = s.Paired && len(s.Base) == len(p.base) && len(s.New) == len(p.fresh)
	s.Paired = row.Paired
	if rule.Figure.Tag == metrics.ErrorRate {
		row.Base, row.New = analyze.Number(100*metrics.Mean(s.Base)), analyze.Number(100*metrics.Mean(s.New))
		s.Base, s.New, s.History = successes(s.Base), successes(s.New), successes(history)
		s.Higher = true
		if row.Base == 0 && row.New == 0 {
			// A test that cannot reject would only make the others stricter.
			row.Verdict, row.Ratio, row.Lower, row.Upper, row.P, row.Noise = stats.NoDifference, 1, 1, 1, 1, 0
		}
		return row, s
	}
	row.Base, row.New = geometricMean(s.Base), geometricMean(s.New)
	if lost := len(s.Base) + len(s.New) - len(withLog(s.Base)) - len(withLog(s.New)); lost > 0 {
		row.zero = lost
		s.Base, s.New = nil, nil
	}
	return row, s
}

// figures are what the runs have of a figure.
func figures(runs []CompareRun, f metrics.Figure) []float64 {
	var values []float64
	for _, r := range runs {
		if v, ok := r.Figures[f]; ok && analyze.Number(v).Defined() {
			values = append(values, v)
		}
	}
	return values
}

// withLog leaves out what has no logarithm.
func withLog(values []float64) []float64 {
	return slices.DeleteFunc(slices.Clone(values), func(v float64) bool { return !(v > 0) })
}

// successes turns error rates into shares of success: their logarithms are
// defined where no request failed, and a margin of one point is one point.
func successes(rates []float64) []float64 {
	shares := make([]float64, len(rates))
	for i, r := range rates {
		shares[i] = max(1-r, leastShare)
	}
	return shares
}

// geometricMean is 0 where a value is.
func geometricMean(values []float64) analyze.Number {
	if len(values) == 0 {
		return undefined
	}
	if v := values[0]; slices.Min(values) == v && slices.Max(values) == v {
		return analyze.Number(v) // a way by logarithms would cost its last digits
	}
	sum := 0.0
	for _, v := range values {
		sum += math.Log(v)
	}
	return analyze.Number(math.Exp(sum / float64(len(values))))
}

func objectOf(values []loadgen.Value) analyze.Object[any] {
	o := analyze.Object[any]{}
	for _, v := range values {
		o = append(o, analyze.Member[any]{Key: v.Key, Value: v.Value})
	}
	return o
}
