package load

import (
	"context"
	"runtime"
	"sync"
	"time"

	"loadgen"
)

// A job is a session whose turn has come.
type job struct {
	session *loadgen.Session
	due     time.Duration
	held    time.Duration
}

// openLoop makes ready the dispatcher, which starts each session at its time
// whatever has become of the ones before; only a ceiling can hold it back, and
// then for as long as is recorded in Held.
func (r *run) openLoop() (issue func()) {
	if r.Concurrency > 0 {
		r.slots = make(chan struct{}, r.Concurrency)
	}
	return func() {
		ramp, done := context.WithCancel(r.issuing)
		var slots, workers sync.WaitGroup
		slots.Go(func() { r.openSlots(ramp) })
		jobs := make(chan job)
		r.dispatch(jobs, &workers)
		close(jobs)
		workers.Wait()
		done()
		slots.Wait()
	}
}

// openSlots gives out the slots under the ceiling: all at once, or one after
// another over the ramp.
func (r *run) openSlots(ctx context.Context) {
	for i := range cap(r.slots) {
		at := r.ConcurrencyRamp * time.Duration(i) / time.Duration(r.Concurrency)
		if at > 0 && TimerWait(ctx, r.epoch.Add(at)) != nil {
			return
		}
		r.slots <- struct{}{}
	}
}

// dispatch hands every session of the schedule to a worker when it is due. A
// late one never shifts the others, and none is dropped while the phase lasts:
// what is due and cannot be sent before its end is counted as missed.
func (r *run) dispatch(jobs chan job, workers *sync.WaitGroup) {
	wait := r.Wait
	if wait == nil {
		wait = TimerWait
	}
	spawned, over := 0, false
	held := time.Duration(0) // of the session before
	for due := range r.Schedule {
		if r.full(r.Issued()) || r.Duration > 0 && due >= r.Duration || over && due > time.Since(r.epoch) {
			return
		}
		if over {
			r.missed++
			continue
		}
		if wait(r.stopping, r.epoch.Add(due)) != nil {
			over = true
			if due <= time.Since(r.epoch) {
				r.missed++
			}
			continue
		}
		// While one session waits under the ceiling the next ones come due: what
		// they are late by already is the ceiling's, too.
		late := max(time.Since(r.epoch)-due, 0)
		waited, ok := r.slot()
		held = min(late, held) + waited
		var session *loadgen.Session
		if ok {
			session = r.take(r.issuing)
			if session == nil && r.issuing.Err() == nil {
				return // behind the last one
			}
		}
		// The slot and the session may both have been long in coming.
		if session == nil || r.stopped() || r.Duration > 0 && time.Since(r.epoch) > r.Duration+catchUp {
			over = true
			r.missed++
			if ok {
				r.free()
			}
			continue
		}
		if len(session.Turns) > 1 {
			r.talks.Add(1)
		}
		j := job{session, due, held}
		select {
		case jobs <- j:
		default:
			id := spawned
			spawned++
			workers.Go(func() { r.work(id, j, jobs) })
		}
		// The worker runs here and now. Otherwise it would have to be fetched by
		// another thread, which first has to be woken, while this one sleeps.
		runtime.Gosched()
	}
}

// work performs sessions until there are no more. There are as many workers as
// sessions were ever under way at once.
func (r *run) work(id int, j job, jobs <-chan job) {
	for ok := true; ok; j, ok = <-jobs {
		r.session(id, j.session, j.due, j.held)
		if len(j.session.Turns) > 1 {
			r.talks.Add(-1)
		}
	}
	if r.talks.Load() == 0 {
		r.exhausted()
	}
}
