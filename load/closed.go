package load

import (
	"sync"
	"time"

	"loadgen"
)

// patience is over how long users are spread while no answer has come to tell
// how long one takes.
const patience = 30 * time.Second

// spacedRounds is for how many requests of each user, those of stages before
// included, the last stage still sees to their distance: see space. The stages
// before always do. More would cost short runs their concurrency: the latency by
// which they are spaced is that of a crowd at first.
const spacedRounds = 1

// together makes ready the users of a closed loop, each with its first session
// in hand, so that all of them start at once when the returned function runs.
func (s *stage) together() (start func()) {
	var ready sync.WaitGroup
	begin := make(chan struct{})
	for j := range s.users {
		ready.Add(1)
		first := s.take(s.stopping) // in the order of the users, so that runs repeat
		s.group.Go(func() {
			ready.Done()
			<-begin
			s.user(s.Portion.Nth(j), 0, first)
		})
	}
	s.started.Store(int64(s.users))
	ready.Wait()
	return func() { close(begin) }
}

// spread reports whether users start one after another.
func (s *stage) spread() bool { return s.Stagger || s.ConcurrencyRamp > 0 }

// climbs reports whether there is less load than asked for until the last user
// has started. Those with a pace of their own have it from the first one on.
func (s *stage) climbs() bool {
	return s.Concurrency > 1 && (s.ConcurrencyRamp > 0 || s.Stagger && s.UserGap == 0)
}

// start starts the users that are not there yet: one after another, each when it
// is its turn, in the order of their numbers.
//
// Users of a closed loop whose answers are of equal length stay as far apart as
// they once were. Started together they stay together, and each of their
// requests waits for the prefill of all others: a load that no endpoint sees
// from users who know nothing of each other. Spread over one latency they are
// evenly apart. How long a latency is, the answers so far tell; until there is
// one, users come as if it were 30 s. Where a start is measured it takes twice
// as long: a latency grows with the load, and nothing before the clock will
// even it out.
func (s *stage) start() {
	defer s.joining.Store(false)
	s.starting.Lock() // the stage before may be about to start one more
	defer s.starting.Unlock()
	for j := int(s.started.Load()); j < s.users; j++ {
		if !s.turn(j) {
			return
		}
		s.started.Store(int64(j + 1))
		due := s.latest.Sub(s.epoch)
		session := s.take(s.issuing)
		s.group.Go(func() { s.user(s.Portion.Nth(j), due, session) })
	}
}

// turn waits until the j-th user is to start, and reports false where the stage is
// over before. The first of a run starts at once, or when its number says so;
// where that is by the latency, the first of each portion starts at once, to learn it.
func (s *stage) turn(j int) bool {
	if j == 0 {
		s.latest = s.epoch
		if gap, guess := s.gap(); guess == nil {
			s.latest = s.epoch.Add(gap * time.Duration(s.Portion.Worker))
		}
		return TimerWait(s.issuing, s.latest) == nil && !s.stopped()
	}
	for {
		gap, answered := s.gap()
		round := gap * time.Duration(max(s.Portion.Workers, 1)) // one user of each portion
		at := s.latest.Add(round)
		if at.Before(s.epoch) {
			at = s.epoch
		}
		timer := time.NewTimer(time.Until(at))
		select {
		case <-timer.C:
			s.latest = at
			return !s.stopped()
		case <-answered:
			gap, _ = s.gap()
			s.latest = time.Now().Add(gap*time.Duration(s.Portion.Worker+1) - gap*time.Duration(max(s.Portion.Workers, 1)))
		case <-s.issuing.Done():
			timer.Stop()
			return false
		}
		timer.Stop()
	}
}

// gap returns the time from the start of one user to that of the next. Where it
// is a guess, answered is closed when there is something better to go by.
func (s *stage) gap() (gap time.Duration, answered <-chan struct{}) {
	users := time.Duration(s.Concurrency)
	switch latency := time.Duration(s.latency.Load()); {
	case s.ConcurrencyRamp > 0:
		return s.ConcurrencyRamp / users, nil
	case !s.Stagger:
		return 0, nil
	case s.UserGap > 0:
		return s.UserGap / users, nil
	case latency > 0:
		if s.next == nil {
			latency *= 2
		}
		return latency / users, nil
	}
	return patience / users, s.answered
}

// space returns when a user may send who is due, as long as users are finding
// their distance: so long behind the one before that a round of all of them
// lasts for most of a latency, and of the rest that they take before a turn. A
// latency under full load is often a multiple of that of the first answers, over
// which they were spread at their start. Every turn of a conversation is a request
// like any other. These requests are no ramp: all users are there, and a run of
// three latencies would have nothing else.
func (w *worker) space(due, now, rest time.Duration) time.Duration {
	if w.placed {
		return due // of the stage before, which was over by then
	}
	if !w.spacing.Load() || w.joining.Load() {
		return due
	}
	g := &w.gate
	g.Lock()
	defer g.Unlock()
	if w.next == nil && g.passed >= spacedRounds*w.users {
		w.spacing.Store(false)
		return due
	}
	g.passed++
	g.rests += rest
	w.placed = true
	at := w.epoch.Add(max(due, now))
	if at.Before(g.free) {
		at = g.free
	}
	round := time.Duration(w.latency.Load()) + g.rests/time.Duration(g.passed)
	g.free = at.Add(round * 9 / 10 / time.Duration(w.users))
	return at.Sub(w.epoch)
}

// user runs sessions until the run is over, those of a stage and then those of
// the next. It is due again the moment it is free, or when its own pace says so.
func (s *stage) user(id int, due time.Duration, session *loadgen.Session) {
	w := &worker{stage: s, id: id, fresh: true}
	for {
		due = w.sessions(due, session)
		before := w.stage
		if !w.follow() {
			return
		}
		due = max(due-w.epoch.Sub(before.epoch), 0)
		session = nil
	}
}

// sessions runs sessions until the stage is over, and returns when the user is
// due after that. A session is taken when it is due, so that they are sent in
// their order.
func (w *worker) sessions(due time.Duration, session *loadgen.Session) time.Duration {
	now, sent := time.Duration(0), false
	for ok := true; ok; session = nil {
		due = w.space(due, now, 0)
		if !w.reach(due, now) || w.next != nil && w.full(w.Issued()) {
			return due
		}
		if session == nil {
			session = w.take(w.issuing)
		}
		if session == nil {
			if w.issuing.Err() == nil {
				w.dry()
				if sent {
					w.exhausted()
				}
			}
			return due
		}
		due, now, ok = w.session(session, due, 0)
		sent = true
	}
	return due
}

// follow moves a user on to the next stage once that has begun. It reports false
// where there is no place for the user in it.
func (w *worker) follow() bool {
	next := w.next
	if next == nil {
		return false
	}
	if w.full(w.Issued()) {
		w.handOver(time.Now()) // not to a stage that has begun
	}
	select {
	case <-next.began:
	case <-w.stopping.Done():
		return false
	}
	if next.open() || w.id >= next.Concurrency {
		return false
	}
	w.stage = next
	return true
}
