package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"loadgen/analyze"
	"loadgen/compare"
	"loadgen/internal/outside"
	"loadgen/metrics"
)

// sparks are the eight heights of a sparkline.
var sparks = []rune("▁▂▃▄▅▆▇█")

// Sparkline draws values as a line of bars between their least and greatest, a
// dot where one is missing. Where they differ by less than 2 % all stand at
// middle height: their noise is no shape.
func Sparkline(values []float64) string {
	low, high := math.Inf(1), math.Inf(-1)
	for _, v := range values {
		if !math.IsNaN(v) {
			low, high = math.Min(low, v), math.Max(high, v)
		}
	}
	var b strings.Builder
	for _, v := range values {
		switch {
		case math.IsNaN(v):
			b.WriteRune('·')
		case high-low <= 0.02*math.Abs(high):
			b.WriteRune(sparks[3])
		default:
			b.WriteRune(sparks[min(int((v-low)/(high-low)*float64(len(sparks))), len(sparks)-1)])
		}
	}
	return b.String()
}

// sparkNights are drawn at most: the last ones.
const sparkNights = 60

// HistoryTable shows the last nights of a batch, a line each, and all changes
// of level.
func HistoryTable(h *compare.History, shown []metrics.Figure, last int, o Options) string {
	from := max(0, len(h.Nights)-last)
	if last <= 0 {
		from = 0
	}
	shown = present(h, shown)
	g := grid{columns: []column{{head: "night", left: true}, {head: "label", left: true, rank: 1}, {head: "verdict", left: true}}}
	for i, f := range shown {
		g.columns = append(g.columns, column{head: figureHead(f, h.Unit(f)), rank: i / 2})
	}
	for i := from; i < len(h.Nights); i++ {
		n := &h.Nights[i]
		row := []string{n.Dir, outside.Line(n.Label), NightVerdict(n)}
		for _, f := range shown {
			row = append(row, nightFigure(h, n, f))
		}
		g.rows = append(g.rows, row)
	}
	g.tone = func(row, i int) Tone {
		if n := &h.Nights[from+row]; i == 2 && n.Invalid+n.Unfit > 0 {
			return Bad
		}
		return Plain
	}
	var b strings.Builder
	text, dropped := g.draw(o)
	b.WriteString(text + leftOut(dropped, o))
	if len(h.Cells) > 1 {
		b.WriteString(o.paint(Faint, o.wrap(2, fmt.Sprintf("figures are geometric means over %d cells", len(h.Cells)))) + "\n")
	}
	if others := otherQuestions(h); others != "" {
		b.WriteString(o.paint(Doubtful, o.wrap(2, others)) + "\n")
	}
	for _, f := range shown {
		if len(h.Nights) > 1 {
			fmt.Fprintf(&b, "%-28s %s\n", f, nightSparks(h, func(n *compare.Night) float64 { return float64(n.Mean(h.Cells, f)) }))
		}
	}
	b.WriteString("\n" + o.paint(Strong, "Changes of level") + "\n")
	for _, line := range changeLines(h) {
		b.WriteString(o.paint(line.tone, o.wrap(4, "  "+line.text)) + "\n")
	}
	return b.String()
}

// otherQuestions says which nights' capacities are left out; empty for none.
func otherQuestions(h *compare.History) string {
	if len(h.Others) == 0 {
		return ""
	}
	return fmt.Sprintf("the capacities of %s, the last %s, are left out: they were sought within other limits than last", Count(len(h.Others), "night"), h.Others[len(h.Others)-1])
}

// nightFigure is a figure of a night, or what bounds it.
func nightFigure(h *compare.History, n *compare.Night, f metrics.Figure) string {
	return cmp.Or(n.Bound(h.Cells, f), Amount(float64(n.Mean(h.Cells, f))))
}

// present are the figures that any night has.
func present(h *compare.History, figures []metrics.Figure) []metrics.Figure {
	return slices.DeleteFunc(slices.Clone(figures), func(f metrics.Figure) bool {
		return !slices.ContainsFunc(h.Nights, func(n compare.Night) bool { return n.Bound(h.Cells, f) != "" || n.Mean(h.Cells, f).Defined() })
	})
}

