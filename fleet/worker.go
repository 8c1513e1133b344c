package fleet

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"

	"loadgen"
	"loadgen/internal/outside"
	"loadgen/runner"
	"loadgen/sweep"
)

const (
	beatEvery = 250 * time.Millisecond
	// lonely is how long a worker goes on sending without a word from the
	// coordinator, harsh when it gives up what is in flight, and patient how long
	// it keeps trying to bring its records home.
	lonely  = 5 * time.Second
	harsh   = 8 * time.Second
	patient = 60 * time.Second
)

// ErrRefused is a worker that the coordinator did not take.
var ErrRefused = errors.New("the coordinator refuses this worker")

// ErrAlone is a worker whose coordinator has not been heard for a minute.
var ErrAlone = errors.New("nothing was heard of the coordinator for too long")

// A WorkerConfig says who a worker is, and with what it makes runs.
type WorkerConfig struct {
	Dial
	Index int // that it wants, -1 for any
	// Patience is how long it looks for a coordinator.
	Patience time.Duration
	// Spools is where records wait, unless the coordinator names a place.
	Spools string
	// Runner is what runs are made with: what this machine adds to a batch.
	Runner *runner.Runner
	// Vocabularies returns what finds tokenizers.
	Vocabularies func(download bool) *runner.Vocabularies
	// Hosts are those that may be sent to; empty for those of the batch.
	Hosts []string
	Log   *slog.Logger
}

// A worker makes its portions of a batch's runs.
type worker struct {
	WorkerConfig
	conn *nats.Conn
	seat
	batch *sweep.Batch

	began    time.Time
	heard    atomic.Int64 // nanoseconds since then, which a step of the clock does not change
	progress atomic.Pointer[runner.Progress]
	orders   chan *turn
	ended    chan struct{} // closed when the batch is over

	ordering sync.Mutex // while it looks at an order
	digest   string
	last     int // run that was begun

	mu      sync.Mutex
	current *turn // nil between runs
}

// Work makes portions of runs until the batch is over. When stopping is done it
// leaves: nothing new is sent; when ctx is done what is in flight is cancelled.
func Work(ctx, stopping context.Context, c WorkerConfig) error {
	if c.Spools == "" { // where whoever comes after it finds what it has left
		c.Spools = filepath.Join(os.TempDir(), fmt.Sprintf("loadgen-worker-%d", os.Getuid()))
		defer os.Remove(c.Spools) // unless records are left in it
	} else if err := writable(c.Spools); err != nil {
		return err
	}
	w := &worker{WorkerConfig: c, began: time.Now(), orders: make(chan *turn, 16), ended: make(chan struct{})}
	w.Log.Info(fmt.Sprintf("Looking for a batch at %s, for %v at most", c.shown(), c.Patience))
	in, err := w.join(stopping)
	if err != nil {
		return err
	}
	defer w.conn.Close()
	w.Log.Info(fmt.Sprintf("This is worker %d of the batch that was started from %s", in.Index, outside.Line(in.Script.Name)))
	w.hear()
	for subject, handle := range map[string]nats.MsgHandler{
		w.subject(toDo):    w.handle,
		w.subject(toClock): w.tellTime,
		w.base + alive:     func(*nats.Msg) { w.hear() },
	} {
		if _, err := w.conn.Subscribe(subject, handle); err != nil {
			return fmt.Errorf("listening to the coordinator: %w", err)
		}
	}
	var beats sync.WaitGroup
	beating, rest := context.WithCancel(context.WithoutCancel(ctx))
	beats.Go(func() { w.beat(beating) })
	defer beats.Wait()
	defer rest()
	if err := w.prepare(in.Script); err != nil {
		w.leave(ctx, err.Error())
		return err
	}
	w.bringLeft(stopping, in.Resumed)
	if err := w.arrive(stopping); err != nil {
		return err
	}
	return w.serve(ctx, stopping)
}

// arrive tells that the worker can begin.
func (w *worker) arrive(stopping context.Context) error {
	ctx, cancel := w.while(patient)
	defer cancel()
	defer context.AfterFunc(stopping, cancel)()
	if _, err := w.tell(ctx, event{What: isHere}); err != nil && stopping.Err() == nil {
		return ErrAlone
	}
	return nil
}

