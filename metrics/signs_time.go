package metrics

import (
	"fmt"
	"math"

	"loadgen"
)

// judgeDelays holds the generator's delays against the times that it reports:
// the TTFT, or the request latency where replies are not streamed.
func (c *Collector) judgeDelays(j *judge, h loadgen.Health) {
	t := &c.profiling
	measured := t.firstOutput()
	p50, p99 := measured.percentile(50), measured.percentile(99)
	j.delays("lag_p50", &t.ownLag, 50, p50)
	j.delays("lag_p99", &t.ownLag, 99, p99)
	j.delays("send_delay_p50", &t.unwritten, 50, p50)
	// A difference of percentiles, not a percentile of delays: those of requests
	// that were quick all the same change nothing.
	if true99 := t.fromWritten.percentile(99); p99-true99 > j.limits[NoiseFloor].Degraded {
		j.sign("send_delay_p99", p99/true99-1)
	} else if p99 > 0 {
		j.sign("send_delay_p99", 0)
	}
	c.judgeExcess(j, p99, h)
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

// judgeExcess holds p99 TTFT against what the endpoint can have made of it:
// without the time before a request was written, and without what a late reader
// adds. Of several chunks in one read only the last one's arrival is known: where
// the first came with more others than usual, it came as many gaps earlier. A
// process that is never late by half a gap has not made them meet: the server
// sent them so.
func (c *Collector) judgeExcess(j *judge, p99 float64, h loadgen.Health) {
	t := &c.profiling
	if t.issued() > t.samples.len() || t.ok == 0 {
		return
	}
	gap, usual := 0.0, t.usuallyTogether()
	if t.gaps.count() > 0 {
		m := t.gaps.moments()
		gap = m.mean()
		if t.latest(h) < gap/2 {
			gap = 0
		}
	}
	var own []float64
	for s := range t.samples.all() {
		if !math.IsNaN(s.fromWritten) {
			own = append(own, max(s.fromWritten-gap*max(float64(s.together)-usual, 0), 0))
		}
	}
	true99 := Percentile(Sorted(own), 99)
	excess := 0.0
	if p99-true99 > j.limits[NoiseFloor].Degraded {
		excess = p99/true99 - 1
	}
	j.sign("ttft_excess_p99", excess)
	j.say("ttft_excess_p99", fmt.Sprintf("p99 TTFT is %.4g ms, of which the endpoint can have made %.4g: the rest is time before requests were written, or that of a reader so late that the first output came with others", p99, true99))
}

// latest is how late this process came at its p99, in milliseconds: to what the
// kernel had received or, without the kernel's times, to a thread.
func (t *tally) latest(h loadgen.Health) float64 {
	if t.readerTimed() {
		return h.SchedLatency.P99 * 1e3
	}
	return t.firstDelay.percentile(99)
}

// usuallyTogether is with how many others the first chunk came in half of the
// replies: as the server sends them.
func (t *tally) usuallyTogether() float64 {
	var n []float64
	for s := range t.samples.all() {
		if !math.IsNaN(s.fromWritten) {
			n = append(n, float64(s.together))
		}
	}
	return Percentile(Sorted(n), 50)
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
