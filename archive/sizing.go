package archive

import (
	"loadgen"
	"loadgen/analyze"
	"loadgen/metrics"
)

// SizingPoint is the run as a point of a sweep; samples in milliseconds.
func (r *Recording) SizingPoint() analyze.SizingPoint {
	p := analyze.SizingPoint{
		Load: r.Meta.Facts.Load.Level(), Interrupted: r.Status != loadgen.Completed || r.Summarized.Counts.OK == 0,
		Samples: map[string][]float64{},
	}
	add := func(metric string, seconds float64) { p.Samples[metric] = append(p.Samples[metric], 1000*seconds) }
	for i := range r.Trace.Calls {
		c := &r.Trace.Calls[i]
		if c.Failed || !c.Done() {
			continue
		}
		add("request_latency", c.Duration())
		if c.FirstToken >= c.Start {
			add("time_to_first_token", c.FirstToken-c.Start)
			if c.CompletionTokens > 1 {
				add("inter_token_latency", (c.End-c.FirstToken)/float64(c.CompletionTokens-1))
			}
		}
	}
	for _, s := range r.sessions() {
		if !s.failed {
			add("session_duration", s.to-s.from)
		}
	}
	return p
}

// A spell is a session from its first call to its last.
type spell struct {
	id       string
	from, to float64
	latency  []float64
	failed   bool
}

// sessions returns the run's sessions in order of their first call.
func (r *Recording) sessions() []spell {
	var out []spell
	index := map[int]int{}
	for i := range r.Trace.Calls {
		c := &r.Trace.Calls[i]
		at, known := index[c.Example]
		if !known {
			at = len(out)
			index[c.Example] = at
			out = append(out, spell{id: c.FunctionID, from: c.Start})
		}
		s := &out[at]
		s.to = max(s.to, c.End)
		s.failed = s.failed || c.Failed || !c.Done()
		s.latency = append(s.latency, c.Duration())
	}
	return out
}

// SizingAIQ is AIQ's calculator over the closed loops of a batch.
func SizingAIQ(runs []*Recording, question analyze.SizingQuestionAIQ) analyze.SizingReportAIQ {
	var measured []analyze.SizingRunAIQ
	for _, r := range runs {
		if r.Meta.Facts.Load.Mode == loadgen.OpenLoop {
			continue
		}
		m := analyze.SizingRunAIQ{Concurrency: r.Meta.Facts.Load.Users, Interrupted: r.Status != loadgen.Completed || r.Summarized.Counts.Failed > 0}
		var latencies, runtimes []float64
		for _, s := range r.sessions() {
			latencies, runtimes = append(latencies, s.latency...), append(runtimes, s.to-s.from)
			m.TotalRuntime = max(m.TotalRuntime, s.to)
			m.Items = append(m.Items, analyze.SizingItem{ID: s.id, Latency: p95(s.latency), Runtime: s.to - s.from})
		}
		m.LatencyP95, m.RuntimeP95 = p95(latencies), p95(runtimes)
		measured = append(measured, m)
	}
	return analyze.SizingAIQ(measured, question)
}

func p95(seconds []float64) float64 {
	if len(seconds) == 0 {
		return 0
	}
	return metrics.Percentile(metrics.Sorted(seconds), 95)
}