func figureHead(f metrics.Figure, unit string) string {
	name := f.String()
	for long, short := range map[string]string{
		"time_to_first_token": "TTFT", "inter_token_latency": "ITL", "request_latency": "latency",
		"output_token_throughput": "output", "request_throughput": "requests", metrics.ErrorRate: "errors",
	} {
		if rest, found := strings.CutPrefix(name, long); found {
			name = strings.TrimSpace(short + " " + strings.TrimPrefix(rest, "."))
			break
		}
	}
	return name + "\n(" + strings.NewReplacer("tokens/sec", "tok/s", "requests/sec", "req/s").Replace(unit) + ")"
}

// NightVerdict says in a word whether a night's runs can be trusted.
func NightVerdict(n *compare.Night) string {
	switch {
	case n.Runs == 0:
		return "no runs"
	case n.Unfit > 0:
		return fmt.Sprintf("failed %d/%d", n.Unfit, n.Runs)
	case n.Invalid > 0:
		return fmt.Sprintf("INVALID %d/%d", n.Invalid, n.Runs)
	case n.Degraded > 0:
		return fmt.Sprintf("DEGRADED %d/%d", n.Degraded, n.Runs)
	}
	return string(metrics.Valid)
}

func nightSparks(h *compare.History, value func(*compare.Night) float64) string {
	var values []float64
	for i := max(0, len(h.Nights)-sparkNights); i < len(h.Nights); i++ {
		values = append(values, value(&h.Nights[i]))
	}
	return Sparkline(values)
}

type tonedLine struct {
	text string
	tone Tone
}

// A foundChange is a change of level with its series.
type foundChange struct {
	*compare.Series
	compare.LevelChange
}

// changeLines tell every change, newest first; those of one figure in one night
// and direction are told together.
func changeLines(h *compare.History) []tonedLine {
	var all []foundChange
	for i := range h.Series {
		for _, c := range h.Series[i].Changes {
			all = append(all, foundChange{&h.Series[i], c})
		}
	}
	if len(all) == 0 {
		return []tonedLine{{"none: no figure changed its level by 8% or more for three nights or longer", Faint}}
	}
	slices.SortStableFunc(all, func(a, b foundChange) int { return b.Night - a.Night })
	var lines []tonedLine
	for len(all) > 0 {
		first := all[0]
		var together, others []foundChange
		for _, c := range all {
			if c.Night == first.Night && c.Figure == first.Figure && c.Worse == first.Worse {
				together = append(together, c)
			} else {
				others = append(others, c)
			}
		}
		lines, all = append(lines, changeLine(h, together)), others
	}
	return lines
}

// changeLine tells the changes of a figure in a night, by its largest.
func changeLine(h *compare.History, together []foundChange) tonedLine {
	c := slices.MaxFunc(together, func(a, b foundChange) int {
		return cmp.Compare(math.Abs(math.Log(a.After/a.Before)), math.Abs(math.Log(b.After/b.Before)))
	})
	word, t := "better", Good
	if c.Worse {
		word, t = "worse", Bad
	}
	text := h.Nights[c.Night].Dir
	if label := h.Nights[c.Night].Label; label != "" {
		text += " (" + outside.Line(label) + ")"
	}
	text += fmt.Sprintf(": %s at %s: %s → %s, %s, %s", c.Figure, orDash(outside.Line(c.Cell)),
		withUnit(analyze.Number(c.Before), h.Unit(c.Figure)), withUnit(analyze.Number(c.After), h.Unit(c.Figure)), percent(c.After/c.Before-1), word)
	if n := len(together) - 1; n > 0 {
		text += fmt.Sprintf("; and less so in %s", Count(n, "other cell"))
	}
	return tonedLine{text + "  " + Sparkline(around(h, c)), t}
}

// around are the values of a series about a change.
func around(h *compare.History, c foundChange) []float64 {
	at := map[int]float64{}
	for i, night := range c.At {
		at[night] = c.Values[i]
	}
	var values []float64
	for i := max(0, c.Night-sparkNights/4); i < min(len(h.Nights), c.Night+sparkNights/4); i++ {
		v, ok := at[i]
		if !ok {
			v = math.NaN()
		}
		values = append(values, v)
	}
	return values
}
