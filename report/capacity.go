package report

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"loadgen"
	"loadgen/metrics"
)

// A Capacity is what a cell bears within the limits of a tier.
type Capacity struct {
	Values []loadgen.Value // swept keys of the cell
	Tier   string          // empty for none
	// Unit is what loads are counted in, One of them.
	Unit, One string
	Status    string // found, no_fail, no_pass or open
	Limits    []metrics.Limit
	metrics.Fit
	Confidence         float64
	Tokens             float64 // per second near the capacity; NaN for not known
	PerGPU             float64 // likewise, and GPU; NaN or 0 for not known
	PassedAt, FailedAt metrics.Bound
	// Breaks is the limit that breaks first above it, at a load; nil for none.
	Breaks   *metrics.Margin
	BreaksAt float64
	// Confirmed by a fresh run, and refuted above by another.
	Confirmed, Refuted bool
	// Certified: both, the interval is no wider than the Precision, a share, and nothing
	// that was run contradicts it.
	Certified bool
	// Lacks is the benchmark_duration that a certificate needs; 0 where it was enough.
	Lacks     time.Duration
	Precision float64
	OpenLoop  *OpenLoop // nil for none
}

// Answer is the capacity in one sentence.
func (c *Capacity) Answer() string {
	var limits []string
	for _, l := range c.Limits {
		limits = append(limits, l.String())
	}
	within := " within " + strings.Join(limits, ", ")
	var text, more string
	switch c.Status {
	case "found":
		text = fmt.Sprintf("carries %s (%s)%s", c.loaded(c.Fit.Capacity), c.interval(), within)
	case "no_fail":
		text, more = fmt.Sprintf("carries at least %s%s", c.loaded(c.Fit.Capacity), within), "; no load that was tried broke a limit"
	case "no_pass":
		text = fmt.Sprintf("does not carry even the least load that was tried%s", within)
	default:
		return c.open(within)
	}
	if !math.IsNaN(c.Tokens) && c.Status != "no_pass" {
		text += fmt.Sprintf(": %s tokens/s", decimal(c.Tokens, 0))
		if c.PerGPU > 0 {
			text += fmt.Sprintf(", %s per GPU", decimal(c.PerGPU, 0))
		}
	}
	text += more
	if c.Breaks != nil {
		text += fmt.Sprintf("; at %s %s breaks first", loadNumber(c.BreaksAt), subjectOf(c.Breaks.Limit))
	}
	switch {
	case c.Status != "found":
	case !c.Confirmed:
		text += "; not confirmed by a fresh run"
	case !c.Refuted:
		text += "; no fresh run above it failed"
	case c.Certified:
	case c.FailedAt <= c.Capacity:
		text += fmt.Sprintf("; not certified: what was run at %s failed", loadNumber(float64(c.FailedAt)))
	case c.PassedAt > c.Upper:
		text += fmt.Sprintf("; not certified: what was run at %s passed", loadNumber(float64(c.PassedAt)))
	case c.Lacks > 0: // told below
		text += "; not certified"
	default:
		text += fmt.Sprintf("; not certified: the interval is wider than %s %%", strconv.FormatFloat(100*c.Precision, 'g', 4, 64))
	}
	if c.Lacks > 0 {
		text += fmt.Sprintf("; for a certificate arrivals like these need benchmark_duration: %s, or a coarser precision", strconv.FormatFloat(c.Lacks.Seconds(), 'g', -1, 64))
	}
	return text
}

// open says how far an answer is that was not found.
func (c *Capacity) open(within string) string {
	low, high := c.PassedAt.Known(), c.FailedAt.Known()
	switch {
	case low && high:
		return fmt.Sprintf("carries %s and not %s%s: the search did not come to its end", c.loaded(c.PassedAt), loadNumber(float64(c.FailedAt)), within)
	case low:
		return fmt.Sprintf("carries at least %s%s: the search did not come to its end", c.loaded(c.PassedAt), within)
	case high:
		return fmt.Sprintf("does not carry %s%s: the search did not come to its end", c.loaded(c.FailedAt), within)
	}
	return "is not known" + within + ": the search did not come to its end"
}

func (c *Capacity) interval() string {
	lower, upper := "0", "open"
	if c.Lower.Known() {
		lower = loadNumber(float64(c.Lower))
	}
	if c.Upper.Known() {
		upper = loadNumber(float64(c.Upper))
	}
	return fmt.Sprintf("%s to %s, %s %%", lower, upper, strconv.FormatFloat(100*c.Confidence, 'g', 4, 64))
}

// loaded writes a load with its unit.
func (c *Capacity) loaded(v metrics.Bound) string {
	unit := c.Unit
	if v == 1 {
		unit = c.One
	}
	return loadNumber(float64(v)) + " " + unit
}

// loadNumber writes a load with its thousands apart, and four digits of one that
// is not whole.
func loadNumber(v float64) string {
	if v == math.Trunc(v) {
		return decimal(v, 0)
	}
	return strconv.FormatFloat(v, 'g', 4, 64)
}

// subjectOf is a limit's metric without its statistic, as one says it.
func subjectOf(l metrics.Limit) string {
	text, _, _ := strings.Cut(l.Subject(), " p")
	return strings.TrimSuffix(text, " avg")
}

// CapacityText returns the answers of a search, a line each, and what is to be
// known beside them.
func CapacityText(answers []Capacity, notes []string, o Options) string {
	var sentences []string
	for i := range answers {
		c := &answers[i]
		var name []string
		for _, v := range c.Values {
			name = append(name, fmt.Sprintf("%s %v", v.Key, v.Value))
		}
		if c.Tier != "" {
			name = append(name, c.Tier)
		}
		text := c.Answer()
		if len(name) > 0 {
			text = strings.Join(name, ", ") + ": " + text
		}
		sentences = append(sentences, text)
	}
	return AnswersText(sentences, notes, o)
}

// AnswersText returns answers that are in words already, and their notes.
func AnswersText(sentences, notes []string, o Options) string {
	var b strings.Builder
	for _, text := range sentences {
		b.WriteString(o.paint(Strong, o.wrap(2, text)) + "\n")
	}
	for _, note := range notes {
		b.WriteString(o.paint(Faint, o.wrap(2, "note: "+note)) + "\n")
	}
	return b.String()
}
