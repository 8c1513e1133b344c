package metrics

import (
	"maps"
	"slices"
	"time"

	"loadgen"
)

// A Slice is the part of a run in [From, To) since its epoch, with the metrics
// of the requests that were sent in it, by the same formulas as those of a run.
// Metrics weighted by time are of all requests, as long as they were in flight in
// the slice.
type Slice struct {
	From, To time.Duration
	// Complete is false for the last one, where the run ended within it.
	Complete bool
	Metrics  []Metric
}

// A Slicer cuts a run into slices of one width, from its first request on. It
// is given the records twice: Plan tells it which slices each belongs to, so
// that Add can give a slice away when it has the last of its records, and need
// not hold them all.
type Slicer struct {
	collector *Collector // for its rules; it is given no records
	width     time.Duration
	outcome   loadgen.Outcome
	sorted    bool
	first     time.Duration // the first measured request was sent
	end       time.Duration // of the last request
	waiting   map[int64]int // records that a slice still lacks
	begun     map[int64]bool
	open      map[int64]*openSlice
	order     []int64 // slices in which a request was sent, in order, as far as they are not over
}

// An openSlice is a slice that lacks records.
type openSlice struct {
	tally   tally
	samples []sample // in flight in it
}

// NewSlicer returns a slicer for a run whose first measured request was sent,
// and whose last one ended, so long after its epoch.
func NewSlicer(facts Facts, o loadgen.Outcome, width, first, end time.Duration) (*Slicer, error) {
	c, err := NewCollector(facts)
	if err != nil {
		return nil, err
	}
	return &Slicer{
		collector: c, outcome: o, width: width, first: first, end: end,
		waiting: map[int64]int{}, begun: map[int64]bool{}, open: map[int64]*openSlice{},
	}, nil
}

// counts reports whether a record is of the measurement, or load of it.
func counts(r *loadgen.Record) bool {
	return r.Phase == loadgen.Profiling || r.Crossing && r.Ended > 0
}

// span returns the slices in which a record was in flight.
func (s *Slicer) span(r *loadgen.Record) (from, to int64) {
	from = int64(max(r.Sent-s.first, 0) / s.width)
	to = int64(max(r.Ended-s.first-1, 0) / s.width)
	return from, max(from, to)
}

func (s *Slicer) start(i int64) time.Duration { return s.first + time.Duration(i)*s.width }

// Plan is given every record before the first Add.
func (s *Slicer) Plan(r *loadgen.Record) {
	if !counts(r) {
		return
	}
	from, to := s.span(r)
	for i := from; i <= to; i++ {
		s.waiting[i]++
	}
	if r.Phase == loadgen.Profiling {
		s.begun[from] = true
	}
}

// Add takes a record in and returns the slices that are then over, in order.
func (s *Slicer) Add(r *loadgen.Record) []Slice {
	if !counts(r) {
		return nil
	}
	if !s.sorted {
		s.sorted, s.order = true, slices.Sorted(maps.Keys(s.begun))
	}
	m := &s.collector.m
	Measure(r, m)
	from, to := s.span(r)
	for i := from; i <= to; i++ {
		s.waiting[i]--
		if !s.begun[i] {
			continue
		}
		o := s.open[i]
		if o == nil {
			o = &openSlice{tally: tally{series: newSeries(), handed: newSeries()}}
			s.open[i] = o
		}
		o.samples = append(o.samples, newSample(r, m))
		if i == from && r.Phase == loadgen.Profiling {
			moved := *r // the slice's own time begins with it
			moved.Due, moved.Sent, moved.Ended = r.Due-s.start(i), r.Sent-s.start(i), r.Ended-s.start(i)
			o.tally.add(&moved, m, r.OK() && len(s.collector.slos) > 0 && s.collector.good())
		}
	}
	var over []Slice
	for len(s.order) > 0 && s.waiting[s.order[0]] == 0 {
		over = append(over, s.close(s.order[0]))
		s.order = s.order[1:]
	}
	return over
}

// close makes the slice of an index.
func (s *Slicer) close(i int64) Slice {
	o := s.open[i]
	delete(s.open, i)
	delete(s.waiting, i)
	from := s.start(i)
	out := Slice{From: from, To: from + s.width, Complete: true}
	if out.To > s.end {
		out.To, out.Complete = s.end, false
	}
	outcome := s.outcome
	outcome.Epoch += int64(from)
	out.Metrics = o.tally.metricsWith(outcome, len(s.collector.slos) > 0, s.collector.facts.perGPU,
		func(tag string) *Stats { return o.level(tag, span{out.From, out.To}) })
	return out
}

// level is the time-weighted distribution of what was open within a slice.
func (o *openSlice) level(tag string, within span) *Stats {
	var spans []span
	for _, sample := range o.samples {
		if part, ok := sample.part(tag); ok {
			spans = append(spans, span{max(part.from, within.from), min(part.to, within.to)})
		}
	}
	if within.to <= within.from {
		return nil
	}
	return concurrency(spans, within)
}
