package metrics

import (
	"cmp"
	"math"
	"slices"
	"time"

	"loadgen"
	"loadgen/stats"
)

// evidence keeps of every request what the limits of a search ask of it; of no
// more requests than percentiles are exact of.
type evidence struct {
	limits []Limit
	seen   list[seen]
	values []list[float64] // by limit; NaN where a request has none
}

// A seen is what is known of a request besides.
type seen struct {
	index       int
	sent, ended time.Duration
	ramp        bool
	state       uint8
}

const (
	seenGood uint8 = iota // met the SLOs of a request, or there are none
	seenOK
	seenFailed
	seenCancelled
)

func newEvidence(limits []Limit) evidence {
	return evidence{limits: limits, values: make([]list[float64], len(limits))}
}

func (e *evidence) add(r *loadgen.Record, m *Measurement, good bool) {
	if len(e.limits) == 0 || e.seen.len() >= ExactLimit {
		return
	}
	s := seen{index: r.Index, sent: r.Sent, ended: r.Ended, ramp: r.Ramp, state: seenOK}
	switch {
	case r.Cancelled():
		s.state = seenCancelled
	case !r.OK():
		s.state = seenFailed
	case good:
		s.state = seenGood
	}
	e.seen.add(s)
	for i, l := range e.limits {
		v := math.NaN()
		if d, ok := l.definition(); ok {
			if x, has := m.Value(d.ID); has {
				v = x
			} else if s.state == seenCancelled {
				v = atLeast(r, d.ID)
			}
		}
		e.values[i].add(v)
	}
}

// atLeast is what a time came to by the moment at which the end of the run cut
// its request off: the slowest must not count for nothing. NaN for no time.
func atLeast(r *loadgen.Record, id ID) float64 {
	whole := r.Ended - r.Sent
	first := whole
	if len(r.Chunks) > 0 {
		first = r.Chunks[0].At
	}
	switch id {
	case RequestLatency:
		return millis(whole)
	case EffectiveLatency:
		return millis(whole + r.Lag())
	case TTFT:
		return millis(first)
	case TTFTFromDue:
		return millis(first + r.Lag())
	}
	return math.NaN()
}

// A Margin is how far a run stays within a limit.
type Margin struct {
	Limit
	// Observed is the figure of the run, in the unit of the limit.
	Observed float64 `json:"observed"`
	// N requests it is of, worth EffectiveN independent ones.
	N          int     `json:"n"`
	EffectiveN float64 `json:"effective_n"`
	// Y is the logarithm of the figure over its limit, turned so that below 0 is
	// within; S its standard error, with what differs from run to run.
	Y float64 `json:"y"`
	S float64 `json:"s"`
}

// Known reports whether the run has the figure at all.
func (m Margin) Known() bool { return m.N > 0 && !math.IsNaN(m.Y) && m.S > 0 }

// RunSD is how much the logarithm of a figure differs from run to run at the
// same load beyond the chance of its own requests: 2 %.
const RunSD = 0.02

// fewestSeen are the requests that a margin rests on at least.
const fewestSeen = 8

// The parts of a probe that are left out at its beginning, beside its ramp and two
// latencies: what a load that has just begun does is not what it will do. Queues of open
// loops take longer to fill.
const (
	settleClosed = 0.1
	SettleOpen   = 0.25
)

// Margins returns how the run stands against the limits of the facts, by the
// requests that were sent after it settled, in order of issue. While it goes on
// those are left out that may still have slower neighbours in flight: over says
// that it does not.
func (c *Collector) Margins(over bool) []Margin {
	c.mu.Lock()
	e := evidence{limits: c.facts.Sought}
	all := slices.AppendSeq(make([]seen, 0, c.evidence.seen.len()), c.evidence.seen.all())
	values := make([][]float64, len(e.limits))
	for i := range values {
		values[i] = slices.AppendSeq(make([]float64, 0, len(all)), c.evidence.values[i].all())
	}
	open := c.facts.Load.Scheduled()
	c.mu.Unlock()
	return margins(e.limits, all, values, open, over)
}

func margins(limits []Limit, all []seen, values [][]float64, open, over bool) []Margin {
	from, to := window(all, open, over)
	order := sentWithin(all, from, to)
	few := len(order) < fewestSeen
	if few && (over || open) { // better those than none
		order = sentWithin(all, from, math.MaxInt64)
	}
	byIssue(order, all)
	found := make([]Margin, len(limits))
	for i, l := range limits {
		found[i] = l.margin(order, all, values[i])
		// What waits in a queue that grows is slower than what has left it: that can tell
		// of a limit that is broken, and never of one that is kept.
		if m := &found[i]; few && !over && (l.IsShare() || !(m.Y > 0)) {
			m.N, m.Y, m.S = 0, math.NaN(), math.NaN()
		}
	}
	return found
}

// byIssue puts requests in the order in which they were sent: neighbours then share
// what the endpoint was at. Numbers do not tell that where several workers deal
// them out, one of whom may be slower than another.
func byIssue(order []int, all []seen) {
	slices.SortFunc(order, func(a, b int) int {
		return cmp.Or(cmp.Compare(all[a].sent, all[b].sent), cmp.Compare(all[a].index, all[b].index))
	})
}

