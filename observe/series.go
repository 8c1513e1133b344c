package observe

import (
	"math"
	"slices"
	"time"
)

// A Phase is a part of a run.
type Phase uint8

const (
	Before    Phase = iota // of the first request
	Warmup                 // of its requests
	Profiling              // while the measured load is on
	Drain                  // no request is started any more, some are in flight
	After                  // all are over
	phases
)

var phaseNames = [phases]string{"before", "warmup", "profiling", "drain", "after"}

// String returns the phase's name in files.
func (p Phase) String() string { return phaseNames[p] }

// A Point is a scrape that is kept.
type Point struct {
	At    time.Duration // of the answer's first byte, since the observer began
	Took  time.Duration // from the request to that byte
	Phase Phase
	// Client is how many requests the run itself had in flight, the mean of just
	// before and just after; NaN where nobody told.
	Client float64
	// Changed says that it differed from the one before.
	Changed bool

	border bool // taken because a phase ended
}

// A Series is one metric with one set of labels, over the points of its endpoint.
type Series struct {
	Family *Family
	Labels []Label
	// Values are those of a scalar, one for each point; NaN where the scrape had
	// none. Those of a counter go on where the server's began anew.
	Values []float64
	// Resets counts how often that was.
	Resets int
	// Backward counts how often the sum of a histogram fell and its count did not: of
	// times, the clock that measured them was set back.
	Backward int

	hists   []*hist // of a histogram or summary, likewise; nil where there was none
	within  [phases]moments
	last    float64 // as it was sent
	offset  float64 // what the counter had before its resets
	lastH   *hist
	offsetH *hist
	mixed   bool // its buckets changed: only count and sum go on
}

// moments are those of a gauge over all of its samples, kept or not.
type moments struct {
	n                  int
	mean, m2, min, max float64
}

func (m *moments) add(v float64) {
	if m.n == 0 {
		m.min, m.max = v, v
	}
	m.n++
	m.min, m.max = min(m.min, v), max(m.max, v)
	d := v - m.mean
	m.mean += d / float64(m.n)
	m.m2 += d * (v - m.mean)
}

// join adds what another stretch had (Chan, Golub and LeVeque's update).
func (m *moments) join(o moments) {
	switch {
	case o.n == 0:
		return
	case m.n == 0:
		*m = o
		return
	}
	d, n := o.mean-m.mean, float64(m.n+o.n)
	m.m2 += o.m2 + d*d*float64(m.n)*float64(o.n)/n
	m.mean += d * float64(o.n) / n
	m.n += o.n
	m.min, m.max = min(m.min, o.min), max(m.max, o.max)
}

// add appends what a scrape brought, behind points that had none. It returns how
// many numbers the series holds more.
func (s *Series) add(v *sample, phase Phase, points int) int {
	if s.Family.Kind.scalar() {
		s.pad(points - 1)
		s.Values = append(s.Values, s.scalar(v.value, phase))
		return 1
	}
	s.pad(points - 1)
	h := s.histogram(v.hist)
	s.hists = append(s.hists, h)
	return h.size()
}

// pad fills up with nothing.
func (s *Series) pad(points int) {
	if s.Family.Kind.scalar() {
		for len(s.Values) < points {
			s.Values = append(s.Values, math.NaN())
		}
		return
	}
	for len(s.hists) < points {
		s.hists = append(s.hists, nil)
	}
}

func (s *Series) scalar(v float64, phase Phase) float64 {
	if s.Family.Kind != Counter {
		s.within[phase].add(v)
		return v
	}
	if v < s.last {
		s.offset += s.last
		s.Resets++
	}
	s.last = v
	return s.offset + v
}

// rounding is what the text of a sum may be off by, as a share.
const rounding = 1e-9

// histogram returns the state as it would be without resets.
func (s *Series) histogram(h *hist) *hist {
	if last := s.lastH; last != nil {
		same := slices.Equal(last.bounds, h.bounds) && (last.native == nil) == (h.native == nil)
		if same {
			h.bounds = last.bounds // all points share them
		} else {
			s.mixed = true
		}
		if h.count < last.count || !same && h.sum < last.sum {
			s.Resets++
			s.offsetH = last.plus(s.offsetH, s.mixed)
		} else if same && h.sum < last.sum-rounding*math.Abs(last.sum) {
			s.Backward++
		}
	}
	s.lastH = h
	return h.plus(s.offsetH, s.mixed)
}

// plus returns the sum of two states of one histogram; bare leaves its buckets out.
func (h *hist) plus(o *hist, bare bool) *hist {
	if o == nil && !bare {
		return h
	}
	out := &hist{count: h.count, sum: h.sum}
	if o != nil {
		out.count, out.sum = h.count+o.count, h.sum+o.sum
	}
	if bare || o == nil || len(o.counts) != len(h.counts) || h.native != nil {
		return out
	}
	out.bounds, out.counts = h.bounds, slices.Clone(h.counts)
	for i, n := range o.counts {
		out.counts[i] += n
	}
	return out
}

// size is how many numbers the state holds, but for the bounds, which states share.
func (h *hist) size() int {
	n := 2 + len(h.counts)
	if h.native != nil {
		n += 2 * len(h.native.buckets)
	}
	return n
}

// keep leaves only some of the points. It returns how many numbers remain.
func (s *Series) keep(points []int) int {
	if s.Family.Kind.scalar() {
		s.Values = pick(s.Values, points)
		return len(s.Values)
	}
	s.hists = pick(s.hists, points)
	n := 0
	for _, h := range s.hists {
		if h != nil {
			n += h.size()
		}
	}
	return n
}

// pick returns the items at some places, in a slice that holds no others.
func pick[T any](all []T, places []int) []T {
	out := make([]T, 0, len(places))
	for _, i := range places {
		if i < len(all) {
			out = append(out, all[i])
		}
	}
	return out
}

// State returns a histogram at a point, with its buckets as [Spread] has them;
// false where there was none.
func (s *Series) State(point int) (count, sum float64, bounds, counts []float64, ok bool) {
	if point >= len(s.hists) || s.hists[point] == nil {
		return 0, 0, nil, nil, false
	}
	h := s.hists[point]
	if h.native != nil {
		bounds, counts = h.native.since(nil)
		return h.count, h.sum, bounds, counts, true
	}
	return h.count, h.sum, h.bounds, h.counts, true
}

// Differs reports whether a series changed between a point and the one before.
func (s *Series) Differs(point int) bool {
	if s.Family.Kind.scalar() {
		a, b := s.Values[point-1], s.Values[point]
		return a != b && !(math.IsNaN(a) && math.IsNaN(b))
	}
	a, b := s.hists[point-1], s.hists[point]
	return (a == nil) != (b == nil) || a != nil && (a.count != b.count || a.sum != b.sum)
}
