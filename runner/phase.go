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
	"loadgen/sweep"
	"loadgen/synth"
)

// phases is a run's state while its requests are sent.
type phases struct {
	*Runner
	run        *sweep.Run
	sender     *client.Client
	stopping   context.Context
	vocabulary *Vocabulary
	payload    *client.Payload
	lexicon    *synth.Lexicon
	template   *chatTemplate
	tokens     *metrics.TokenCount
	driver     *load.Driver
	collector  *metrics.Collector
	keep       *recording
	progress   *Progress
	stop       context.CancelCauseFunc

	warmUps     int           // requests of the warm-up that succeeded
	latency     time.Duration // of these, the sum
	warmUpFails int
	warmUpError string        // of the first that failed
	warmUpNote  string        // what went wrong with the warm-up; empty for nothing
	refused     int           // dials that failed before the measurement
	silent      time.Duration // when the endpoint was last heard of; -1: just now
}

// emit takes a finished record through all that is to become of it. A record
// that cannot be kept ends the run, but goes into its figures, as do those
// that are still to come.
func (p *phases) emit(rec *loadgen.Record) error {
	p.tokens.Fill(rec)
	measured := p.collector.Add(rec)
	switch {
	case rec.Phase != loadgen.Warmup:
	case rec.OK():
		p.warmUps++
		p.latency += rec.Took
		p.template.observe(rec)
	case !rec.Cancelled():
		p.warmUpFails++
		p.warmUpError = cmp.Or(p.warmUpError, rec.Failure.Message)
	}
	if p.vanished(rec) {
		p.stop(ErrEndpointGone)
	}
	if err := p.keep.Record(rec, measured); err != nil {
		p.stop(err)
	}
	return nil
}

// goneAfter is how long an endpoint may refuse every connection before a run
// is given up: a night is not spent on a dead server.
const goneAfter = 10 * time.Second

// vanished reports whether no connection could be made for too long.
func (p *phases) vanished(rec *loadgen.Record) bool {
	if rec.OK() || rec.Failure.Kind != loadgen.FailConnect {
		p.silent = -1
		return false
	}
	if p.silent < 0 {
		p.silent = rec.Sent
	}
	return rec.Ended-p.silent > goneAfter
}

// warmUp sends the warm-up requests in a closed loop and waits for all of
// them. It returns the mean latency of those that succeeded, 0 for none.
func (p *phases) warmUp(ctx context.Context) (time.Duration, error) {
	c, pacing := &p.run.Cell.Config, p.run.Cell.Pacing
	if c.WarmupRequestCount == 0 {
		return 0, nil
	}
	plan := load.Plan{
		Phase:       loadgen.Warmup,
		Requests:    c.WarmupRequestCount,
		Concurrency: min(max(flight(pacing), 1), c.WarmupRequestCount),
		Grace:       c.GracePeriod,
	}
	source, err := p.open(loadgen.Warmup)
	if err != nil {
		return 0, err
	}
	defer source.Close()
	feed := p.prepare(ctx, plan, source, func(*loadgen.Session) error { return nil })
	p.progress.begin("warm-up", c.WarmupRequestCount, 0)
	_, err = p.drive(ctx, plan, source, feed)
	if p.warmUpFails > 0 {
		p.warmUpNote = fmt.Sprintf("%d of %d requests of the warm-up failed: %s", p.warmUpFails, p.warmUps+p.warmUpFails, p.warmUpError)
		p.Log.Warn(p.warmUpNote)
	}
	if err != nil || p.warmUps == 0 {
		return 0, err
	}
	return p.latency / time.Duration(p.warmUps), nil
}

// measure sends the measured requests, and watches the generator meanwhile: not
// while it makes the first of them.
func (p *phases) measure(ctx context.Context, pacing sweep.Pacing) error {
	c := &p.run.Cell.Config
	source, err := p.open(loadgen.Profiling)
	if err != nil {
		return err
	}
	defer source.Close()
	plan, err := plan(c, pacing, p.run.Seed(p.Batch.VarySeed), source.Times())
	if err != nil {
		return err
	}
	feed := p.prepare(ctx, plan, source, p.begin)
	p.progress.begin("profiling", c.RequestCount, c.BenchmarkDuration)
	p.silent = -1
	watch := load.StartWatch()
	p.driver.Drain = watch.Drain
	p.run.Outcome, err = p.drive(ctx, plan, source, feed)
	p.run.Health = watch.Stop()
	p.run.Health.Starved = p.driver.Starved()
	p.run.Prompts = counted(p.run.Prompts, source, p.run.Outcome.Sessions)
	return err
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

// open returns the source of a phase's sessions.
func (p *phases) open(phase loadgen.Phase) (*synth.Source, error) {
	s, err := spec(&p.run.Cell.Config, p.run.Seed(p.Batch.VarySeed), p.run.Number, phase)
	if err != nil {
		return nil, err
	}
	if !s.Completions {
		s.Template = p.template.added
	}
	return synth.New(s, p.lexicon)
}

// prepare starts to make the sessions of a source, and returns when those are
// there with which a plan begins, or where the run was stopped. Each of them
// gets its bodies and is shown to begin before it is sent.
func (p *phases) prepare(ctx context.Context, plan load.Plan, source *synth.Source, begin func(*loadgen.Session) error) *load.Feed {
	var body []byte // of the last request: a body is copied in its exact size
	feed := load.StartFeed(ctx, func() (*loadgen.Session, error) {
		session, err := source.Next()
		if err != nil {
			return nil, err
		}
		for _, req := range session.Turns {
			if req.Body == nil {
				body = p.payload.Append(body[:0], req)
				req.Body = bytes.Clone(body)
			}
		}
		return session, begin(session)
	}, p.ahead(plan))
	_ = feed.Ready(p.driver.Stop) // once stopped, the driver starts nothing
	return feed
}

// drive runs a plan with the sessions of a source that a feed makes.
func (p *phases) drive(ctx context.Context, plan load.Plan, source *synth.Source, feed *load.Feed) (loadgen.Outcome, error) {
	p.driver.Follow = func(prev *loadgen.Record, next *loadgen.Request) {
		if source.Follow(prev, next) {
			next.Body = p.payload.Append(next.Body[:0], next)
		}
	}
	outcome, err := p.driver.Run(ctx, plan, feed)
	return outcome, errors.Join(err, feed.Stop())
}

// ahead returns how many sessions are made before they are due: a few rounds
// for all users, a moment of the rate, and of short prompts more than of long
// ones, so that neither the first request nor a later one waits for them.
func (p *phases) ahead(plan load.Plan) int {
	c := &p.run.Cell.Config
	const tokens = 1 << 16
	n := max(4*plan.Concurrency, min(1024, max(16, int(tokens/c.PromptInputTokensMean))), int(p.run.Facts.Load.Rate/10))
	if plan.Requests > 0 {
		n = min(n, plan.Requests)
	}
	return n
}
