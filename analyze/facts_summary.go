package analyze

import (
	"cmp"
	"fmt"
	"math"
	"strings"

	"loadgen"
	"loadgen/metrics"
)

// FactsOf are the facts of a run by its summary, which has counted every
// request. The trace, which may have been cut to bound the memory of the run,
// is evidence beside it: of prompts, and of what came first.
func FactsOf(cell loadgen.Cell, asked metrics.Facts, s *metrics.Summary, tr *loadgen.Trace) CellFacts {
	f := CellFacts{
		Name: cmp.Or(cell.Dir, "the run"), At: besides(cell.Values, asked), Concurrency: asked.Load.Users, Ceiling: asked.Load.Ceiling, Paused: asked.Paused,
		Requests: s.Counts.OK + s.Counts.Failed + s.Counts.Cancelled, Failed: s.Counts.Failed, Cancelled: s.Counts.Cancelled,
		TTFT: responseIn(s, "time_to_first_token"), ITL: responseIn(s, "inter_token_latency"), Latency: responseIn(s, "request_latency"),
		PromptMean: firstMean(s, "usage_prompt_tokens", "input_sequence_length"),
		OutputMean: firstMean(s, "usage_completion_tokens", "output_sequence_length"),
		// Only what was asked for can be missed.
		OutputAsked: s.Metric("osl_mismatch_diff_pct") != nil,
		Failures:    map[string]int{}, LagMean: -1, LagP99: -1, OwnLagP99: -1, Waiting: -1, Trace: tr,
	}
	if asked.Load.Mode == loadgen.OpenLoop {
		f.Rate = asked.Load.Rate
	}
	if w := s.Whole; w != nil {
		f.Throughput, f.InFlight = w.RequestThroughput, w.InFlight
	}
	if lag := s.Metric("credit_to_start_latency"); lag != nil && lag.Stats != nil {
		f.LagMean, f.LagP99 = lag.Stats.Avg/1000, lag.Stats.P99/1000
	}
	if s.OwnLag != nil {
		f.OwnLagP99 = s.OwnLag.P99 / 1000
	}
	for _, e := range s.Errors {
		if e.Kind != loadgen.FailCancelled {
			f.Failures[string(e.Kind)] += e.Count
		}
	}
	f.FailedTime = failedTime(tr, f.Failed)
	if f.Server = s.Server; f.Server != nil {
		if waiting, ok := f.Server.Loaded.Level("waiting"); ok {
			f.Waiting = waiting.Avg
		}
	}
	return f
}

// besides are the swept values that are no load, as text.
func besides(values []loadgen.Value, asked metrics.Facts) string {
	var parts []string
	for _, v := range values {
		switch {
		case v.Key == "request_rate" && asked.Load.Scheduled():
		case (v.Key == "concurrency" || v.Key == "num_users") && !asked.Load.Scheduled():
		default:
			parts = append(parts, fmt.Sprintf("%s=%v", v.Key, v.Value))
		}
	}
	return strings.Join(parts, " ")
}

// responseIn returns the distribution of a metric in seconds; undefined
// throughout where the run has none.
func responseIn(s *metrics.Summary, tag string) Response {
	m := s.Metric(tag)
	if m == nil || m.Stats == nil {
		return responseOf(nil)
	}
	seconds := func(ms float64) Number { return Number(ms / 1000) }
	x := m.Stats
	return Response{seconds(x.Min), seconds(x.Max), seconds(x.Avg), seconds(x.P50), seconds(x.P95), seconds(x.P99)}
}

// firstMean returns the mean of the first of the metrics that the run has of
// every successful request; NaN for none.
func firstMean(s *metrics.Summary, tags ...string) float64 {
	for _, tag := range tags {
		if m := s.Metric(tag); m != nil && m.Stats != nil && m.Stats.Count >= int64(s.Counts.OK) {
			return m.Stats.Avg
		}
	}
	return math.NaN()
}

// failedTime is the time that failed calls took together; NaN where the trace
// does not have them all.
func failedTime(tr *loadgen.Trace, failed int) float64 {
	seconds, seen := 0.0, 0
	if tr != nil {
		for i := range tr.Calls {
			c := &tr.Calls[i]
			if c.Failed && c.Kind == loadgen.LLMCall && c.Error != string(loadgen.FailCancelled) {
				seen++
				seconds += c.Duration()
			}
		}
	}
	if seen < failed {
		return math.NaN()
	}
	return seconds
}
