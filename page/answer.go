package page

import (
	"fmt"
	"slices"
	"strings"

	"loadgen"
	"loadgen/metrics"
	"loadgen/report"
	"loadgen/results"
)

// An answer is a sentence at the head of a page, with how much it is to be
// relied on: good, doubtful or bad.
type answer struct{ Tone, Text string }

// answers are what a batch comes to: what it carries, or the best of its runs,
// what changed since the baseline, and what weakens it.
func (b *Batch) answers() []answer {
	var out []answer
	for _, c := range b.Capacities {
		for _, t := range c.Tiers {
			text := t.Answer
			if t.Name != "" {
				text = t.Name + ": " + text
			}
			if len(b.Capacities) > 1 {
				text = named(c.Cell.Values) + ": " + text
			}
			out = append(out, answer{foundTone(&t), sentence(text)})
		}
	}
	switch {
	case len(b.Capacities) > 0:
	case b.Runs[0].Probe:
		out = append(out, answer{"bad", "The search has not come to an answer."})
	default:
		out = append(out, b.best())
	}
	if c := b.Comparison; c != nil {
		out = append(out, c.answer())
	}
	return append(out, b.standing())
}

// foundTone says how far the answer of a search is to be relied on.
func foundTone(t *results.CapacityTier) string {
	switch {
	case t.Status == "no_fail" || t.Found() && t.Certified:
		return ""
	case t.Found():
		return "doubtful"
	}
	return "bad"
}

// best says what the run that carried most came to.
func (b *Batch) best() answer {
	at, measure := report.Best(b.shown())
	if len(b.Runs) == 1 {
		at = 0
	}
	if at < 0 {
		return answer{"bad", "No run is fit to be called the best: see the verdicts."}
	}
	r := b.Runs[at]
	if r.Summary == nil {
		return answer{"bad", sentence("The run has no figures: " + cut(r.Failed, 300))}
	}
	var parts []string
	for _, f := range []metrics.Figure{measure, {Tag: "request_throughput", Stat: "avg"}, {Tag: "time_to_first_token", Stat: "p99"}, {Tag: "inter_token_latency", Stat: "p99"}, {Tag: "request_latency", Stat: "p99"}} {
		if v, ok := r.figure(f); ok && !slices.Contains(parts, phrase(f, v)) {
			parts = append(parts, phrase(f, v))
		}
	}
	if len(parts) == 0 {
		return answer{"bad", "Nothing was measured."}
	}
	if len(b.Runs) == 1 {
		return answer{"", "Measured: " + strings.Join(parts, ", ") + "."}
	}
	of := figureNames[measure.Tag]
	if r.Foreign {
		return answer{"", fmt.Sprintf("The most %s has %s: %s.", strings.ToLower(of), r.Name(), strings.Join(parts, ", "))}
	}
	return answer{"", fmt.Sprintf("The most %s of the runs to be relied on has %s: %s.", strings.ToLower(of), r.Name(), strings.Join(parts, ", "))}
}

// phrase is a figure in words: TTFT p99 46.7 ms.
func phrase(f metrics.Figure, v float64) string {
	unit := strings.ReplaceAll(f.Unit(), "/sec", "/s")
	amount := number(v)
	switch f.Tag {
	case "time_to_first_token":
		return "TTFT " + f.Stat + " " + amount + " " + unit
	case "inter_token_latency":
		return "ITL " + f.Stat + " " + amount + " " + unit
	case "request_latency":
		return "latency " + f.Stat + " " + amount + " " + unit
	case "goodput":
		return amount + " good " + unit
	}
	return amount + " " + unit
}

// standing says how far the runs are to be relied on.
func (b *Batch) standing() answer {
	if !slices.ContainsFunc(b.Runs, func(r *Run) bool { return !r.Foreign || r.invalid() }) {
		return answer{"doubtful", "AIPerf gives no verdict: how far the figures are to be relied on is not known."}
	}
	counts := map[string]int{}
	var order []string
	for _, r := range b.Runs {
		s := r.standing()
		if counts[s] == 0 {
			order = append(order, s)
		}
		counts[s]++
	}
	if len(b.Runs) == 1 {
		return answer{toneOf(b.Runs[0]), "The run is " + order[0] + "."}
	}
	var parts []string
	tone := "good"
	for _, s := range order {
		parts = append(parts, fmt.Sprintf("%d %s", counts[s], s))
	}
	for _, r := range b.Runs {
		switch t := toneOf(r); {
		case t == "bad":
			tone = t
		case t == "doubtful" && tone == "good":
			tone = t
		}
	}
	return answer{tone, "Of " + report.Count(len(b.Runs), "run") + ": " + strings.Join(parts, ", ") + "."}
}

func toneOf(r *Run) string {
	switch {
	case r.Foreign && !r.invalid():
		return ""
	case r.Skipped != "" || r.Status == loadgen.Interrupted && !r.invalid():
		return "doubtful"
	case r.invalid():
		return "bad"
	case r.Summary.Validity.Verdict == metrics.Degraded || len(r.Missed) > 0:
		return "doubtful"
	}
	return "good"
}

func (b *Batch) shown() []*report.Run {
	var runs []*report.Run
	for _, r := range b.Runs {
		runs = append(runs, &r.Run)
	}
	return runs
}

// sentence begins with a capital letter and ends with a stop.
func sentence(text string) string {
	if text == "" {
		return ""
	}
	text = strings.ToUpper(text[:1]) + text[1:]
	if !strings.HasSuffix(text, ".") {
		text += "."
	}
	return text
}
