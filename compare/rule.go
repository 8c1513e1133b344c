package compare

import (
	"math"

	"loadgen/analyze"
	"loadgen/metrics"
	"loadgen/stats"
)

// A CompareRule says what is compared and from which change on it matters.
type CompareRule struct {
	Figure metrics.Figure
	// Higher says that a smaller figure is worse.
	Higher bool
	// Margin is the least change that matters, 0.05 for 5 %; of the error
	// rate in shares of all requests.
	Margin float64
	// Text is the rule as it was written; empty for one of the defaults.
	Text string
	// Gated rules decide over the verdict; the others are shown.
	Gated bool
	// Unstreamed rules count only in cells without a time to the first token.
	Unstreamed bool
}

// errorMargin is the default margin of the error rate, one point: it is held
// against the share of requests that did not fail.
const errorMargin = 0.01

// DefaultCompareRules compare what a user of the endpoint notices, with a
// margin of 5 %: few enough figures that the correction for their number costs
// little. The latency of a whole streamed request is left out, for it is made
// of the others.
func DefaultCompareRules() []CompareRule {
	var rules []CompareRule
	for _, d := range []struct {
		name       string
		unstreamed bool
	}{
		{"time_to_first_token.p50", false},
		{"time_to_first_token.p95", false},
		{"inter_token_latency.p50", false},
		{"inter_token_latency.p95", false},
		{"request_latency.p50", true},
		{"request_latency.p95", true},
		{"output_token_throughput", false},
		{metrics.ErrorRate, false},
		{metrics.Capacity, false},
	} {
		figure, err := metrics.ParseFigure(d.name)
		if err != nil {
			panic(err) // the list above is fixed
		}
		rule := RuleFor(figure)
		rule.Unstreamed = d.unstreamed
		rules = append(rules, rule)
	}
	return rules
}

// RuleFor is the default rule of a figure, which is gated.
func RuleFor(figure metrics.Figure) CompareRule {
	margin := stats.DefaultMargin
	if figure.Tag == metrics.ErrorRate {
		margin = errorMargin
	}
	return CompareRule{Figure: figure, Higher: figure.Larger(), Margin: margin, Gated: true}
}

// ParseCompareRule reads a rule that fails a comparison, such as
// "time_to_first_token.p95 > +5%" or "output_token_throughput < -3%".
func ParseCompareRule(text string) (CompareRule, error) {
	change, err := metrics.ParseChange(text)
	if err != nil {
		return CompareRule{}, err
	}
	margin := change.By
	if change.Falls { // below 1−m is beyond 1/(1−m) the other way round
		margin = 1/(1-margin) - 1
	}
	return CompareRule{Figure: change.Figure, Higher: change.Falls, Margin: margin, Text: text, Gated: true}, nil
}

// undefined is a figure that there is not.
var undefined = analyze.Number(math.NaN())
