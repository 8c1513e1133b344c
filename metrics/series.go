package metrics

import (
	"time"

	"loadgen"
)

// A series is what happened in each slice of a run's time. Its memory is
// bounded: when a run outgrows maxBins, the bins are merged in pairs and each
// is twice as wide, so that a bin is never wider than 1/2048 of the run.
type series struct {
	width time.Duration
	bins  []bin
}

const (
	firstWidth = 10 * time.Millisecond
	maxBins    = 4096
)

// A bin counts what happened in [i·width, (i+1)·width) since the run's epoch.
type bin struct {
	sent, ended, ok, good int
	// residence is the sum of the times in flight of the requests that ended
	// here.
	residence time.Duration
	// tokens are those of successful requests, spread evenly over the arrival
	// times of their chunks.
	tokens float64
	// latency is the sum over the successful requests sent here, answered
	// their number.
	latency  time.Duration
	answered int
	// delta is requests begun less requests ended; area is what these changes
	// add to the integral of requests in flight before the bin's end.
	delta int
	area  time.Duration
}

func newSeries() series { return series{width: firstWidth} }

// at returns the bin of a time and makes room for it. Times before the epoch
// fall into the first bin.
func (s *series) at(t time.Duration) *bin {
	i := int(max(t, 0) / s.width)
	for i >= maxBins {
		s.coarsen()
		i = int(max(t, 0) / s.width)
	}
	for len(s.bins) <= i {
		s.bins = append(s.bins, bin{})
	}
	return &s.bins[i]
}

// binEnd is where the bin of a time ends.
func (s *series) binEnd(t time.Duration) time.Duration { return (t/s.width + 1) * s.width }

func (s *series) coarsen() {
	if len(s.bins)%2 == 1 {
		s.bins = append(s.bins, bin{})
	}
	half := len(s.bins) / 2
	for i := range half {
		a, b := s.bins[2*i], s.bins[2*i+1]
		s.bins[i] = bin{
			sent: a.sent + b.sent, ended: a.ended + b.ended, ok: a.ok + b.ok, good: a.good + b.good,
			residence: a.residence + b.residence, tokens: a.tokens + b.tokens,
			latency: a.latency + b.latency, answered: a.answered + b.answered,
			delta: a.delta + b.delta,
			area:  a.area + time.Duration(a.delta)*s.width + b.area,
		}
	}
	s.bins = s.bins[:half]
	s.width *= 2
}

// begin counts a request that entered flight.
func (s *series) begin(t time.Duration) *bin {
	b := s.at(t)
	b.sent++
	b.change(t, s.width, +1)
	return b
}

// end counts a request that left flight after so long in it.
func (s *series) end(t, residence time.Duration) *bin {
	b := s.at(t)
	b.ended++
	b.residence += residence
	b.change(t, s.width, -1)
	return b
}

func (b *bin) change(t, width time.Duration, by int) {
	b.delta += by
	b.area += time.Duration(by) * (width - max(t, 0)%width)
}

// inFlight returns the mean number of requests in flight in every bin.
func (s *series) inFlight() []float64 {
	mean := make([]float64, len(s.bins))
	level := 0
	for i, b := range s.bins {
		mean[i] = float64(level) + float64(b.area)/float64(s.width)
		level += b.delta
	}
	return mean
}

// spread adds so many tokens at the time of each of the record's chunks.
func (s *series) spread(r *loadgen.Record, tokens float64) {
	first := 0 // of the chunks that fall into the bin at hand, as most do
	end := s.binEnd(r.Sent + r.Chunks[0].At)
	for i, c := range r.Chunks {
		t := r.Sent + c.At
		if t < end {
			continue
		}
		s.at(r.Sent + r.Chunks[first].At).tokens += tokens * float64(i-first)
		first, end = i, s.binEnd(t)
	}
	s.at(r.Sent + r.Chunks[first].At).tokens += tokens * float64(len(r.Chunks)-first)
}

// sum adds up the bins [from, to).
func (s *series) sum(from, to int) bin {
	var t bin
	for _, b := range s.bins[from:to] {
		t.sent += b.sent
		t.ended += b.ended
		t.ok += b.ok
		t.good += b.good
		t.residence += b.residence
		t.tokens += b.tokens
		t.latency += b.latency
		t.answered += b.answered
	}
	return t
}
