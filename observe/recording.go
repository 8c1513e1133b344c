package observe

import (
	"math"
	"slices"
	"time"
)

// A Recording is what was observed of a run.
type Recording struct {
	Began     time.Time // the one anchor of all times
	Ended     time.Duration
	Marks     [phases]time.Duration // when each phase began; 0 for one that did not
	Interval  time.Duration         // that was asked for
	Endpoints []*Endpoint
}

// Empty reports whether no scrape of any endpoint brought anything.
func (r *Recording) Empty() bool {
	return r == nil || !slices.ContainsFunc(r.Endpoints, func(e *Endpoint) bool { return len(e.Points) > 0 })
}

// A Window is a stretch of phases of a run.
type Window struct{ From, To Phase }

// The windows of a run.
var (
	WholeRun  = Window{Before, After}
	WarmingUp = Window{Warmup, Warmup}
	Measured  = Window{Profiling, Drain} // as AIPerf counts it: until the last request ended
	UnderLoad = Window{Profiling, Profiling}
)

// has reports whether a phase lies in the window.
func (w Window) has(p Phase) bool { return p >= w.From && p <= w.To }

// A stretch is where a window lies among the points of an endpoint.
type stretch struct {
	reference int // the last point before it, which counters count from
	from, to  int // the points in it
	last      int // that counters count up to: what a run's last answers added comes later
}

// in returns where a window lies; false where there is no point in it.
func (e *Endpoint) in(w Window) (stretch, bool) {
	from := slices.IndexFunc(e.Points, func(p Point) bool { return w.has(p.Phase) })
	if from < 0 {
		return stretch{}, false
	}
	to := from
	for to < len(e.Points) && w.has(e.Points[to].Phase) {
		to++
	}
	x := stretch{max(from-1, 0), from, to, to - 1}
	if w.To == Drain {
		x.last = len(e.Points) - 1
	}
	return x, true
}

// A Change is what a counter counted in a window.
type Change struct {
	Total   float64
	Seconds float64 // between the scrapes that it is the difference of
}

// Rate is the change per second; NaN where that is not known.
func (c Change) Rate() float64 {
	if c.Seconds <= 0 {
		return math.NaN()
	}
	return c.Total / c.Seconds
}

// Change returns what a counter counted. One that first came within the window
// began at 0 then: a server shows some of them only once they count.
func (e *Endpoint) Change(s *Series, w Window) (Change, bool) {
	x, ok := e.in(w)
	if !ok || !s.Family.Kind.scalar() {
		return Change{}, false
	}
	last, at := latest(s.Values, x.reference, x.last)
	if at < 0 {
		return Change{}, false
	}
	before := s.Values[x.reference]
	if math.IsNaN(before) {
		if e.hadBefore(s, x.reference) {
			return Change{}, false
		}
		before = 0
	}
	return Change{max(last-before, 0), (e.Points[at].At - e.Points[x.reference].At).Seconds()}, true
}

// hadBefore reports whether a series had a value before a point at which it had
// none.
func (e *Endpoint) hadBefore(s *Series, point int) bool {
	_, at := latest(s.Values, 0, point)
	return at >= 0
}

// latest returns the last value there is between two points, and where.
func latest(values []float64, from, to int) (v float64, at int) {
	for at := min(to, len(values)-1); at >= from; at-- {
		if !math.IsNaN(values[at]) {
			return values[at], at
		}
	}
	return math.NaN(), -1
}

// A Level is how a gauge stood over a window. Percentiles are of the samples that
// are kept, the rest of all samples; Std divides by n − 1.
type Level struct {
	N                  int
	Avg, Min, Max, Std float64
	sorted             []float64
}

// Percentile returns one by linear interpolation.
func (l *Level) Percentile(p float64) float64 {
	n := len(l.sorted)
	if n == 0 {
		return math.NaN()
	}
	at := p / 100 * float64(n-1)
	i := min(int(at), n-1)
	if i == n-1 {
		return l.sorted[i]
	}
	return l.sorted[i] + (at-float64(i))*(l.sorted[i+1]-l.sorted[i])
}

