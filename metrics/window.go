package metrics

import (
	"math"
	"time"

	"loadgen"
)

// windows sets the figures of the whole run, of its part under load and of its
// steady part.
func (c *Collector) windows(s *Summary, o loadgen.Outcome) {
	t := &c.profiling
	if t.issued() == 0 {
		s.NoSteady = "no request ended"
		return
	}
	t.align()
	whole := c.window(t.begun(), t.lastEnd)
	s.Whole = &whole
	if from, to := t.loaded(o); to > from {
		loaded := c.window(from, to)
		s.Loaded = &loaded
	}
	first, last, why := t.steady(o)
	if why != "" {
		s.NoSteady = why
		return
	}
	from, to := time.Duration(first)*t.series.width, time.Duration(last)*t.series.width
	w := c.window(from, to)
	inside := t.inside(from, to)
	w.Latency = spreadOf(inside, func(s sample) float64 { return s.latency })
	w.TTFT = spreadOf(inside, func(s sample) float64 { return s.ttft })
	w.ITL = spreadOf(inside, func(s sample) float64 { return s.itl })
	w.TTFTFromDue = spreadOf(inside, func(s sample) float64 { return s.ttftFromDue })
	s.Steady = &w
	s.Means = means(inside)
}

// begun is when there was load for the first time: from the epoch on where the
// warm-up handed over requests in flight.
func (t *tally) begun() time.Duration {
	if t.crossing.len() > 0 {
		return min(t.firstSent, 0)
	}
	return t.firstSent
}

// loaded returns the time under load: from the end of the ramp until no new
// request was started, while as many were in flight as the run wanted.
func (t *tally) loaded(o loadgen.Outcome) (from, to time.Duration) {
	return max(t.rampEnd, 0), t.until(o)
}

// until is when the load fell: nothing new was started from there on.
func (t *tally) until(o loadgen.Outcome) time.Duration {
	if o.StoppedAt > 0 {
		return o.StoppedAt
	}
	return t.lastSent // an outcome that does not say
}

// amounts adds up what lies between two times. What came at the very end of the
// run stands in the bin that begins then.
func (t *tally) amounts(from, to time.Duration) amounts {
	if to >= t.lastEnd {
		to = t.series.binEnd(to)
	}
	a, b := t.series.between(from, to), t.handed.between(from, to)
	return amounts{a.all + b.all, a.success + b.success, a.fine + b.fine, a.input + b.input, a.tokens + b.tokens, a.inFlight + b.inFlight}
}

// window computes what was achieved between two times.
func (c *Collector) window(from, to time.Duration) Window {
	t := &c.profiling
	width := t.series.width
	last := int(t.series.binEnd(to-1) / width)
	if to >= t.lastEnd {
		last = len(t.series.bins) // that which begins with the end has what ended there
	}
	sum := t.series.sum(int(max(from, 0)/width), last)
	w := Window{From: from.Seconds(), To: to.Seconds(), Sent: sum.sent, OK: sum.ok}
	if len(c.slos) > 0 {
		w.Good = &sum.good
	}
	length := (to - from).Seconds()
	if length <= 0 {
		return w
	}
	in := t.amounts(from, to)
	w.RequestThroughput = in.success / length
	if t.dists[OSL].count() > 0 {
		rate := in.tokens / length
		w.TokenThroughput = &rate
	}
	if t.dists[ISL].count() > 0 {
		rate := in.input / length
		w.InputThroughput = &rate
	}
	if w.Good != nil {
		rate := in.fine / length
		w.Goodput = &rate
	}
	w.InFlight = in.inFlight / length
	if sum.flight > 0 {
		product := in.all / length * sum.flight.Seconds() / float64(sum.sent)
		w.Little = &Little{InFlight: w.InFlight, RateTimesFlight: product, Ratio: w.InFlight / product}
	}
	return w
}

// concurrency is the sweep line over all requests, or over those before or
// behind their first token; beyond ExactLimit only the mean and maximum of the
// first are known.
func (t *tally) concurrency(tag string, o loadgen.Outcome) *Stats {
	if t.issued() <= t.samples.len() {
		var spans []span
		for _, l := range []*list[sample]{&t.samples, &t.crossing} {
			for s := range l.all() {
				if s, ok := s.part(tag); ok {
					spans = append(spans, s)
				}
			}
		}
		return concurrency(spans, span{t.begun(), t.lastEnd})
	}
	if tag != "effective_concurrency" {
		return nil
	}
	nan := math.NaN()
	return &Stats{
		Avg: t.amounts(t.begun(), t.lastEnd).inFlight / (t.lastEnd - t.begun()).Seconds(), Max: float64(o.MaxFlight), Min: nan, Std: nan, Sum: nan,
		P1: nan, P5: nan, P10: nan, P25: nan, P50: nan, P75: nan, P90: nan, P95: nan, P99: nan,
	}
}
