package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"charm.land/lipgloss/v2"

	"loadgen"
	"loadgen/internal/outside"
	"loadgen/metrics"
)

// A Run is a finished cell and what it came to.
type Run struct {
	Values  []loadgen.Value // swept keys; empty for a batch without sweeps
	Repeat  int             // which run of its cell, from 1; 0 where it has but one
	Probe   bool            // of a search, whose answer says what is best
	Summary *metrics.Summary
	Failed  string   // why the run failed; empty for one that did not
	Skipped string   // why it was not made; empty for one that was
	Missed  []string // the stated limits that it missed
}

// Name returns the run's swept values as key=value, "run" where nothing was
// swept.
func (r *Run) Name() string {
	if len(r.Values) == 0 && r.Repeat == 0 {
		return "run"
	}
	parts := make([]string, len(r.Values))
	for i, v := range r.Values {
		parts[i] = fmt.Sprintf("%s=%v", v.Key, v.Value)
	}
	if r.Repeat > 0 {
		parts = append(parts, fmt.Sprintf("%s %d", r.number(), r.Repeat))
	}
	return outside.Line(strings.Join(parts, " "))
}

// number is what the number of a run counts.
func (r *Run) number() string {
	if r.Probe {
		return "probe"
	}
	return "repeat"
}

// Text returns a run as text: the table of its metrics, what failed, how the
// requests add up, and the verdict with all that weakens the numbers.
func (r *Run) Text(o Options) string {
	s := r.Summary
	var b strings.Builder
	b.WriteString(o.paint(Strong, r.Name()) + "\n")
	if r.Skipped != "" {
		return b.String() + o.paint(Doubtful, o.wrap(2, "skipped: "+r.Skipped)) + "\n"
	}
	if r.empty() {
		return b.String() + r.troubles(o)
	}
	b.WriteString(metricTable(s, o))
	b.WriteString(failureTable(s.Errors, o))
	b.WriteString(o.wrap(1, " "+tally(&s.Counts)) + "\n")
	if s.Loaded != nil {
		b.WriteString(o.wrap(1, " "+achieved("under load", s.Loaded)) + "\n")
	}
	if s.Steady != nil {
		b.WriteString(o.wrap(1, " "+achieved("steady", s.Steady)) + "\n")
	}
	if made := WorkersLine(s.Workers); made != "" {
		b.WriteString(o.wrap(1, " "+made) + "\n")
	}
	for _, line := range asides(s) {
		b.WriteString(o.wrap(1, " "+line) + "\n")
	}
	for _, line := range serverLines(s) {
		b.WriteString(o.wrap(1, " "+line) + "\n")
	}
	for _, c := range s.Certificates {
		b.WriteString(o.wrap(1, " "+c.String()) + "\n")
	}
	b.WriteString(verdict(s, o))
	b.WriteString(r.troubles(o))
	return b.String()
}

// empty reports whether nothing was measured.
func (r *Run) empty() bool {
	return r.Summary == nil || r.Failed != "" && r.Summary.Counts.Issued == 0 && len(r.Summary.Metrics) == 0
}

// troubles says that a run failed, and which stated limits it missed.
func (r *Run) troubles(o Options) string {
	text := ""
	if r.Failed != "" {
		text += o.paint(Bad, o.wrap(2, "FAILED: "+r.Failed)) + "\n"
	}
	for _, limit := range r.Missed {
		text += o.paint(Bad, o.wrap(2, "MISSED: "+limit)) + "\n"
	}
	return text
}

// Line says in one line what a run came to: its main figures, what failed, the
// verdict and the stated limits that it missed.
func (r *Run) Line() string {
	if r.Skipped != "" {
		return "skipped: " + outside.Line(r.Skipped)
	}
	var parts []string
	if !r.empty() {
		for _, m := range mainMetrics([]*Run{r}) {
			if v, ok := m.value(r); ok {
				name, unit, _ := strings.Cut(m.head, "\n")
				parts = append(parts, fmt.Sprintf("%s %s %s", name, decimal(v, m.decimals), strings.Trim(unit, "()")))
			}
		}
		if c := &r.Summary.Counts; c.Failed > 0 {
			parts = append(parts, failedShare(c)+" failed")
		}
		if r.Failed == "" {
			parts = append(parts, r.standing())
		}
	}
	if r.Failed != "" {
		parts = append(parts, "FAILED: "+outside.Line(r.Failed))
	}
	for _, limit := range r.Missed {
		parts = append(parts, "MISSED: "+outside.Line(limit))
	}
	return strings.Join(parts, ", ")
}

