package load

import (
	"context"
	"sync/atomic"
	"time"

	"loadgen"
)

// A worker sends requests one at a time: a user of a closed loop, or whoever
// carries the sessions of an open one.
type worker struct {
	*stage
	id       int
	fresh    bool // a user that has sent nothing yet
	failures int  // in a row
	placed   bool // by space, for the request to come
}

// session sends the turns of a session in order, the first now, and returns
// when the worker is due next, and when the last one ended. It reports false
// when the stage is over.
func (w *worker) session(session *loadgen.Session, due, held time.Duration) (next, ended time.Duration, ok bool) {
	for i, req := range session.Turns {
		if i > 0 {
			if w.UserGap == 0 {
				due += req.Delay
			}
			due = w.space(due, ended, req.Delay)
			if !w.reach(due, ended) {
				return due, ended, false
			}
			if held, ok = w.slot(); !ok {
				return due, ended, false
			}
		}
		rec := w.perform(req, due, held)
		w.free()
		if rec == nil {
			return due, ended, false
		}
		if i == 0 {
			raise(&w.begun, int64(session.Index)+1)
		}
		failed := rec.Failure != nil
		ended = rec.Ended
		if rec.Crossing {
			ended += w.next.epoch.Sub(w.epoch) // by the clock that due is on
		}
		due = max(ended+w.pause(rec.Failure), due+w.UserGap)
		if last := i+1 == len(session.Turns); !last && !failed && w.Follow != nil {
			w.Follow(rec, session.Turns[i+1])
		}
		w.records <- rec
		if failed {
			break
		}
	}
	return due, ended, true
}

// perform sends one request and returns its record, nil where the stage has
// had all its requests.
func (w *worker) perform(req *loadgen.Request, due, held time.Duration) *loadgen.Record {
	rec, _ := w.pool.Get().(*loadgen.Record)
	if rec == nil {
		rec = new(loadgen.Record)
	}
	rec.Reset()
	rec.Request, rec.Phase, rec.Worker = req, w.Phase, w.id
	rec.Due, rec.Held = due, held
	if !w.enter(rec) {
		w.pool.Put(rec)
		return nil
	}
	w.placed = false
	rec.Ramp = rec.Sent < w.ramp || w.joining.Load()
	if w.fresh {
		w.fresh, rec.First = false, true
		rec.Ramp = rec.Ramp || w.climbs() // the last one to start is
		w.firsts.Add(1)
	}
	w.Sender.Send(w.sending, rec)
	w.leave(rec)
	w.learn(rec)
	if w.full(w.Issued()) {
		w.exhausted()
	}
	return rec
}

// learn takes note of how long an answer took, for users that are to start
// spread over as long. A failure is better than nothing to go by.
func (w *worker) learn(rec *loadgen.Record) {
	took := max(int64(rec.Ended-rec.Sent), 1)
	switch {
	case rec.Failure == nil && w.latency.Swap(took) == 0, rec.Failure != nil && w.latency.CompareAndSwap(0, took):
		close(w.answered)
	}
}

// raise makes a maximum at least n.
func raise(most *atomic.Int64, n int64) {
	for {
		now := most.Load()
		if n <= now || most.CompareAndSwap(now, n) {
			return
		}
	}
}

// take returns the next session, nil where there are no more or ctx is done.
func (s *stage) take(ctx context.Context) *loadgen.Session {
	session, waited := s.Feed.Take(ctx)
	if waited {
		s.starved.Add(1)
	}
	return session
}

// reach waits until due, it being at least now; it reports false where the stage
// ends before, or has been stopped by then.
func (s *stage) reach(due, now time.Duration) bool {
	switch {
	case s.Duration > 0 && due >= s.Duration:
		return false
	case due <= now:
		return s.issuing.Err() == nil && !s.stopped()
	}
	return TimerWait(s.issuing, s.epoch.Add(due)) == nil && !s.stopped()
}

// slot waits for a free slot under the ceiling and says how long that took. It
// reports false where the stage ends before.
func (s *stage) slot() (held time.Duration, ok bool) {
	if s.slots == nil {
		return 0, true
	}
	select {
	case <-s.slots:
		return 0, true
	default:
	}
	from := time.Now()
	select {
	case <-s.slots:
		if s.stopped() || s.Duration > 0 && s.next == nil && time.Since(s.epoch) >= s.Duration {
			s.free()
			return 0, false
		}
		return time.Since(from), true
	case <-s.issuing.Done():
		return 0, false
	}
}

// free gives a slot back.
func (s *stage) free() {
	if s.slots != nil {
		s.slots <- struct{}{}
	}
}