// leave tells that the worker goes, and why.
func (w *worker) leave(ctx context.Context, why string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	_, _ = w.tell(ctx, event{What: isLeaving, Why: why})
}

// serve makes the runs that are ordered.
func (w *worker) serve(ctx, stopping context.Context) error {
	tick := time.NewTicker(beatEvery)
	defer tick.Stop()
	for {
		select {
		case t := <-w.orders:
			if err := w.perform(ctx, stopping, t); err != nil {
				return err
			}
		case <-w.ended:
			return nil
		case <-stopping.Done():
			w.leave(ctx, toldToEnd)
			return nil
		case <-tick.C:
			if w.silence() > patient {
				return ErrAlone
			}
		}
	}
}

func (w *worker) hear()                  { w.heard.Store(int64(time.Since(w.began))) }
func (w *worker) silence() time.Duration { return time.Since(w.began) - time.Duration(w.heard.Load()) }

// handle takes a command, and answers it.
func (w *worker) handle(m *nats.Msg) {
	w.hear()
	var c command
	if err := json.Unmarshal(m.Data, &c); err != nil {
		return
	}
	var a reply
	switch c.Do {
	case doBegin:
		a = w.ordered(c)
	case doEnd:
		w.end()
	default:
		if t := w.turn(); t != nil && t.number == c.Run {
			t.obey(c)
		}
	}
	_ = m.Respond(encode(a))
}

// turn is the run that the worker is at; nil for none.
func (w *worker) turn() *turn {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.current
}

// end ends the worker: the batch is over, or others are at its place.
func (w *worker) end() {
	w.mu.Lock()
	t := w.current
	select {
	case <-w.ended:
	default:
		close(w.ended)
	}
	w.mu.Unlock()
	if t != nil {
		t.close()
	}
}

// ordered takes an order for a run, and says what it would send. A run that it is
// still at is over.
func (w *worker) ordered(c command) reply {
	w.ordering.Lock()
	defer w.ordering.Unlock()
	if t := w.turn(); t != nil && t.number < c.Run {
		t.close()
	}
	if c.Run <= w.last {
		return reply{Digest: w.digest}
	}
	ask, err := w.batch.Asked(c.Order.Cell, c.Order.Number, c.Order.Load, c.Order.Short, c.Order.Open)
	if err == nil {
		w.digest, err = w.Runner.Digest(context.Background(), ask)
	}
	if err != nil {
		return reply{Error: err.Error()}
	}
	w.last = c.Run
	t := newTurn(w, c)
	w.mu.Lock()
	w.current = t
	w.mu.Unlock()
	w.orders <- t
	return reply{Digest: w.digest}
}

func (w *worker) clock() steady { return steady{w.began} }

func (w *worker) tellTime(m *nats.Msg) {
	w.hear()
	_ = m.Respond(binary.LittleEndian.AppendUint64(nil, uint64(w.clock().tell(time.Now()))))
}

// tell tells the coordinator of an event until it answers.
func (w *worker) tell(ctx context.Context, e event) (reply, error) {
	return ask[reply](ctx, w.conn, w.subject(toEvent), e)
}

// beat says that the worker is there, until ctx is done.
func (w *worker) beat(ctx context.Context) {
	tick := time.NewTicker(beatEvery)
	defer tick.Stop()
	for {
		_ = w.conn.Publish(w.subject(toBeat), encode(w.pulse()))
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// pulse is how the run goes on.
func (w *worker) pulse() beat {
	t, p := w.turn(), w.progress.Load()
	if t == nil {
		return beat{}
	}
	if p == nil || !t.begun.Load() {
		return beat{Run: t.number}
	}
	b := beat{Run: t.number, Flight: p.InFlight(), Issued: p.Issued(), Elapsed: p.Elapsed(), Drained: p.Drained()}
	switch p.Stage().Name {
	case "warm-up":
		b.Phase, b.Stage = loadgen.Warmup, true
	case "profiling":
		b.Phase, b.Stage = loadgen.Profiling, true
	}
	return b
}
