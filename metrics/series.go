package metrics

import (
	"math"
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
	sent, ended, ok, good, cancelled int
	// residence is the sum of the times in flight of the requests that ended
	// here, flight that of those sent here.
	residence, flight time.Duration
	// tokens are those of successful requests, spread evenly over the arrival
	// times of their chunks.
	tokens float64
	// latency is the sum over the successful requests sent here, answered
	// their number.
	latency  time.Duration
	answered int
	// squares is the sum of the squares of the latter, in seconds.
	squares float64
	// delta is requests begun less requests ended; area is what these changes
	// add to the integral of requests in flight before the bin's end.
	delta int
	area  time.Duration
	// Each request is spread evenly over its time in flight, so that a window
	// has as much of it as lies inside: of all that ended, of the successful
	// ones and of the good ones. Its prompt is spread over the time to its
	// first output.
	all, success, fine, input flow
}

// A flow is an amount that comes at a rate: delta is the change of the rate per
// second, area what this change adds to the amount before the bin's end.
type flow struct{ delta, area float64 }

func (f *flow) change(t, width time.Duration, by float64) {
	f.delta += by
	f.area += by * (width - max(t, 0)%width).Seconds()
}

// join is two bins of so many seconds as one.
func join(a, b flow, width float64) flow {
	return flow{a.delta + b.delta, a.area + a.delta*width + b.area}
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
func (s *series) binEnd(t time.Duration) time.Duration {
	if t > math.MaxInt64-s.width {
		return math.MaxInt64
	}
	return (t/s.width + 1) * s.width
}

func (s *series) coarsen() {
	if len(s.bins)%2 == 1 {
		s.bins = append(s.bins, bin{})
	}
	half, seconds := len(s.bins)/2, s.width.Seconds()
	for i := range half {
		a, b := s.bins[2*i], s.bins[2*i+1]
		s.bins[i] = bin{
			sent: a.sent + b.sent, ended: a.ended + b.ended, ok: a.ok + b.ok, good: a.good + b.good, cancelled: a.cancelled + b.cancelled,
			residence: a.residence + b.residence, flight: a.flight + b.flight, tokens: a.tokens + b.tokens,
			latency: a.latency + b.latency, answered: a.answered + b.answered,
			squares: a.squares + b.squares,
			delta:   a.delta + b.delta,
			area:    a.area + time.Duration(a.delta)*s.width + b.area,
			all:     join(a.all, b.all, seconds), success: join(a.success, b.success, seconds),
			fine: join(a.fine, b.fine, seconds), input: join(a.input, b.input, seconds),
		}
	}
	s.bins = s.bins[:half]
	s.width *= 2
}

// fly adds a request's time in flight, and the request itself spread over it.
// What of it lies before the epoch is not of this series.
func (s *series) fly(r *loadgen.Record, good bool) {
	from, to := max(r.Sent, 0), max(r.Ended, r.Sent, 0)
	// An instant is as good as nothing, but has to be somewhere.
	length := max(r.Ended-r.Sent, time.Nanosecond)
	rate := 1 / length.Seconds()
	if to == from {
		to = from + length
	}
	s.at(to) // before begin is held: it may merge bins
	begin, end := s.at(from), s.at(to)
	begin.change(from, s.width, +1)
	end.change(to, s.width, -1)
	begin.all.change(from, s.width, rate)
	end.all.change(to, s.width, -rate)
	if r.OK() {
		begin.success.change(from, s.width, rate)
		end.success.change(to, s.width, -rate)
	}
	if good {
		begin.fine.change(from, s.width, rate)
		end.fine.change(to, s.width, -rate)
	}
}

// stay counts somebody from one time to another.
func (s *series) stay(from, to time.Duration) {
	s.at(to) // before the other is held: it may merge bins
	s.at(from).change(from, s.width, +1)
	s.at(to).change(to, s.width, -1)
}

// feed spreads a prompt's tokens over a time.
func (s *series) feed(from, to time.Duration, tokens float64) {
	if to = max(to, from+time.Nanosecond); to <= 0 {
		return
	}
	rate := tokens / (to - from).Seconds()
	from = max(from, 0)
	s.at(to)
	s.at(from).input.change(from, s.width, rate)
	s.at(to).input.change(to, s.width, -rate)
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

// spread adds so many tokens at the time of each of the record's chunks, but
// for those that came before the epoch.
func (s *series) spread(r *loadgen.Record, tokens float64) {
	chunks := r.Chunks
	for len(chunks) > 0 && r.Sent+chunks[0].At < 0 {
		chunks = chunks[1:]
	}
	if len(chunks) == 0 {
		return
	}
	first := 0 // of the chunks that fall into the bin at hand, as most do
	end := s.binEnd(r.Sent + chunks[0].At)
	for i, c := range chunks {
		t := r.Sent + c.At
		if t < end {
			continue
		}
		s.at(r.Sent + chunks[first].At).tokens += tokens * float64(i-first)
		first, end = i, s.binEnd(t)
	}
	s.at(r.Sent + chunks[first].At).tokens += tokens * float64(len(chunks)-first)
}

// sum adds up the bins [from, to), as far as there are any.
func (s *series) sum(from, to int) bin {
	var t bin
	to = min(to, len(s.bins))
	from = min(from, to)
	for _, b := range s.bins[from:to] {
		t.sent += b.sent
		t.ended += b.ended
		t.ok += b.ok
		t.good += b.good
		t.residence += b.residence
		t.flight += b.flight
		t.squares += b.squares
		t.tokens += b.tokens
		t.latency += b.latency
		t.answered += b.answered
	}
	return t
}

// amounts are what lies in a stretch of time: requests by the share of their time
// in flight that they spent in it.
type amounts struct{ all, success, fine, input, tokens, inFlight float64 }

// between adds up what lies in [from, to). Of a bin that is cut it takes as much
// as of its width.
func (s *series) between(from, to time.Duration) amounts {
	var sum amounts
	var all, success, fine, input, inFlight float64 // rates at a bin's beginning
	seconds := s.width.Seconds()
	for i, b := range s.bins {
		begins := time.Duration(i) * s.width
		if part := float64(min(to, begins+s.width)-max(from, begins)) / float64(s.width); part > 0 {
			sum.all += part * (all*seconds + b.all.area)
			sum.success += part * (success*seconds + b.success.area)
			sum.fine += part * (fine*seconds + b.fine.area)
			sum.input += part * (input*seconds + b.input.area)
			sum.tokens += part * b.tokens
			sum.inFlight += part * (inFlight*seconds + b.area.Seconds())
		}
		all, success, fine, input = all+b.all.delta, success+b.success.delta, fine+b.fine.delta, input+b.input.delta
		inFlight += float64(b.delta)
	}
	return sum
}
