package metrics

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Capacity names the load that a search found to be borne; in Figure its statistic
// is the name of the tier, empty where there are none.
const Capacity = "capacity"

// ErrorRate names the share of requests that failed; in Figure it has no
// statistic.
const ErrorRate = "error_rate"

// A Figure names one number of a run: a statistic of a metric. The statistic
// of a metric with a single value is avg.
type Figure struct{ Tag, Stat string }

// statistics are those that an export has of every distribution.
var statistics = []string{"avg", "min", "max", "p1", "p5", "p10", "p25", "p50", "p75", "p90", "p95", "p99"}

// shortNames are what people call the main metrics.
var shortNames = map[string]string{
	"ttft": "time_to_first_token", "itl": "inter_token_latency", "tpot": "inter_token_latency",
	"latency": "request_latency", "e2e": "request_latency",
	"osl": "output_sequence_length", "isl": "input_sequence_length",
	"throughput": "output_token_throughput", "request_error_rate": ErrorRate,
}

// ShortNames returns what people call the main metrics, with their tags.
func ShortNames() map[string]string { return maps.Clone(shortNames) }

// FigureStatistics returns the statistics that a figure may be.
func FigureStatistics() []string { return slices.Clone(statistics) }

// ParseFigure reads METRIC or METRIC.STATISTIC, such as ttft.p95 or
// output_token_throughput; of a search also capacity, or capacity.TIER.
func ParseFigure(text string) (Figure, error) {
	tag, stat, found := strings.Cut(strings.TrimSpace(text), ".")
	if long, short := shortNames[strings.ToLower(tag)]; short {
		tag = long
	}
	if tag == Capacity && (stat != "" || !found) {
		return Figure{tag, stat}, nil
	}
	if !found {
		stat = "avg"
	}
	d, known := Lookup(tag)
	switch {
	case !known && tag != ErrorRate:
		return Figure{}, fmt.Errorf("%q is no metric: docs/metrics.md lists them", tag)
	case tag == ErrorRate && found, known && d.Kind == Scalar && found && stat != "avg":
		return Figure{}, fmt.Errorf("%s has one value per run and no %s: leave .%s out", tag, stat, stat)
	case !slices.Contains(statistics, stat):
		return Figure{}, fmt.Errorf("%q is no statistic: one of %s", stat, strings.Join(statistics, ", "))
	}
	return Figure{tag, stat}, nil
}

// String is the name as ParseFigure reads it, avg left out where there is
// nothing else.
func (f Figure) String() string {
	if f.Tag == Capacity && f.Stat == "" {
		return Capacity
	}
	if d, known := Lookup(f.Tag); f.Tag == ErrorRate || known && d.Kind == Scalar {
		return f.Tag
	}
	return f.Tag + "." + f.Stat
}

// Larger says that larger is better.
func (f Figure) Larger() bool {
	d, _ := Lookup(f.Tag)
	return d.Larger || f.Tag == Capacity
}

// Unit is the metric's; % for the error rate. That of a capacity is the search's.
func (f Figure) Unit() string {
	if f.Tag == ErrorRate {
		return "%"
	}
	d, _ := Lookup(f.Tag)
	return d.Unit
}
