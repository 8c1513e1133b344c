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

	// Start, where it is set, is called when all is ready for the first request,
	// and returns when the moment has come at which the run begins, which may have
	// passed by a little: requests that are late by it are late.
	Start func(context.Context) time.Time

	// Drain, where it is set, is called by Run once in a phase, when what is in
	// flight becomes less for want of new requests: at Outcome.StoppedAt.
	Drain func()

	// Enough is asked at each of a plan's Looks; where it says yes the phase ends
	// as if its Duration had passed. It is called from one goroutine that is not
	// Emit's.
	Enough func() bool

	// Wait paces an open loop; nil waits by the runtime's timers.
	Wait Wait

	issued, flight, starved atomic.Int64
	latency                 atomic.Int64 // of the latest answer, 0 before the first
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
	return d.RunOn(ctx, Stage{Plan: plan, Feed: feed})
}

// RunOn runs stages one after another without a gap: a stage begins when the one
// before has sent what it was to send, and what is in flight then goes on as
// load of the new one. Users go on from stage to stage, as many as each has; a
// schedule goes on where the plan resumes it. See Record.Crossing for what
// becomes of the requests that were in flight.
//
// The outcome is that of the last stage; of one that has not begun it says no
// more than that it was cancelled.
func (d *Driver) RunOn(ctx context.Context, stages ...Stage) (loadgen.Outcome, error) {
	r := &run{Driver: d, records: make(chan *loadgen.Record, 4096), answered: make(chan struct{})}
	if d.latency.Load() > 0 {
		close(r.answered)
	}
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

	now := r.line(stages)
	launch := now.ready()
	at := time.Now()
	if d.Start != nil {
		at = d.Start(r.stopping)
	}
	now.tell()
	now.begin(at)
	launch()
	for now.next != nil && now.lead() {
		now = now.next
		now.launch()
		now.tell()
	}
	now.await(cancelSends)
	cancelled := r.interrupted() && (now.next != nil || !now.whole.Load()) || ctx.Err() != nil
	outcome := loadgen.Outcome{Cancelled: cancelled}
	if now.next == nil {
		outcome = now.outcome(cancelled)
	}
	close(r.records)
	return outcome, <-emitted
}

// run is the state of one run.
type run struct {
	*Driver
	records chan *loadgen.Record
	pool    sync.Pool

	sending  context.Context // done: requests in flight are cancelled
	stopping context.Context // done: stopped early, or by an error of Emit
	stop     context.CancelFunc

	group    sync.WaitGroup // all that start requests
	starting sync.Mutex     // held by who starts users
	started  atomic.Int64   // users that have been started
	latest   time.Time      // when the last of them was
	answered chan struct{}  // closed when latency is known
	gate     struct {
		sync.Mutex
		free   time.Time // from when the next may pass
		passed int
		rests  time.Duration // of those that passed, before their requests
	}
}

// line puts the stages one behind the other and returns the first.
func (r *run) line(stages []Stage) *stage {
	var first, last *stage
	for _, of := range stages {
		s := newStage(r, of)
		switch {
		case last == nil:
			first = s
		default:
			last.next, s.before = s, last
			if s.Resume {
				s.slots = last.slots
			}
		}
		last = s
	}
	return first
}

// interrupted reports whether the driver was told to stop. It asks for itself:
// the contexts that follow from Stop are done some time later.
func (d *Driver) interrupted() bool { return d.Stop != nil && d.Stop.Err() != nil }

// stopped reports whether nothing new may be started.
func (r *run) stopped() bool { return r.interrupted() || r.stopping.Err() != nil }

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
