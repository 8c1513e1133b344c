package metrics

import (
	"fmt"
	"math"

	"loadgen"
)

// A Verdict says whether a run's numbers describe the server or the generator.
type Verdict string

const (
	Valid    Verdict = "VALID"
	Degraded Verdict = "DEGRADED" // to be read with the reasons beside them
	Invalid  Verdict = "INVALID"  // the generator was the bottleneck
)

// Validity is the verdict with what led to it.
type Validity struct {
	Verdict Verdict `json:"verdict"`
	// Reasons are the signs beyond their limits, worst first in the order of
	// the thresholds.
	Reasons []Sign `json:"reasons,omitempty"`
	// Signs are all that could be judged, in the order of the thresholds.
	Signs []Sign `json:"signs,omitempty"`
	// Notes are circumstances that are no fault of the generator.
	Notes []string `json:"notes,omitempty"`
}

// A Sign is one threshold held against a run.
type Sign struct {
	Name    string  `json:"name"`
	Verdict Verdict `json:"verdict"`
	Value   float64 `json:"value"`
	Limit   float64 `json:"limit"` // that it broke; the one for DEGRADED where it broke none
	Unit    string  `json:"unit"`
	Text    string  `json:"text"`
}

// A judge holds signs against the thresholds.
type judge struct {
	limits map[string]Threshold
	signs  map[string]Sign
	notes  []string
}

func (j *judge) sign(name string, value float64) {
	if math.IsNaN(value) || math.IsInf(value, 0) {
		return
	}
	t := j.limits[name]
	s := Sign{Name: name, Verdict: Valid, Value: value, Limit: t.Degraded, Unit: t.Unit}
	switch {
	case value > t.Invalid:
		s.Verdict, s.Limit = Invalid, t.Invalid
	case value > t.Degraded:
		s.Verdict = Degraded
	}
	s.Text = fmt.Sprintf("%s: %.3g, limit %.3g %s", t.What, value, s.Limit, t.Unit)
	j.signs[name] = s
}

// delay judges a delay in milliseconds as a share of a measured time; below
// the noise floor its share is 0.
func (j *judge) delay(name string, delay, measured float64) {
	switch {
	case delay <= j.limits[NoiseFloor].Degraded:
		j.sign(name, 0)
	case measured > 0:
		j.sign(name, delay/measured)
	}
}

// share judges a part of a whole that may be empty.
func (j *judge) share(name string, part, whole float64) {
	if whole > 0 {
		j.sign(name, part/whole)
	}
}

func (j *judge) note(format string, args ...any) {
	j.notes = append(j.notes, fmt.Sprintf(format, args...))
}

func (j *judge) validity() Validity {
	v := Validity{Verdict: Valid, Notes: j.notes}
	for _, level := range []Verdict{Invalid, Degraded} {
		for _, t := range table {
			if s, ok := j.signs[t.Name]; ok && s.Verdict == level {
				v.Reasons = append(v.Reasons, s)
			}
		}
	}
	for _, t := range table {
		if s, ok := j.signs[t.Name]; ok {
			v.Signs = append(v.Signs, s)
		}
	}
	if len(v.Reasons) > 0 {
		v.Verdict = v.Reasons[0].Verdict
	}
	return v
}

// judge returns the verdict on a run whose other figures are in s.
func (c *Collector) judge(s *Summary, o loadgen.Outcome, h loadgen.Health, tr loadgen.Transport) Validity {
	limits, _ := thresholds(c.facts.Limits) // checked by NewCollector
	j := &judge{limits: limits, signs: map[string]Sign{}}
	c.judgeDelays(j, s)
	c.judgeLoad(j, s, o)
	judgeHealth(j, h)
	if s.ReaderDelay == nil && h.SchedLatency.P99 >= 0 {
		j.delay("sched_latency_itl", h.SchedLatency.P99*1e3, c.profiling.dists[ITL].percentile(50))
	}
	c.judgeCeiling(j, s, o)

	issued := float64(s.Counts.Issued)
	j.share("starved", float64(h.Starved), issued)
	j.share("dial_errors", float64(tr.DialErrors), issued)
	j.share("lost", float64(s.Counts.Lost), issued)
	j.share("failed", float64(s.Counts.Failed), issued)
	if s.Sources.KernelTimed > 0 {
		j.sign("clock_steps", float64(h.ClockSteps))
	}
	if o.Cancelled {
		j.note("ended by the user: the figures are of a part of the run")
	}
	if o.Cut != "" {
		j.note("ended before its time: %s; the figures are of a part of the run", o.Cut)
	}
	return j.validity()
}

