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
	conn  *nats.Conn
	base  string // of subjects
	index int
	batch *sweep.Batch

	heard    atomic.Int64 // unix nanoseconds
	progress atomic.Pointer[runner.Progress]
	orders   chan command
	ended    chan struct{} // closed when the batch is over

	mu      sync.Mutex
	current *turn
	digest  string
	last    int // run that was begun
}

// Work makes portions of runs until the batch is over. When stopping is done it
// leaves: nothing new is sent; when ctx is done what is in flight is cancelled.
func Work(ctx, stopping context.Context, c WorkerConfig) error {
	if c.Spools == "" {
		c.Spools = filepath.Join(os.TempDir(), fmt.Sprintf("loadgen-worker-%d", os.Getpid()))
		defer os.Remove(c.Spools) // unless records are left in it
	}
	w := &worker{WorkerConfig: c, orders: make(chan command, 16), ended: make(chan struct{})}
	if err := w.join(stopping); err != nil {
		return err
	}
	defer w.conn.Close()
	w.hear()
	for subject, handle := range map[string]nats.MsgHandler{
		fmt.Sprintf("%sdo.%d", w.base, w.index):    w.handle,
		fmt.Sprintf("%sclock.%d", w.base, w.index): w.tellTime,
		w.base + "alive": func(*nats.Msg) { w.hear() },
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
	return w.serve(ctx, stopping)
}

// serve makes the runs that are ordered.
func (w *worker) serve(ctx, stopping context.Context) error {
	tick := time.NewTicker(beatEvery)
	defer tick.Stop()
	for {
		select {
		case c := <-w.orders:
			if err := w.perform(ctx, stopping, c); err != nil {
				return err
			}
			if stopping.Err() != nil {
				return nil
			}
		case <-w.ended:
			return nil
		case <-stopping.Done():
			leave, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
			defer cancel()
			_, _ = w.tell(leave, event{What: isLeaving, Why: "it was told to end"})
			return nil
		case <-tick.C:
			if w.silence() > patient {
				return ErrAlone
			}
		}
	}
}

func (w *worker) hear()                  { w.heard.Store(time.Now().UnixNano()) }
func (w *worker) silence() time.Duration { return time.Since(time.Unix(0, w.heard.Load())) }

// join says hello until it is welcome.
func (w *worker) join(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, w.Patience)
	defer cancel()
	base := ""
	var err error
	for {
		if w.conn, base, err = w.connect("worker"); err == nil {
			break
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(again):
		}
	}
	host, _ := os.Hostname()
	h := hello{
		Protocol: protocol, Version: w.Runner.Version, Index: w.Index,
		Host: outside.Line(host), Process: os.Getpid(), Key: nats.NewInbox(),
	}
	for {
		a, err := ask[welcome](ctx, w.conn, base+"hello", h)
		switch {
		case err != nil && ctx.Err() != nil:
			w.conn.Close()
			return fmt.Errorf("no coordinator has answered at %s within %v", w.URL, w.Patience)
		case err != nil:
			w.conn.Close()
			return fmt.Errorf("the coordinator says what this version does not understand: %w", err)
		case a.Refused == "":
			w.base, w.index = a.Batch, a.Index
			if err := w.prepare(a.Script); err != nil {
				leave, cancel := context.WithTimeout(ctx, 2*time.Second)
				defer cancel()
				_, _ = w.tell(leave, event{What: isLeaving, Why: err.Error()})
				w.conn.Close()
				return err
			}
			return nil
		case a.Final:
			w.conn.Close()
			return fmt.Errorf("%w: %s", ErrRefused, a.Refused)
		}
		select {
		case <-ctx.Done():
		case <-time.After(again):
		}
	}
}

// prepare reads the batch.
func (w *worker) prepare(s Script) error {
	batch, err := sweep.Parse(s.Name, s.Text, sweep.Options{
		Overrides: s.Overrides, Only: s.Only, Skip: s.Skip, Salt: s.Salt, OutputBaseDir: s.OutputBaseDir,
		LookupEnv: w.Runner.LookupEnv,
	})
	if err != nil {
		return err
	}
	if err := errors.Join(checkFiles(s.Files), w.checkHosts(batch)); err != nil {
		return err
	}
	if err := runner.CheckPrompts(batch); err != nil {
		return err
	}
	w.batch = batch
	r := w.Runner
	r.Batch, r.Endpoint, r.Vocabulary = batch, s.Endpoint, w.Vocabularies(!s.Offline).Get
	r.Started = func(p *runner.Progress) { w.progress.Store(p) }
	return nil
}

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
		w.mu.Lock()
		select {
		case <-w.ended:
		default:
			close(w.ended)
		}
		w.mu.Unlock()
	default:
		w.mu.Lock()
		t := w.current
		w.mu.Unlock()
		if t != nil && t.number == c.Run {
			t.obey(c)
		}
	}
	_ = m.Respond(encode(a))
}

// ordered takes an order for a run, and says what it would send.
func (w *worker) ordered(c command) reply {
	w.mu.Lock()
	defer w.mu.Unlock()
	if c.Run <= w.last {
		return reply{Digest: w.digest}
	}
	ask, err := w.batch.Asked(c.Order.Cell, c.Order.Number, c.Order.Load, c.Order.Short)
	if err == nil {
		w.digest, err = w.Runner.Digest(context.Background(), ask)
	}
	if err != nil {
		return reply{Error: err.Error()}
	}
	w.last = c.Run
	w.current = newTurn(w, c.Run)
	w.orders <- c
	return reply{Digest: w.digest}
}

func (w *worker) tellTime(m *nats.Msg) {
	w.hear()
	_ = m.Respond(binary.LittleEndian.AppendUint64(nil, uint64(time.Now().UnixNano())))
}

// tell tells the coordinator of an event until it answers.
func (w *worker) tell(ctx context.Context, e event) (reply, error) {
	return ask[reply](ctx, w.conn, fmt.Sprintf("%sevent.%d", w.base, w.index), e)
}

// beat says that the worker is there, until ctx is done.
func (w *worker) beat(ctx context.Context) {
	tick := time.NewTicker(beatEvery)
	defer tick.Stop()
	for {
		_ = w.conn.Publish(fmt.Sprintf("%sbeat.%d", w.base, w.index), encode(w.pulse()))
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// pulse is how the run goes on.
func (w *worker) pulse() beat {
	w.mu.Lock()
	t := w.current
	w.mu.Unlock()
	p := w.progress.Load()
	if t == nil || p == nil || !t.begun.Load() {
		return beat{}
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

// spoolName is the file of a worker's records of a run.
func spoolName(dir string, worker int) string {
	return filepath.Join(dir, fmt.Sprintf("worker-%d.spool", worker))
}

// workerOf is the worker whose spool a file is.
func workerOf(path string) (worker int) {
	_, _ = fmt.Sscanf(filepath.Base(path), "worker-%d.spool", &worker)
	return worker
}
