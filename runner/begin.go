package runner

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"loadgen"
	"loadgen/load"
	"loadgen/sweep"
)

// warmUpPlan returns what a warm-up is to do that goes on into a plan, whose
// load it has unless it was given one of its own. Without a plan to go on into
// it drains, and is a closed loop.
func warmUpPlan(c *sweep.Config, p sweep.Pacing, seed loadgen.Seed, portion loadgen.Portion, into *load.Plan) load.Plan {
	warm := load.Plan{
		Phase: loadgen.Warmup, Requests: c.WarmupRequestCount, Duration: c.WarmupDuration,
		Grace: c.GracePeriod, Seed: seed, Portion: portion,
	}
	switch {
	case c.WarmupRequestRate > 0 && !p.Auto:
		warm.Concurrency = c.WarmupConcurrency
		warm.Schedule = load.Arrival{
			Rate: c.WarmupRequestRate, Smoothness: c.Smoothness(),
			Rand: func() *rand.Rand { return seed.Rand("arrivals.warmup") },
		}.Schedule()
		return warm
	case c.WarmupConcurrency > 0 && !p.Auto:
		warm.Concurrency = c.WarmupConcurrency
	case into == nil || p.Mode == loadgen.FixedSchedule:
		warm.Concurrency = max(flight(p), 1)
	default:
		into.Resume = into.Schedule != nil
		warm.Schedule, warm.Concurrency, warm.UserGap = into.Schedule, into.Concurrency, into.UserGap
		warm.ConcurrencyRamp, warm.Ramp = into.ConcurrencyRamp, into.Ramp
	}
	if into == nil && warm.Requests > 0 {
		warm.Concurrency = min(warm.Concurrency, warm.Requests)
	}
	warm.Stagger = into != nil && c.Start == sweep.Staggered
	return warm
}

// seamless reports whether the measurement of a run goes on from its warm-up: it
// has one, and nothing has to be learnt from its answers first.
func (p *phases) seamless() bool {
	c := &p.run.Cell.Config
	if !c.WarmsUp() || c.WarmupHandover != sweep.Seamless || p.run.Cell.Pacing.Auto {
		return false
	}
	if c.InputTokensIncludeTemplate && c.EndpointType != "completions" && p.template.render == nil {
		p.Log.Info("The warm-up drains: its answers tell what the chat template adds to a prompt")
		return false
	}
	if p.shared && !foreseen(c, p.run.Cell.Pacing) {
		p.Log.Info("The warm-up drains: only answers tell when it has sent so many requests, which is not at once for all workers")
		return false
	}
	return true
}

// foreseen reports whether it is known beforehand when a warm-up will have sent
// what it is to send, as it is of a duration and of a schedule.
func foreseen(c *sweep.Config, p sweep.Pacing) bool {
	if c.WarmupRequestCount == 0 {
		return true
	}
	scheduled := c.WarmupRequestRate > 0 || c.WarmupConcurrency == 0 && p.Mode == loadgen.OpenLoop
	return scheduled && c.SessionTurnsMean <= 1 && c.SessionTurnsStddev == 0
}

// connectTime bounds how long connections are opened ahead of the load.
const connectTime = 10 * time.Second

// preconnect opens the connections that users, or requests up to the ceiling,
// will need. What fails here will fail again, as a request; where not one was there
// in all the time in which a success is waited for, the run is given up.
func (p *phases) preconnect(ctx context.Context) {
	c, pacing := &p.run.Cell.Config, p.run.Cell.Pacing
	n := p.Portion.Part(connections(c, pacing))
	if !c.Preconnect || n == 0 {
		return
	}
	limited, done := context.WithTimeout(ctx, connectTime)
	defer done()
	defer context.AfterFunc(p.stopping, done)()
	opened := load.Connect(limited, n, func(ctx context.Context) bool {
		kept, err := p.sender.Connect(ctx)
		if err != nil && ctx.Err() == nil {
			p.Log.Warn("Opening connections: " + err.Error())
		}
		return kept
	})
	p.Log.Debug(fmt.Sprintf("%d of %d connections opened before the first request", opened, n))
	if patience := p.breaker.patience; opened == 0 && patience > 0 && patience <= connectTime && errors.Is(limited.Err(), context.DeadlineExceeded) {
		p.stop(fmt.Errorf("%w: no connection was there within %v", ErrEndpointGone, connectTime))
	}
}
