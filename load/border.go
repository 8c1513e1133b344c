package load

import (
	"sync"
	"time"

	"loadgen"
)

// border is where a stage hands over to the next: what it has sent is in flight
// then, and it sends nothing after.
type border struct {
	sync.Mutex
	crossed bool
	flight  int // requests of the stage that are in flight
	over    int // of those that crossed, so many more than the next stage's ceiling allows
	crowd   int // requests that crossed
}

// handOver begins the next stage at a moment that may just have passed and
// starts nothing more in this one. Only the first call has an effect, and none
// has where the run was stopped.
func (s *stage) handOver(at time.Time) {
	b, next := &s.border, s.next
	b.Lock()
	defer b.Unlock()
	if b.crossed || s.stopped() {
		return
	}
	b.crossed = true
	if next.slots != nil && next.slots != s.slots {
		b.over = max(b.flight-cap(next.slots), 0)
		next.taken = b.flight - b.over
	}
	if next.Resume || !next.open() && !s.open() {
		next.ramp -= at.Sub(s.epoch)
	}
	next.begin(at)
	s.close()
}

// handed reports whether the next stage has begun.
func (s *stage) handed() bool {
	s.border.Lock()
	defer s.border.Unlock()
	return s.border.crossed
}

// enter gives a request its number and the moment at which it is sent. It
// reports false where the stage starts no more.
func (s *stage) enter(rec *loadgen.Record) bool {
	if s.next == nil {
		return s.number(rec)
	}
	b := &s.border
	b.Lock()
	defer b.Unlock()
	if b.crossed || !s.number(rec) {
		return false
	}
	b.flight++
	return true
}

func (s *stage) number(rec *loadgen.Record) bool {
	before := int(s.issued.Add(1)) - 1
	if s.full(before) {
		s.issued.Add(-1)
		return false
	}
	if s.full(before + 1) {
		s.whole.Store(true)
	}
	rec.Index = s.deal.Nth(before)
	raise(&s.maxFlight, s.flight.Add(1))
	rec.Start = time.Now()
	rec.Sent = rec.Start.Sub(s.epoch)
	return true
}

// leave takes the end of a request. Where the next stage has begun meanwhile,
// its times are moved to that stage's clock, and its place under the ceiling is
// given to that stage.
func (s *stage) leave(rec *loadgen.Record) {
	rec.Ended = time.Since(s.epoch)
	s.flight.Add(-1)
	if s.next == nil {
		return
	}
	b, next := &s.border, s.next
	b.Lock()
	defer b.Unlock()
	b.flight--
	if !b.crossed {
		return
	}
	rec.Crossing = true
	b.crowd++
	shift := next.epoch.Sub(s.epoch)
	rec.Due, rec.Sent, rec.Ended = rec.Due-shift, rec.Sent-shift, rec.Ended-shift
	switch {
	case next.slots == nil || next.slots == s.slots:
	case b.over > 0:
		b.over--
	default:
		next.slots <- struct{}{}
	}
}
