package metrics

import (
	"loadgen"
)

// judge returns the verdict on a run whose other figures are in s.
func (c *Collector) judge(s *Summary, o loadgen.Outcome, h loadgen.Health, tr loadgen.Transport) Validity {
	limits, _ := thresholds(c.facts.Limits) // checked by NewCollector
	j := &judge{limits: limits, signs: map[string]Sign{}}
	c.judgeDelays(j, h)
	c.judgeReads(j, s)
	c.judgeLoad(j, s, o)
	judgeHealth(j, h)
	c.judgeCeiling(j, s, o, tr)

	c.judgeOutcome(j, s, o)
	c.judgeStalls(j, s, o)
	c.judgeCache(j)
	c.judgeServer(j, s)
	c.noteHidden(j)
	c.noteFilling(j, s)
	c.judgeStart(j)
	c.judgeBunching(j, o)

	judgeWorkers(j, o.Workers)

	issued := float64(s.Counts.Issued)
	j.share("unfinished", float64(s.Counts.Unfinished), float64(s.Counts.OK))
	j.share("starved", float64(h.Starved), issued)
	j.share("dial_errors", float64(tr.LocalDials), issued)
	if s.Sources.KernelTimed > 0 {
		j.sign("clock_steps", float64(h.ClockSteps))
	}
	return j.validity()
}

// conclusiveTime is how many seconds a run must have lasted for its CPU time and
// its rate to make it INVALID: a short one is mostly its own beginning.
const conclusiveTime = 0.5

func judgeHealth(j *judge, h loadgen.Health) {
	if h.GCPause.P99 >= 0 {
		j.sign("gc_pause_p99", h.GCPause.P99*1e3)
	}
	wall := h.Wall.Seconds()
	allowed := float64(min(h.GOMAXPROCS, h.CPUs))
	if h.CPUQuota > 0 {
		allowed = min(allowed, h.CPUQuota)
	}
	if wall*allowed > 0 {
		j.decide("process_cpu", h.ProcessCPU.Seconds()/(wall*allowed), wall >= conclusiveTime)
	}
	j.share("throttled", h.Throttled.Seconds(), wall)
	j.share("stood_still", h.StoodStill.Seconds(), wall)
	if h.MachineBusy > 0.9 {
		j.note("the machine was %.0f %% busy: something beside the generator may have slowed the server", h.MachineBusy*100)
	}
}

// judgeCeiling holds the load against what calibration could measure.
func (c *Collector) judgeCeiling(j *judge, s *Summary, o loadgen.Outcome, tr loadgen.Transport) {
	t, ceiling := &c.profiling, c.facts.Ceiling
	if ceiling.Streams+ceiling.Chunks+ceiling.Requests == 0 {
		return
	}
	if tr.TLS || tr.Engine == "std" {
		j.note("calibration knows only the raw engine without TLS: its ceiling was not applied")
		return
	}
	compare := func(name string, value, limit float64, open bool) {
		if limit > 0 {
			j.decide(name, value/limit, !open)
		}
	}
	if len(o.Workers) > 0 {
		return // each worker was held against its own machine's
	}
	compare("ceiling_streams", float64(o.MaxFlight), ceiling.Streams, ceiling.StreamsOpen)
	if s.Whole == nil || s.Whole.To <= s.Whole.From {
		return
	}
	length := s.Whole.To - s.Whole.From
	compare("ceiling_chunks", float64(t.sources.Chunks-t.sources.MergedChunks)/length, ceiling.Chunks, ceiling.StreamsOpen)
	compare("ceiling_requests", float64(t.issued())/length, ceiling.Requests, ceiling.RequestsOpen)
}
