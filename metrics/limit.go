package metrics

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// GoodShare names the share of requests that meet the SLOs of a request. As a
// limit it is a minimum.
const GoodShare = "goodput_fraction"

// A Limit is what a load must keep to be borne: a statistic of a metric over
// the requests of a run, or a share of requests.
type Limit struct {
	// Name is METRIC.STATISTIC, error_rate or goodput_fraction.
	Name string `json:"name"`
	// Bound is in the metric's unit, of a share between 0 and 1.
	Bound float64 `json:"bound"`
}

// ParseLimit reads the name of a limit, short names and all. The statistic is a
// percentile or avg: the extremes of a run say nothing about the next.
func ParseLimit(name string, bound float64) (Limit, error) {
	l := Limit{Name: strings.TrimSpace(name), Bound: bound}
	if math.IsNaN(bound) || math.IsInf(bound, 0) || bound <= 0 {
		return l, fmt.Errorf("%g is no limit: it must be above 0", bound)
	}
	if l.Name == ErrorRate || l.Name == GoodShare {
		if bound >= 1 {
			return l, fmt.Errorf("%g is no share of requests: it must lie between 0 and 1, 0.01 for one in a hundred", bound)
		}
		return l, nil
	}
	f, err := ParseFigure(l.Name)
	if err != nil {
		return l, err
	}
	d, known := Lookup(f.Tag)
	if !known || d.Kind != PerRequest || d.ID == ErrorISL || f.Tag == ErrorRate {
		return l, fmt.Errorf("%s is a figure of a whole run: a limit is a percentile or the avg of what each request has, error_rate or goodput_fraction", l.Name)
	}
	l.Name = f.Tag + "." + f.Stat
	if _, ok := l.quantile(); !ok && f.Stat != "avg" {
		return l, fmt.Errorf("the %s of a run says nothing about the next: write avg or a percentile such as p95", f.Stat)
	}
	return l, nil
}

// definition is that of the limit's metric.
func (l Limit) definition() (Definition, bool) {
	tag, _, _ := strings.Cut(l.Name, ".")
	d, ok := Lookup(tag)
	return d, ok && d.Kind == PerRequest
}

// IsShare reports whether it is of a share of requests, and of no figure of each.
func (l Limit) IsShare() bool {
	_, ok := l.definition()
	return !ok
}

// quantile is the percentile that is limited, as a share.
func (l Limit) quantile() (p float64, ok bool) {
	_, stat, _ := strings.Cut(l.Name, ".")
	n, err := strconv.ParseFloat(strings.TrimPrefix(stat, "p"), 64)
	return n / 100, err == nil && strings.HasPrefix(stat, "p") && n > 0 && n < 100
}

// short are the words for a limit's metric in a sentence.
var short = map[string]string{
	"time_to_first_token": "TTFT", "inter_token_latency": "ITL", "request_latency": "latency",
	"time_to_second_token": "TTST", "time_to_first_token_from_due": "TTFT from due", "effective_latency": "effective latency",
}

// Subject is what is limited, in words: TTFT p95.
func (l Limit) Subject() string {
	switch l.Name {
	case ErrorRate:
		return "error rate"
	case GoodShare:
		return "good requests"
	}
	tag, stat, _ := strings.Cut(l.Name, ".")
	word := short[tag]
	if d, ok := Lookup(tag); word == "" && ok {
		word = d.Header
	}
	return word + " " + stat
}

// AtLeast says that the limit is a minimum.
func (l Limit) AtLeast() bool {
	d, ok := l.definition()
	return l.Name == GoodShare || ok && d.Larger
}

// String is the limit in words: TTFT p95 ≤ 500 ms.
func (l Limit) String() string {
	sign, unit, bound := "≤", "", l.Bound
	if l.AtLeast() {
		sign = "≥"
	}
	if d, ok := l.definition(); ok {
		unit = " " + d.Unit
	} else {
		unit, bound = " %", 100*bound
	}
	return l.Subject() + " " + sign + " " + strconv.FormatFloat(bound, 'g', 6, 64) + unit
}
