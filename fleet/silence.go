package fleet

import (
	"sync"
	"time"
)

const (
	// listenEvery is how often the coordinator looks whether it stood still itself,
	// and stoodStill how long it did when it is late for that by so much.
	listenEvery = 250 * time.Millisecond
	stoodStill  = 500 * time.Millisecond
	// catchUp is the time to hear what was said while it did, and rejoin that in
	// which workers find a server again that was gone.
	catchUp = time.Second
	rejoin  = 3 * time.Second
)

// An ear tells how long somebody was silent who would have been heard. While the
// server is gone, or this process stands still, nobody is silent. The zero value
// hears.
type ear struct {
	mu    sync.Mutex
	from  time.Time // who speaks is heard from here on
	deaf  time.Time // since when there is no server; zero where there is one
	heard time.Time // when it was last seen that this process goes on
}

// away is how long there has been no server; 0 where there is one.
func (e *ear) away(now time.Time) time.Duration {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.deaf.IsZero() {
		return 0
	}
	return now.Sub(e.deaf)
}

// unheard is how long nothing was heard by now of somebody who was last heard at
// a time.
func (e *ear) unheard(last, now time.Time) time.Duration {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.deaf.IsZero() {
		return 0
	}
	if last.Before(e.from) {
		last = e.from
	}
	return now.Sub(last)
}

// listen notes that this process goes on.
func (e *ear) listen(now time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.heard.IsZero() && now.Sub(e.heard) > listenEvery+stoodStill {
		e.from = now.Add(catchUp)
	}
	e.heard = now
}

// lost notes that there is no server, found that there is one again.
func (e *ear) lost(now time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.deaf.IsZero() {
		e.deaf = now
	}
}

func (e *ear) found(now time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.deaf, e.from = time.Time{}, now.Add(rejoin)
}
