package load

import (
	"sync"
	"time"
)

// An Alarm rings when nobody has put it off for so long. Those of its
// methods that a nil one has do nothing.
type Alarm struct {
	after time.Duration
	mu    sync.Mutex
	timer *time.Timer // nil when it is stopped
}

// StartAlarm returns an alarm that calls ring in a goroutine of its own.
func StartAlarm(after time.Duration, ring func()) *Alarm {
	return &Alarm{after: after, timer: time.AfterFunc(after, ring)}
}

// PutOff lets the time begin anew, unless the alarm was stopped.
func (a *Alarm) PutOff() {
	if a == nil {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.timer != nil {
		a.timer.Reset(a.after)
	}
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
