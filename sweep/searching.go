package sweep

import (
	"fmt"
	"math"
	"slices"
	"time"

	"loadgen"
	"loadgen/metrics"
	"loadgen/stats"
)

// A searching plan looks for the capacity of one cell after another.
type searching struct{ *Batch }

// mostProbes bounds the loads that are tried for one tier.
const mostProbes = 24

// mostConfirmations is how often a capacity is put to the proof, and a load
// above it likewise.
const mostConfirmations = 3

func (p searching) Next(done []*Run) (Ask, bool) {
	for i := range p.cells {
		if ask, _ := p.course(&p.cells[i], done).next(); ask.Cell != nil {
			return ask, true
		}
	}
	return Ask{}, false
}

// Left counts, for a search that has no end yet, the loads that close its
// bracket and the proof.
func (p searching) Left(done []*Run) (int, bool) {
	left := 0
	for i := range p.cells {
		c := p.course(&p.cells[i], done)
		if ask, _ := c.next(); ask.Cell != nil {
			left += c.expected()
		}
	}
	return left, left == 0
}

// A course is how the search for one cell's capacity has gone so far.
type course struct {
	search *Search
	cell   *Cell
	tiers  []Tier
	runs   []*Run
	used   time.Duration
	// Of every load in the order in which they were first tried.
	loads []float64
	votes map[float64][][]metrics.Margin
	voids map[float64]int
	// wall is the least load at which no measurement could be made twice:
	// nothing at it or above is tried again.
	wall float64
	// few is the greatest rate at which a probe had too few arrivals to say anything.
	few float64
	// proofs are the confirmations, by tier.
	proofs  [][]proof
	opened  [][]*Run // that put a capacity to the proof of an open loop, by tier
	refined []int    // first looks that were to refine the answer, by tier
}

// A proof is a load that was run once more to prove a capacity: that it is
// borne, or that the load above it is not.
type proof struct {
	load  float64
	above bool
	holds bool
	void  bool // measured nothing: it counts as tried, and says nothing
}

// course folds the runs of a cell in the order in which they were made.
func (p *Batch) course(cell *Cell, done []*Run) *course {
	c := &course{
		search: &p.Search, cell: cell, tiers: p.Search.AllTiers(),
		votes: map[float64][][]metrics.Margin{}, voids: map[float64]int{},
	}
	c.proofs, c.refined, c.opened = make([][]proof, len(c.tiers)), make([]int, len(c.tiers)), make([][]*Run, len(c.tiers))
	for _, run := range done {
		if run.Skip == "" && run.Cell.Probe != nil && run.Cell.Index == cell.Index && !run.Outcome.Cancelled {
			c.add(run)
		}
	}
	return c
}

// add takes in a run.
func (c *course) add(run *Run) {
	c.used += run.Outcome.Elapsed
	if tier := run.Cell.Probe.Open; tier > 0 {
		c.opened[tier-1] = append(c.opened[tier-1], run)
		return
	}
	load := run.Cell.Probe.Load
	_, step := c.next() // what it was made for
	c.runs = append(c.runs, run)
	if c.tooFew(run) {
		c.few = load
		return
	}
	if !slices.Contains(c.loads, load) {
		c.loads = append(c.loads, load)
	}
	if step.load == load && step.refines {
		c.refined[step.tier] += refinement(step.short)
	}
	if c.void(run) != "" {
		if step.load == load && step.proves {
			c.proofs[step.tier] = append(c.proofs[step.tier], proof{load: load, above: step.above, void: true})
		}
		if c.voids[load]++; c.voids[load] > 1 && len(c.votes[load]) == 0 && (c.wall == 0 || load < c.wall) {
			c.wall = load
		}
		return
	}
	c.votes[load] = append(c.votes[load], run.Margins)
	if step.load == load && step.proves {
		c.prove(step, run.Margins)
	}
}

// void says why the next run is no vote on its load; empty for one that is. One that the
// endpoint failed at until it was given up may have met an outage. The second at its load
// did not.
func (c *course) void(run *Run) string {
	if c.voids[run.Cell.Probe.Load] > 0 && overwhelmed(run) {
		return ""
	}
	return void(run)
}

