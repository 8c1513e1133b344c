package page

import (
	"path/filepath"
	"slices"
	"time"

	"loadgen"
	"loadgen/metrics"
	"loadgen/results"
	"loadgen/trace"
)

// foreignCourse makes a course out of the records of AIPerf, which tell when a
// request was sent, its first and its last token, and how long it was.
func foreignCourse(dir string) (*metrics.Course, error) {
	tr, err := trace.Open(filepath.Join(dir, results.RecordsName))
	if tr == nil {
		return nil, err
	}
	collector, err := metrics.NewCollector(metrics.Facts{})
	if err != nil {
		return nil, err
	}
	first := 0.0
	if len(tr.Calls) > 0 {
		first = tr.Calls[0].Start
	}
	for i := range tr.Calls {
		if c := &tr.Calls[i]; c.Done() {
			collector.Add(recordOf(c, i, first))
		}
	}
	return collector.Course(), nil
}

// recordOf is a call as a record whose tokens come at its first and last time.
func recordOf(c *loadgen.Call, index int, first float64) *loadgen.Record {
	after := func(from, to float64) time.Duration { return time.Duration((to - from) * 1e9) }
	r := &loadgen.Record{}
	r.Reset()
	r.Request = &loadgen.Request{InputTokens: max(c.PromptTokens, 0)}
	r.Index = index
	r.Sent = after(first, c.Start)
	r.Due = r.Sent
	r.Took = after(c.Start, c.End)
	r.Ended = r.Sent + r.Took
	r.Usage.CompletionTokens = c.CompletionTokens
	if c.Failed {
		r.Failure = &loadgen.Failure{Kind: loadgen.FailureKind(c.Error)}
		return r
	}
	if c.FirstToken >= c.Start {
		r.Streamed = true
		r.Chunks = append(r.Chunks, loadgen.Chunk{At: after(c.Start, c.FirstToken)}, loadgen.Chunk{At: r.Took})
	}
	return r
}

// foreignLoad is the load in AIPerf's input_config: that of its measured phase, or
// of the flags of earlier versions.
func foreignLoad(input map[string]any) []loadgen.Value {
	var values []loadgen.Value
	add := func(from map[string]any, key, name string) {
		if v, ok := numeric(from[key]); ok && !slices.ContainsFunc(values, func(v loadgen.Value) bool { return v.Key == name }) {
			values = append(values, loadgen.Value{Key: name, Value: v})
		}
	}
	phases, _ := input["phases"].([]any)
	for _, p := range phases {
		phase, _ := p.(map[string]any)
		if phase["kind"] == "profiling" || phase["name"] == "profiling" {
			add(phase, "concurrency", "concurrency")
			add(phase, "rate", "request_rate")
		}
	}
	flags, _ := input["loadgen"].(map[string]any)
	add(flags, "concurrency", "concurrency")
	add(flags, "request_rate", "request_rate")
	return values
}

// tellApart names AIPerf's runs that no sweep names: by their load where it
// differs, else by their directories, as they are no repeats of each other.
func tellApart(root string, runs []*Run) {
	if slices.ContainsFunc(runs, func(r *Run) bool { return !r.Foreign || len(r.Values) > 0 || r.Repeat > 0 }) || len(runs) < 2 {
		return
	}
	for _, r := range runs {
		r.Values = r.load
	}
	if len(cellsOf(runs)) == len(runs) {
		return
	}
	for _, r := range runs {
		below, err := filepath.Rel(root, r.Dir)
		if err != nil {
			below = r.Dir
		}
		r.Values = append(slices.Clone(r.load), loadgen.Value{Key: "directory", Value: below})
	}
}
