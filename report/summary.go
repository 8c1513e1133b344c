package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"loadgen"
	"loadgen/metrics"
)

// A Verdict says whether a run's numbers can be trusted, and why not.
type Verdict struct {
	Invalid bool
	Reasons []string // a sentence each
}

// A Warning weakens the number of one metric, or the whole run where Tag is
// empty.
type Warning struct {
	Tag  string // AIPerf's tag of the metric
	Text string
}

// A Failures is how often a kind of failure was met, with one of them.
type Failures struct {
	Kind    loadgen.FailureKind
	Count   int
	Example string // the message of the first
}

// A Run is what is shown of one finished cell.
type Run struct {
	Values   []loadgen.Value // swept keys; empty for a batch without sweeps
	Dir      string          // where its files lie
	Metrics  []metrics.Metric
	Verdict  Verdict
	Warnings []Warning
	Failures []Failures
}

// Name returns the run's swept values as key=value, "run" where nothing was
// swept.
func (r *Run) Name() string {
	if len(r.Values) == 0 {
		return "run"
	}
	parts := make([]string, len(r.Values))
	for i, v := range r.Values {
		parts[i] = fmt.Sprintf("%s=%v", v.Key, v.Value)
	}
	return strings.Join(parts, " ")
}

// metric returns the metric of a tag, nil where the run has none.
func (r *Run) metric(tag string) *metrics.Metric {
	i := slices.IndexFunc(r.Metrics, func(m metrics.Metric) bool { return m.Tag == tag })
	if i < 0 {
		return nil
	}
	return &r.Metrics[i]
}

// Text returns a run as text: the table of its metrics with the warnings
// below it, what failed, and the verdict.
func (r *Run) Text(o Options) string {
	var b strings.Builder
	b.WriteString(o.paint(strong, r.Name()) + "\n")
	marks, notes := footnotes(r.Warnings)
	b.WriteString(metricTable(r.Metrics, marks, o))
	for i, note := range notes {
		fmt.Fprintf(&b, "%s\n", o.paint(doubtful, o.wrap(5, fmt.Sprintf("%4s %s", mark(i+1), note))))
	}
	for _, w := range r.Warnings {
		if w.Tag == "" {
			fmt.Fprintf(&b, "%s\n", o.paint(doubtful, o.wrap(5, "  !  "+w.Text)))
		}
	}
	b.WriteString(failureTable(r.Failures, o))
	b.WriteString(r.Verdict.text(o))
	return b.String()
}

func (v Verdict) text(o Options) string {
	if !v.Invalid && len(v.Reasons) == 0 {
		return o.paint(good, "VALID") + "\n"
	}
	word, t := "VALID, with reserve", doubtful
	if v.Invalid {
		word, t = "INVALID", bad
	}
	text := o.paint(t, word) + "\n"
	for _, reason := range v.Reasons {
		text += o.wrap(4, "  - "+reason) + "\n"
	}
	return text
}

// metricColumns are AIPerf's, in its order; the outer ones go first where the
// width does not suffice.
var metricColumns = []struct {
	column
	of func(*metrics.Stats) float64
}{
	{column{head: "avg"}, func(s *metrics.Stats) float64 { return s.Avg }},
	{column{head: "min", rank: 2}, func(s *metrics.Stats) float64 { return s.Min }},
	{column{head: "max", rank: 1}, func(s *metrics.Stats) float64 { return s.Max }},
	{column{head: "p99"}, func(s *metrics.Stats) float64 { return s.P99 }},
	{column{head: "p90", rank: 1}, func(s *metrics.Stats) float64 { return s.P90 }},
	{column{head: "p50"}, func(s *metrics.Stats) float64 { return s.P50 }},
	{column{head: "std", rank: 3}, func(s *metrics.Stats) float64 { return s.Std }},
}

// metricTable draws the metrics that have a place in AIPerf's console, in its
// order. marks are the footnotes of a tag.
func metricTable(all []metrics.Metric, marks map[string]string, o Options) string {
	g := grid{columns: []column{{head: "Metric", left: true}}}
	for _, c := range metricColumns {
		g.columns = append(g.columns, c.column)
	}
	shown := slices.DeleteFunc(slices.Clone(all), func(m metrics.Metric) bool { return m.Console == 0 })
	slices.SortStableFunc(shown, func(a, b metrics.Metric) int { return cmp.Compare(a.Console, b.Console) })
	for _, m := range shown {
		g.rows = append(g.rows, metricRow(m, marks[m.Tag]))
	}
	if len(g.rows) == 0 {
		return o.paint(bad, "no metrics: no request succeeded") + "\n"
	}
	text, dropped := g.draw(o)
	return text + leftOut(dropped, o)
}

func metricRow(m metrics.Metric, mark string) []string {
	name := m.Header
	if m.Unit != "" {
		gap := " "
		if len(m.Header) > 30 {
			gap = "\n" // as AIPerf breaks it
		}
		name += gap + "(" + m.Unit + ")"
	}
	if mark != "" {
		name += " " + mark
	}
	row := []string{name}
	for i, c := range metricColumns {
		switch {
		case m.Stats != nil:
			row = append(row, decimal(c.of(m.Stats), 2))
		case i == 0 && m.Value != nil && m.Integer:
			row = append(row, decimal(*m.Value, 0))
		case i == 0 && m.Value != nil:
			row = append(row, decimal(*m.Value, 2))
		default:
			row = append(row, absent)
		}
	}
	return row
}

// failureTable draws what failed, the most frequent kind first; empty when
// nothing did.
func failureTable(all []Failures, o Options) string {
	if len(all) == 0 {
		return ""
	}
	sorted := slices.SortedStableFunc(slices.Values(all), func(a, b Failures) int {
		return cmp.Compare(b.Count, a.Count)
	})
	g := grid{
		columns: []column{{head: "Failure", left: true}, {head: "Count"}, {head: "Example", left: true}},
		tone:    func(int, int) tone { return bad },
	}
	kind, number := len("Failure"), len("Count")
	for _, f := range sorted {
		kind = max(kind, len(f.Kind))
		number = max(number, len(decimal(float64(f.Count), 0)))
	}
	frame := kind + number + 8 // borders and padding
	for _, f := range sorted {
		example := f.Example
		if o.Width > frame+10 {
			example = Options{Width: o.Width - frame}.wrap(0, example)
		}
		g.rows = append(g.rows, []string{string(f.Kind), decimal(float64(f.Count), 0), example})
	}
	text, _ := g.draw(o)
	return text
}

// footnotes numbers the warnings that belong to a metric: the marks by tag,
// and the notes in the order of their numbers. The same text is said once.
func footnotes(warnings []Warning) (marks map[string]string, notes []string) {
	marks = map[string]string{}
	for _, w := range warnings {
		if w.Tag == "" {
			continue
		}
		i := slices.Index(notes, w.Text)
		if i < 0 {
			i, notes = len(notes), append(notes, w.Text)
		}
		if !strings.Contains(marks[w.Tag], mark(i+1)) {
			marks[w.Tag] += mark(i + 1)
		}
	}
	return marks, notes
}

func mark(n int) string { return fmt.Sprintf("[%d]", n) }

func leftOut(dropped []string, o Options) string {
	if len(dropped) == 0 {
		return ""
	}
	return o.paint(faint, o.wrap(1, " left out for want of width: "+strings.Join(dropped, ", "))) + "\n"
}