// prove notes whether a run at a load above the capacity failed, or one at it
// did not. It proves something only where the fit with it still says the same.
func (c *course) prove(s step, margins []metrics.Margin) {
	tier := c.tiers[s.tier]
	p := proof{load: s.load, above: s.above}
	capacity := float64(c.fit(s.tier).Capacity)
	if p.above {
		_, broken := metrics.Broken(margins, tier.Limits)
		p.holds = broken && capacity < s.load
	} else {
		answer := metrics.Judge(margins, tier.Limits, float64(c.search.Confidence))
		p.holds = answer != stats.Fail && capacity >= s.load-c.slack(s.load)
	}
	c.proofs[s.tier] = append(c.proofs[s.tier], p)
}

// slack is how far two answers of one search may lie apart and still be the
// same: half the precision.
func (c *course) slack(load float64) float64 {
	s := load * float64(c.search.Precision) / 2
	if c.search.Whole() {
		return math.Floor(s)
	}
	return s
}

// A step is what the next run is made for.
type step struct {
	tier    int
	load    float64
	refines bool // says more about where the limit is reached
	short   bool // and takes the first look only
	proves  bool // a capacity: it, or with above that more is not borne
	above   bool
	open    bool   // by an open loop: load is its rate
	why     string // where there is no next run: why the search ended
}

// next returns the next run; its cell is nil where there is none.
func (c *course) next() (Ask, step) {
	s, ok := c.decide()
	if !ok {
		return Ask{}, s
	}
	if s.open {
		return Ask{Cell: c.search.arrivals(c.cell, s.load, s.tier+1), Number: len(c.opened[s.tier]) + 1}, s
	}
	tried := len(c.votes[s.load]) + c.voids[s.load]
	cell := c.search.probe(c.cell, s.load, s.short)
	cell.Probe.proves, cell.Probe.grows = s.proves, c.grows(s.load)
	if s.proves && !s.above {
		cell.Probe.confirms = c.tiers[s.tier].Limits
	}
	return Ask{Cell: cell, Number: tried + 1}, s
}

// decide returns the load to try next, tier after tier.
func (c *course) decide() (step, bool) {
	if limit := c.search.TimeLimit; limit > 0 && c.used >= limit {
		return step{why: "time_limit"}, false
	}
	for _, load := range c.loads {
		if c.voids[load] == 1 && len(c.votes[load]) == 0 {
			return step{load: load}, true // once more
		}
	}
	why := ""
	for tier := range c.tiers {
		s, ok := c.decideTier(tier)
		if ok {
			return s, true
		}
		why = s.why
	}
	return step{why: why}, false
}

// decideTier returns the load to try next for one tier: what closes its bracket,
// then what proves its capacity.
func (c *course) decideTier(tier int) (step, bool) {
	load, stop := c.bisection(tier).Next(c.measured(c.probes(tier)))
	if half, ok := c.start(); ok {
		load, stop = half, ""
	}
	if below, ok := c.belowWall(); ok && stop == stats.StopNoFail {
		load, stop = below, ""
	}
	load = c.search.roundLoad(load)
	switch {
	case stop == "" && (c.wall == 0 || load < c.wall) && !slices.Contains(c.loads, load):
		return step{tier: tier, load: load}, true
	case stop == stats.StopNoFail || stop == stats.StopNoPass:
		return step{tier: tier, why: string(stop)}, false
	}
	fit := c.fit(tier)
	capacity := float64(fit.Capacity)
	if math.IsNaN(capacity) || math.IsInf(capacity, 0) {
		return step{tier: tier, why: string(stop)}, false
	}
	if s, ok := c.refine(tier, &fit); ok {
		return s, true
	}
	if at, ok := c.atCapacity(tier, capacity); ok {
		return step{tier: tier, load: at, proves: true}, true
	}
	if above, ok := c.aboveCapacity(tier, capacity); ok {
		return step{tier: tier, load: above, proves: true, above: true}, true
	}
	if s, ok := c.openLoop(tier); ok {
		return s, true
	}
	return step{tier: tier, why: string(stop)}, false
}

// atCapacity is the load at which a capacity is to be proved; false where it
// is, or was tried often enough.
func (c *course) atCapacity(tier int, capacity float64) (float64, bool) {
	n, at := 0, capacity
	for _, p := range c.proofs[tier] {
		switch {
		case p.above:
		case p.holds && math.Abs(p.load-capacity) <= c.slack(p.load):
			return 0, false
		default:
			n++
			if !p.holds && !p.void {
				at = min(at, p.load-c.slack(p.load))
			}
		}
	}
	at = c.search.roundLoad(at)
	return at, n < mostConfirmations && at > 0
}

