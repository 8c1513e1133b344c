package runner

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"loadgen"
	"loadgen/client"
	"loadgen/load"
	"loadgen/metrics"
	"loadgen/observe"
	"loadgen/sweep"
	"loadgen/synth"
)

// phases is a run's state while its requests are sent.
type phases struct {
	*Runner
	run        *sweep.Run
	sender     *client.Client
	payload    *client.Payload
	lexicon    *synth.Lexicon
	template   *chatTemplate
	tokens     *metrics.TokenCount
	driver     *load.Driver
	collector  *metrics.Collector
	keep       *recording
	progress   *Progress
	breaker    *breaker
	hangs      *load.Alarm   // nil for none
	answer     time.Duration // that the longest answer may take
	stopping   context.Context
	vocabulary *Vocabulary
	server     *observe.Observer // nil where nothing is observed
	unseen     []string          // what of the server's metrics is missing
	stop       context.CancelCauseFunc
	cancel     context.CancelFunc // of what is in flight

	sources [2]*synth.Source  // by phase, while it is under way
	flight  func() int        // requests under way
	shared  bool              // others make portions of the run, too
	aside   []string          // notes of who makes it
	late    bool              // prompts were made before the template was measured
	settled bool              // what it adds is, then
	refused loadgen.Transport // by the end of the warm-up
	warmUps warmUps
}

// seed is the root of the run's chance.
func (p *phases) seed() loadgen.Seed { return p.run.Seed(p.Batch.VarySeed) }

// warmUps are what became of the warm-up's requests.
type warmUps struct {
	ok, failed int
	latency    time.Duration // of those that succeeded, the sum
	err        string        // of the first that failed
}

// note says what went wrong with the warm-up; empty for nothing.
func (w *warmUps) note() string {
	if w.failed == 0 {
		return ""
	}
	return fmt.Sprintf("%d of %d requests of the warm-up failed: %s", w.failed, w.ok+w.failed, w.err)
}

func (w *warmUps) add(rec *loadgen.Record) {
	switch {
	case rec.OK():
		w.ok++
		w.latency += rec.Took
	case !rec.Cancelled():
		w.failed++
		w.err = cmp.Or(w.err, rec.Failure.Message)
	}
}

// emit takes a finished record through all that is to become of it. A record
// that cannot be kept ends the run, but goes into its figures, as do those
// that are still to come.
func (p *phases) emit(rec *loadgen.Record) error {
	p.tokens.Fill(rec)
	if p.late && rec.Phase == loadgen.Profiling {
		p.learnTemplate(rec)
	}
	p.fold(rec)
	return nil
}

// fold takes in a record that was sent here or elsewhere.
func (p *phases) fold(rec *loadgen.Record) {
	measured := p.collector.Add(rec)
	if rec.Phase == loadgen.Warmup {
		p.warmUps.add(rec)
		if rec.OK() {
			p.template.observe(rec)
		}
	}
	if why := p.breaker.add(rec, p.flight()); why != nil {
		p.giveUp(why, rec)
	}
	if rec.OK() {
		p.hangs.PutOff(p.breaker.since, p.silence(rec.Phase))
	}
	if err := p.keep.Record(rec, measured); err != nil {
		p.stop(err)
	}
}

// learnTemplate settles what the chat template adds when the first measured
// request of a seamless run has ended: its prompts were made before the warm-up
// had answers to tell. All of the warm-up that is over has been seen by then.
func (p *phases) learnTemplate(rec *loadgen.Record) {
	if !p.settled {
		p.settled = true
		_ = p.settleTemplate() // where it must be known, the warm-up is not seamless
	}
	if rec.Request.TemplateTokens == 0 {
		rec.Request.TemplateTokens = p.template.added(rec.Request.Messages)
	}
}

// A phase is what is made ready for one before it begins.
type phase struct {
	load.Stage
	source *synth.Source
}

// open makes ready a phase whose plan the times of its dataset may decide. begin
// is shown each session before it is sent. It returns when those are there with
// which the phase begins, or where the run was stopped.
func (p *phases) open(ctx context.Context, of loadgen.Phase, begin func(*loadgen.Session) error, plan func(times []time.Duration) (load.Plan, error)) (*phase, error) {
	s, err := spec(&p.run.Cell.Config, p.seed(), p.run.Number, of)
	if err != nil {
		return nil, err
	}
	if !s.Completions {
		s.Template = p.template.added
	}
	source, err := synth.New(s, p.lexicon)
	if err != nil {
		return nil, err
	}
	ready := &phase{source: source}
	if ready.Plan, err = plan(source.Times()); err != nil {
		source.Close()
		return nil, err
	}
	source.Deal(ready.Plan.Deal())
	ready.Feed = p.prepare(ctx, ready.Plan, source, begin)
	p.sources[of] = source
	return ready, nil
}

// close ends the making of sessions and returns what went wrong with it.
func (ph *phase) close() error {
	return errors.Join(ph.Feed.Stop(), ph.source.Close())
}

// warmUp sends the warm-up's requests and waits for all of them.
func (p *phases) warmUp(ctx context.Context) error {
	warm, err := p.openWarmUp(ctx, nil)
	if err != nil {
		return err
	}
	p.watchHangs()
	p.startWith(loadgen.Warmup)
	_, err = p.driver.RunOn(ctx, warm.Stage)
	p.hangs.Stop()
	return errors.Join(err, warm.close())
}

