package page

import (
	"cmp"
	"path/filepath"
	"slices"
	"time"

	"loadgen"
	"loadgen/metrics"
	"loadgen/results"
	"loadgen/trace"
)

// firstSeen is of how many records the earliest start is looked for: they are in
// the order in which requests ended, and the first to start is among them.
const firstSeen = 10_000

// A foreignReader makes a course out of AIPerf's records, which tell when a
// request was sent, its first and its last token, and how long it was. It keeps
// the first of them, and no others however many there are.
type foreignReader struct {
	collector *metrics.Collector
	waiting   []loadgen.Call // until the first start is known
	first     float64
	kept      []loadgen.Call // for bars
	n         int
}

// foreignCourse reads the records of a run of AIPerf; nil for one without.
func foreignCourse(dir string) (*metrics.Course, []loadgen.Call, error) {
	collector, err := metrics.NewCollector(metrics.Facts{})
	if err != nil {
		return nil, nil, err
	}
	r := &foreignReader{collector: collector}
	err = trace.Requests(filepath.Join(dir, results.RecordsName), r.take)
	r.begin()
	if r.n == 0 {
		return nil, nil, err
	}
	return collector.Course(), r.kept, err
}

func (r *foreignReader) take(c *loadgen.Call) {
	switch {
	case !c.Done():
	case r.n > 0:
		r.add(c)
	default:
		if r.waiting = append(r.waiting, *c); len(r.waiting) == firstSeen {
			r.begin()
		}
	}
}

// begin adds what waited.
func (r *foreignReader) begin() {
	if len(r.waiting) == 0 {
		return
	}
	r.first = slices.MinFunc(r.waiting, func(a, b loadgen.Call) int { return cmp.Compare(a.Start, b.Start) }).Start
	for i := range r.waiting {
		r.add(&r.waiting[i])
	}
	r.waiting = nil
}

func (r *foreignReader) add(c *loadgen.Call) {
	if len(r.kept) < ganttCalls {
		r.kept = append(r.kept, *c)
	}
	r.collector.Add(recordOf(c, r.n, r.first))
	r.n++
}

// recordOf is a call as a record whose tokens come at its first and last time.
func recordOf(c *loadgen.Call, index int, first float64) *loadgen.Record {
	after := func(from, to float64) time.Duration { return time.Duration((to - from) * 1e9) }
	r := &loadgen.Record{}
	r.Reset()
	r.Request = &loadgen.Request{InputTokens: max(c.PromptTokens, 0)}
	r.Index = index
	r.Sent = max(after(first, c.Start), 0)
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
