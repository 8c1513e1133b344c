package metrics

import (
	"math"

	"loadgen"
)

// A hidden counts successful streams of servers that thought more than they sent.
type hidden struct{ streams, tokens int }

// add takes in a stream whose server counts reasoning of which none came.
func (h *hidden) add(r *loadgen.Record) {
	if !r.Streamed || r.Usage.ReasoningTokens <= 0 {
		return
	}
	for _, c := range r.Chunks {
		if c.Kind.Carries(loadgen.Reasoning) {
			return
		}
	}
	h.streams++
	h.tokens += r.Usage.ReasoningTokens
}

// noteHidden says where inter-token latencies are of tokens that nobody saw.
func (c *Collector) noteHidden(j *judge) {
	if t := &c.profiling; t.hidden.streams > 0 {
		j.note("hidden reasoning: in %d of %d answers the server counts tokens of reasoning that it did not send, %d on average; TTFT includes that thinking, and ITL, output length and throughput count its tokens",
			t.hidden.streams, t.ok, t.hidden.tokens/t.hidden.streams)
	}
}

// fillingChange is the share of a figure of the steady state by which that of the
// whole run may differ before the start of an open loop is told.
const fillingChange = 0.1

// noteFilling says where the first seconds of an open loop, which meet an empty
// server, change a figure.
func (c *Collector) noteFilling(j *judge, s *Summary) {
	if !c.facts.Load.Scheduled() || s.Steady == nil || s.Steady.From <= c.profiling.begun().Seconds() {
		return
	}
	name, steady, all := "TTFT", s.Steady.TTFT, c.profiling.firstOutput()
	if steady == nil {
		name, steady = "latency", s.Steady.Latency
	}
	if steady == nil {
		return
	}
	p50, p99 := all.percentile(50), all.percentile(99)
	changed := func(whole, steady float64) bool { return j.excess(math.Abs(whole-steady)) > fillingChange*steady }
	if changed(p50, steady.P50) || changed(p99, steady.P99) {
		j.note("the first %.3g s, in which the server filled, change the figures: p50 and p99 of %s are %.4g and %.4g ms, and %.4g and %.4g in the steady state",
			s.Steady.From, name, p50, p99, steady.P50, steady.P99)
	}
}
