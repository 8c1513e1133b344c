package report

import (
	"fmt"
	"math"
	"strings"

	"loadgen/analyze"
	"loadgen/compare"
	"loadgen/internal/outside"
	"loadgen/metrics"
	"loadgen/stats"
)

// fewRows of a comparison are all shown; of more, those without a difference
// are counted only.
const fewRows = 60

// CompareTable says what NEW is against BASE: the verdict, a row for each cell
// and figure, what was left out, what differs, and what moved most. Rows that
// show no difference are left out of a long table unless all are asked for.
func CompareTable(c *compare.Comparison, all bool, o Options) string {
	var b strings.Builder
	line := func(t Tone, indent int, text string) {
		b.WriteString(o.paint(t, o.wrap(indent, text)) + "\n")
	}
	for _, s := range []compare.SideFacts{c.Base, c.New} {
		line(Plain, 6, sideLine(s))
	}
	rows, hidden := shownRows(c, all)
	if len(rows) > 0 {
		b.WriteString(compareGrid(rows, o))
	}
	if hidden > 0 {
		line(Faint, 2, fmt.Sprintf("%s without a difference not shown (--all shows them)", Count(hidden, "result")))
	}
	line(verdictToneOf(c.Verdict), 2, verdictLine(c))
	for _, s := range compareNotes(c) {
		line(Strong, 0, s.title)
		for _, text := range s.lines {
			line(s.tone, 4, "  - "+text)
		}
	}
	return b.String()
}

func sideLine(s compare.SideFacts) string {
	runs := Count(s.Runs, "run")
	switch {
	case s.Searches == 1 && s.Runs == 1:
		runs = "1 search"
	case s.Searches > 0:
		runs += fmt.Sprintf(" (%d of them searches)", s.Searches)
	}
	text := fmt.Sprintf("%-4s  %s: %s of %s", s.Name, outside.Line(strings.Join(s.Paths, ", ")), runs, Count(s.Cells, "cell"))
	if s.From != nil {
		text += fmt.Sprintf(", %s to %s", s.From.Format("2006-01-02 15:04"), s.To.Format("2006-01-02 15:04"))
	}
	return text
}

// shownRows are the rows to show, and how many there are besides.
func shownRows(c *compare.Comparison, all bool) (rows []compare.Compared, hidden int) {
	if all || len(c.Results) <= fewRows {
		return c.Results, 0
	}
	for _, r := range c.Results {
		if r.Verdict == stats.Worse || r.Verdict == stats.Better {
			rows = append(rows, r)
		}
	}
	return rows, len(c.Results) - len(rows)
}

func compareGrid(rows []compare.Compared, o Options) string {
	g := grid{columns: []column{
		{head: "cell", left: true},
		{head: "metric", left: true},
		{head: "runs", rank: 2},
		{head: "BASE", rank: 1},
		{head: "NEW", rank: 1},
		{head: "change"},
		{head: "95% interval", rank: 3},
		{head: "noise", rank: 4},
		{head: "verdict", left: true},
	}}
	last := ""
	for i, r := range rows {
		cell := outside.Line(r.Cell)
		if i > 0 && cell == last {
			cell = ""
		}
		last = r.Cell
		g.rows = append(g.rows, []string{
			cell, metricOf(&r), fmt.Sprintf("%d:%d", r.BaseRuns, r.NewRuns), bounded(r.BaseBound, r.Base, r.Unit), bounded(r.NewBound, r.New, r.Unit),
			change(&r), intervalOf(&r), noiseOf(&r), string(r.Verdict),
		})
	}
	g.tone = func(row, i int) Tone {
		if i == len(g.columns)-1 || g.columns[i].head == "change" {
			return verdictToneOf(rows[row].Verdict)
		}
		return Plain
	}
	text, dropped := g.draw(o)
	return text + leftOut(dropped, o)
}

// metricOf is the name of a figure, with its unit where the figure alone has none.
func metricOf(r *compare.Compared) string {
	if r.Figure.Tag == metrics.Capacity && r.Unit != "" {
		return r.Metric + " (" + r.Unit + ")"
	}
	return r.Metric
}

// bounded writes a figure that may only be known to be at least, or below, a value.
func bounded(b compare.Bounded, v analyze.Number, unit string) string {
	return b.Sign() + withUnit(v, unit)
}

func withUnit(v analyze.Number, unit string) string {
	text := Amount(float64(v))
	switch {
	case text == absent:
		return text
	case unit == "%":
		return text + "%"
	case unit == "ms", unit == "sec":
		return text + " " + unit
	}
	return text
}

// change writes the relative change; of an error rate in points.
func change(r *compare.Compared) string {
	if r.Figure.Tag == metrics.ErrorRate {
		return strings.TrimSuffix(percent(r.Change()), "%") + " pts"
	}
	return percent(r.Change())
}

func intervalOf(r *compare.Compared) string {
	if !r.Lower.Defined() || r.Figure.Tag == metrics.ErrorRate {
		return ""
	}
	return percent(float64(r.Lower)-1) + " to " + percent(float64(r.Upper)-1)
}

func noiseOf(r *compare.Compared) string {
	if !r.Noise.Defined() {
		return ""
	}
	return decimal(100*float64(r.Noise), 1) + "%"
}

