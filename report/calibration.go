package report

import (
	"fmt"

	"loadgen/metrics"
)

// CalibrationText returns the steps of a calibration as a table, and below it
// what the machine can measure truthfully.
func CalibrationText(steps []metrics.Step, c metrics.Ceiling, o Options) string {
	g := grid{columns: []column{
		{head: "load"},
		{head: "requests/s"},
		{head: "chunks/s"},
		{head: "first output\noff by p50 (ms)"},
		{head: "first output\noff by p99 (ms)"},
		{head: "gaps off by\n(%)"},
		{head: "", left: true},
	}}
	for _, s := range steps {
		gap, verdict := absent, "honest"
		if s.Gap != nil {
			gap = decimal(100**s.Gap, 3)
		}
		if !s.Honest {
			verdict = s.Why
		}
		g.rows = append(g.rows, []string{
			s.Name, decimal(s.Requests, 0), decimal(s.Chunks, 0), decimal(s.FirstP50, 3), decimal(s.FirstP99, 3), gap, verdict,
		})
	}
	g.tone = func(row, column int) Tone {
		switch {
		case column < len(g.columns)-1:
			return Plain
		case steps[row].Honest:
			return Good
		}
		return Bad
	}
	text, dropped := g.draw(o)
	most := func(n float64, open bool) string {
		if open {
			return "at least " + decimal(n, 0)
		}
		return decimal(n, 0)
	}
	return text + leftOut(dropped, o) + fmt.Sprintf("This machine's client is honest up to %s streams, %s chunks/s and %s requests/s\n",
		most(c.Streams, c.StreamsOpen), decimal(c.Chunks, 0), most(c.Requests, c.RequestsOpen))
}
