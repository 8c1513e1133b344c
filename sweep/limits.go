package sweep

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"loadgen"
	"loadgen/metrics"
)

// Missed returns the stated limits that the run missed, a sentence each: its
// budgets, and the SLOs where they are required, which every request must then
// meet; a failed one does not. A limit on a figure that the run does not have is
// missed, unless the user ended the run before it had any.
func (r *Run) Missed() []string {
	summary := r.Summary
	if summary == nil {
		summary = new(metrics.Summary)
	}
	if s := r.Status(); s == loadgen.Skipped || s == loadgen.Interrupted && summary.Counts.OK == 0 {
		return nil
	}
	var missed []string
	c := &r.Cell.Config
	if c.RequireSLOs {
		counts := summary.Counts
		good := 0
		if counts.Good != nil {
			good = *counts.Good
		}
		if all := counts.OK + counts.Failed; all == 0 || good < all {
			missed = append(missed, fmt.Sprintf("slos were met by %d of %d requests", good, all))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.Budgets)) {
		limit := c.Budgets[name]
		value, larger, ok := figure(summary, name)
		switch {
		case !ok:
			missed = append(missed, fmt.Sprintf("budget %s: the run has no such figure", name))
		case larger && value < limit:
			missed = append(missed, fmt.Sprintf("budget %s: %.5g is below %g", name, value, limit))
		case !larger && value > limit:
			missed = append(missed, fmt.Sprintf("budget %s: %.5g is above %g", name, value, limit))
		}
	}
	return missed
}

// figure returns the value of a metric by its tag, or of one of its statistics
// by tag and name, and whether more of it is better.
func figure(s *metrics.Summary, name string) (value float64, larger, ok bool) {
	tag, statistic, _ := strings.Cut(name, ".")
	m := s.Metric(tag)
	if m == nil {
		// As in AIPerf's files, a run without failures has no figures of them.
		failures := tag == "error_request_count" || tag == "request_error_rate" || tag == "total_error_isl"
		return 0, false, failures && statistic == "" && s.Counts.OK > 0
	}
	if d, known := metrics.Lookup(tag); known {
		larger = d.Larger
	}
	if m.Value != nil {
		return *m.Value, larger, statistic == "" || statistic == "avg"
	}
	value, ok = m.Stats.Named(statistic)
	return value, larger, ok
}