// standing is the run's place in the column of verdicts.
func (r *Run) standing() string {
	switch {
	case r.Skipped != "":
		return "skipped"
	case r.Failed != "" || r.Summary == nil:
		return "FAILED"
	}
	return string(r.Summary.Validity.Verdict)
}

// asides say why a figure is missing, and which of several counts a figure is.
func asides(s *metrics.Summary) []string {
	var lines []string
	if s.Counts.OK > 0 && s.Sources.NotStreamed == s.Counts.OK {
		lines = append(lines, "no time to the first token and between tokens: the answers were not streamed (streaming: true asks for it)")
	}
	return append(lines, promptLengths(s)...)
}

// promptLengths tells the lengths of prompts apart where they differ: of their
// text, with the chat template, and as the server counts.
func promptLengths(s *metrics.Summary) []string {
	text, server := s.Metric("input_sequence_length"), s.Metric("usage_prompt_tokens")
	if text == nil || server == nil || text.Stats == nil || server.Stats == nil || text.Stats.Count != server.Stats.Count || text.Stats.Avg == server.Stats.Avg {
		return nil
	}
	const line = "prompts have %s tokens of text on average (the Input Sequence Length), %s%s by the server's count"
	if more := s.Sources.TemplateTokens; more > 0 {
		return []string{fmt.Sprintf(line, decimal(text.Stats.Avg, 1), decimal(text.Stats.Avg+more, 1)+" with the chat template, ", decimal(server.Stats.Avg, 1))}
	}
	return []string{fmt.Sprintf(line+", chat template included", decimal(text.Stats.Avg, 1), "", decimal(server.Stats.Avg, 1))}
}

// tally says how the requests of a run add up.
func tally(c *metrics.Counts) string {
	text := fmt.Sprintf("%s: %s ok, %s failed, %s cancelled", Count(c.Issued, "request"),
		decimal(float64(c.OK), 0), decimal(float64(c.Failed), 0), decimal(float64(c.Cancelled), 0))
	for _, more := range []struct {
		n    int
		text string
	}{
		{c.Lost, "lost"},
		{c.Missed, "due but never sent"},
		{c.Ramp, "sent while a ramp was climbing"},
		{c.Warmup, "of warm-up before"},
	} {
		if more.n > 0 {
			text += fmt.Sprintf(", %s %s", decimal(float64(more.n), 0), more.text)
		}
	}
	return text
}

// achieved says what was achieved in a window: AIPerf's throughput above has the
// drain in its time, and ends with the last success.
func achieved(when string, w *metrics.Window) string {
	text := fmt.Sprintf("%s from %s to %s s: %s requests/s", when, decimal(w.From, 1), decimal(w.To, 1), decimal(w.RequestThroughput, 2))
	if w.TokenThroughput != nil {
		text += fmt.Sprintf(", %s tokens/s", decimal(*w.TokenThroughput, 1))
	}
	return text + fmt.Sprintf(", %s in flight", decimal(w.InFlight, 1))
}

// verdict says whether the numbers can be trusted and why not.
func verdict(s *metrics.Summary, o Options) string {
	text := o.paint(verdictTone(s.Validity.Verdict), string(s.Validity.Verdict)) + "\n"
	var lines []string
	for _, reason := range s.Validity.Reasons {
		lines = append(lines, reason.Text)
	}
	lines = append(lines, s.Validity.Notes...)
	if s.NoSteady != "" {
		lines = append(lines, "no steady state: "+s.NoSteady)
	}
	if s.Cancelled {
		lines = append(lines, "cancelled before its end: not to be compared with complete runs")
	}
	for _, line := range lines {
		text += o.paint(Doubtful, o.wrap(4, "  - "+line)) + "\n"
	}
	return text
}

