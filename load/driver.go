package load

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"loadgen"
)

// A Sender performs requests.
//
// Send performs rec.Request and completes rec. It returns no error: a failed
// request is a record with its Failure set. It returns soon after ctx is done.
// Many goroutines call it at once.
type Sender interface {
	Send(ctx context.Context, rec *loadgen.Record)
}

// A Plan is what a phase of a run is to do. Either Requests, Duration or the
// end of the sessions ends it.
type Plan struct {
	Phase loadgen.Phase

	// Schedule says when sessions are due: an open loop. Without one the loop
	// is closed: each of Concurrency users starts its next session when its
	// last has ended.
	Schedule Schedule

	// Concurrency is the number of users of a closed loop, at least 1, and in
	// an open loop the ceiling of requests in flight, 0 for none.
	Concurrency int

	// ConcurrencyRamp is the time in which users, or slots under the ceiling,
	// are added one after another.
	ConcurrencyRamp time.Duration

	// UserGap is the time from one request of a user to the next in a closed
	// loop whose users keep a pace of their own; users then start spread over
	// one gap. A request that is due before the last has ended follows it at
	// once. 0 lets users start again as soon as they are free.
	UserGap time.Duration

	// Ramp is how long any ramp lasts: requests sent before it are flagged.
	Ramp time.Duration

	Requests int           // start no more than so many, 0 for no limit
	Duration time.Duration // start none that is due later, 0 for no limit

	// Grace is how long requests in flight may go on after Duration has passed
	// or the driver was stopped. They are cancelled then. 0 cancels at once.
	Grace time.Duration
}

// A Driver runs phases.
type Driver struct {
	Sender Sender

	// Emit keeps a finished record. It is called from one goroutine in order
	// of completion and must copy what it keeps: the record is used again. Its
	// first error ends the run.
	Emit func(*loadgen.Record) error

	// Follow finishes the next request of a session with what came of the one
	// before. Nil where requests are complete from the start.
	Follow func(prev *loadgen.Record, next *loadgen.Request)

	// Stop ends the phase early when it is done: nothing new is started and
	// what is in flight gets the grace period. Nil never stops.
	Stop context.Context

	// Drain, where it is set, is called by Run once in a phase, when what is in
	// flight becomes less for want of new requests: at Outcome.StoppedAt.
	Drain func()

	// Wait paces an open loop; nil waits by the runtime's timers.
	Wait Wait

	issued, flight, starved atomic.Int64
	began                   atomic.Pointer[time.Time]
}

// Elapsed returns the time since the current phase began, 0 before the first.
func (d *Driver) Elapsed() time.Duration {
	began := d.began.Load()
	if began == nil {
		return 0
	}
	return time.Since(*began)
}

// Issued returns how many requests the current phase has started.
func (d *Driver) Issued() int { return int(d.issued.Load()) }

// InFlight returns how many requests are under way.
func (d *Driver) InFlight() int { return int(d.flight.Load()) }

// Starved returns how often a session was due before it was ready to be taken.
func (d *Driver) Starved() int { return int(d.starved.Load()) }

// catchUp is how late a request may be sent after the end of the phase, if it
// was due before it: the last slots of a fast schedule are not lost to a pacer
// that is some microseconds behind.
const catchUp = 100 * time.Millisecond

