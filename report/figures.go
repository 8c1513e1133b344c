package report

import (
	"fmt"
	"strings"

	"loadgen/analyze"
)

// FindingsBrief lists the first findings of a batch in two lines each: what
// was found, and what to try first. What merely could not be judged is left
// to the files.
func FindingsBrief(findings []analyze.Finding, most int, o Options) string {
	var b strings.Builder
	shown := 0
	for i := range findings {
		f := &findings[i]
		if f.Lack() || shown == most {
			break // they stand last
		}
		shown++
		b.WriteString(o.paint(Strong, o.wrap(4, fmt.Sprintf("%2d. %s", shown, f.Title))) + "\n")
		b.WriteString("    " + o.paint(confidenceTone(f.Confidence), o.wrap(4, Standing(f))) + "\n")
		if len(f.Try) > 0 {
			b.WriteString(o.wrap(9, "    try: "+f.Try[0]) + "\n")
		}
	}
	if shown == 0 {
		return ""
	}
	return o.paint(Strong, "What to look at first") + "\n" + b.String()
}

// KeyFigures are the figures of a trace that are asked for first.
func KeyFigures(o *analyze.Optimization, opt Options) string {
	if o.More == nil {
		return ""
	}
	k, u := &o.More.KPI, &o.More.Users
	g := grid{columns: []column{
		{head: "seconds", left: true}, {head: "mean"}, {head: "min"}, {head: "p50"}, {head: "p95"}, {head: "p99"}, {head: "max"},
	}}
	for _, row := range []struct {
		name string
		of   analyze.Response
	}{{"latency", k.Latency}, {"TTFT", k.TTFT}, {"ITL", k.ITL}} {
		cells := []string{row.name}
		for _, v := range []analyze.Number{row.of.Mean, row.of.Min, row.of.Median, row.of.P95, row.of.P99, row.of.Max} {
			cells = append(cells, decimal(float64(v), 4))
		}
		g.rows = append(g.rows, cells)
	}
	text, _ := g.draw(opt)
	line := func(format string, args ...any) { text += opt.wrap(1, fmt.Sprintf(" "+format, args...)) + "\n" }
	line("%s in %s: %s ok, %s failed", Count(u.Total, "request"), Count(k.SessionsCounted, "session"),
		decimal(float64(u.OK), 0), decimal(float64(u.Failed), 0))
	line("%s requests/s, %s output tokens/s, %s in flight on average, %d at most",
		decimal(float64(k.Requests), 2), decimal(float64(k.OutputTokens), 1), decimal(float64(k.TimeAvgFlight), 2), k.PeakFlight)
	if c := o.More.PrefixCache; c != nil && c.BoundRate.Defined() {
		line("%s", cacheLine(c))
	}
	return text
}

// cacheLine says what a prefix cache served, and what the prompts of the run
// share: more was served where the cache was warm before.
func cacheLine(c *analyze.PrefixCache) string {
	if c.ServerRate.Defined() && float64(c.ServerRate) > float64(c.BoundRate)+0.01 {
		return fmt.Sprintf("prefix cache: served %s of the prompt tokens; the run's own prompts share %s: the rest was cached before them, by the warm-up or an earlier run",
			share(c.ServerRate), share(c.BoundRate))
	}
	return fmt.Sprintf("prefix cache: served %s of the prompt tokens, could serve at most %s", share(c.ServerRate), share(c.BoundRate))
}

// share writes a share of one as a percentage; unknown where it is not known.
func share(v analyze.Number) string {
	if !v.Defined() {
		return "an unknown part"
	}
	return decimal(100*float64(v), 1) + " %"
}
