package load

import (
	"time"

	"loadgen"
)

// A Plan is what a phase of a run is to do. Either Requests, Duration or the
// end of the sessions ends it.
type Plan struct {
	Phase loadgen.Phase

	// Schedule says when sessions are due: an open loop. Without one the loop
	// is closed: each of Concurrency users starts its next session when its
	// last has ended.
	Schedule Schedule

	// Resume goes on with the Schedule of the plan before, which is this one's
	// too, where that plan left off: it is not begun anew.
	Resume bool

	// Concurrency is the number of users of a closed loop, at least 1, and in
	// an open loop the ceiling of requests in flight, 0 for none.
	Concurrency int

	// ConcurrencyRamp is the time in which users, or slots under the ceiling,
	// are added one after another.
	ConcurrencyRamp time.Duration

	// Stagger starts the users of a closed loop one after another, spread over
	// about one request latency, or over one UserGap: see starter. Without it
	// all start at once. A ConcurrencyRamp goes before both.
	Stagger bool

	// UserGap is the time from one request of a user to the next in a closed
	// loop whose users keep a pace of their own. A request that is due before
	// the last has ended follows it at once. 0 lets users start again as soon
	// as they are free.
	UserGap time.Duration

	// Ramp is how long any ramp lasts: requests sent before it are flagged, as
	// are those that are sent before the last user has started one by one.
	Ramp time.Duration

	// Looks are the times, ascending, at which Driver.Enough is asked whether the
	// last phase may end before its Duration.
	Looks []time.Duration

	Requests int           // start no more than so many, 0 for no limit
	Duration time.Duration // start none that is due later, 0 for no limit

	// Grace is how long requests in flight may go on after Duration has passed
	// or the driver was stopped. They are cancelled then. 0 cancels at once.
	Grace time.Duration

	// Portion is the part of all this that the driver makes, beside others that make
	// theirs: all numbers of the plan are those of the whole.
	Portion loadgen.Portion

	// Seed is where the jitter of pauses after failures comes from.
	Seed loadgen.Seed
}

// Deal says which of the plan's sessions are the driver's.
func (p *Plan) Deal() loadgen.Deal {
	d := loadgen.Deal{Portion: p.Portion}
	if !p.open() {
		d.Round = p.Concurrency
	}
	return d
}

// open reports whether the loop is open.
func (p *Plan) open() bool { return p.Schedule != nil }
