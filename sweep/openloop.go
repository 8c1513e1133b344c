package sweep

import (
	"maps"

	"loadgen"
	"loadgen/metrics"
	"loadgen/stats"
	"loadgen/synth"
)

// An OpenLoop is the run that puts the capacity of a closed loop to the proof of
// an open one: the requests that its users sent in a second, at times that no
// answer has a say in. It is told beside the answer and has no vote in it: users
// who wait for their answers spare an endpoint that is slow for a moment, arrivals
// do not.
type OpenLoop struct {
	Run    *Run
	Rate   float64
	Answer stats.Answer
	// Void is why it proves nothing; empty where it does.
	Void string
	// Broken is the limit that it broke by most; nil for none.
	Broken *metrics.Margin
}

// mostOpenLoops is how often the proof is tried, where a run measured nothing.
const mostOpenLoops = 2

// openLoop is the run that puts the capacity of a tier to the proof; false where it
// was, or is not asked for.
func (c *course) openLoop(tier int) (step, bool) {
	made := c.opened[tier]
	if !c.search.ConfirmOpen || len(made) >= mostOpenLoops || len(made) > 0 && void(made[len(made)-1]) == "" {
		return step{}, false
	}
	rate, ok := meanRate(c.nearest(float64(c.fit(tier).Capacity)), "request_throughput")
	if rate = roundRate(rate); !ok || rate <= 0 {
		return step{}, false
	}
	return step{tier: tier, load: rate, open: true}, true
}

// arrivals returns the cell of an open loop at a rate, for a tier by its number
// from 1.
func (s *Search) arrivals(cell *Cell, rate float64, tier int) *Cell {
	c := cell.Config
	c.given = maps.Clone(c.given)
	delete(c.given, s.Over)
	c.given["request_rate"], c.given["request_rate_mode"] = true, true
	c.Concurrency, c.ConcurrencyRampDuration = 0, 0
	c.RequestRate, c.RequestRateMode = Rate{PerSecond: rate}, "poisson"
	p := &Probe{Base: cell, Load: rate, Tiers: s.AllTiers()[tier-1 : tier], Confidence: float64(s.Confidence), Open: tier}
	return p.cell(c, loadgen.Value{Key: "request_rate", Value: rate}, false)
}

// opening is the last of the runs that put a tier to the proof; nil for none.
func (c *course) opening(tier int) *OpenLoop {
	made := c.opened[tier]
	if len(made) == 0 {
		return nil
	}
	run := made[len(made)-1]
	o := &OpenLoop{Run: run, Rate: run.Cell.Probe.Load, Void: void(run), Answer: stats.Undecided}
	if o.Void == "" {
		limits := c.tiers[tier].Limits
		o.Answer = metrics.Judge(run.Margins, limits, float64(c.search.Confidence))
		if m, broken := metrics.Broken(run.Margins, limits); broken {
			o.Broken = &m
		}
	}
	return o
}

// checkOpenLoop reports a proof by an open loop that cannot be made.
func (b *binder) checkOpenLoop(batch *Batch) {
	s := &batch.Search
	if !s.ConfirmOpen || !s.Asked() {
		return
	}
	if s.Over != "concurrency" {
		b.failKey("search.confirm_open", "needs a search over concurrency, whose users it replaces by arrivals; this one is over "+s.Over, "remove it")
	}
}

// checkArrivals reports a cell whose requests cannot arrive one by one.
func (b *binder) checkArrivals(s *Search, c *Config) {
	if !s.ConfirmOpen || !s.Asked() {
		return
	}
	key := "session_turns_mean"
	switch {
	case c.InputFile != "" && c.CustomDatasetType != synth.SingleTurn.String() && c.CustomDatasetType != synth.RandomPool.String():
		key = "input_file"
	case c.SessionTurnsMean <= 1:
		return
	}
	b.contradict(key, "cannot be combined with search.confirm_open", "arrivals are of sessions, and how many requests one has only "+key+" says; search over request_rate")
}