// openWarmUp makes ready a warm-up that goes on into a plan, or where there is
// none drains.
func (p *phases) openWarmUp(ctx context.Context, into *load.Plan) (*phase, error) {
	c, pacing := &p.run.Cell.Config, p.run.Cell.Pacing
	keep := func(*loadgen.Session) error { return nil }
	warm, err := p.open(ctx, loadgen.Warmup, keep, func([]time.Duration) (load.Plan, error) {
		return warmUpPlan(c, pacing, p.seed(), p.Portion, into), nil
	})
	if err != nil {
		return nil, err
	}
	warm.Begin = func() {
		p.progress.begin("warm-up", c.WarmupRequestCount, c.WarmupDuration)
		p.server.Mark(observe.Warmup)
	}
	return warm, nil
}

// measure sends the measured requests, and watches the generator meanwhile: not
// while it makes the first of them. A seamless warm-up goes before them.
func (p *phases) measure(ctx context.Context, pacing sweep.Pacing, seamless bool) error {
	c := &p.run.Cell.Config
	measured, err := p.open(ctx, loadgen.Profiling, p.begin, func(times []time.Duration) (load.Plan, error) {
		return plan(c, pacing, p.run.Cell.Probe, p.seed(), p.Portion, times)
	})
	if err != nil {
		return err
	}
	look := -1
	p.driver.Enough = func() bool { look++; return p.sure(look) }
	if p.Step != nil {
		p.driver.Enough = p.Step.Enough
	}
	var watch *load.Watch
	measured.Begin = func() {
		p.progress.begin("profiling", c.RequestCount, c.BenchmarkDuration)
		p.refused = p.sender.Transport() // its dials that failed: of a server that was booting, say
		watch = load.StartWatch()
		p.server.Mark(observe.Profiling)
		p.driver.Drain = func() {
			watch.Drain()
			p.server.Mark(observe.Drain)
			if c.BenchmarkDuration > 0 && p.driver.Elapsed() >= c.BenchmarkDuration {
				p.hangs.Stop() // the grace period sees to the rest
			}
			p.progress.drained.Store(true)
		}
	}
	stages := []load.Stage{measured.Stage}
	var warm *phase
	if seamless {
		if warm, err = p.openWarmUp(ctx, &measured.Plan); err != nil {
			return errors.Join(err, measured.close())
		}
		stages = []load.Stage{warm.Stage, measured.Stage}
	}
	p.watchHangs()
	p.startWith(stages[0].Phase)
	p.run.Outcome, err = p.driver.RunOn(ctx, stages...)
	p.hangs.Stop()
	err = errors.Join(err, measured.close())
	if warm != nil {
		err = errors.Join(err, warm.close())
	}
	if watch == nil {
		return err // it was over before
	}
	p.run.Health = watch.Stop()
	p.run.Health.Starved = p.driver.Starved()
	p.run.Prompts = counted(p.run.Prompts, measured.source.Stats(), measured.source.Len(), p.run.Outcome.Sessions)
	return err
}

// sure reports whether a probe's answer is at a look, by its number from 0: it ends
// then, and says so.
func (p *phases) sure(look int) bool {
	probe := p.run.Cell.Probe
	if !probe.Sure(look, p.collector.Margins(false), p.collector.Queue()) {
		return false
	}
	p.aside = append(p.aside, fmt.Sprintf("a probe that had seen enough after %v of at most %v", probe.Looks[look], probe.Looks[len(probe.Looks)-1]))
	return true
}

// begin keeps a session that is about to be sent. One that cannot be kept ends
// the run.
func (p *phases) begin(s *loadgen.Session) error {
	err := p.keep.Session(s)
	if err != nil {
		p.stop(err)
	}
	return err
}

// prepare starts to make the sessions of a source, and returns when those are
// there with which a plan begins, or where the run was stopped. Each of them
// gets its bodies and is shown to begin before it is sent.
func (p *phases) prepare(ctx context.Context, plan load.Plan, source *synth.Source, begin func(*loadgen.Session) error) *load.Feed {
	finish := p.finisher()
	feed := load.StartFeed(ctx, func() (*loadgen.Session, error) {
		session, err := source.Next()
		if err != nil {
			return nil, err
		}
		finish(session)
		return session, begin(session)
	}, p.ahead(plan))
	_ = feed.Ready(p.driver.Stop) // once stopped, the driver starts nothing
	return feed
}

// finisher returns what makes the bodies of sessions that have none from their
// dataset; it is for one goroutine.
func (p *phases) finisher() func(*loadgen.Session) {
	var body []byte // of the last request: a body is copied in its exact size
	return func(session *loadgen.Session) {
		for _, req := range session.Turns {
			if req.Body == nil {
				body = p.payload.Append(body[:0], req)
				req.Body = bytes.Clone(body)
			}
		}
	}
}

// follow finishes the next request of a session with what came of the one before.
func (p *phases) follow(prev *loadgen.Record, next *loadgen.Request) {
	if p.sources[prev.Phase].Follow(prev, next) {
		next.Body = p.payload.Append(next.Body[:0], next)
	}
}

// ahead returns how many sessions are made before they are due: a few rounds
// for all users, a moment of the rate, and of short prompts more than of long
// ones, so that neither the first request nor a later one waits for them.
func (p *phases) ahead(plan load.Plan) int {
	c := &p.run.Cell.Config
	const tokens = 1 << 16
	n := max(4*p.Portion.Part(plan.Concurrency), min(1024, max(16, int(tokens/c.PromptInputTokensMean))), int(p.run.Facts.Load.Rate/10))
	if plan.Requests > 0 {
		n = min(n, plan.Requests)
	}
	return n
}