// sentWithin are those that were sent within a time, behind the ramp.
func sentWithin(all []seen, from, to time.Duration) (order []int) {
	for i, s := range all {
		if !s.ramp && s.sent >= from && s.sent <= to {
			order = append(order, i)
		}
	}
	return order
}

// window returns the times between which requests count by when they were sent.
func window(all []seen, open, over bool) (from, to time.Duration) {
	var last, longest, sum time.Duration
	ramp := time.Duration(0)
	n := 0
	for _, s := range all {
		last = max(last, s.sent)
		if s.ramp {
			ramp = max(ramp, s.sent)
		}
		if s.state != seenCancelled {
			longest = max(longest, s.ended-s.sent)
			sum += s.ended - s.sent
			n++
		}
	}
	if n == 0 {
		return 0, last
	}
	share := settleClosed
	if open {
		share = SettleOpen
	}
	settle := max(time.Duration(share*float64(last-ramp)), min(2*sum/time.Duration(n), (last-ramp)/2))
	from = ramp + settle
	switch {
	case !over:
		// The last to be sent was sent before now by less than the longest.
		return from, max(last-longest, 0)
	case !open:
		// Those that are answered when their neighbours ask no more have it easier.
		return from, max(last-longest, from+(last-from)/2)
	}
	return from, last
}

// margin is the limit held against the requests of an order.
func (l Limit) margin(order []int, all []seen, values []float64) Margin {
	d, perRequest := l.definition()
	if !perRequest {
		return l.shareMargin(order, all)
	}
	var v []float64
	for _, i := range order {
		if x := values[i]; x > 0 { // NaN is not
			v = append(v, x)
		}
	}
	m := Margin{Limit: l, N: len(v), Observed: math.NaN(), Y: math.NaN(), S: math.NaN()}
	if len(v) < fewestSeen {
		m.N = 0
		return m
	}
	bound := l.Bound
	p, isQuantile := l.quantile()
	if d.Larger { // of what is better larger the reciprocal is better smaller
		for i := range v {
			v[i] = 1 / v[i]
		}
		bound, p = 1/bound, 1-p
	}
	if isQuantile {
		q := stats.ProbeMargin(v, p, bound, RunSD)
		m.Observed, m.EffectiveN, m.Y, m.S = q.Quantile, q.EffectiveN, q.Y, q.S
	} else {
		m.Observed, m.EffectiveN, m.Y, m.S = meanMargin(v, bound)
	}
	if d.Larger {
		m.Observed = 1 / m.Observed
	}
	return m
}

// meanMargin is that of a mean, by the means of batches: neighbours depend on
// each other.
func meanMargin(v []float64, bound float64) (mean, effective, y, s float64) {
	mean = Mean(v)
	variance := SampleStdDev(v)
	variance *= variance
	se := math.Sqrt(variance / float64(len(v)))
	if len(v) >= meanBatches*2 {
		batch := make([]float64, meanBatches)
		for i := range batch {
			batch[i] = Mean(v[len(v)*i/meanBatches : len(v)*(i+1)/meanBatches])
		}
		se = max(se, SampleStdDev(batch)/math.Sqrt(meanBatches))
	}
	effective = float64(len(v))
	if se > 0 {
		effective = variance / (se * se)
	}
	return mean, effective, math.Log(mean / bound), math.Hypot(se/mean, RunSD)
}

// noneY and noneS stand for a share of none: a factor of e within the limit, and
// sure of it.
const (
	noneY = -1
	noneS = 0.5
)

// shareMargin is that of a share of requests, by its logit: half a request is
// added to either side, so that no failure at all is a figure too. Requests
// that the end cut off are in neither.
func (l Limit) shareMargin(order []int, all []seen) Margin {
	m := Margin{Limit: l, Observed: math.NaN(), Y: math.NaN(), S: math.NaN()}
	var bad []float64
	n := 0.0
	for _, i := range order {
		state := all[i].state
		if state == seenCancelled {
			continue
		}
		is := 0.0
		if state == seenFailed || l.Name == GoodShare && state != seenGood {
			is = 1
		}
		bad = append(bad, is)
		n += is
	}
	if len(bad) < fewestSeen {
		return m
	}
	m.N = len(bad)
	m.EffectiveN = float64(m.N)
	if i := stats.InflationOf(bad, 0.5); i.EffectiveN > 0 {
		m.EffectiveN = max(2, i.EffectiveN)
	}
	share, bound := n/float64(m.N), l.Bound
	m.Observed = share
	if l.Name == GoodShare {
		m.Observed, bound = 1-share, 1-bound
	}
	if n == 0 {
		// None at all is well within, however few the requests: by their number
		// alone no slow endpoint would ever pass.
		m.Y, m.S = noneY, noneS
		return m
	}
	p := (share*m.EffectiveN + 0.5) / (m.EffectiveN + 1)
	m.Y = math.Log(p/(1-p)) - math.Log(bound/(1-bound))
	m.S = math.Hypot(1/math.Sqrt((m.EffectiveN+1)*p*(1-p)), RunSD)
	return m
}
