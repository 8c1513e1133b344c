package load

import (
	"sync"
	"time"
)

// looksPerAlarm is how often an alarm looks, while its time passes, whether
// anybody waits.
const looksPerAlarm = 8

// An Alarm rings when somebody has waited for so long and nobody has put it off.
// Those of its methods that a nil one has do nothing.
type Alarm struct {
	waits func() bool
	ring  func()

	mu    sync.Mutex
	after time.Duration
	since time.Time
	timer *time.Timer // nil when it is stopped
}

// StartAlarm returns an alarm that calls ring in a goroutine of its own. Its time
// passes while waits, which it asks now and then, says that there is somebody to
// wait.
func StartAlarm(after time.Duration, waits func() bool, ring func()) *Alarm {
	a := &Alarm{after: after, waits: waits, ring: ring, since: time.Now()}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.timer = time.AfterFunc(after/looksPerAlarm, a.look)
	return a
}

func (a *Alarm) look() {
	if a.due() {
		a.ring()
	}
}

// due reports whether it is time to ring, and otherwise sees to the next look.
func (a *Alarm) due() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.timer == nil {
		return false
	}
	now := time.Now()
	if !a.waits() {
		a.since = now
	}
	left := a.after - now.Sub(a.since)
	if left <= 0 {
		a.timer = nil
		return true
	}
	a.timer.Reset(min(left, max(a.after/looksPerAlarm, 1)))
	return false
}

// PutOff lets the time begin anew at a moment that may just have passed, and last
// for so long from then on.
func (a *Alarm) PutOff(at time.Time, after time.Duration) {
	if a == nil {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if at.After(a.since) {
		a.since = at
	}
	a.after = after
}

// Stop keeps the alarm from ringing, whoever puts it off later.
func (a *Alarm) Stop() {
	if a == nil {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.timer != nil {
		a.timer.Stop()
		a.timer = nil
	}
}
