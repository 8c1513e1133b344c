package fleet

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"loadgen"
	"loadgen/runner"
)

// What makes TestManyWorkers the workers of a coordinator that runs elsewhere,
// which can then be measured: see docs/fleet.md.
var (
	joinAt  = flag.String("join", "", "be workers of the coordinator at this address")
	many    = flag.Int("workers", 5, "how many they are")
	rate    = flag.Int("rate", 400, "records that each makes in a second")
	seconds = flag.Float64("seconds", 0.3, "how long they do")
	chunks  = flag.Int("chunks", 1, "chunks of a record")
)

// TestManyWorkers has workers that send nothing but records bring them home.
func TestManyWorkers(t *testing.T) {
	dial := Dial{URL: *joinAt, Token: os.Getenv(TokenVariable)}
	each := int(float64(*rate) * *seconds)
	var crew sync.WaitGroup
	defer crew.Wait()
	if *joinAt == "" {
		k := coordinated(t, *many)
		k.Patience, k.Script = time.Minute, Script{Name: "b.yaml"}
		dial = Dial{URL: k.Server.URL, Token: k.Server.Token}
		defer k.Close()
		crew.Go(func() {
			if err := k.Muster(t.Context(), *many); err != nil {
				t.Error(err)
			}
			n := 0
			home := &runner.Home{
				Began: func(loadgen.Phase, time.Time) {}, Drained: func() {}, Pulse: func(int, int) {},
				Fold: func(*loadgen.Record) { n++ },
			}
			g, err := k.Make(t.Context(), t.Context(), runner.Order{Workers: *many, Scheduled: true}, home)
			if err != nil || n != *many*each || g.Outcome.Issued != n || g.Outcome.Cut != "" {
				t.Errorf("%d records came home of %d, %d were issued, %s: %v", n, *many*each, g.Outcome.Issued, g.Outcome.Cut, err)
			}
			k.Close()
		})
	}
	var players sync.WaitGroup
	for i := range *many {
		players.Go(func() {
			w := &recordMaker{worker: &worker{
				WorkerConfig: WorkerConfig{
					Dial: dial, Index: i, Patience: time.Minute, Spools: t.TempDir(),
					Runner: &runner.Runner{Version: os.Getenv("LOADGEN_VERSION")}, Log: slog.New(slog.DiscardHandler),
				},
				began: time.Now(), ended: make(chan struct{}),
			}, each: each, over: make(chan error, 1)}
			if err := w.play(t.Context()); err != nil {
				t.Errorf("worker %d: %v", i, err)
			}
		})
	}
	players.Wait()
}

// A recordMaker is a worker that makes records up.
type recordMaker struct {
	*worker
	each int
	turn *turn
	over chan error
}

func (w *recordMaker) play(ctx context.Context) error {
	if _, err := w.join(ctx); err != nil {
		return err
	}
	defer w.conn.Close()
	w.hear()
	if _, err := w.conn.Subscribe(w.subject(toDo), func(m *nats.Msg) { w.obey(ctx, m) }); err != nil {
		return err
	}
	if _, err := w.conn.Subscribe(w.subject(toClock), w.tellTime); err != nil {
		return err
	}
	if _, err := w.conn.Subscribe(w.base+alive, func(*nats.Msg) { w.hear() }); err != nil {
		return err
	}
	beating, rest := context.WithCancel(ctx)
	defer rest()
	go w.beat(beating)
	if _, err := w.tell(ctx, event{What: isHere}); err != nil {
		return err
	}
	<-w.ended
	return <-w.over
}

func (w *recordMaker) obey(ctx context.Context, m *nats.Msg) {
	var c command
	if err := json.Unmarshal(m.Data, &c); err != nil {
		panic(err)
	}
	switch c.Do {
	case doBegin:
		if w.turn == nil {
			w.turn = newTurn(w.worker, c)
			go func() { w.over <- w.make(ctx) }()
		}
	case doStart:
		w.turn.obey(c)
	case doEnd:
		w.end()
	}
	_ = m.Respond(encode(reply{Digest: "alike"}))
}

// make makes the records of a run, each when it is due.
func (w *recordMaker) make(ctx context.Context) error {
	s, err := newSpool(w.spoolOf(w.Spools, 1), "")
	if err != nil {
		return err
	}
	defer s.close()
	made := 0
	ship := &shipper{conn: w.conn, subject: w.subject(toRecords), run: 1, spool: s, issued: func() int { return 0 }, heard: w.hear, over: func() {}, moved: make(chan struct{}, 1)}
	shipping, halt := context.WithCancel(ctx)
	defer halt()
	go ship.ship(shipping)
	if _, err := w.tell(ctx, event{What: isReady, Run: 1, Phase: loadgen.Profiling}); err != nil {
		return err
	}
	start := <-w.turn.starts[loadgen.Profiling]
	s.begin(start)
	time.Sleep(time.Until(start))
	rec := loadgen.Record{
		Phase: loadgen.Profiling, Status: 200, Took: 50 * time.Millisecond, OutputTokens: *chunks, Streamed: true, Usage: loadgen.NoUsage,
		Request: &loadgen.Request{Session: "session_000000", InputTokens: 100, MaxTokens: *chunks}, Model: "mock-model", FinishReason: "stop",
	}
	for i := range *chunks {
		rec.Chunks = append(rec.Chunks, loadgen.Chunk{At: time.Duration(i+1) * 20 * time.Millisecond / time.Duration(*chunks)})
	}
	for tick := time.NewTicker(time.Millisecond); made < w.each; <-tick.C {
		since := time.Since(start)
		for due := int(since.Seconds() * float64(*rate)); made < min(due, w.each); made++ {
			rec.Index = made**many + w.index
			rec.Request.ID = fmt.Sprintf("%08x-0000-4000-8000-%012x", w.index, made)
			rec.Sent = time.Duration(made) * time.Second / time.Duration(*rate)
			rec.Due, rec.Ended, rec.Start = rec.Sent, rec.Sent+rec.Took, start.Add(rec.Sent)
			s.add(&rec)
		}
	}
	if err := ship.delivered(ctx); err != nil {
		return err
	}
	_, err = w.tell(ctx, event{What: isDone, Run: 1, Size: s.length(), Result: &result{
		Outcome: loadgen.Outcome{Issued: made, Elapsed: time.Since(start), StoppedAt: time.Since(start), Sessions: 1},
		Health:  loadgen.Health{Wall: time.Since(start), CPUs: 4, GOMAXPROCS: 4, MachineBusy: -1}, Behind: time.Duration(ship.behind.Load()),
	}})
	return err
}
