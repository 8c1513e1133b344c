package report

import (
	"fmt"
	"strings"

	"loadgen/analyze"
)

// SizingText says how much load a sweep's endpoint bears: a sentence for each
// target with its interval, the shape of the curve and how well it fits, and
// what weakens the answers.
func SizingText(r *analyze.SizingReport, o Options) string {
	var b strings.Builder
	line := func(t Tone, indent int, text string) {
		b.WriteString(o.paint(t, o.wrap(indent, strings.Repeat(" ", indent)+text)) + "\n")
	}
	for i, a := range r.Answers {
		text := a.Text
		if a.Interval != nil {
			text += ", 95 % interval " + strings.TrimSpace(interval(a.Interval)+" "+a.LoadUnit)
		}
		if i == r.Binding && len(r.Answers) > 1 {
			text += "; this target binds"
		}
		t := Plain
		if a.Reach == analyze.SizingUnreachable {
			t = Bad
		}
		line(t, 2, text)
		if a.Fit.Points > 0 {
			line(Faint, 4, shape(&a.Fit, a.Knee, a.LoadUnit))
		}
	}
	for _, note := range r.Notes {
		line(Doubtful, 2, "- "+note)
	}
	return b.String()
}

func interval(i *analyze.SizingInterval) string {
	low, high := Amount(i.Low), Amount(i.High)
	if i.OpenLow {
		low = "below the lowest tested"
	}
	if i.OpenHigh {
		high += " or more"
	}
	return low + " to " + high
}

func shape(f *analyze.KneeFit, knee *analyze.SizingInterval, unit string) string {
	text := fmt.Sprintf("%s over %s", f.Shape, Count(f.Points, "run"))
	if f.Knee > 0 {
		text += strings.TrimSpace(", knee at " + Amount(f.Knee) + " " + unit)
		if knee != nil {
			text += " (" + interval(knee) + ")"
		}
	}
	if f.RSquared != nil && f.Shape != analyze.KneeFlat {
		text += ", R² " + decimal(*f.RSquared, 3)
	}
	return text
}

// ForecastText says how well each quantity of the next call can be forecast.
func ForecastText(f *analyze.Forecast, o Options) string {
	if f.Note != "" {
		return o.paint(Doubtful, o.wrap(2, "  "+f.Note)) + "\n"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "  learned from %s, judged by %d others\n", Count(f.Sessions-f.HeldOut, "session"), f.HeldOut)
	for _, t := range f.Targets {
		tone := Good
		if t.Best == analyze.ForecastMedian {
			tone = Faint
		}
		b.WriteString(o.paint(tone, o.wrap(4, "  "+t.Name+": "+t.Note)) + "\n")
	}
	return b.String()
}
