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
	ring  func(waited time.Duration)

	mu    sync.Mutex
	after time.Duration
	since time.Time
	next  time.Time   // look
	timer *time.Timer // nil when it is stopped
}

// StartAlarm returns an alarm that calls ring in a goroutine of its own. Its time
// passes while waits, which it asks now and then, says that there is somebody to
// wait; ring is told for how long.
func StartAlarm(after time.Duration, waits func() bool, ring func(waited time.Duration)) *Alarm {
	now, first := time.Now(), after/looksPerAlarm
	a := &Alarm{after: after, waits: waits, ring: ring, since: now, next: now.Add(first)}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.timer = time.AfterFunc(first, a.look)
	return a
}

func (a *Alarm) look() {
	if waited, due := a.due(); due {
		a.ring(waited)
	}
}

// due reports for how long somebody has waited and whether it is time to ring, and
// otherwise sees to the next look.
func (a *Alarm) due() (waited time.Duration, due bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.timer == nil {
		return 0, false
	}
	now, apart := time.Now(), max(a.after/looksPerAlarm, 1)
	if still := now.Sub(a.next) > apart; still || !a.waits() {
		a.since = now // a process that stood still has heard of nothing meanwhile
	}
	waited = now.Sub(a.since)
	left := a.after - waited
	if left <= 0 {
		a.timer = nil
		return waited, true
	}
	a.next = now.Add(min(left, apart))
	a.timer.Reset(min(left, apart))
	return waited, false
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
