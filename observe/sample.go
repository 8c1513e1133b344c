package observe

import (
	"math"
	"strings"
)

// A Kind is what a metric counts.
type Kind uint8

const (
	// Unknown metrics are of no type that the text tells; they are read as gauges.
	Unknown Kind = iota
	Counter
	Gauge
	Histogram
	// Summary metrics have a count and a sum; their quantiles, which are of the
	// server's whole life, are left out.
	Summary
)

// String returns the kind's name in files.
func (k Kind) String() string {
	return [...]string{"unknown", "counter", "gauge", "histogram", "summary"}[k]
}

// scalar reports whether a sample of the kind is one number.
func (k Kind) scalar() bool { return k <= Gauge }

// A Family is what is known of a metric beside its samples.
type Family struct {
	Name string // a counter's as its samples have it: with _total, where they do
	Help string
	Unit string // of OpenMetrics' metadata, the help or the name; empty where none tells it
	Kind Kind
}

// A Label is one of those that tell the series of a family apart.
type Label struct{ Name, Value string }

// A sample is one value that a scrape brought.
type sample struct {
	family *Family
	labels []Label // by name
	value  float64
	hist   *hist // of histograms and summaries
}

// key is what tells a series from all others of its endpoint.
func (s *sample) key(b []byte) []byte {
	b = append(b, s.family.Name...)
	for _, l := range s.labels {
		b = append(append(append(append(b, 0), l.Name...), 1), l.Value...)
	}
	return b
}

// A hist is the state of a histogram.
type hist struct {
	count, sum float64
	bounds     []float64 // upper ones, ascending, with +Inf last
	counts     []float64 // cumulated, one for each bound
	native     *native   // nil for none
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// usable reports whether a sample can be calculated with: sums, squares and changes
// of unit of what is larger would not be numbers any more.
func usable(v float64) bool { return math.Abs(v) <= 1e30 } // NaN is not

// unitOf finds the unit of a metric, as AIPerf does: as its help says it, of a share
// by its range, else by the end of its name.
func unitOf(name, help string) string {
	help = strings.ToLower(help)
	for _, u := range []struct{ says, unit string }{
		{"(0-1)", "ratio"},
		{"(0.0-1.0)", "ratio"},
		{"from 0 to 1)", "ratio"},
		{"1 means 100", "ratio"},
		{"(0-100)", "percent"},
		{"tokens/s", "tokens/s"},
		{"token/s", "tokens/s"},
		{"requests/s", "requests/s"},
		{"gb/s", "GB/s"},
		{"in milliseconds", "ms"},
		{"(in ms)", "ms"},
		{"in seconds", "seconds"},
		{"(seconds)", "seconds"},
		{"in microseconds", "us"},
		{"in bytes", "bytes"},
		{"(in w)", "watts"},
		{"(in mj)", "millijoules"},
		{"(in c)", "celsius"},
		{"(in mhz)", "megahertz"},
		{"(in mib)", "mebibytes"},
		{"(in %)", "percent"},
	} {
		if strings.Contains(help, u.says) {
			return u.unit
		}
	}
	name = strings.TrimSuffix(name, "_total")
	for _, u := range []struct{ end, unit string }{
		{"_seconds", "seconds"},
		{"_ms", "ms"},
		{"_us", "us"},
		{"_bytes", "bytes"},
		{"_tokens", "tokens"},
		{"_requests", "requests"},
		{"_reqs", "requests"},
		{"request_success", "requests"},
		{"_blocks", "blocks"},
		{"_errors", "errors"},
		{"_ratio", "ratio"},
		{"_perc", "percent"},
		{"_percent", "percent"},
		{"_celsius", "celsius"},
		{"_joules", "joules"},
		{"_watts", "watts"},
	} {
		if strings.HasSuffix(name, u.end) {
			return u.unit
		}
	}
	if strings.Contains(name, "num_requests_") {
		return "requests"
	}
	return ""
}