func verdictTone(v metrics.Verdict) Tone {
	switch v {
	case metrics.Valid:
		return Good
	case metrics.Invalid:
		return Bad
	}
	return Doubtful
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

// weakMark stands before a percentile that the sample is too small for.
const weakMark = "~"

// metricTable draws the metrics that have a place in AIPerf's console, in its
// order.
func metricTable(s *metrics.Summary, o Options) string {
	g := grid{columns: []column{{head: "Metric", left: true}}}
	for _, c := range metricColumns {
		g.columns = append(g.columns, c.column)
	}
	shown := slices.DeleteFunc(slices.Clone(s.Metrics), func(m metrics.Metric) bool { return m.Console == 0 })
	slices.SortStableFunc(shown, func(a, b metrics.Metric) int { return cmp.Compare(a.Console, b.Console) })
	for _, m := range shown {
		g.rows = append(g.rows, metricRow(m, s.Weak[m.Tag], o))
	}
	if len(g.rows) == 0 {
		return o.paint(Bad, "no metrics: no request succeeded") + "\n"
	}
	weak := func(row, column int) bool { return strings.HasPrefix(g.rows[row][column], weakMark) }
	g.tone = func(row, column int) Tone {
		if weak(row, column) {
			return Doubtful
		}
		return Plain
	}
	text, dropped := g.draw(o)
	if strings.Contains(text, " "+weakMark) {
		text += o.paint(Doubtful, o.wrap(1, " "+weakMark+" too few values: p90 needs 10, p95 20, p99 100")) + "\n"
	}
	return text + leftOut(dropped, o)
}

// metricRow returns a metric's cells; weak names the percentiles that its
// sample is too small for.
func metricRow(m metrics.Metric, weak []string, o Options) []string {
	name := m.Header
	if m.Unit != "" {
		gap := " "
		if len(m.Header) > 30 {
			gap = "\n" // as AIPerf breaks it
		}
		name += gap + "(" + m.Unit + ")"
	}
	if narrow := 26; o.Width > 0 && o.Width < 80 {
		name = Options{Width: narrow}.wrap(0, name)
	}
	row := []string{name}
	for i, c := range metricColumns {
		cell := absent
		switch {
		case m.Stats != nil:
			if cell = decimal(c.of(m.Stats), 2); cell != absent && slices.Contains(weak, c.head) {
				cell = weakMark + cell
			}
		case i == 0 && m.Value != nil && m.Integer:
			cell = decimal(*m.Value, 0)
		case i == 0 && m.Value != nil:
			cell = decimal(*m.Value, 2)
		}
		row = append(row, cell)
	}
	return row
}

// failureTable draws what failed, with one example of each kind; empty when
// nothing did.
func failureTable(errors []metrics.Error, o Options) string {
	if len(errors) == 0 {
		return ""
	}
	g := grid{
		columns: []column{{head: "Failure", left: true}, {head: "Status"}, {head: "Count"}, {head: "Example", left: true}},
		tone:    func(int, int) Tone { return Bad },
	}
	for _, e := range errors {
		status := ""
		if e.Status > 0 {
			status = fmt.Sprint(e.Status)
		}
		g.rows = append(g.rows, []string{string(e.Kind), status, decimal(float64(e.Count), 0), ""})
	}
	frame := lipgloss.Width(g.render([]int{0, 1, 2, 3}, Options{})) - len("Example")
	for i, e := range errors {
		g.rows[i][3] = e.Message
		if o.Width > 0 {
			g.rows[i][3] = Options{Width: max(10, o.Width-frame)}.wrap(0, e.Message)
		}
	}
	text, _ := g.draw(o)
	return text
}

func leftOut(dropped []string, o Options) string {
	if len(dropped) == 0 {
		return ""
	}
	return o.paint(Faint, o.wrap(1, " left out for want of width: "+strings.Join(dropped, ", "))) + "\n"
}
