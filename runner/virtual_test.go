package runner_test

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"math"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"loadgen"
	"loadgen/internal/memnet"
	"loadgen/metrics"
	"loadgen/mockllm"
	"loadgen/runner"
	"loadgen/sweep"
	"loadgen/synth"
	"loadgen/tokenizer"
)

// A measured run is what the whole stack made of an endpoint whose timing is
// known: driver, client and metrics over a network in memory, in virtual time.
type measured struct {
	*sweep.Run
	trouble trouble
	records []loadgen.Record // of the measured phase, in order of issue
	warmup  []loadgen.Record
	stats   mockllm.Stats
	stamps  []mockllm.Stamp
	cells   int // begun
	prompts int // kept
	took    time.Duration
	shown   *runner.Progress
	early   bool          // it was shown as over while requests were
	over    time.Duration // what it is shown to have taken when it ends; -1 for not over
}

// A trouble is what befalls a run; the zero value is none.
type trouble struct {
	gone  time.Duration // when the endpoint dies, with its connections
	full  int           // records after which the disk is full
	stop  time.Duration // when the user interrupts
	slow  time.Duration // how long it takes to keep a prompt
	mute  int           // prompts after which the disk is full
	boots time.Duration // how long the endpoint refuses connections
	lost  string        // a file that is gone when the first request has ended

	dial  func(context.Context) (net.Conn, error)  // in place of the network
	probe func(context.Context, *sweep.Cell) error // what the service's check says later
}

var errFull = errors.New("no space left on device")

func (m *measured) StartRun(*sweep.Run) (runner.RunRecorder, error) {
	m.cells++
	return m, nil
}

func (m *measured) Session(*loadgen.Session) error {
	time.Sleep(m.trouble.slow)
	if m.prompts++; m.trouble.mute > 0 && m.prompts > m.trouble.mute {
		return errFull
	}
	return nil
}

func (m *measured) End(*sweep.Run) error {
	m.over = -1
	if m.shown == nil {
		return nil
	}
	if took, over := m.shown.Over(); over {
		m.over = took
	}
	return nil
}

func (m *measured) follow(p *runner.Progress) { m.shown = p }

func (m *measured) Record(rec *loadgen.Record, _ *metrics.Measurement) error {
	if m.shown != nil {
		_, over := m.shown.Over()
		m.early = m.early || over
	}
	if n := m.trouble.full; n > 0 && len(m.records) >= n {
		return errFull
	}
	if m.trouble.lost != "" {
		_ = os.Remove(m.trouble.lost)
	}
	kept := *rec
	kept.Chunks = slices.Clone(rec.Chunks)
	if rec.Phase == loadgen.Warmup {
		m.warmup = append(m.warmup, kept)
	} else {
		m.records = append(m.records, kept)
	}
	return nil
}

// known is an endpoint whose every answer takes a TTFT of 100 ms and, at eleven
// tokens 10 ms apart, 200 ms in all.
const known = `batch_name: accuracy
output_base_dir: unused
base_config:
  model: mock-model
  tokenizer: cl100k_base
  url: mock://
  streaming: true
  warmup_request_count: 0
  prompt_input_tokens_mean: 20
  prompt_output_tokens_mean: 11
  random_seed: 7
mock: {timing: fixed, ttft: 100ms, itl: 10ms, stamps: true}
`

// vocabulary is read once: it is large.
var vocabulary = sync.OnceValue(func() *runner.Vocabulary {
	tok, err := tokenizer.Builtin("cl100k_base")
	if err != nil {
		panic(err)
	}
	return &runner.Vocabulary{Tokenizer: tok, Name: "cl100k_base", Lexicon: synth.NewLexicon(tok)}
})

// inVirtualTime runs a batch file of one cell, the known one with settings, and
// hands what was measured to check.
func inVirtualTime(t *testing.T, settings []string, check func(*testing.T, *measured)) {
	t.Helper()
	inTrouble(t, trouble{}, settings, check)
}

