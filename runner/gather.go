package runner

import (
	"context"
	"errors"
	"fmt"
	"time"

	"loadgen"
	"loadgen/load"
	"loadgen/metrics"
	"loadgen/observe"
	"loadgen/sweep"
	"loadgen/synth"
)

// A Crew are the workers that make the runs of a batch together, somewhere else.
type Crew interface {
	// Size is how many there are.
	Size() int
	// Make has the first so many of them make a run, and gives what comes home of
	// it to home. When ctx is done the requests in flight are cancelled, when
	// stopping is, nothing new is started. It returns when all that can come home
	// has; the error says why the run could not be made, or not to its end.
	Make(ctx, stopping context.Context, order Order, home *Home) (Gathered, error)
}

// An Order is what workers are told of a run.
type Order struct {
	Cell   int     `json:"cell"` // its index
	Number int     `json:"number,omitempty"`
	Load   float64 `json:"load,omitempty"` // of a probe; 0 for none
	// Short says that the probe ends with its first look.
	Short bool `json:"short,omitempty"`
	// Open is the number from 1 of the tier whose capacity an open loop puts to the
	// proof: Load is its rate.
	Open    int `json:"open,omitempty"`
	Place   int `json:"place"`   // among the runs of the batch, from 1
	Workers int `json:"workers"` // that make it
	// Dir is the directory of the run; empty where it has none.
	Dir string `json:"-"`
	// Scheduled says that requests are due whatever others have come to: while one
	// worker has some left the load does not fall.
	Scheduled bool `json:"-"`
	// WarmsUp says that there is a warm-up.
	WarmsUp bool `json:"-"`
	// Drains says that the warm-up is over before the measurement begins.
	Drains bool `json:"-"`
	// Ceiling is how many requests all may have in flight, where a schedule starts
	// them; 0 for any number.
	Ceiling int `json:"-"`
	// Looks are when a probe is looked at, since the measurement began.
	Looks []time.Duration `json:"-"`
}

// A Home is what takes in the run that workers make. Its functions are called
// from one goroutine.
type Home struct {
	// Began is told of a phase that has begun, with when it did by this clock.
	Began func(loadgen.Phase, time.Time)
	// Drained is told that the load of the measurement became less.
	Drained func()
	// Fold takes in a record.
	Fold func(*loadgen.Record)
	// Learn returns what the warm-up has taught, all of whose records were folded.
	Learn func() (Lesson, error)
	// Sure reports whether a probe's answer is at a look, by its number from 0.
	Sure func(look int) bool
	// Pulse is told how many requests of the current phase are sent and in flight.
	Pulse func(issued, flight int)
}

// Gathered is what workers say of a run when it is over, joined.
type Gathered struct {
	Outcome   loadgen.Outcome
	Health    loadgen.Health
	Transport loadgen.Transport
	Prompts   synth.Stats
	// Sessions are those that each worker has begun: the first so many of its own.
	Sessions []int
	// FreeSlots is the share of the time that requests waited under the ceiling in
	// which a worker had a slot free that was not theirs.
	FreeSlots float64
}

// gather has the crew make a run, and takes in what it came to as if it had been
// made here.
func (r *Runner) gather(ctx context.Context, run *sweep.Run, vocabulary *Vocabulary, keep *recording, shown *Progress) error {
	c := &run.Cell.Config
	collector, err := metrics.NewCollector(run.Facts)
	if err != nil {
		return err
	}
	body, err := payload(c)
	if err != nil {
		return unsent(run, collector, err)
	}
	settings, err := Client(c, r.Endpoint, r.Version, r.LookupEnv)
	if err != nil {
		return unsent(run, collector, err)
	}
	user := ctx // may cancel; who gives up on an endpoint keeps what was sent
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stopping, stop := context.WithCancelCause(r.Stop)
	defer stop(nil)
	pulse := &load.Pulse{}
	p := &phases{
		Runner: r, run: run, payload: body, keep: keep, collector: collector, lexicon: vocabulary.Lexicon,
		template: newChatTemplate(vocabulary), breaker: newBreaker(c), stopping: stopping, stop: stop,
		vocabulary: vocabulary, progress: shown, flight: pulse.InFlight, cancel: cancel,
	}
	shown.driver, shown.collector = pulse, collector
	if r.Started != nil {
		r.Started(shown)
	}
	settings.Dial = r.Dial
	if p.server, err = r.watchServer(ctx, c, settings, pulse.InFlight); err != nil {
		return unsent(run, collector, err)
	}
	shown.watch(p.server)
	order := p.order(shown.Run)
	gathered, err := r.Crew.Make(ctx, stopping, order, p.home(pulse))
	p.hangs.Stop()
	shown.finish()
	run.Outcome, run.Health, run.Transport = gathered.Outcome, gathered.Health, gathered.Transport
	run.Prompts.Stats = gathered.Prompts
	p.unwatchServer(ctx)
	if n := r.Crew.Size(); order.Workers < n {
		p.aside = append(p.aside, fmt.Sprintf("%d of %d workers made the run: it has no more users, slots or requests to be dealt out", order.Workers, n))
	}
	p.noteWorkers(order, gathered)
	if !p.settled {
		_ = p.settleTemplate() // the workers have judged it
	}
	err = errors.Join(err, p.keepPrompts(user, order.Workers, gathered.Sessions))
	p.conclude(err)
	switch cut := p.cut(); {
	case err != nil:
		return err
	case cut != nil:
		return cut
	case run.Summary.Counts.OK == 0:
		return p.fruitless()
	}
	return nil
}

// tooLate is how long records may be on their way before that is told.
const tooLate = 10 * time.Second