// aboveCapacity is the load at which it is to be proved that no more is borne.
func (c *course) aboveCapacity(tier int, capacity float64) (float64, bool) {
	n, at := 0, capacity+c.least(capacity)
	for _, p := range c.proofs[tier] {
		if !p.above {
			continue
		}
		if n++; p.holds && p.load > capacity {
			return 0, false
		}
		if !p.void {
			at = max(at, p.load+c.least(p.load))
		}
	}
	at = c.search.roundLoad(at)
	inside := (c.search.To == 0 || at <= c.search.To) && (c.wall == 0 || at < c.wall)
	return at, n < mostConfirmations && inside
}

// least is the step by which two loads differ for certain: the precision, and
// one of whole numbers.
func (c *course) least(load float64) float64 {
	s := load * float64(c.search.Precision)
	if c.search.Whole() {
		return max(1, math.Ceil(s-1e-9))
	}
	return s
}

// probes are the loads in the order in which they were tried, with what they say
// of a tier.
func (c *course) probes(tier int) []stats.Probe {
	probes := make([]stats.Probe, len(c.loads))
	for i, load := range c.loads {
		probes[i] = stats.Probe{Load: load, Answer: c.answer(tier, load)}
	}
	return probes
}

// answer is that of all votes on a load together.
func (c *course) answer(tier int, load float64) stats.Answer {
	if len(c.votes[load]) == 0 {
		return stats.Undecided
	}
	return metrics.Judge(metrics.Pool(c.votes[load]), c.tiers[tier].Limits, float64(c.search.Confidence))
}

// fit is the capacity by all votes.
func (c *course) fit(tier int) metrics.Fit {
	var probes []metrics.Probe
	for _, load := range c.loads {
		for _, margins := range c.votes[load] {
			probes = append(probes, metrics.Probe{Load: load, Margins: margins})
		}
	}
	return metrics.FitCapacity(probes, c.tiers[tier].Limits, metrics.Fitted{
		Whole: c.search.Whole(), Open: c.cell.Pacing.Mode == loadgen.OpenLoop, Precision: float64(c.search.Precision), Confidence: float64(c.search.Confidence),
		Arrivals: c.cell.Pacing.unevenness(),
	})
}

// usualAims are the probes that mostly close a bracket.
const usualAims = 4

// expected is about how many runs are to come.
func (c *course) expected() int {
	n := 2 * len(c.tiers) // the proofs
	if c.search.ConfirmOpen {
		n += len(c.tiers)
	}
	low, high := stats.Bracket(c.probes(0))
	if math.IsNaN(high) && c.fit(0).Binding != nil {
		return n + 3 // the limit lies between what was tried
	}
	switch {
	case math.IsNaN(high):
		return n + 6
	case math.IsNaN(low):
		return n + 3
	}
	if gap := math.Log(high/low) / math.Log(1+float64(c.search.Precision)); gap > 1 {
		n += min(int(math.Ceil(math.Log2(gap))), usualAims)
	}
	return n
}

// Searched says in words how the search for the capacity of the cell of a run
// stands.
func (b *Batch) Searched(cell *Cell, done []*Run) string {
	c := b.course(cell, done)
	_, s := c.next()
	low, high := stats.Bracket(c.probes(s.tier))
	bracket := "nothing is known yet"
	switch {
	case !math.IsNaN(low) && !math.IsNaN(high):
		bracket = fmt.Sprintf("between %s and %s", loadText(low), loadText(high))
	case !math.IsNaN(low):
		bracket = "above " + loadText(low)
	case !math.IsNaN(high):
		bracket = "below " + loadText(high)
	}
	text := fmt.Sprintf("probe %d: %s", c.made()+1, bracket)
	switch {
	case s.open:
		text += ", confirming by an open loop"
	case s.above:
		text += ", confirming that more is not borne"
	case s.proves:
		text += ", confirming"
	case s.refines:
		text += ", refining"
	}
	if name := c.tiers[s.tier].Name; name != "" {
		text += " for " + name
	}
	return text
}

// made is how many runs the search has made.
func (c *course) made() int {
	n := len(c.runs)
	for _, runs := range c.opened {
		n += len(runs)
	}
	return n
}