func inTrouble(t *testing.T, trouble trouble, settings []string, check func(*testing.T, *measured)) {
	t.Helper()
	words := vocabulary()
	synctest.Test(t, func(t *testing.T) {
		text := known
		if strings.Contains(strings.Join(settings, "\n"), "input_file=") {
			text = strings.Replace(known, "  prompt_input_tokens_mean: 20\n", "", 1) // the dataset has the prompts
		}
		batch, err := sweep.Parse("accuracy.yaml", []byte(text), sweep.Options{Overrides: settings})
		if err != nil {
			t.Fatal(err)
		}
		batch.Mock.Precise = false // time is virtual
		endpoint, err := mockllm.New(batch.Mock)
		if err != nil {
			t.Fatal(err)
		}
		network := memnet.Listen()
		ctx, stop := context.WithCancel(t.Context())
		served := make(chan error, 1)
		go func() { served <- endpoint.Serve(ctx, network) }()

		after := func(d time.Duration, f func()) {
			if d > 0 {
				timer := time.AfterFunc(d, f)
				t.Cleanup(func() { timer.Stop() })
			}
		}
		stopping, interrupt := context.WithCancel(t.Context())
		defer interrupt()
		after(trouble.gone, stop)
		after(trouble.stop, interrupt)
		m := &measured{trouble: trouble}
		began := time.Now()
		dial := func(ctx context.Context, netw, address string) (net.Conn, error) {
			if trouble.dial != nil {
				return trouble.dial(ctx)
			}
			if time.Since(began) < trouble.boots {
				return nil, syscall.ECONNREFUSED
			}
			return network.DialContext(ctx, netw, address)
		}
		runner := &runner.Runner{
			Batch: batch, Recorder: m, Endpoint: "http://endpoint", Dial: dial, Probe: trouble.probe,
			LookupEnv: func(string) (string, bool) { return "", false }, Version: "test",
			Vocabulary: func(context.Context, string, string) *runner.Vocabulary { return words },
			Stop:       stopping, Log: slog.New(slog.DiscardHandler), Started: m.follow,
		}
		runs, err := runner.Run(t.Context())
		if !errors.Is(err, errFull) && err != nil {
			t.Fatal(err)
		}
		m.took = time.Since(began)
		m.Run, m.stats, m.stamps = runs[0], endpoint.Stats(), endpoint.Stamps()
		slices.SortFunc(m.records, func(a, b loadgen.Record) int { return cmp.Compare(a.Index, b.Index) })
		stop()
		if err := <-served; err != nil {
			t.Error(err)
		}
		check(t, m)
	})
}

// agreesWithStamps holds every request's times against the endpoint's own.
func (m *measured) agreesWithStamps(t *testing.T) {
	t.Helper()
	truth := map[string]mockllm.Stamp{}
	for _, s := range m.stamps {
		truth[s.RequestID] = s
	}
	for _, r := range m.records {
		s, ok := truth[r.Request.ID]
		if !r.OK() {
			continue
		}
		if !ok || len(s.Chunks) != len(r.Chunks) {
			t.Fatalf("request %d: %d chunks came, the endpoint sent %d", r.Index, len(r.Chunks), len(s.Chunks))
		}
		if s.Received != r.Start.UnixNano() {
			t.Fatalf("request %d was received %v after it was sent, want at once", r.Index, time.Duration(s.Received-r.Start.UnixNano()))
		}
		for i, chunk := range r.Chunks {
			if want := time.Duration(s.Chunks[i] - s.Received); chunk.At != want {
				t.Fatalf("request %d: chunk %d at %v, want %v", r.Index, i, chunk.At, want)
			}
		}
	}
}

// A want is a figure of the summary: its tag, perhaps with a statistic, and the
// value it must have.
type want map[string]float64

func (w want) check(t *testing.T, s *metrics.Summary) {
	t.Helper()
	for name, value := range w {
		tag, stat, _ := strings.Cut(name, ".")
		m := s.Metric(tag)
		if m == nil {
			t.Errorf("%s is absent, want %g", tag, value)
			continue
		}
		var got float64
		switch {
		case m.Value != nil:
			got = *m.Value
		case stat == "avg":
			got = m.Stats.Avg
		case stat == "min":
			got = m.Stats.Min
		case stat == "p50":
			got = m.Stats.P50
		case stat == "max":
			got = m.Stats.Max
		default:
			t.Fatalf("%s has no statistic %q", tag, stat)
		}
		if math.Abs(got-value) > 1e-9*math.Max(1, math.Abs(value)) {
			t.Errorf("%s is %v, want %v", name, got, value)
		}
	}
}
