package metrics

import (
	"math"

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

	issued := float64(s.Counts.Issued)
	j.share("unfinished", float64(s.Counts.Unfinished), float64(s.Counts.OK))
	j.share("starved", float64(h.Starved), issued)
	j.share("dial_errors", float64(tr.DialErrors), issued)
	j.share("lost", float64(s.Counts.Lost), issued)
	j.share("failed", float64(s.Counts.Failed), issued)
	if s.Sources.KernelTimed > 0 {
		j.sign("clock_steps", float64(h.ClockSteps))
	}
	switch {
	case o.Cancelled:
		j.note("ended by the user: the figures are of a part of the run")
	case o.Cut != "":
		j.note("ended before its time: %s; the figures are of a part of the run", o.Cut)
	default:
		j.share("cancelled", float64(s.Counts.Cancelled), issued)
	}
	return j.validity()
}

// judgeDelays holds the generator's delays against the times that it reports:
// the TTFT, or the request latency where replies are not streamed.
func (c *Collector) judgeDelays(j *judge, h loadgen.Health) {
	t := &c.profiling
	measured := t.firstOutput()
	p50, p99 := measured.percentile(50), measured.percentile(99)
	j.delays("lag_p50", &t.ownLag, 50, p50)
	j.delays("lag_p99", &t.ownLag, 99, p99)
	j.delays("send_delay_p50", &t.dists[HTTPSending], 50, p50)
	j.delays("send_delay_p99", &t.dists[HTTPSending], 99, p99)
	j.delays("reader_delay_p50", &t.firstDelay, 50, p50)
	j.delays("reader_delay_p99", &t.firstDelay, 99, p99)
	j.delays("reader_delay_itl", &t.meanDelay, 50, t.chunkGap.percentile(50))
	// Requests that did not wait are not in the distribution: its p99 is an
	// upper bound of theirs unless most of them waited.
	if waited := t.wait.count() * 100; waited > int64(t.issued()) {
		j.delays("connection_wait_p99", &t.wait, 99, p50)
	}
	late := h.SchedLatency.P99 * 1e3
	if late < 0 {
		return
	}
	j.sign("sched_latency_p99", late)
	if !t.readerTimed() {
		return
	}
	for name, measured := range map[string]float64{"sched_latency_ttft": p50, "sched_latency_itl": t.dists[ITL].percentile(50)} {
		if measured > 0 {
			j.decide(name, j.excess(late)/measured, t.ok >= conclusiveCount)
		}
	}
}

// firstOutput is the distribution of TTFT, or of the latency where replies are
// not streamed.
func (t *tally) firstOutput() *distribution {
	if ttft := &t.dists[TTFT]; ttft.count() > 0 {
		return ttft
	}
	return &t.dists[RequestLatency]
}

// readerTimed reports whether enough requests to matter lack the kernel's
// times.
func (t *tally) readerTimed() bool { return t.sources.ReaderTimed*10 > t.ok }

// judgeReads holds chunks that came together against the stream. Where the
// generator was not late they were sent together, which is how that server
// streams and no fault of the generator.
func (c *Collector) judgeReads(j *judge, s *Summary) {
	t := &c.profiling
	merged, coalesced := float64(s.Sources.MergedChunks), float64(s.Counts.Coalesced)
	if !t.punctual() {
		j.share("merged_chunks", merged, float64(s.Sources.Chunks))
		j.share("coalesced", coalesced, float64(s.Counts.OK))
		return
	}
	if limit := j.limits["merged_chunks"].Degraded; merged > limit*float64(s.Sources.Chunks) {
		j.note("the server sends several events at once: %.0f %% of the chunks came with the one before, and the gaps between them are no times between tokens",
			100*merged/float64(s.Sources.Chunks))
	}
	if limit := j.limits["coalesced"].Degraded; coalesced > limit*float64(s.Counts.OK) {
		j.note("the server sends whole answers at once: %.0f %% of the streamed replies have no inter-token latency", 100*coalesced/float64(s.Counts.OK))
	}
}

