package load

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"loadgen"
)

// A Stage is a plan with the sessions that it sends.
type Stage struct {
	Plan
	Feed *Feed
	// Begin, where it is set, is called when the clock of the stage begins: of
	// the first just before, of others just after.
	Begin func()
}

// stage is the state of one stage of a run.
type stage struct {
	*run
	Stage
	before, next *stage // nil for the first and the last

	deal  loadgen.Deal
	users int // of those of the plan, or of its slots under the ceiling, so many
	limit int // of its requests

	epoch   time.Time          // set before began is closed
	began   chan struct{}      // closed when the stage begins
	issuing context.Context    // done: nothing more is started
	close   context.CancelFunc // of issuing
	ramp    time.Duration      // what is left of Plan.Ramp at the epoch
	jitter  loadgen.Stream     // of the pauses after failures
	slots   chan struct{}      // free slots under the ceiling; nil without one
	taken   int                // slots that requests of the stage before still have at the epoch
	border  border

	joining   atomic.Bool   // users are still being started one by one
	spacing   atomic.Bool   // they are still finding their distance
	whole     atomic.Bool   // all that was to be started has been
	sated     atomic.Bool   // a look was enough
	firsts    atomic.Int64  // requests that were a user's first
	begun     atomic.Int64  // the first so many sessions
	talks     atomic.Int64  // sessions of several turns that the dispatcher has begun
	maxFlight atomic.Int64  // since the epoch
	missed    int           // slots of the schedule
	spent     chan struct{} // has a token when a request has ended that none follows
	stoppedAt time.Duration
}

func newStage(r *run, of Stage) *stage {
	s := &stage{
		run: r, Stage: of, began: make(chan struct{}), spent: make(chan struct{}, 1),
		ramp: of.Ramp, jitter: of.Seed.Stream("backoff"),
		deal: of.Deal(), users: of.Portion.Part(of.Concurrency),
	}
	s.limit = s.deal.Count(of.Requests)
	if s.open() && s.Concurrency > 0 {
		s.slots = make(chan struct{}, s.users)
	}
	return s
}

// begin starts the clock of the stage at a moment that may just have passed.
func (s *stage) begin(at time.Time) {
	s.epoch = at
	s.Driver.issued.Store(0)
	s.Driver.starved.Store(0)
	s.Driver.began.Store(&s.epoch)
	raise(&s.maxFlight, s.flight.Load())
	s.joining.Store(!s.open() && s.climbs() && int(s.started.Load()) < s.users)
	s.spacing.Store(!s.open() && s.Stagger && s.UserGap == 0 && s.ConcurrencyRamp == 0)
	if s.Duration > 0 && s.next == nil {
		s.issuing, s.close = context.WithDeadline(s.stopping, at.Add(s.Duration))
	} else {
		s.issuing, s.close = context.WithCancel(s.stopping)
	}
	close(s.began)
}

// full reports whether the stage is to start no more after so many requests.
func (s *stage) full(issued int) bool { return s.Requests > 0 && issued >= s.limit }

// exhausted notes that a request has ended and no more is started: what is in
// flight becomes less from here on. The start of the last request would not do:
// of a burst it is the first moment.
func (s *stage) exhausted() {
	select {
	case s.spent <- struct{}{}:
	default:
	}
}

// dry notes that there are no more sessions.
func (s *stage) dry() {
	if s.stopped() {
		return
	}
	s.whole.Store(true)
	if s.next != nil {
		s.handOver(time.Now())
	}
}

// outcome is what the stage came to, when all is over.
func (s *stage) outcome(cancelled bool) loadgen.Outcome {
	o := loadgen.Outcome{
		Epoch:     s.epoch.UnixNano(),
		Issued:    s.Issued(),
		Sessions:  int(s.begun.Load()),
		Elapsed:   time.Since(s.epoch),
		StoppedAt: s.stoppedAt,
		Cancelled: cancelled,
		MaxFlight: int(s.maxFlight.Load()),
		FirstWave: int(s.firsts.Load()),
		Missed:    s.missed,
	}
	if s.before != nil {
		o.Crossing = s.before.border.crowd
	}
	return o
}

// tell calls Begin.
func (s *stage) tell() {
	if s.Begin != nil {
		s.Begin()
	}
}

// ready makes ready what starts the requests of the first stage, and returns
// what sets it going when the stage has begun.
func (s *stage) ready() (launch func()) {
	if !s.open() && !s.spread() {
		return s.together()
	}
	return s.launch
}

// launch sets going what starts the requests of the stage, as far as it does
// not go on from the stage before.
func (s *stage) launch() {
	switch {
	case !s.open():
		s.group.Go(s.start)
	case !s.Resume:
		s.group.Go(s.dispatch)
	}
}

// lead returns when the next stage has begun. It reports false where the run was
// stopped before.
func (s *stage) lead() bool {
	var end <-chan time.Time
	if s.Duration > 0 && !s.open() { // the dispatcher ends an open loop itself
		timer := time.NewTimer(time.Until(s.epoch.Add(s.Duration)))
		defer timer.Stop()
		end = timer.C
	}
	for {
		select {
		case <-s.next.began:
			return true
		case <-end:
			s.handOver(s.epoch.Add(s.Duration))
		case <-s.stopping.Done():
			return s.handed()
		}
	}
}

// await returns when all that the run has started has ended, giving it the grace
// period once the stage is over.
func (s *stage) await(cancelSends func()) {
	ended := make(chan struct{})
	go func() {
		s.group.Wait()
		close(ended)
	}()
	over := s.issuing.Done()
	var grace <-chan time.Time
	cut := false
	looks := s.looks()
	defer looks.Stop()
	drains := sync.OnceFunc(func() {
		s.stoppedAt = time.Since(s.epoch)
		if s.Drain != nil && s.next == nil {
			s.Drain()
		}
	})
	for {
		select {
		case <-ended:
			drains()
			s.close()
			return
		case <-s.spent:
			drains()
		case <-looks.C:
			if s.issuing.Err() == nil && s.Enough() {
				s.sated.Store(true)
				s.close()
			} else {
				looks.next()
			}
		case <-over:
			over = nil
			drains()
			if cut = s.stopped(); !cut {
				s.whole.Store(true) // its time has passed
			}
			timer := time.NewTimer(s.Grace)
			defer timer.Stop()
			grace = timer.C
		case <-grace:
			grace = nil
			if cut {
				s.whole.Store(false)
			}
			cancelSends()
		}
	}
}
