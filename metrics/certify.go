package metrics

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"

	"loadgen/stats"
)

// CertifyConfidence is that of the certificates of a run.
const CertifyConfidence = 0.95

// A Certificate is what a run proves of a percentile: with its confidence it is
// at most Bound, over all requests that the endpoint might be sent alike.
// Neighbours that depend on each other count for less; a request that failed
// counts as slower than any limit, one that the end cut off with what it had
// taken by then.
type Certificate struct {
	// Name is METRIC.STATISTIC. Limit is what was promised, in the metric's unit
	// as all figures here; nil for nothing.
	Name       string   `json:"name"`
	Limit      *float64 `json:"limit,omitempty"`
	Confidence float64  `json:"confidence"`
	// Bound is nil where the requests are too few, or too many failed.
	Bound *float64 `json:"bound,omitempty"`
	// N requests were seen, worth EffectiveN independent ones, and so many are
	// needed for a bound at all.
	N          int `json:"n"`
	EffectiveN int `json:"effective_n"`
	Needed     int `json:"needed"`
	// Certified says that the limit is kept for sure.
	Certified bool `json:"certified"`
}

// failedValue stands for the time of a request that failed.
const failedValue = 1e300

// Certifiable returns the percentiles that a run of stated limits is certified
// on: the p95 and p99 of the main latencies, and each upper percentile that a
// limit is on.
func Certifiable(limits map[string]float64) []Limit {
	var all []Limit
	for name, bound := range limits {
		l, err := ParseLimit(name, bound)
		if p, ok := l.quantile(); err == nil && ok && p >= 0.5 && !l.AtLeast() {
			all = append(all, l)
		}
	}
	slices.SortFunc(all, func(a, b Limit) int { return cmp.Compare(a.Name, b.Name) })
	for _, tag := range []string{"time_to_first_token", "inter_token_latency", "request_latency"} {
		for _, stat := range []string{".p95", ".p99"} {
			if name := tag + stat; !slices.ContainsFunc(all, func(l Limit) bool { return l.Name == name }) {
				all = append(all, Limit{Name: name})
			}
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
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(seen[a].index, seen[b].index) })
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
			all = append(all, l.certificate(v))
		}
	}
	return all
}

// certificate bounds the limit's percentile by values in order of issue.
func (l Limit) certificate(values []float64) Certificate {
	p, _ := l.quantile()
	s := stats.Certify(values, p, CertifyConfidence)
	inflation := s.Inflation
	if math.IsNaN(inflation) {
		inflation = 1
	}
	c := Certificate{
		Name: l.Name, Confidence: CertifyConfidence, N: len(values), EffectiveN: s.EffectiveN,
		Needed: int(math.Ceil(float64(stats.RequiredN(p, CertifyConfidence))*inflation - 1e-9)),
	}
	if l.Bound > 0 {
		c.Limit = &l.Bound
	}
	if !math.IsNaN(s.Bound) && s.Bound < failedValue {
		c.Bound = &s.Bound
		c.Certified = c.Limit != nil && s.Bound <= l.Bound
	}
	return c
}

// String is the certificate in words.
func (c Certificate) String() string {
	l := Limit{Name: c.Name}
	d, _ := l.definition()
	number := func(v float64) string { return strconv.FormatFloat(v, 'g', 4, 64) + " " + d.Unit }
	subject := l.Subject()
	at := fmt.Sprintf("at %g %%", 100*c.Confidence)
	if c.Limit != nil {
		subject += " ≤ " + number(*c.Limit)
	}
	switch {
	case c.Certified:
		return fmt.Sprintf("%s %s: certified, it is at most %s", subject, at, number(*c.Bound))
	case c.Bound != nil && c.Limit != nil:
		return fmt.Sprintf("%s %s: not certified, it may be up to %s", subject, at, number(*c.Bound))
	case c.Bound != nil:
		return fmt.Sprintf("%s ≤ %s %s", subject, number(*c.Bound), at)
	case c.EffectiveN > 0 && c.N >= c.Needed:
		return fmt.Sprintf("%s %s: no bound, too many requests failed", subject, at)
	}
	return fmt.Sprintf("%s %s: not enough requests: %d needed, %d seen", subject, at, max(c.Needed, 20), c.N)
}
