package load

import (
	"sync"
	"time"

	"loadgen"
)

// closedLoop makes ready the users, each with its first session in hand, so
// that all of them start at once when the returned function runs.
func (r *run) closedLoop() (issue func()) {
	var step time.Duration // between the starts of two users
	if r.ConcurrencyRamp > 0 {
		step = r.ConcurrencyRamp / time.Duration(r.Concurrency)
	}
	if r.UserGap > 0 {
		step = max(step, r.UserGap/time.Duration(r.Concurrency))
	}
	var ready, users sync.WaitGroup
	begin := make(chan struct{})
	for id := range r.Concurrency {
		ready.Add(1)
		first := r.take(r.stopping) // in the order of the users, so that runs repeat
		users.Go(func() {
			ready.Done()
			<-begin
			r.user(id, time.Duration(id)*step, first)
		})
	}
	ready.Wait()
	return func() {
		close(begin)
		users.Wait()
	}
}

// user runs sessions one after another until the phase is over. A user is due
// again the moment it is free, or when its own pace says so.
func (r *run) user(id int, due time.Duration, session *loadgen.Session) {
	now, ok := time.Duration(0), true
	for session != nil && r.reach(due, now) {
		if due, now, ok = r.session(id, session, due, 0); !ok {
			return
		}
		session = r.take(r.issuing)
	}
}
