// Package metrics folds records into a summary: what each request's times and
// token counts were, how they are distributed, what the run achieved, and
// whether its numbers can be trusted.
//
// It computes and never prints or writes: results puts summaries into files
// and report in front of people. Every formula is stated in docs/metrics.md.
package metrics

// Stats is a distribution in a metric's display unit. Percentiles are by
// linear interpolation, Std divides by n, as in AIPerf's files.
type Stats struct {
	Avg, P1, P5, P10, P25, P50, P75, P90, P95, P99, Min, Max, Std float64

	Count int64
	Sum   float64
}

// A Metric is one row of a summary. Exactly one of Stats and Value is set: a
// record metric has a distribution, an aggregate or derived one a single value.
type Metric struct {
	Tag    string // AIPerf's: time_to_first_token
	Header string // AIPerf's: Time to First Token
	Unit   string // ms, sec, tokens, requests/sec, …
	Stats  *Stats
	Value  *float64
	// Integer says that the value is a count and is printed as one.
	Integer bool
	// Console is the row in AIPerf's table; 0 keeps the metric out of it.
	Console int
}
