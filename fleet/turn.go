package fleet

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"loadgen"
	"loadgen/load"
	"loadgen/metrics"
	"loadgen/runner"
	"loadgen/sweep"
)

// A turn is a run that a worker makes its portion of. It is the runner's Step and
// its Recorder.
type turn struct {
	worker *worker
	order  command
	number int
	spool  *spool
	ship   *shipper
	run    *sweep.Run
	begun  atomic.Bool
	alone  atomic.Bool // it stopped since nothing was heard of the coordinator

	// open is done when the run is over without this worker, sent when what is in
	// flight is cancelled, and stopping when nothing new is sent.
	open, sent, stopping context.Context
	close, cancel, stop  context.CancelFunc

	mu     sync.Mutex
	starts map[loadgen.Phase]chan time.Time
	learnt chan runner.Lesson
	late   time.Duration
	first  bool
	looks  int
}

func newTurn(w *worker, c command) *turn {
	t := &turn{worker: w, order: c, number: c.Run, starts: map[loadgen.Phase]chan time.Time{}, learnt: make(chan runner.Lesson, 1), first: true}
	for _, phase := range []loadgen.Phase{loadgen.Warmup, loadgen.Profiling} {
		t.starts[phase] = make(chan time.Time, 1)
	}
	t.open, t.close = context.WithCancel(context.Background())
	t.sent, t.cancel = context.WithCancel(t.open)
	t.stopping, t.stop = context.WithCancel(t.sent)
	return t
}

// obey does as the coordinator says.
func (t *turn) obey(c command) {
	switch c.Do {
	case doStop:
		t.stop()
	case doCancel:
		t.cancel()
	case doClose:
		t.close()
	case doLearn:
		if c.Lesson != nil {
			select {
			case t.learnt <- *c.Lesson:
			default: // it came before
			}
		}
	case doStart:
		at := t.worker.clock().hear(c.At)
		t.mu.Lock()
		start := t.starts[c.Phase]
		t.mu.Unlock()
		select {
		case start <- at:
		default:
		}
	}
}

// make makes the worker's portion.
func (t *turn) make() error {
	w, o := t.worker, t.order.Order
	ask, err := w.batch.Asked(o.Cell, o.Number, o.Load, o.Short, o.Open)
	if err != nil {
		return err
	}
	r := w.Runner
	r.Portion = loadgen.Portion{Worker: w.index, Workers: o.Workers}
	r.Step, r.Recorder, r.Stop = t, t, t.stopping
	t.run, err = r.Make(t.sent, ask, o.Place)
	return err
}

// issued is how many requests of the measurement were sent.
func (t *turn) issued() int {
	if b := t.worker.pulse(); b.Run == t.number && b.Phase == loadgen.Profiling && b.Stage {
		return b.Issued
	}
	return 0
}

// result is what the run came to here.
func (t *turn) result(err error) *result {
	t.mu.Lock()
	r := &result{Late: t.late}
	if t.ship != nil {
		r.Behind = time.Duration(t.ship.behind.Load())
	}
	t.mu.Unlock()
	run := t.run
	if run == nil {
		r.Error = err.Error()
		return r
	}
	r.Outcome, r.Health, r.Transport, r.Prompts = run.Outcome, run.Health, run.Transport, run.Prompts.Stats
	if run.Summary != nil {
		verdict, reasons := run.Summary.Validity.Own()
		r.Verdict = string(verdict)
		for _, sign := range reasons {
			r.Reasons = append(r.Reasons, sign.Text)
		}
	}
	// A portion of which every request failed is no fault of the worker.
	if err = errors.Join(err, run.Err); err != nil && !errors.Is(err, runner.ErrAllFailed) && !errors.Is(err, runner.ErrNoneFinished) && !errors.Is(err, runner.ErrNoneSent) {
		r.Error = err.Error()
	}
	return r
}

// Start tells that the phase is ready, and waits for the moment that is agreed on.
func (t *turn) Start(ctx context.Context, phase loadgen.Phase) time.Time {
	if _, err := t.tell(ctx, event{What: isReady, Run: t.number, Phase: phase}); err != nil {
		return time.Now()
	}
	select {
	case at := <-t.starts[phase]:
		wait := load.Wait(load.TimerWait)
		if t.worker.Runner.Wait != nil {
			wait = t.worker.Runner.Wait()
		}
		if t.first {
			t.spool.begin(at)
		}
		_ = wait(ctx, at)
		if t.first {
			t.mu.Lock()
			t.first, t.late = false, time.Since(at)
			t.mu.Unlock()
		}
		t.begun.Store(true)
		return at
	case <-ctx.Done():
		return time.Now()
	}
}

// Learnt brings the warm-up home, and waits for what all of it taught.
func (t *turn) Learnt(ctx context.Context) (runner.Lesson, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(t.stopping, cancel)()
	if err := t.ship.delivered(ctx); err != nil {
		return runner.Lesson{}, err
	}
	if _, err := t.tell(ctx, event{What: isWarm, Run: t.number}); err != nil {
		return runner.Lesson{}, err
	}
	select {
	case lesson := <-t.learnt:
		return lesson, nil
	case <-ctx.Done():
		return runner.Lesson{}, ctx.Err()
	}
}

// Enough asks whether a probe's answer is sure; who cannot be asked goes on.
func (t *turn) Enough() bool {
	ctx, cancel := context.WithTimeout(t.stopping, time.Second)
	defer cancel()
	n := t.looks
	t.looks++
	a, err := t.tell(ctx, event{What: asksLook, Run: t.number, Look: n})
	return err == nil && a.Enough
}

// StartRun makes the turn the recorder of its run.
func (t *turn) StartRun(*sweep.Run) (runner.RunRecorder, error) { return t, nil }

// Session keeps nothing: the coordinator makes the prompts again.
func (t *turn) Session(*loadgen.Session) error { return nil }

// Record puts a record into the spool. Where that is full nothing new is sent, and
// what is in flight is brought home all the same.
func (t *turn) Record(rec *loadgen.Record, _ *metrics.Measurement) error {
	if !t.spool.add(rec) {
		t.stop()
	}
	return nil
}

// End has nothing to do.
func (t *turn) End(*sweep.Run) error { return nil }
