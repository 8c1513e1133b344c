package load

import (
	"sync/atomic"
	"time"
)

// A Pulse shows how a phase goes on that is driven elsewhere, as a Driver does of
// its own. Its methods may be called at any time.
type Pulse struct {
	began          atomic.Pointer[time.Time]
	issued, flight atomic.Int64
}

// Begin says when the current phase has begun.
func (p *Pulse) Begin(at time.Time) { p.began.Store(&at) }

// Set says how many requests the phase has started, and how many are under way.
func (p *Pulse) Set(issued, flight int) {
	p.issued.Store(int64(issued))
	p.flight.Store(int64(flight))
}

// Elapsed returns the time since the current phase began, 0 before the first.
func (p *Pulse) Elapsed() time.Duration {
	began := p.began.Load()
	if began == nil {
		return 0
	}
	return time.Since(*began)
}

// Issued returns how many requests the current phase has started.
func (p *Pulse) Issued() int { return int(p.issued.Load()) }

// InFlight returns how many requests are under way.
func (p *Pulse) InFlight() int { return int(p.flight.Load()) }
