package load

import (
	"context"
	"sync/atomic"
	"time"

	"loadgen"
)

// connectPause is how long a user stays away after it could not connect: a dead
// endpoint is not hammered by a loop without any wait in it.
const connectPause = 500 * time.Millisecond

// session sends the turns of a session in order, the first now, and returns
// when whoever sent them is due next, and when the last one ended. It reports
// false when the phase is over.
func (r *run) session(worker int, session *loadgen.Session, due, held time.Duration) (next, ended time.Duration, ok bool) {
	for i, req := range session.Turns {
		if i > 0 {
			if r.UserGap == 0 {
				due += req.Delay
			}
			if !r.reach(due, ended) {
				return 0, 0, false
			}
			if held, ok = r.slot(); !ok {
				return 0, 0, false
			}
		}
		rec := r.perform(worker, req, due, held)
		r.free()
		if rec == nil {
			return 0, 0, false
		}
		if i == 0 {
			raise(&r.begun, int64(session.Index)+1)
		}
		ended = rec.Ended
		due = max(ended, due+r.UserGap)
		failed := rec.Failure != nil
		if failed && rec.Failure.Kind == loadgen.FailConnect {
			due += connectPause
		}
		if last := i+1 == len(session.Turns); !last && !failed && r.Follow != nil {
			r.Follow(rec, session.Turns[i+1])
		}
		r.records <- rec
		if failed {
			break
		}
	}
	return due, ended, true
}

// perform sends one request and returns its record, nil where the phase has
// had all its requests.
func (r *run) perform(worker int, req *loadgen.Request, due, held time.Duration) *loadgen.Record {
	index := int(r.issued.Add(1)) - 1
	if r.full(index) {
		r.issued.Add(-1)
		return nil
	}
	rec, _ := r.pool.Get().(*loadgen.Record)
	if rec == nil {
		rec = new(loadgen.Record)
	}
	rec.Reset()
	rec.Request, rec.Phase, rec.Index, rec.Worker = req, r.Phase, index, worker
	rec.Due, rec.Held = due, held
	raise(&r.maxFlight, r.flight.Add(1))
	rec.Start = time.Now()
	rec.Sent = rec.Start.Sub(r.epoch)
	rec.Ramp = rec.Sent < r.Ramp
	r.Sender.Send(r.sending, rec)
	rec.Ended = time.Since(r.epoch)
	r.flight.Add(-1)
	if r.full(r.Issued()) {
		r.exhausted()
	}
	return rec
}

// full reports whether the phase is to start no request of this index.
func (r *run) full(index int) bool { return r.Requests > 0 && index >= r.Requests }

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
func (r *run) take(ctx context.Context) *loadgen.Session {
	s, waited := r.feed.Take(ctx)
	if waited {
		r.starved.Add(1)
	}
	return s
}

// reach waits until due, it being at least now; it reports false where the phase
// ends before, or has been stopped by then.
func (r *run) reach(due, now time.Duration) bool {
	switch {
	case r.Duration > 0 && due >= r.Duration:
		return false
	case due <= now:
		return r.issuing.Err() == nil && !r.stopped()
	}
	return TimerWait(r.issuing, r.epoch.Add(due)) == nil && !r.stopped()
}

// slot waits for a free slot under the ceiling and says how long that took. It
// reports false where the phase ends before.
func (r *run) slot() (held time.Duration, ok bool) {
	if r.slots == nil {
		return 0, true
	}
	select {
	case <-r.slots:
		return 0, true
	default:
	}
	from := time.Now()
	select {
	case <-r.slots:
		if r.stopped() || r.Duration > 0 && time.Since(r.epoch) >= r.Duration {
			r.free()
			return 0, false
		}
		return time.Since(from), true
	case <-r.issuing.Done():
		return 0, false
	}
}

// free gives a slot back.
func (r *run) free() {
	if r.slots != nil {
		r.slots <- struct{}{}
	}
}
