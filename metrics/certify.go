package metrics

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"

	"loadgen/stats"
)

// A Certificate is what a run proves of a percentile: with its confidence it is
// at most Bound, over all requests that the endpoint might be sent alike.
// Neighbours that depend on each other count for less; a request that failed
// counts as slower than any limit, one that the end cut off with what it had
// taken by then.
type Certificate struct {
	// Name is METRIC.STATISTIC. Limit is what was promised, in the metric's unit
	// as all figures here; nil for nothing.
	Name       string      `json:"name"`
	Limit      *float64    `json:"limit,omitempty"`
	Rule       CertifyRule `json:"rule,omitempty"`
	Confidence float64     `json:"confidence"`
	// Bound is nil where the requests are too few, or too many failed, and where
	// MLPerf's rule is asked about a limit: it answers yes or no.
	Bound *float64 `json:"bound,omitempty"`
	// N requests were seen, worth EffectiveN independent ones, and so many are
	// needed: for a bound at all, by MLPerf's rule for so many over the limit.
	N          int `json:"n"`
	EffectiveN int `json:"effective_n"`
	Needed     int `json:"needed"`
	// Over is how many took longer than the limit or failed, by MLPerf's rule.
	Over *int `json:"over,omitempty"`
	// Certified says that the limit is kept for sure.
	Certified bool `json:"certified"`
}

// failedValue stands for the time of a request that failed.
const failedValue = 1e300

// Certifiable returns the percentiles that a run of stated limits is certified
// on: those of the rule, and each upper percentile that a limit is on.
func Certifiable(limits map[string]float64, rule CertifyRule) []Limit {
	var all []Limit
	for name, bound := range limits {
		l, err := ParseLimit(name, bound)
		if p, ok := l.quantile(); err == nil && ok && p >= 0.5 && !l.AtLeast() {
			all = append(all, l)
		}
	}
	slices.SortFunc(all, func(a, b Limit) int { return cmp.Compare(a.Name, b.Name) })
	for _, name := range rule.figures() {
		if !slices.ContainsFunc(all, func(l Limit) bool { return l.Name == name }) {
			all = append(all, Limit{Name: name})
		}
	}
	return all
}

// certificates are those of the run, of the figures that it has.
func (c *Collector) certificates() []Certificate {
	var all []Certificate
	seen := slices.Collect(c.evidence.seen.all())
	order := make([]int, len(seen))
	for i := range order {
		order[i] = i
	}
	byIssue(order, seen)
	for k, l := range c.facts.Certified {
		values := slices.Collect(c.evidence.values[len(c.facts.Sought)+k].all())
		var v []float64
		measured := false
		for _, i := range order {
			switch x := values[i]; {
			case seen[i].state == seenFailed:
				v = append(v, failedValue)
			case !math.IsNaN(x):
				v = append(v, x)
				measured = true
			}
		}
		if measured {
			all = append(all, l.certificate(v, c.facts.CertifyBy))
		}
	}
	return all
}

// certificate bounds the limit's percentile by values in order of issue.
func (l Limit) certificate(values []float64, rule CertifyRule) Certificate {
	p, _ := l.quantile()
	s := stats.Certify(values, p, rule.Confidence())
	c := Certificate{Name: l.Name, Rule: rule, Confidence: rule.Confidence(), N: len(values), EffectiveN: s.EffectiveN}
	if l.Bound > 0 {
		c.Limit = &l.Bound
	}
	if rule.Early() {
		c.stopEarly(values, p)
		return c
	}
	inflation := s.Inflation
	if math.IsNaN(inflation) {
		inflation = 1
	}
	c.Needed = int(math.Ceil(float64(stats.RequiredN(p, c.Confidence))*inflation - 1e-9))
	if !math.IsNaN(s.Bound) && s.Bound < failedValue {
		c.Bound = &s.Bound
		c.Certified = c.Limit != nil && s.Bound <= l.Bound
	}
	return c
}

// stopEarly asks MLPerf's rule: whether a limit is kept, or where there is none
// for its estimate of the percentile.
func (c *Certificate) stopEarly(values []float64, p float64) {
	if c.Limit != nil {
		over := 0
		for _, v := range values {
			if v > *c.Limit {
				over++
			}
		}
		c.Over = &over
		c.Needed = over + stats.EarlyStopping(over, p, 0, c.Confidence)
		c.Certified = c.N >= c.Needed
		return
	}
	c.Needed = stats.EstimateN(p, 0, c.Confidence)
	if rank := stats.EarlyStoppingRank(c.N, p, 0, c.Confidence); rank > 0 {
		if bound := slices.Sorted(slices.Values(values))[rank-1]; bound < failedValue {
			c.Bound = &bound
		}
	}
}

// String is the certificate in words.
func (c Certificate) String() string {
	l := Limit{Name: c.Name}
	d, _ := l.definition()
	number := func(v float64) string { return strconv.FormatFloat(v, 'g', 4, 64) + " " + d.Unit }
	subject := l.Subject()
	at := fmt.Sprintf("at %g %%", 100*c.Confidence)
	if c.Rule.Early() {
		at += " by MLPerf's rule"
	}
	if c.Limit != nil {
		subject += " ≤ " + number(*c.Limit)
	}
	switch {
	case c.Over != nil:
		return subject + " " + at + ": " + c.early()
	case c.Certified:
		return fmt.Sprintf("%s %s: certified, it is at most %s", subject, at, number(*c.Bound))
	case c.Bound != nil && c.Limit != nil:
		return fmt.Sprintf("%s %s: not certified, it may be up to %s", subject, at, number(*c.Bound))
	case c.Bound != nil:
		return fmt.Sprintf("%s ≤ %s %s", subject, number(*c.Bound), at) + c.bursts()
	case c.N >= c.Needed && (c.EffectiveN > 0 || c.Rule.Early()):
		return fmt.Sprintf("%s %s: no bound, too many requests failed", subject, at)
	case c.Rule.Early():
		return fmt.Sprintf("%s %s: not enough requests: %d needed, %d seen", subject, at, c.Needed, c.N)
	}
	return fmt.Sprintf("%s %s: not enough requests: %d needed, %d seen", subject, at, max(c.Needed, 20), c.N)
}

// early says what MLPerf's rule says of a limit.
func (c Certificate) early() string {
	over := fmt.Sprintf("%d of %d requests took longer or failed", *c.Over, c.N)
	switch p, _ := (Limit{Name: c.Name}).quantile(); {
	case c.Certified:
		return "certified, " + over + c.bursts()
	case float64(*c.Over) > (1-p)*float64(c.N):
		return fmt.Sprintf("not certified, %s: more than 1 in %.4g", over, 1/(1-p))
	}
	return fmt.Sprintf("not enough requests: %d needed with %d over the limit, %d seen", c.Needed, *c.Over, c.N)
}

// bursts says what MLPerf's rule does not ask: what requests are worth whose
// neighbours are alike.
func (c Certificate) bursts() string {
	if !c.Rule.Early() || c.EffectiveN >= c.N || c.EffectiveN == 0 {
		return ""
	}
	return fmt.Sprintf("; the rule takes them for independent, they are worth %d that are", c.EffectiveN)
}