func verdictToneOf(v stats.Verdict) Tone {
	switch v {
	case stats.Worse:
		return Bad
	case stats.Better:
		return Good
	case stats.CannotTell:
		return Doubtful
	}
	return Plain
}

// verdictLine is the answer in words.
func verdictLine(c *compare.Comparison) string {
	counts := map[stats.Verdict]int{}
	gated := 0
	for _, r := range c.Results {
		counts[r.Verdict]++
		if r.Gated {
			gated++
		}
	}
	text := fmt.Sprintf("NEW against BASE: %s (%d worse, %d better, %d no difference, %d cannot tell",
		c.Verdict, counts[stats.Worse], counts[stats.Better], counts[stats.NoDifference], counts[stats.CannotTell])
	if gated < len(c.Results) {
		text += fmt.Sprintf("; %d of %d count", gated, len(c.Results))
	}
	return text + ")"
}

// A section is a headed list under the table.
type section struct {
	title string
	tone  Tone
	lines []string
}

// compareNotes are the lists under the table, empty ones left out.
func compareNotes(c *compare.Comparison) []section {
	var sections []section
	add := func(title string, t Tone, lines []string) {
		for i := range lines {
			lines[i] = outside.Line(lines[i])
		}
		if len(lines) > 0 {
			sections = append(sections, section{title, t, lines})
		}
	}
	if c.Moved != nil {
		add("What moved most", Plain, movedLines(c.Moved))
	}
	add("Why nothing can be told", Doubtful, reasons(c))
	add("What weakens the answer", Doubtful, conditionLines(c))
	add("What differs besides", Plain, differenceLines(c))
	add("Runs left out", Doubtful, LeftOutLines(c))
	var lines []string
	for _, u := range c.Unmatched {
		lines = append(lines, fmt.Sprintf("%s (%s): only in %s", orDash(u.Cell), Count(u.Runs, "run"), u.Side))
	}
	add("Cells without a counterpart", Doubtful, lines)
	return sections
}

// LeftOutLines name the runs without a say; many of one side for one reason
// are counted.
func LeftOutLines(c *compare.Comparison) []string {
	type group struct{ side, why string }
	runs := map[group][]string{}
	var order []group
	for _, l := range c.LeftOut {
		g := group{l.Side, l.Why}
		if runs[g] == nil {
			order = append(order, g)
		}
		runs[g] = append(runs[g], l.Dir)
	}
	const few = 3
	var lines []string
	for _, g := range order {
		dirs := runs[g]
		if len(dirs) > few {
			lines = append(lines, fmt.Sprintf("%s: %s, such as %s: %s", g.side, Count(len(dirs), "run"), dirs[0], g.why))
			continue
		}
		for _, dir := range dirs {
			lines = append(lines, fmt.Sprintf("%s %s: %s", g.side, dir, g.why))
		}
	}
	return lines
}

func movedLines(m *compare.Moved) []string {
	text := fmt.Sprintf("%s at %s: %s", m.Metric, orDash(m.Cell), percent(float64(m.Ratio)-1))
	if m.Metric == metrics.ErrorRate {
		text = fmt.Sprintf("%s at %s", m.Metric, orDash(m.Cell))
	}
	if !m.Sure {
		text += ", which may be chance"
	}
	return []string{text, fmt.Sprintf("where: %s", m.Text)}
}

// mostReasons keeps a list readable.
const mostReasons = 5

// mostAdvised runs a side are worth advising.
const mostAdvised = 100

// reasons says why results cannot be told: each reason once, with an example.
func reasons(c *compare.Comparison) []string {
	var lines []string
	worst, needs, unsettled := 0.0, 0, 0
	seen := map[string]int{}
	var order []string
	for _, r := range c.Results {
		switch {
		case r.Reason == "":
		case r.Needs > 0:
			unsettled++
			worst, needs = math.Max(worst, float64(r.Noise)), max(needs, r.Needs)
		default:
			if seen[r.Reason] == 0 {
				order = append(order, r.Reason)
			}
			seen[r.Reason]++
		}
	}
	if unsettled > 0 {
		text := fmt.Sprintf("%s: runs differ by up to %s%% among themselves", Count(unsettled, "result"), decimal(100*worst, 1))
		if needs <= mostAdvised {
			text += fmt.Sprintf("; about %d a side would settle all", needs)
		}
		lines = append(lines, text)
	}
	for i, reason := range order {
		if i == mostReasons {
			lines = append(lines, fmt.Sprintf("and %d reasons more", len(order)-i))
			break
		}
		lines = append(lines, fmt.Sprintf("%s: %s", Count(seen[reason], "result"), reason))
	}
	return lines
}

func conditionLines(c *compare.Comparison) []string {
	var lines []string
	for _, d := range c.Conditions {
		lines = append(lines, d.Text)
	}
	return lines
}

func differenceLines(c *compare.Comparison) []string {
	var lines []string
	for _, d := range c.Differences {
		text := fmt.Sprintf("%s: %s → %s", d.Key, d.Base, d.New)
		if len(d.Cells) > 0 {
			text += fmt.Sprintf(" (in %s, such as %s)", Count(len(d.Cells), "cell"), orDash(d.Cells[0]))
		}
		lines = append(lines, text)
	}
	return lines
}

func orDash(cell string) string {
	if cell == "" {
		return "the only cell"
	}
	return cell
}
