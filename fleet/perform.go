package fleet

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"
)

// Why a worker has not made its portion.
const toldToEnd = "it was told to end"

var leftAlone = fmt.Sprintf("it stopped, since it had heard nothing of the coordinator for %v", lonely)

// errOver is a run that is over without this worker.
var errOver = errors.New("the run is over")

// perform makes a run and brings it home.
func (w *worker) perform(ctx, stopping context.Context, t *turn) error {
	defer t.close()
	defer w.rest(t)
	defer context.AfterFunc(ctx, t.cancel)()
	defer context.AfterFunc(stopping, t.stop)()
	watched := make(chan struct{})
	defer close(watched)
	go t.watch(watched)

	var err error
	if t.spool, err = t.makeSpool(); err != nil {
		w.Log.Error(err.Error())
		return t.fail(err)
	}
	t.ship = &shipper{
		conn: w.conn, subject: w.subject(toRecords), run: t.number, spool: t.spool,
		issued: t.issued, heard: w.hear, over: t.close, moved: make(chan struct{}, 1),
	}
	shipping, halt := context.WithCancel(context.Background())
	var ships sync.WaitGroup
	ships.Go(func() { t.ship.ship(shipping) })
	err = t.make()
	undelivered := t.bring(ctx, stopping, err)
	halt()
	ships.Wait()
	left := t.spool.left()
	closed := t.spool.close()
	if left == 0 {
		return errors.Join(undelivered, closed)
	}
	if t.open.Err() != nil {
		w.Log.Warn(fmt.Sprintf("A run is over without this worker: %d bytes of records that were not taken in are kept in %s", left, t.spool.file.Name()))
		return closed
	}
	return errors.Join(fmt.Errorf("%w: %d bytes of records are kept in %s. When the batch goes on with --resume, a worker that joins it with the same --spools brings them home",
		cmp.Or(undelivered, ErrAlone), left, t.spool.file.Name()), closed)
}

// rest notes that the worker is at a run no more.
func (w *worker) rest(t *turn) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.current == t {
		w.current = nil
	}
}

func (t *turn) makeSpool() (*spool, error) {
	w, dir := t.worker, cmp.Or(t.order.Spools, t.worker.Spools)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("making a place for records: %w", err)
	}
	path := w.spoolOf(dir, t.number)
	if t.order.Spools != "" {
		path = spoolName(dir, w.index)
	}
	return newSpool(path, t.order.Dir)
}

// bring brings home what the run came to.
func (t *turn) bring(ctx, stopping context.Context, made error) error {
	bring, cancel := t.worker.while(patient)
	defer cancel()
	defer context.AfterFunc(t.open, cancel)()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(time.Second, cancel) })()
	if err := t.ship.delivered(bring); err != nil {
		return err
	}
	e := event{What: isDone, Run: t.number, Size: t.spool.length(), Result: t.result(made)}
	if t.run == nil || t.run.Outcome.Cancelled {
		e.Why = t.why(stopping)
	}
	_, err := t.tell(bring, e)
	return err
}

// why is why the worker has not made its portion, where that was not asked of it.
func (t *turn) why(stopping context.Context) string {
	switch full := t.spool.full(); {
	case full != nil:
		return full.Error()
	case stopping.Err() != nil:
		return toldToEnd
	case t.alone.Load():
		return leftAlone
	}
	return ""
}

// tell tells of an event of the run.
func (t *turn) tell(ctx context.Context, e event) (reply, error) {
	a, err := t.worker.tell(ctx, e)
	if a.Over {
		t.close()
		err = errOver
	}
	return a, err
}

// fail says that the worker cannot make the run.
func (t *turn) fail(err error) error {
	ctx, cancel := t.worker.while(patient)
	defer cancel()
	defer context.AfterFunc(t.open, cancel)()
	_, told := t.tell(ctx, event{What: isDone, Run: t.number, Result: &result{}, Why: err.Error()})
	if t.open.Err() != nil {
		return nil
	}
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
			t.alone.Store(true)
			t.cancel()
		case silent > lonely:
			t.alone.Store(true)
			t.stop()
		}
	}
}
