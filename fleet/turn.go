package fleet

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
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
	number int
	spool  *spool
	ship   *shipper
	run    *sweep.Run
	begun  atomic.Bool

	stop, cancel   context.CancelFunc
	stopping, sent context.Context

	mu     sync.Mutex
	starts map[loadgen.Phase]chan time.Time
	learnt chan runner.Lesson
	late   time.Duration
	first  bool
	looks  int
}

func newTurn(w *worker, number int) *turn {
	t := &turn{worker: w, number: number, starts: map[loadgen.Phase]chan time.Time{}, learnt: make(chan runner.Lesson, 1), first: true}
	for _, phase := range []loadgen.Phase{loadgen.Warmup, loadgen.Profiling} {
		t.starts[phase] = make(chan time.Time, 1)
	}
	t.sent, t.cancel = context.WithCancel(context.Background())
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
	case doLearn:
		if c.Lesson != nil {
			select {
			case t.learnt <- *c.Lesson:
			default: // it came before
			}
		}
	case doStart:
		now := time.Now()
		at := now.Add(time.Duration(c.At - now.UnixNano()))
		t.mu.Lock()
		start := t.starts[c.Phase]
		t.mu.Unlock()
		select {
		case start <- at:
		default:
		}
	}
}

// perform makes a run and brings it home.
func (w *worker) perform(ctx, stopping context.Context, c command) error {
	w.mu.Lock()
	t := w.current
	w.mu.Unlock()
	defer t.cancel()
	defer context.AfterFunc(ctx, t.cancel)()
	defer context.AfterFunc(stopping, t.stop)()
	watched := make(chan struct{})
	defer close(watched)
	go t.watch(watched)

	var err error
	spools := cmp.Or(c.Spools, w.Spools)
	if err = os.MkdirAll(spools, 0o700); err == nil {
		t.spool, err = newSpool(spoolName(spools, w.index))
	}
	if err != nil {
		return t.fail(err)
	}
	t.ship = &shipper{
		conn: w.conn, subject: fmt.Sprintf("%srecords.%d", w.base, w.index), run: t.number, spool: t.spool,
		issued: t.issued, heard: w.hear, moved: make(chan struct{}, 1),
	}
	shipping, halt := context.WithCancel(context.Background())
	var ships sync.WaitGroup
	ships.Go(func() { _ = t.ship.ship(shipping) })

	ask, err := w.batch.Asked(c.Order.Cell, c.Order.Number, c.Order.Load, c.Order.Short)
	if err == nil {
		r := w.Runner
		r.Portion = loadgen.Portion{Worker: w.index, Workers: c.Order.Workers}
		r.Step, r.Recorder, r.Stop = t, t, t.stopping
		t.run, err = r.Make(t.sent, ask, c.Order.Place)
	}
	bring, cancel := w.while(patient)
	defer cancel()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(time.Second, cancel) })()
	undelivered := t.ship.delivered(bring)
	left := stopping.Err() != nil
	halt()
	ships.Wait()
	if undelivered == nil {
		e := event{What: isDone, Run: t.number, Size: t.spool.length(), Result: t.result(err)}
		if left {
			e.Why = "it was told to end"
		}
		_, undelivered = w.tell(bring, e)
	}
	if undelivered != nil {
		undelivered = fmt.Errorf("%w; they are kept in %s", undelivered, t.spool.file.Name())
	}
	return errors.Join(undelivered, t.spool.close())
}

// fail says that the worker cannot make the run.
func (t *turn) fail(err error) error {
	ctx, cancel := t.worker.while(patient)
	defer cancel()
	_, told := t.worker.tell(ctx, event{What: isDone, Run: t.number, Result: &result{Error: err.Error()}})
	return told
}

// while returns a context that is done when nothing was heard of the coordinator
// for so long.
func (w *worker) while(silent time.Duration) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		tick := time.NewTicker(beatEvery)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				if w.silence() > silent {
					cancel()
				}
			}
		}
	}()
	return ctx, cancel
}

// watch stops a run whose coordinator is silent: no load without who asked for it.
func (t *turn) watch(over <-chan struct{}) {
	tick := time.NewTicker(beatEvery)
	defer tick.Stop()
	for {
		select {
		case <-over:
			return
		case <-tick.C:
		}
		switch silent := t.worker.silence(); {
		case silent > harsh:
			t.cancel()
		case silent > lonely:
			t.stop()
		}
	}
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
	t.mu.Unlock()
	run := t.run
	if run == nil {
		r.Error = err.Error()
		return r
	}
	r.Outcome, r.Health, r.Transport, r.Prompts = run.Outcome, run.Health, run.Transport, run.Prompts.Stats
	if run.Summary != nil {
		r.Verdict = string(run.Summary.Validity.Verdict)
		for _, sign := range run.Summary.Validity.Reasons {
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
	if _, err := t.worker.tell(ctx, event{What: isReady, Run: t.number, Phase: phase}); err != nil {
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
	if _, err := t.worker.tell(ctx, event{What: isWarm, Run: t.number}); err != nil {
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
	a, err := t.worker.tell(ctx, event{What: asksLook, Run: t.number, Look: n})
	return err == nil && a.Enough
}

// StartRun makes the turn the recorder of its run.
func (t *turn) StartRun(*sweep.Run) (runner.RunRecorder, error) { return t, nil }

// Session keeps nothing: the coordinator makes the prompts again.
func (t *turn) Session(*loadgen.Session) error { return nil }

// Record puts a record into the spool.
func (t *turn) Record(rec *loadgen.Record, _ *metrics.Measurement) error { return t.spool.add(rec) }

// End has nothing to do.
func (t *turn) End(*sweep.Run) error { return nil }