// punctual reports whether half of the requests waited so little for this process
// that chunks which came together can hardly have met before it: a tenth of the
// mean time from chunk to chunk. The kernel's time is that of the newest bytes of
// a read, so that a reader which is late by many chunks shows a delay of half
// that time, however many they were. Of replies that came in one read it is a
// tenth of what lies before it.
func (t *tally) punctual() bool {
	if t.readerTimed() || t.firstDelay.count() == 0 {
		return false
	}
	delay, apart := &t.firstDelay, t.firstOutput()
	if t.chunkGap.count() > 0 {
		delay, apart = &t.meanDelay, &t.chunkGap
	}
	return delay.percentile(50) <= apart.percentile(50)/10
}

// keptPace is the share of their rate below which users do not keep their pace.
const keptPace = 0.95

// judgeLoad holds the load that was offered against the one asked for.
func (c *Collector) judgeLoad(j *judge, s *Summary, o loadgen.Outcome) {
	t := &c.profiling
	switch {
	case s.Rate == nil:
	case !c.facts.Load.Scheduled():
		if s.Rate.Achieved < keptPace*s.Rate.Asked {
			j.note("users could not keep their pace: %.3g of %.3g requests/s; a request that is due before the last one has ended follows it at once", s.Rate.Achieved, s.Rate.Asked)
		}
	case s.Rate.CeilingBound:
		j.note("ceiling bound: not an open loop; %d of %d requests were held back by the ceiling of %d in flight", t.held, t.issued(), c.facts.Load.Ceiling)
		if o.Missed > 0 {
			j.note("%d slots of the schedule were still waiting for the ceiling at the end", o.Missed)
		}
	default:
		j.share("missed", float64(o.Missed), float64(o.Missed+max(o.Sessions, t.pace.sessions)))
		due, sent := t.pace.lastDue-t.pace.firstDue, t.pace.lastSent-t.pace.firstSent
		if due > 0 {
			j.decide("rate_shortfall", j.excess(millis(sent-due))/millis(due), due.Seconds() >= conclusiveTime)
		}
	}
	if c.facts.closedLoop() && c.facts.Load.Users > 0 && !c.facts.Paused {
		if lack, ok := t.shortfall(float64(c.facts.Load.Users)); ok {
			j.sign("in_flight_shortfall", lack)
		}
		if t.inFlight > 0 {
			j.decide("turnaround", float64(t.inGenerator)/float64(t.inFlight), t.ok >= conclusiveCount)
		}
	}
	if s.Steady == nil || s.Steady.Little == nil {
		return
	}
	// A request in flight at either edge counts on one side only.
	length := s.Steady.To - s.Steady.From
	l := s.Steady.Little
	edge := math.Max(l.InFlight, 1) * l.RateTimesFlight / l.InFlight / math.Max(float64(s.Steady.OK), 1)
	if length > 0 {
		j.sign("littles_law", max(math.Abs(l.Ratio-1)-edge, 0))
	}
}

// shortfall returns what share of the users was missing in flight, from the
// first time in the run that all had been started until no more were. It is
// judged only where that lasted for a request's latency at least.
func (t *tally) shortfall(users float64) (float64, bool) {
	width := t.series.width
	level := t.series.inFlight()
	from, to := t.sending()
	if to-from < 10 || t.ok == 0 {
		return 0, false
	}
	mean := Mean(level[from:to])
	if float64(to-from)*millis(width) < t.dists[RequestLatency].moments().sum/float64(t.ok) {
		return 0, false
	}
	return max(1-mean/users, 0), true
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
	compare("ceiling_streams", float64(o.MaxFlight), ceiling.Streams, ceiling.StreamsOpen)
	if s.Whole == nil || s.Whole.To <= s.Whole.From {
		return
	}
	length := s.Whole.To - s.Whole.From
	compare("ceiling_chunks", float64(t.sources.Chunks-t.sources.MergedChunks)/length, ceiling.Chunks, ceiling.StreamsOpen)
	compare("ceiling_requests", float64(t.issued())/length, ceiling.Requests, ceiling.RequestsOpen)
}
