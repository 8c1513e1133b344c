package load

import (
	"context"
	"runtime"
	"sync"
	"time"

	"loadgen"
)

// A dispatcher starts each session of a schedule at its time whatever has become
// of the ones before; only a ceiling can hold it back, and then for as long as
// is recorded in Held.
type dispatcher struct {
	*stage
	jobs    chan job
	workers sync.WaitGroup
	spawned int
	given   int // sessions of the stage, to workers that may not have run yet
	over    bool
	held    time.Duration // of the session before
}

// A job is a session whose turn has come.
type job struct {
	*stage
	session *loadgen.Session
	due     time.Duration
	held    time.Duration
}

// dispatch hands every session of the schedule to a worker when it is due. A
// late one never shifts the others, and none is dropped while the stage lasts:
// what is due and cannot be sent before its end is counted as missed. Where the
// next stage resumes the schedule, it goes on for that one.
func (s *stage) dispatch() {
	ceiling, done := context.WithCancel(s.stopping)
	var slots sync.WaitGroup
	slots.Go(func() { s.openSlots(ceiling) })
	d := &dispatcher{stage: s, jobs: make(chan job)}
	shift := time.Duration(0)
	n := -1 // of the arrivals of the stage, those of others included
	for at := range s.Schedule {
		n++
		due := at - shift
		if end, ends := d.ends(due, n); ends {
			if d.wait(end) != nil {
				break
			}
			d.handOver(d.epoch.Add(end))
			if !d.next.Resume || !d.handed() {
				break
			}
			shift += end
			due -= end
			d.stage, d.given, n = d.next, 0, 0
		}
		if d.deal.Owns(n) && !d.start(due) {
			break
		}
	}
	d.dry()
	close(d.jobs)
	d.workers.Wait()
	done()
	slots.Wait()
}

// ends returns when the stage hands over to the next, where that is before the
// n-th session is sent, which is due at the given time. All that have a part of
// the stage find the same.
func (d *dispatcher) ends(due time.Duration, n int) (time.Duration, bool) {
	switch {
	case d.next == nil:
		return 0, false
	case d.Duration > 0 && due >= d.Duration:
		return d.Duration, true
	case !d.Portion.Whole():
		return due, d.Requests > 0 && n >= d.Requests
	}
	return due, d.full(max(d.given, d.Issued()))
}

// wait waits for a moment of the stage, as exactly as the driver can.
func (d *dispatcher) wait(due time.Duration) error {
	wait := d.Wait
	if wait == nil {
		wait = TimerWait
	}
	return wait(d.stopping, d.epoch.Add(due))
}

// start hands a session over when it is due. It reports false when there are no
// more to come.
func (d *dispatcher) start(due time.Duration) bool {
	last := d.next == nil
	if d.sated.Load() || last && (d.full(d.Issued()) || d.Duration > 0 && due >= d.Duration) || d.over && due > time.Since(d.epoch) {
		return false
	}
	if d.over {
		d.missed++
		return true
	}
	if d.wait(due) != nil {
		d.over = true
		if due <= time.Since(d.epoch) {
			d.missed++
		}
		return true
	}
	if d.sated.Load() {
		return false // what is due from here on is not missed
	}
	// While one session waits under the ceiling the next ones come due: what
	// they are late by already is the ceiling's, too.
	late := max(time.Since(d.epoch)-due, 0)
	waited, ok := d.slot()
	d.held = min(late, d.held) + waited
	var session *loadgen.Session
	if ok {
		session = d.take(d.issuing)
		if session == nil && d.issuing.Err() == nil {
			d.free()
			return false // behind the last one
		}
	}
	// The slot and the session may both have been long in coming.
	if session == nil || d.stopped() || last && d.Duration > 0 && time.Since(d.epoch) > d.Duration+catchUp {
		d.over = true
		d.missed++
		if ok {
			d.free()
		}
		return true
	}
	if len(session.Turns) > 1 {
		d.talks.Add(1)
	}
	d.given++
	j := job{d.stage, session, due, d.held}
	select {
	case d.jobs <- j:
	default:
		id := d.Portion.Nth(d.spawned)
		d.spawned++
		d.workers.Go(func() { work(id, j, d.jobs) })
	}
	// The worker runs here and now. Otherwise it would have to be fetched by
	// another thread, which first has to be woken, while this one sleeps.
	runtime.Gosched()
	return true
}

// openSlots gives out the slots under the ceiling that no request has from
// before: all at once, or one after another over the ramp.
func (s *stage) openSlots(ctx context.Context) {
	for i := range cap(s.slots) - s.taken {
		at := s.ConcurrencyRamp * time.Duration(s.Portion.Nth(i)) / time.Duration(s.Concurrency)
		if at > 0 && TimerWait(ctx, s.epoch.Add(at)) != nil {
			return
		}
		s.slots <- struct{}{}
	}
}

// work performs sessions until there are no more. There are as many workers as
// sessions were ever under way at once.
func work(id int, j job, jobs <-chan job) {
	w := worker{id: id}
	for ok := true; ok; j, ok = <-jobs {
		w.stage = j.stage
		w.session(j.session, j.due, j.held)
		if len(j.session.Turns) > 1 {
			w.talks.Add(-1)
		}
	}
	if w.talks.Load() == 0 {
		w.exhausted()
	}
}
