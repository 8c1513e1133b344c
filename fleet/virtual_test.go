package fleet

import (
	"cmp"
	"context"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"loadgen"
	"loadgen/internal/memnet"
	"loadgen/load"
	"loadgen/metrics"
	"loadgen/mockllm"
	"loadgen/runner"
	"loadgen/sweep"
	"loadgen/synth"
	"loadgen/tokenizer"
)

const known = `batch_name: virtual
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
mock: {timing: fixed, ttft: 100ms, itl: 10ms}
`

var vocabulary = sync.OnceValue(func() *runner.Vocabulary {
	tok, err := tokenizer.Builtin("cl100k_base")
	if err != nil {
		panic(err)
	}
	return &runner.Vocabulary{Tokenizer: tok, Name: "cl100k_base", Lexicon: synth.NewLexicon(tok)}
})

// A stage is where runs are made in virtual time: a batch, and an endpoint on a
// network in memory.
type stage struct {
	batch   *sweep.Batch
	network *memnet.Listener
}

// staged does something in virtual time, beside an endpoint.
func staged(t *testing.T, text string, settings []string, do func(*testing.T, *stage)) {
	vocabulary() // outside of the bubble
	synctest.Test(t, func(t *testing.T) {
		batch, err := sweep.Parse("virtual.yaml", []byte(text), sweep.Options{Overrides: settings, Salt: "abc"})
		if err != nil {
			t.Fatal(err)
		}
		batch.Mock.Precise = false // time is virtual
		endpoint, err := mockllm.New(batch.Mock)
		if err != nil {
			t.Fatal(err)
		}
		s := &stage{batch: batch, network: memnet.Listen()}
		ctx, stop := context.WithCancel(t.Context())
		served := make(chan error, 1)
		go func() { served <- endpoint.Serve(ctx, s.network) }()
		do(t, s)
		stop()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
}

func (s *stage) runner(recorder runner.Recorder, stop context.Context) *runner.Runner {
	return &runner.Runner{
		Batch: s.batch, Recorder: recorder, Endpoint: "http://endpoint", Dial: s.network.DialContext,
		LookupEnv: func(string) (string, bool) { return "", false }, Version: "test",
		Vocabulary: func(context.Context, string, string) *runner.Vocabulary { return vocabulary() },
		Stop:       stop, Log: slog.New(slog.DiscardHandler),
	}
}

// A troupe is a crew whose workers are runners of this process. What they do not
// have is the network between them: their records go through the codec, their
// ends through the join, as ever.
type troupe struct {
	*stage
	size  int
	inbox chan func()
	m     *making

	mu    sync.Mutex
	ready map[string]int
	gates map[string]chan struct{}
	began map[loadgen.Phase]time.Time
	told  chan runner.Lesson
}

func (c *troupe) Size() int { return c.size }

func (c *troupe) Make(ctx, stopping context.Context, order runner.Order, home *runner.Home) (runner.Gathered, error) {
	k := &Coordinator{Config: Config{Workers: c.size, Log: slog.New(slog.DiscardHandler)}}
	c.m = &making{Coordinator: k, order: order, home: home}
	c.inbox = make(chan func(), 1000)
	c.ready, c.gates, c.began = map[string]int{}, map[string]chan struct{}{}, map[loadgen.Phase]time.Time{}
	c.told = make(chan runner.Lesson, c.size)
	for i := range order.Workers {
		k.members = append(k.members, &member{index: i})
		c.m.crew = append(c.m.crew, &hand{index: i})
	}
	for _, h := range c.m.crew {
		go c.perform(ctx, stopping, order, h)
	}
	for !c.m.finished() {
		(<-c.inbox)()
	}
	return c.m.gathered(stopping), nil
}

// perform makes a worker's portion.
func (c *troupe) perform(ctx, stopping context.Context, order runner.Order, h *hand) {
	p := &player{troupe: c, hand: h}
	r := c.runner(p, stopping)
	r.Portion, r.Step = loadgen.Portion{Worker: h.index, Workers: order.Workers}, p
	ask, err := c.batch.Asked(order.Cell, order.Number, order.Load, order.Short, order.Open)
	if err != nil {
		panic(err)
	}
	run, err := r.Make(ctx, ask, order.Place)
	if err != nil {
		panic(err)
	}
	t := &turn{run: run}
	c.inbox <- func() { h.done = t.result(nil) }
}

// A player is the step and the recorder of a worker.
type player struct {
	*troupe
	hand  *hand
	looks int
}

func (p *player) StartRun(*sweep.Run) (runner.RunRecorder, error) { return p, nil }
func (p *player) Session(*loadgen.Session) error                  { return nil }
func (p *player) End(*sweep.Run) error                            { return nil }

func (p *player) Record(rec *loadgen.Record, _ *metrics.Measurement) error {
	b := appendRecord(nil, rec, p.m.epoch)
	p.inbox <- func() {
		if err := p.m.fold(p.hand, b); err != nil {
			panic(err)
		}
	}
	return nil
}

func (p *player) Start(ctx context.Context, phase loadgen.Phase) time.Time {
	p.meet(phase.String(), func() {
		at := time.Now().Add(lead)
		p.began[phase] = at
		if p.m.epoch.IsZero() {
			p.m.epoch = at
		}
		if phase == loadgen.Profiling {
			p.m.measured = at
		}
		p.inbox <- func() { p.m.home.Began(phase, at) }
	})
	_ = load.TimerWait(ctx, p.began[phase])
	return p.began[phase]
}

// meet waits for all, the last of whom does something first.
func (p *player) meet(where string, last func()) {
	p.mu.Lock()
	gate := p.gates[where]
	if gate == nil {
		gate = make(chan struct{})
		p.gates[where] = gate
	}
	if p.ready[where]++; p.ready[where] == len(p.m.crew) {
		last()
		close(gate)
	}
	p.mu.Unlock()
	<-gate
}

func (p *player) Learnt(context.Context) (runner.Lesson, error) {
	p.meet("learnt", func() {
		p.inbox <- func() {
			lesson, err := p.m.home.Learn()
			if err != nil {
				panic(err)
			}
			for range p.m.crew {
				p.told <- lesson
			}
		}
	})
	return <-p.told, nil
}

func (p *player) Enough() bool {
	look, enough := p.looks, make(chan bool)
	p.looks++
	p.inbox <- func() { enough <- p.m.enough(look) }
	return <-enough
}

// A keeper keeps what a run consists of.
type keeper struct {
	records  []loadgen.Record
	sessions []string
}

func (k *keeper) StartRun(*sweep.Run) (runner.RunRecorder, error) { return k, nil }
func (k *keeper) End(*sweep.Run) error                            { return nil }

func (k *keeper) Session(s *loadgen.Session) error {
	text := s.ID
	for _, turn := range s.Turns {
		text += " " + string(turn.Body)
	}
	k.sessions = append(k.sessions, text)
	return nil
}

func (k *keeper) Record(rec *loadgen.Record, _ *metrics.Measurement) error {
	r := *rec
	r.Chunks = slices.Clone(rec.Chunks)
	k.records = append(k.records, r)
	return nil
}

// make makes a run with so many workers, or alone.
func (s *stage) make(t *testing.T, workers int) (*sweep.Run, *keeper) {
	k := &keeper{}
	r := s.runner(k, t.Context())
	if workers > 0 {
		r.Crew = &troupe{stage: s, size: workers}
	}
	runs, err := r.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if runs[0].Err != nil {
		t.Fatal(runs[0].Err)
	}
	slices.SortFunc(k.records, func(a, b loadgen.Record) int {
		return cmp.Or(cmp.Compare(a.Phase, b.Phase), cmp.Compare(a.Sent, b.Sent), cmp.Compare(a.Request.ID, b.Request.ID))
	})
	k.sessions = k.sessions[:runs[0].Outcome.Sessions] // the rest was made ahead
	return runs[0], k
}

// TestARunOfWorkersIsTheRunOfOne makes runs alone, and again with one to five
// workers: the same requests at the same times, and the same figures, to the last
// digit of what is not a mean.
func TestARunOfWorkersIsTheRunOfOne(t *testing.T) {
	for name, settings := range map[string][]string{
		"of users who start together": {"base_config.concurrency=10", "base_config.request_count=200", "base_config.start=together"},
		"at Poisson arrivals":         {"base_config.request_rate=50", "base_config.request_rate_mode=poisson", "base_config.request_count=200"},
		"by time, goodput included":   {"base_config.request_rate=40", "base_config.benchmark_duration=5", "base_config.slos={time_to_first_token: 150}"},
		"behind a seamless warm-up":   {"base_config.request_rate=47", "base_config.warmup_request_count=33", "base_config.request_count=100"},
		"behind a warm-up that drains": {
			"base_config.request_rate=47", "base_config.warmup_request_count=33", "base_config.request_count=100", "base_config.warmup_handover=drain",
		},
		"at the rate of a warm-up": {
			"base_config.request_rate=auto", "base_config.concurrency=5", "base_config.warmup_request_count=50", "base_config.request_count=100",
		},
		"of users with a pace": {"base_config.num_users=10", "base_config.user_request_rate=2", "base_config.request_count=100"},
	} {
		t.Run(name, func(t *testing.T) {
			staged(t, known, settings, func(t *testing.T, s *stage) {
				alone, records := s.make(t, 0)
				for workers := 1; workers <= 5; workers += 2 {
					made, others := s.make(t, workers)
					same(t, workers, alone, made, records, others)
				}
			})
		})
	}
}

func same(t *testing.T, workers int, alone, made *sweep.Run, records, others *keeper) {
	t.Helper()
	ignore := cmpopts.IgnoreFields(loadgen.Record{}, "Start", "By", "Worker", "Text", "Thought", "Tools", "Share", "Conn", "Index", "BytesIn")
	ours := gocmp.Options{ignore, cmpopts.IgnoreFields(loadgen.Request{}, "Body", "Messages"), cmpopts.EquateEmpty()}
	if diff := gocmp.Diff(records.records, others.records, ours); diff != "" {
		t.Fatalf("%d workers: records (-alone +together):\n%.4000s", workers, diff)
	}
	if diff := gocmp.Diff(records.sessions, others.sessions); diff != "" {
		t.Errorf("%d workers: prompts (-alone +together):\n%.2000s", workers, diff)
	}
	near := gocmp.Options{cmpopts.EquateApprox(1e-9, 0), cmpopts.EquateNaNs()}
	if diff := gocmp.Diff(timeless(alone.Summary.Metrics), timeless(made.Summary.Metrics), near); diff != "" {
		t.Errorf("%d workers: figures (-alone +together):\n%.4000s", workers, diff)
	}
	a, b := *alone.Summary, *made.Summary
	for _, s := range []*metrics.Summary{&a, &b} {
		s.Metrics, s.Warmup, s.Validity, s.Workers = nil, nil, metrics.Validity{}, nil // a generator in virtual time has no CPU to judge
	}
	// Whether someone was idle when the last was sent, or when one ended after it,
	// is when the load fell: no more than a few gaps apart.
	fell := made.Outcome.StoppedAt - alone.Outcome.StoppedAt
	if fell != 0 {
		for _, s := range []*metrics.Summary{&a, &b} {
			s.Loaded, s.Steady, s.NoSteady, s.Means = nil, nil, "", nil
		}
	}
	if diff := gocmp.Diff(a, b, near); diff != "" {
		t.Errorf("%d workers: summary (-alone +together):\n%.4000s", workers, diff)
	}
	o := made.Outcome
	if w := alone.Outcome; o.Issued != w.Issued || o.Sessions != w.Sessions || o.Missed != w.Missed || fell.Abs() > 100*time.Millisecond || o.Elapsed != w.Elapsed {
		t.Errorf("%d workers: outcome %+v, want %+v", workers, o, w)
	}
	if len(o.Workers) != workers {
		t.Errorf("%d workers are told of, want %d", len(o.Workers), workers)
	}
	sum := 0
	for _, w := range o.Workers {
		sum += w.OK + w.Failed + w.Cancelled + w.Lost
	}
	if sum != o.Issued {
		t.Errorf("%d workers: their requests add up to %d, not %d", workers, sum, o.Issued)
	}
}

// timeless leaves out what is told by the wall clock, or of connections: runs are
// made one after another.
func timeless(all []metrics.Metric) (rest []metrics.Metric) {
	for _, m := range all {
		if m.Unit != "ns" && !strings.HasPrefix(m.Tag, "http_req") {
			rest = append(rest, m)
		}
	}
	return rest
}

// TestAWarmUpThatDrainsForWorkersAloneIsTold: one process would have handed over.
func TestAWarmUpThatDrainsForWorkersAloneIsTold(t *testing.T) {
	for name, tt := range map[string]struct {
		settings []string
		told     bool
	}{
		"of so many requests":            {[]string{"base_config.concurrency=4", "base_config.warmup_request_count=8"}, true},
		"of so much time":                {[]string{"base_config.concurrency=4", "base_config.warmup_request_count=0", "base_config.warmup_duration=1"}, false},
		"of a schedule":                  {[]string{"base_config.request_rate=40", "base_config.warmup_request_count=8"}, false},
		"that drains for one process":    {[]string{"base_config.concurrency=4", "base_config.warmup_request_count=8", "base_config.warmup_handover=drain"}, false},
		"whose answers set the pace too": {[]string{"base_config.concurrency=4", "base_config.warmup_request_count=8", "base_config.request_rate=auto"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			staged(t, known, append(tt.settings, "base_config.request_count=40"), func(t *testing.T, s *stage) {
				run, _ := s.make(t, 2)
				notes := strings.Join(run.Summary.Validity.Notes, "\n")
				if strings.Contains(notes, "the warm-up drained") != tt.told {
					t.Errorf("told %v, want %v: %s", !tt.told, tt.told, notes)
				}
			})
		})
	}
}