// judgeDelays holds the generator's delays against the times that it reports:
// the TTFT, or the request latency where replies are not streamed.
func (c *Collector) judgeDelays(j *judge, s *Summary) {
	t := &c.profiling
	measured := &t.dists[TTFT]
	if measured.count() == 0 {
		measured = &t.dists[RequestLatency]
	}
	p50, p99 := measured.percentile(50), measured.percentile(99)
	if s.Rate != nil && s.Rate.CeilingBound {
		j.note("ceiling bound: not an open loop; %d of %d requests were held back by the ceiling of %d in flight", t.held, t.issued(), c.facts.Concurrency)
	}
	if lag := s.OwnLag; lag != nil {
		j.delay("lag_p50", lag.P50, p50)
		j.delay("lag_p99", lag.P99, p99)
	}
	if sending := &t.dists[HTTPSending]; sending.count() > 0 {
		j.delay("send_delay_p50", sending.percentile(50), p50)
		j.delay("send_delay_p99", sending.percentile(99), p99)
	}
	if d := s.ReaderDelay; d != nil {
		j.delay("reader_delay_p50", d.P50, p50)
		j.delay("reader_delay_p99", d.P99, p99)
		j.delay("reader_delay_itl", d.P50, t.dists[ITL].percentile(50))
	}
	if t.wait.count() > 0 {
		// Requests that did not wait are not in the distribution: its p99 is
		// an upper bound of theirs unless most of them waited.
		if waited := t.wait.count() * 100; waited > int64(t.issued()) {
			j.delay("connection_wait_p99", t.wait.percentile(99), p50)
		}
	}
	j.share("merged_chunks", float64(s.Sources.MergedChunks), float64(s.Sources.Chunks))
	j.share("unfinished", float64(s.Counts.Unfinished), float64(s.Counts.OK))
	j.share("coalesced", float64(s.Counts.Coalesced), float64(s.Counts.OK))
}

// judgeLoad holds the load that was offered against the one asked for.
func (c *Collector) judgeLoad(j *judge, s *Summary, o loadgen.Outcome) {
	t := &c.profiling
	if s.Rate != nil && !s.Rate.CeilingBound {
		j.share("missed", float64(o.Missed), float64(o.Missed+s.Counts.Issued))
	}
	if s.Rate != nil && s.Rate.CeilingBound && o.Missed > 0 {
		j.note("%d slots of the schedule were still waiting for the ceiling at the end", o.Missed)
	}
	if c.facts.closedLoop() && c.facts.Concurrency > 0 && !c.facts.Paused {
		if lack, ok := t.shortfall(float64(c.facts.Concurrency)); ok {
			j.sign("in_flight_shortfall", lack)
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

func judgeHealth(j *judge, h loadgen.Health) {
	if h.SchedLatency.P99 >= 0 {
		j.sign("sched_latency_p99", h.SchedLatency.P99*1e3)
	}
	if h.GCPause.P99 >= 0 {
		j.sign("gc_pause_p99", h.GCPause.P99*1e3)
	}
	wall := h.Wall.Seconds()
	allowed := float64(min(h.GOMAXPROCS, h.CPUs))
	if h.CPUQuota > 0 {
		allowed = min(allowed, h.CPUQuota)
	}
	j.share("process_cpu", h.ProcessCPU.Seconds(), wall*allowed)
	j.share("throttled", h.Throttled.Seconds(), wall)
	if h.MachineBusy > 0.9 {
		j.note("the machine was %.0f %% busy: something beside the generator may have slowed the server", h.MachineBusy*100)
	}
}

// judgeCeiling holds the load against what calibration could measure.
func (c *Collector) judgeCeiling(j *judge, s *Summary, o loadgen.Outcome) {
	t := &c.profiling
	j.share("ceiling_streams", float64(o.MaxFlight), c.facts.Ceiling.Streams)
	if s.Whole == nil || s.Whole.To <= s.Whole.From {
		return
	}
	length := s.Whole.To - s.Whole.From
	j.share("ceiling_chunks", float64(t.sources.Chunks)/length, c.facts.Ceiling.Chunks)
	j.share("ceiling_requests", float64(t.issued())/length, c.facts.Ceiling.Requests)
}
