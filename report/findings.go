package report

import (
	"fmt"
	"strings"

	"loadgen/analyze"
)

// FindingsText lists findings in their order: what was found and what it
// costs, how sure that is and who can change it, the numbers it rests on and
// what to try.
func FindingsText(findings []analyze.Finding, o Options) string {
	var b strings.Builder
	for i, f := range findings {
		if i > 0 {
			b.WriteString("\n")
		}
		head := fmt.Sprintf("%2d. %s", i+1, f.Title)
		b.WriteString(o.paint(Strong, o.wrap(4, head)) + "\n")
		b.WriteString("    " + o.paint(confidenceTone(f.Confidence), o.wrap(4, Standing(&f))) + "\n")
		for _, e := range f.Evidence {
			b.WriteString(o.wrap(8, "      - "+EvidenceLine(e)) + "\n")
		}
		for _, try := range f.Try {
			b.WriteString(o.wrap(11, "      try: "+try) + "\n")
		}
	}
	return b.String()
}

// Standing says how sure a finding is, who can change it and what it costs.
func Standing(f *analyze.Finding) string {
	parts := []string{string(f.Confidence) + " confidence"}
	if f.Control != "" {
		parts = append(parts, "controllable by: "+string(f.Control))
	}
	if f.Seconds.Defined() && f.Seconds >= 0.05 {
		parts = append(parts, "costs "+decimal(float64(f.Seconds), 1)+" s over all requests")
	}
	if f.Tokens.Defined() && f.Tokens > 0 {
		parts = append(parts, decimal(float64(f.Tokens), 0)+" tokens need not be computed")
	}
	return strings.Join(parts, "; ")
}

// EvidenceLine is a number that a finding rests on, in words.
func EvidenceLine(e analyze.Evidence) string {
	text := e.What + ": " + Amount(float64(e.Value))
	if e.Unit != "" && e.Unit != "count" {
		text += " " + e.Unit
	}
	if e.Where != "" {
		text += " (" + e.Where + ")"
	}
	return text
}

func confidenceTone(c analyze.Confidence) Tone {
	switch c {
	case analyze.High:
		return Bad // the surest trouble is the loudest
	case analyze.Medium:
		return Doubtful
	}
	return Faint
}