// Level returns how a gauge stood.
func (e *Endpoint) Level(s *Series, w Window) (Level, bool) {
	if !s.Family.Kind.scalar() {
		return Level{}, false
	}
	var m moments
	for p := w.From; p <= w.To; p++ {
		m.join(s.within[p])
	}
	if m.n == 0 {
		return Level{}, false
	}
	l := Level{N: m.n, Avg: m.mean, Min: m.min, Max: m.max}
	if m.n > 1 {
		l.Std = math.Sqrt(m.m2 / float64(m.n-1))
	}
	for i, v := range s.Values {
		if w.has(e.Points[i].Phase) && !math.IsNaN(v) {
			l.sorted = append(l.sorted, v)
		}
	}
	slices.Sort(l.sorted)
	return l, true
}

// A Spread is what a histogram took in over a window.
type Spread struct {
	Count, Sum float64
	Seconds    float64
	// Bounds are the upper ends of buckets, ascending, the last +Inf; Counts how
	// many lie at or below each. Both are empty where there are no buckets, or they
	// changed.
	Bounds, Counts []float64
}

// Mean is NaN for none.
func (s Spread) Mean() float64 {
	if s.Count <= 0 {
		return math.NaN()
	}
	return s.Sum / s.Count
}

// Stretch returns between which points a window lies, and the one that its counters
// count from.
func (e *Endpoint) Stretch(w Window) (reference, from, to int, ok bool) {
	x, ok := e.in(w)
	return x.reference, x.from, x.last, ok
}

// Spread returns what a histogram or summary took in.
func (e *Endpoint) Spread(s *Series, w Window) (Spread, bool) {
	x, ok := e.in(w)
	if !ok {
		return Spread{}, false
	}
	return e.Between(s, x.reference, x.last)
}

// Between returns what a histogram or summary took in between two points. One that
// first came after the first of them was empty then.
func (e *Endpoint) Between(s *Series, reference, at int) (Spread, bool) {
	if s.Family.Kind.scalar() {
		return Spread{}, false
	}
	for at >= reference && s.hists[at] == nil {
		at--
	}
	if at < reference {
		return Spread{}, false
	}
	now, before := s.hists[at], s.hists[reference]
	switch {
	case before != nil:
	case slices.ContainsFunc(s.hists[:reference], func(h *hist) bool { return h != nil }):
		return Spread{}, false
	default:
		before = &hist{bounds: now.bounds, counts: make([]float64, len(now.counts))}
	}
	out := Spread{
		Count: max(now.count-before.count, 0), Sum: now.sum - before.sum,
		Seconds: (e.Points[at].At - e.Points[reference].At).Seconds(),
	}
	switch {
	case out.Count == 0 || s.mixed:
	case now.native != nil:
		out.Bounds, out.Counts = now.native.since(before.native)
	case slices.Equal(now.bounds, before.bounds):
		out.Bounds = now.bounds
		for i, n := range now.counts {
			out.Counts = append(out.Counts, max(n-before.counts[i], 0))
		}
	}
	return out, true
}

// Quantile estimates the value below which the share q lies, by Prometheus's
// interpolation within a bucket: as good as the buckets are narrow. What lies in
// the last one, which has no end, is said to be at its beginning. NaN for none.
func (s Spread) Quantile(q float64) float64 {
	n := len(s.Counts)
	if n == 0 || s.Counts[n-1] <= 0 {
		return math.NaN()
	}
	rank := q * s.Counts[n-1]
	i, _ := slices.BinarySearch(s.Counts, rank)
	i = min(i, n-1)
	if math.IsInf(s.Bounds[i], 1) {
		if i == 0 {
			return math.NaN()
		}
		return s.Bounds[i-1]
	}
	low, below := 0.0, 0.0
	if i > 0 {
		low, below = s.Bounds[i-1], s.Counts[i-1]
	} else if s.Bounds[0] <= 0 {
		return s.Bounds[0]
	}
	if s.Counts[i] <= below {
		return s.Bounds[i]
	}
	return low + (s.Bounds[i]-low)*(rank-below)/(s.Counts[i]-below)
}

// join adds what another series of the same metric took in.
func (s *Spread) join(o Spread) {
	if s.Seconds == 0 {
		*s = o
		s.Counts = slices.Clone(o.Counts)
		return
	}
	s.Count, s.Sum, s.Seconds = s.Count+o.Count, s.Sum+o.Sum, max(s.Seconds, o.Seconds)
	switch {
	case o.Count == 0:
	case len(s.Bounds) == 0 && s.Count == o.Count:
		s.Bounds, s.Counts = o.Bounds, slices.Clone(o.Counts)
	case slices.Equal(s.Bounds, o.Bounds):
		for i, n := range o.Counts {
			s.Counts[i] += n
		}
	default:
		s.Bounds, s.Counts = nil, nil
	}
}