// Run runs one phase with the sessions of a feed, and returns when every request
// that it started has ended and been emitted. When ctx is done the requests in
// flight are cancelled at once; see Driver.Stop for the gentle end.
//
// The error is that of Emit. A run that was stopped or cancelled is none: its
// Outcome says so.
func (d *Driver) Run(ctx context.Context, plan Plan, feed *Feed) (loadgen.Outcome, error) {
	d.issued.Store(0)
	r := &run{Driver: d, Plan: plan, feed: feed, records: make(chan *loadgen.Record, 4096), spent: make(chan struct{}, 1)}
	var cancelSends context.CancelFunc
	r.sending, cancelSends = context.WithCancel(ctx)
	defer cancelSends()
	r.stopping, r.stop = context.WithCancel(r.sending)
	defer r.stop()
	if d.Stop != nil {
		defer context.AfterFunc(d.Stop, r.stop)()
	}

	emitted := make(chan error)
	go func() { emitted <- r.emit() }()

	var issue func()
	if plan.Schedule == nil {
		issue = r.closedLoop()
	} else {
		issue = r.openLoop()
	}
	d.starved.Store(0)
	r.epoch = time.Now()
	d.began.Store(&r.epoch)
	r.issuing = r.stopping
	if plan.Duration > 0 {
		var done context.CancelFunc
		r.issuing, done = context.WithDeadline(r.stopping, r.epoch.Add(plan.Duration))
		defer done()
	}
	ended := make(chan struct{})
	go func() {
		issue()
		close(ended)
	}()
	r.await(ended, cancelSends)
	cancelled := r.interrupted() || ctx.Err() != nil
	elapsed := time.Since(r.epoch)
	close(r.records)
	err := <-emitted

	return loadgen.Outcome{
		Epoch:     r.epoch.UnixNano(),
		Issued:    d.Issued(),
		Sessions:  int(r.begun.Load()),
		Elapsed:   elapsed,
		StoppedAt: r.stoppedAt,
		Cancelled: cancelled,
		MaxFlight: int(r.maxFlight.Load()),
		Missed:    r.missed,
	}, err
}

// run is the state of one phase.
type run struct {
	*Driver
	Plan
	feed    *Feed
	records chan *loadgen.Record
	pool    sync.Pool
	epoch   time.Time

	sending  context.Context // done: requests in flight are cancelled
	stopping context.Context // done: stopped early, or by an error of Emit
	issuing  context.Context // done: stopped, or Duration has passed
	stop     context.CancelFunc

	spent chan struct{} // has a token when a request has ended that none follows
	talks atomic.Int64  // sessions of several turns that the dispatcher has begun

	slots     chan struct{} // free slots under the ceiling; nil without one
	maxFlight atomic.Int64
	begun     atomic.Int64 // the first so many sessions
	stoppedAt time.Duration
	missed    int
}

// interrupted reports whether the driver was told to stop. It asks for itself:
// the contexts that follow from Stop are done some time later.
func (d *Driver) interrupted() bool { return d.Stop != nil && d.Stop.Err() != nil }

// stopped reports whether nothing new may be started.
func (r *run) stopped() bool { return r.interrupted() || r.stopping.Err() != nil }

// await returns when all users or workers have ended, giving them the grace
// period once the phase is over.
func (r *run) await(ended <-chan struct{}, cancelSends func()) {
	over := r.issuing.Done()
	var grace <-chan time.Time
	drains := sync.OnceFunc(func() {
		r.stoppedAt = time.Since(r.epoch)
		if r.Drain != nil {
			r.Drain()
		}
	})
	for {
		select {
		case <-ended:
			drains()
			return
		case <-r.spent:
			drains()
		case <-over:
			over = nil
			drains()
			timer := time.NewTimer(r.Grace)
			defer timer.Stop()
			grace = timer.C
		case <-grace:
			grace = nil
			cancelSends()
		}
	}
}

// exhausted notes that a request has ended and no more is started: what is in
// flight becomes less from here on. The start of the last request would not do:
// of a burst it is the first moment.
func (r *run) exhausted() {
	select {
	case r.spent <- struct{}{}:
	default:
	}
}

// gather is how long the emitter lets records come together before it looks
// again: to be woken for every one would cost the machine more than what is
// done with it.
const gather = time.Millisecond

// emit hands every record to Emit and takes it back. After an error it goes on
// taking records, so that nobody is left waiting to deliver one.
func (r *run) emit() error {
	var err error
	for rec := range r.records {
		if err == nil {
			if err = r.Emit(rec); err != nil {
				r.stop()
			}
		}
		rec.Release()
		r.pool.Put(rec)
		if len(r.records) == 0 {
			time.Sleep(gather)
		}
	}
	return err
}
