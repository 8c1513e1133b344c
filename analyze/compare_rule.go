package analyze

import (
	"fmt"
	"math"
	"strconv"
	"strings"

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
		{"time_to_first_token.p50", false}, {"time_to_first_token.p95", false},
		{"inter_token_latency.p50", false}, {"inter_token_latency.p95", false},
		{"request_latency.p50", true}, {"request_latency.p95", true},
		{"output_token_throughput", false}, {metrics.ErrorRate, false},
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
	at := strings.IndexAny(text, "<>")
	if at < 0 {
		return CompareRule{}, fmt.Errorf("rule %q: write METRIC.STATISTIC > +N%% or < -N%%", text)
	}
	figure, err := metrics.ParseFigure(text[:at])
	if err != nil {
		return CompareRule{}, fmt.Errorf("rule %q: %w", text, err)
	}
	limit := strings.TrimSpace(strings.TrimPrefix(text[at+1:], "="))
	margin, err := ParsePercent(strings.TrimPrefix(limit, "+"))
	if err != nil {
		return CompareRule{}, fmt.Errorf("rule %q: %w", text, err)
	}
	falls := text[at] == '<'
	if falls {
		margin = -margin
	}
	switch {
	case margin <= 0 && falls:
		return CompareRule{}, fmt.Errorf("rule %q: < needs a fall, such as -5%%", text)
	case margin <= 0:
		return CompareRule{}, fmt.Errorf("rule %q: > needs a rise, such as +5%%", text)
	case falls && figure.Tag == metrics.ErrorRate:
		return CompareRule{}, fmt.Errorf("rule %q: fewer errors fail nothing", text)
	case falls && margin >= 1:
		return CompareRule{}, fmt.Errorf("rule %q: nothing falls by 100%% or more", text)
	}
	if falls { // below 1−m is beyond 1/(1−m) the other way round
		margin = 1/(1-margin) - 1
	}
	return CompareRule{Figure: figure, Higher: falls, Margin: margin, Text: text, Gated: true}, nil
}

// ParsePercent reads 5% or -5%; the sign of per cent must be there.
func ParsePercent(text string) (float64, error) {
	number, found := strings.CutSuffix(strings.TrimSpace(text), "%")
	v, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	if !found || err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
		return 0, fmt.Errorf("%q is no percentage such as 5%%", text)
	}
	return v / 100, nil
}