// noteWorkers notes what a run by many has that one by a single process has not.
func (p *phases) noteWorkers(order Order, g Gathered) {
	if c := &p.run.Cell.Config; order.Drains && c.WarmupHandover == sweep.Seamless && !p.run.Cell.Pacing.Auto && p.shared && !foreseen(c, p.run.Cell.Pacing) {
		p.aside = append(p.aside, "the warm-up drained, since only answers tell workers when it has sent so many requests: the measurement began with an idle endpoint; one by warmup_duration hands over")
	}
	if share := 100 * g.FreeSlots; share >= 1 && order.Workers > 1 {
		p.aside = append(p.aside, fmt.Sprintf("the ceiling of %d is dealt out to %d workers: for %.0f %% of the time that requests waited under it, another worker had a slot free", order.Ceiling, order.Workers, share))
	}
	for _, w := range g.Outcome.Workers {
		if w.Behind >= tooLate {
			p.aside = append(p.aside, fmt.Sprintf("records of worker %d were up to %v on their way: what was shown while the run lasted came late, and a look at whether a probe is over did not see them", w.Worker, w.Behind.Round(time.Second)))
		}
	}
}

// order says what the workers are to make.
func (p *phases) order(place int) Order {
	c, ask := &p.run.Cell.Config, p.run.Ask
	pacing := ask.Cell.Pacing
	o := Order{Cell: ask.Cell.Index, Number: ask.Number, Place: place, Workers: p.Crew.Size()}
	if probe := ask.Cell.Probe; probe != nil {
		o.Load, o.Looks = probe.Load, probe.Looks[:len(probe.Looks)-1]
		o.Short, o.Open = probe.Short(), probe.Open
	}
	l := pacing.Load()
	o.Scheduled = l.Scheduled() || l.Mode == loadgen.UserPaced
	if l.Scheduled() {
		o.Ceiling = l.Ceiling
	}
	for _, most := range []int{l.Users, l.Ceiling, c.RequestCount, pacing.WarmupConcurrency} {
		if most > 0 {
			o.Workers = min(o.Workers, most)
		}
	}
	if c.WarmupRequestRate > 0 && c.WarmupConcurrency > 0 {
		o.Workers = min(o.Workers, c.WarmupConcurrency) // the ceiling of the warm-up
	}
	p.shared = o.Workers > 1
	if keep, ok := p.keep.RunRecorder.(interface{ Place() string }); ok {
		o.Dir = keep.Place()
	}
	o.WarmsUp = c.WarmsUp()
	o.Drains = o.WarmsUp && !p.seamless()
	return o
}

// home is what the crew is given to bring things to.
func (p *phases) home(pulse *load.Pulse) *Home {
	c := &p.run.Cell.Config
	return &Home{
		Began: func(of loadgen.Phase, at time.Time) {
			pulse.Begin(at)
			if of == loadgen.Warmup {
				p.progress.begin("warm-up", c.WarmupRequestCount, c.WarmupDuration)
				p.server.Mark(observe.Warmup)
				p.watchHangs()
				return
			}
			if p.hangs == nil {
				p.watchHangs()
			}
			p.progress.begin("profiling", c.RequestCount, c.BenchmarkDuration)
			p.server.Mark(observe.Profiling)
		},
		Drained: func() {
			p.server.Mark(observe.Drain)
			if c.BenchmarkDuration > 0 && pulse.Elapsed() >= c.BenchmarkDuration {
				p.hangs.Stop() // the grace period sees to the rest
			}
		},
		Pulse: pulse.Set,
		Fold:  p.fold,
		Sure:  p.sure,
		Learn: func() (Lesson, error) {
			lesson, err := p.learn()
			if err != nil {
				return lesson, err
			}
			if lesson.Rate > 0 {
				p.run.Facts.Load.Rate = lesson.Rate
				p.collector.SetRate(lesson.Rate)
			}
			p.settled = true
			err = p.settleTemplate()
			lesson.Template = p.template.settled()
			return lesson, err
		},
	}
}

// recordsKept reports whether the records have found their place: where the disk is
// full prompts, which the seed can make again, must not take the room of summaries.
func (p *phases) recordsKept() bool {
	if p.keep.records != nil {
		return false
	}
	keep, ok := p.keep.RunRecorder.(interface{ Flush() error })
	return !ok || keep.Flush() == nil
}

// keepPrompts makes the sessions again that the workers have begun, each the first
// so many of its own, and keeps them: they are what the seed says, and need not
// travel.
func (p *phases) keepPrompts(ctx context.Context, workers int, begun []int) error {
	last := 0
	for _, n := range begun {
		last = max(last, n)
	}
	s, err := spec(&p.run.Cell.Config, p.seed(), p.run.Number, loadgen.Profiling)
	if err != nil || last == 0 || !p.recordsKept() {
		return err
	}
	if !s.Completions {
		s.Template = p.template.added
	}
	source, err := synth.New(s, p.lexicon)
	if err != nil {
		return err
	}
	deal := loadgen.Deal{Portion: loadgen.Portion{Workers: workers}, Round: p.run.Cell.Pacing.Load().Users}
	kept, finish := 0, p.finisher()
	for i := 0; i < last && ctx.Err() == nil; i++ {
		session, err := source.Next()
		if err != nil {
			return errors.Join(fmt.Errorf("making the prompts again: %w", err), source.Close())
		}
		if i >= begun[deal.Owner(i)] {
			continue
		}
		kept++
		finish(session)
		if err := p.keep.Session(session); err != nil {
			break // which is told as an error of the recorder
		}
	}
	p.run.Outcome.Sessions = kept
	p.run.Prompts = counted(p.run.Prompts, p.run.Prompts.Stats, source.Len(), kept)
	return source.Close()
}
