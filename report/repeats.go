package report

import (
	"fmt"
	"math"

	"loadgen"
	"loadgen/metrics"
)

// Repeats is a cell with the figures over its runs.
type Repeats struct {
	Values  []loadgen.Value
	Runs    int // that are in the figures
	LeftOut int // that failed, were interrupted or are INVALID
	Figures []metrics.Repeated
}

// repeatedFigures are the columns of the table of repeats.
var repeatedFigures = []struct {
	column
	key      string
	decimals int
}{
	{column{head: "output\n(tok/s)"}, "output_token_throughput_avg", 1},
	{column{head: "requests\n(req/s)", rank: 2}, "request_throughput_avg", 2},
	{column{head: "TTFT p50\n(ms)", rank: 3}, "time_to_first_token_p50", 1},
	{column{head: "TTFT p95\n(ms)"}, "time_to_first_token_p95", 1},
	{column{head: "ITL p50\n(ms)", rank: 4}, "inter_token_latency_p50", 2},
	{column{head: "ITL p95\n(ms)", rank: 1}, "inter_token_latency_p95", 2},
	{column{head: "latency p95\n(ms)", rank: 1}, "request_latency_p95", 1},
}

// RepeatTable returns the cells of a batch with repeats as a table, a row per
// cell: each figure's mean over the runs with the half width of its 95 %
// interval. It is empty for no cells.
func RepeatTable(cells []Repeats, o Options) string {
	if len(cells) == 0 {
		return ""
	}
	g := grid{}
	for _, v := range cells[0].Values {
		g.columns = append(g.columns, column{head: v.Key})
	}
	g.columns = append(g.columns, column{head: "runs"})
	first := len(g.columns)
	var shown []int
	for i, f := range repeatedFigures {
		for _, c := range cells {
			if figureOf(c.Figures, f.key) != nil {
				shown = append(shown, i)
				g.columns = append(g.columns, f.column)
				break
			}
		}
	}
	few, lost := false, 0
	for _, c := range cells {
		var row []string
		for _, v := range c.Values {
			row = append(row, fmt.Sprint(v.Value))
		}
		runs := fmt.Sprint(c.Runs)
		if c.LeftOut > 0 {
			runs = fmt.Sprintf("%d of %d", c.Runs, c.Runs+c.LeftOut)
		}
		row = append(row, runs)
		for _, i := range shown {
			row = append(row, plusMinus(figureOf(c.Figures, repeatedFigures[i].key), repeatedFigures[i].decimals))
		}
		g.rows = append(g.rows, row)
		few, lost = few || c.Runs < fewRuns, lost+c.LeftOut
	}
	g.tone = func(_, i int) Tone {
		if i < first-1 {
			return Strong
		}
		return Plain
	}
	text, dropped := g.draw(o)
	text = "Repeats: mean ± half width of the 95 % interval over the runs of a cell\n" + text + leftOut(dropped, o)
	if few {
		text += o.paint(Faint, fmt.Sprintf("fewer than %d runs say little: their interval is wide, and two close values may be chance", fewRuns)) + "\n"
	}
	if lost > 0 {
		text += o.paint(Faint, fmt.Sprintf("%d runs that failed, were interrupted or are INVALID are in no figure", lost)) + "\n"
	}
	return text
}

// fewRuns is how many runs of a cell are too few to claim anything by.
const fewRuns = 3

func figureOf(figures []metrics.Repeated, key string) *metrics.Repeated {
	for i := range figures {
		if figures[i].Key() == key {
			return &figures[i]
		}
	}
	return nil
}

// plusMinus writes a mean with its half width; of one run there is none.
func plusMinus(r *metrics.Repeated, decimals int) string {
	switch {
	case r == nil:
		return absent
	case math.IsNaN(r.HalfWidth):
		return decimal(r.Mean, decimals)
	}
	return decimal(r.Mean, decimals) + " ± " + decimal(r.HalfWidth, decimals)
}
