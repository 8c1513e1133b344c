package runner

import (
	"context"
	"log/slog"
	"time"

	"loadgen"
	"loadgen/load"
	"loadgen/sweep"
)

// Drive sends what a worker makes of a run to a sender in place of an endpoint,
// planned and paced as a runner does it, and shows every record. Answers teach
// it nothing.
func Drive(ctx context.Context, b *sweep.Batch, ask sweep.Ask, portion loadgen.Portion, v *Vocabulary, sender load.Sender, emit func(*loadgen.Record)) (loadgen.Outcome, error) {
	c, pacing := &ask.Cell.Config, ask.Cell.Pacing
	body, err := payload(c)
	if err != nil {
		return loadgen.Outcome{}, err
	}
	p := &phases{
		Runner: &Runner{Batch: b, Portion: portion, Log: slog.New(slog.DiscardHandler)},
		run:    &sweep.Run{Ask: ask, Facts: facts(c, pacing)}, payload: body,
		lexicon: v.Lexicon, shared: !portion.Whole(), template: newChatTemplate(v), breaker: &breaker{}, progress: &Progress{},
		driver: &load.Driver{Sender: sender, Stop: ctx, Emit: func(r *loadgen.Record) error { emit(r); return nil }},
	}
	p.driver.Follow = p.follow
	keep := func(*loadgen.Session) error { return nil }
	if c.WarmsUp() && !p.seamless() {
		if err := p.warmUp(ctx); err != nil {
			return loadgen.Outcome{}, err
		}
	}
	measured, err := p.open(ctx, loadgen.Profiling, keep, func(times []time.Duration) (load.Plan, error) {
		return plan(c, pacing, ask.Cell.Probe, p.seed(), portion, times)
	})
	if err != nil {
		return loadgen.Outcome{}, err
	}
	defer measured.close()
	stages := []load.Stage{measured.Stage}
	if p.seamless() {
		warm, err := p.openWarmUp(ctx, &measured.Plan)
		if err != nil {
			return loadgen.Outcome{}, err
		}
		defer warm.close()
		stages = []load.Stage{warm.Stage, measured.Stage}
	}
	return p.driver.RunOn(ctx, stages...)
}
