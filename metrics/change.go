package metrics

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// A Change is a change of a figure by so much or more, as a rule names it.
type Change struct {
	Figure Figure
	// Falls says that the figure falls by so much; else it rises.
	Falls bool
	// By is a share above 0: 0.05 for 5 %; of the error rate a share of all
	// requests.
	By float64
}

// WorseBy is a change of a figure for the worse.
func WorseBy(f Figure, by float64) Change { return Change{f, f.Larger(), by} }

// ParseChange reads a change such as "time_to_first_token.p95 > +5%" or
// "output_token_throughput < -3%".
func ParseChange(text string) (Change, error) {
	at := strings.IndexAny(text, "<>")
	if at < 0 {
		return Change{}, fmt.Errorf("rule %q: write METRIC.STATISTIC > +N%% or < -N%%", text)
	}
	figure, err := ParseFigure(text[:at])
	if err != nil {
		return Change{}, fmt.Errorf("rule %q: %w", text, err)
	}
	limit := strings.TrimSpace(strings.TrimPrefix(text[at+1:], "="))
	by, err := ParsePercent(strings.TrimPrefix(limit, "+"))
	if err != nil {
		return Change{}, fmt.Errorf("rule %q: %w", text, err)
	}
	c := Change{figure, text[at] == '<', by}
	if c.Falls {
		c.By = -by
	}
	if fault := c.fault(); fault != "" {
		return Change{}, fmt.Errorf("rule %q: %s", text, fault)
	}
	return c, nil
}

// fault says what is wrong with a change; empty for nothing.
func (c Change) fault() string {
	switch {
	case c.By <= 0 && c.Falls:
		return "< needs a fall, such as -5%"
	case c.By <= 0:
		return "> needs a rise, such as +5%"
	case c.Falls && c.Figure.Tag == ErrorRate:
		return "fewer errors fail nothing"
	case c.Falls && c.By >= 1:
		return "nothing falls by 100% or more"
	}
	return ""
}

// String is the change as ParseChange reads it.
func (c Change) String() string {
	sign, by := "> +", strconv.FormatFloat(100*c.By, 'g', 10, 64)
	if c.Falls {
		sign = "< -"
	}
	return c.Figure.String() + " " + sign + by + "%"
}

// ParsePercent reads 5% or -5% as a share of 1; the sign of per cent must be
// there.
func ParsePercent(text string) (float64, error) {
	number, found := strings.CutSuffix(strings.TrimSpace(text), "%")
	v, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	if !found || err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
		return 0, fmt.Errorf("%q is no percentage such as 5%%", text)
	}
	return v / 100, nil
}
