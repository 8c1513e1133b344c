package compare

import (
	"errors"
	"fmt"
	"slices"

	"loadgen/metrics"
)

// Asked is what a user asks of a comparison, in the words of the command line.
type Asked struct {
	Margin  string   // the least change that matters, such as 5%; empty for the default
	FailOn  []string // rules as [ParseCompareRule] reads them; none for the defaults
	Metrics []string // figures to show besides
}

// Rules are what to compare, each figure once: the main figures, those to show
// and those to fail on. The error joins those of all faults.
func (a Asked) Rules() ([]CompareRule, error) {
	rules := DefaultCompareRules()
	if a.Margin != "" {
		margin, err := metrics.ParsePercent(a.Margin)
		if err != nil || margin <= 0 {
			return nil, fmt.Errorf("--margin %s: give a percentage above 0, such as 5%%", a.Margin)
		}
		for i := range rules {
			if rules[i].Figure.Tag != metrics.ErrorRate {
				rules[i].Margin = margin
			}
		}
	}
	if len(a.FailOn) > 0 {
		for i := range rules {
			rules[i].Gated = false
		}
	}
	var errs []error
	for _, text := range a.Metrics {
		figure, err := metrics.ParseFigure(text)
		if err != nil {
			errs = append(errs, fmt.Errorf("--metric: %w", err))
			continue
		}
		rules = WithFigure(rules, figure)
	}
	for _, text := range a.FailOn {
		rule, err := ParseCompareRule(text)
		if err != nil {
			errs = append(errs, fmt.Errorf("--fail-on: %w", err))
			continue
		}
		rules = withRule(rules, rule, true)
	}
	return rules, errors.Join(errs...)
}

// WithFigure adds a figure that is shown and decides nothing, unless there is a
// rule of it.
func WithFigure(rules []CompareRule, figure metrics.Figure) []CompareRule {
	shown := RuleFor(figure)
	shown.Gated = false
	return withRule(rules, shown, false)
}

// withRule adds a rule; one of the same figure is replaced if asked for.
func withRule(rules []CompareRule, rule CompareRule, replace bool) []CompareRule {
	i := slices.IndexFunc(rules, func(r CompareRule) bool { return r.Figure == rule.Figure })
	switch {
	case i < 0:
		return append(rules, rule)
	case replace, rules[i].Unstreamed:
		rules[i] = rule
	}
	return rules
}
