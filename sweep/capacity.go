package sweep

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"loadgen"
	"loadgen/metrics"
	"loadgen/stats"
)

// A Capacity is what the search for the capacity of a cell found.
type Capacity struct {
	Cell       *Cell
	Over       string
	Confidence float64
	Precision  float64
	Tiers      []TierCapacity
	Probes     []ProbeResult // in the order in which they were made
	// Used is the time that the probes measured for.
	Used time.Duration
	// Stopped says why the search ended, a [stats.Stop], "time_limit", or
	// "interrupted" where it did not.
	Stopped string
	// Wall is why no load from some on could be measured; empty where all could.
	Wall string
	// Notes are what is to be known beside the answer, a sentence each.
	Notes []string
}

// A TierCapacity is the answer for a set of limits.
type TierCapacity struct {
	Tier
	metrics.Fit
	// Low and High are the bracket: the greatest load that passed for sure below
	// the least that failed, and that; NaN for none.
	Low, High metrics.Bound
	// Status is found, no_fail (nothing failed), no_pass (even the least load
	// did) or open (the search did not come to an end).
	Status string
	// Confirmed: a fresh run at the capacity kept the limits. Refuted: one above
	// it broke them.
	Confirmed, Refuted bool
	RefutedAt          float64
	// Certified: both, the interval leaves no more room than the precision, the
	// bracket does not contradict it, and arrivals were observed for long enough.
	Certified bool
	// Lacks is the benchmark_duration that a certificate of arrivals would need; 0 for
	// no more than there was.
	Lacks time.Duration
	// OpenLoop is what an open loop at the rate of the capacity said; nil where none
	// was made.
	OpenLoop *OpenLoop
	// At are the runs nearest to the capacity that are not above it, all at one load.
	At []*Run
	// Broken is the limit that breaks at the least load above the capacity that
	// broke any, which is BreaksAt.
	Broken   *metrics.Margin
	BreaksAt float64
}

// A ProbeResult is a run of a search with what it said.
type ProbeResult struct {
	Run     *Run
	Load    float64
	Purpose string // bracket, refine, confirm or refute
	// Void is why it is no vote; empty for one that is.
	Void    string
	Answers []stats.Answer // by tier
}

// The states of an answer.
const (
	CapacityFound  = "found"
	CapacityNoFail = "no_fail"
	CapacityNoPass = "no_pass"
	CapacityOpen   = "open"
)

// Capacities returns what was found for every cell that has a probe; nil where
// the batch has no search.
func (b *Batch) Capacities(done []*Run) []Capacity {
	if !b.Search.Asked() {
		return nil
	}
	var found []Capacity
	for i := range b.cells {
		if c := b.capacity(&b.cells[i], done); len(c.Probes) > 0 {
			found = append(found, c)
		}
	}
	return found
}

func (b *Batch) capacity(cell *Cell, done []*Run) Capacity {
	c := b.course(cell, nil)
	out := Capacity{
		Cell: cell, Over: b.Search.Over,
		Confidence: float64(b.Search.Confidence), Precision: float64(b.Search.Precision),
	}
	for _, run := range done {
		if run.Skip != "" || run.Cell.Probe == nil || run.Cell.Index != cell.Index {
			continue
		}
		if run.Cell.Probe.Open > 0 {
			if !run.Outcome.Cancelled {
				c.add(run)
			}
			continue
		}
		p := ProbeResult{Run: run, Load: run.Cell.Probe.Load, Purpose: "bracket"}
		if run.Outcome.Cancelled {
			p.Void = "interrupted"
		} else {
			p.Purpose = c.purpose(p.Load)
			p.Void = c.void(run)
			c.add(run)
		}
		for _, tier := range c.tiers {
			answer := stats.Undecided
			if p.Void == "" {
				answer = metrics.Judge(run.Margins, tier.Limits, out.Confidence)
			}
			p.Answers = append(p.Answers, answer)
		}
		out.Probes = append(out.Probes, p)
	}
	ask, s := c.next()
	out.Used, out.Stopped = c.used, s.why
	if ask.Cell != nil {
		out.Stopped = "interrupted"
	}
	for i := range c.tiers {
		out.Tiers = append(out.Tiers, c.tierCapacity(i, ask.Cell != nil || s.why == "time_limit"))
	}
	if c.wall > 0 {
		out.Wall = c.lastVoid(c.wall)
	}
	out.Notes = c.notes()
	return out
}

// purpose is what the next run is made for, which is at a load.
func (c *course) purpose(load float64) string {
	switch _, s := c.next(); {
	case s.load != load:
	case s.above:
		return "refute"
	case s.proves:
		return "confirm"
	case s.refines:
		return "refine"
	}
	return "bracket"
}

func (c *course) tierCapacity(tier int, unfinished bool) TierCapacity {
	t := TierCapacity{Tier: c.tiers[tier], Fit: c.fit(tier), Status: CapacityFound}
	low, high := stats.Bracket(c.probes(tier))
	t.Low, t.High = metrics.Bound(low), metrics.Bound(high)
	switch {
	case t.Binding == nil && !math.IsNaN(float64(t.Capacity)):
		t.Status = CapacityNoFail
	case math.IsNaN(float64(t.Capacity)):
		t.Status = CapacityNoPass
	}
	if len(c.votes) == 0 || c.wall > 0 && t.Status == CapacityNoFail || c.unmeasured(tier) != "" && t.Status != CapacityNoPass {
		t.Status = CapacityOpen
	}
	if s, more := c.decideTier(tier); unfinished && (more || s.why == "") || len(t.Limits) == 0 {
		t.Status = CapacityOpen
	}
	for _, p := range c.proofs[tier] {
		switch {
		case p.above && p.holds && p.load > float64(t.Capacity):
			t.Refuted, t.RefutedAt = true, p.load
		case !p.above && p.holds && math.Abs(p.load-float64(t.Capacity)) <= c.slack(p.load):
			t.Confirmed = true
		}
	}
	if t.Status == CapacityFound {
		t.Lacks = c.lacks(float64(t.Capacity))
	}
	t.Certified = t.Confirmed && t.Refuted && precise(&t.Fit, c.least(float64(t.Capacity))) && !t.contradicted() && t.Lacks == 0
	t.At, t.OpenLoop = c.nearest(float64(t.Capacity)), c.opening(tier)
	t.breaks(c, tier)
	return t
}

// contradicted reports whether a load that the answer says to be borne failed for sure,
// or one passed that lies beyond the interval.
func (t *TierCapacity) contradicted() bool { return t.High <= t.Capacity || t.Low > t.Upper }

// precise reports whether the interval leaves no more room than a step to either side.
func precise(f *metrics.Fit, step float64) bool {
	const close = 1e-9
	return float64(f.Upper-f.Capacity) <= step+close && float64(f.Capacity-f.Lower) <= step+close
}

// nearest are the runs nearest to a capacity that are not above it, all at one load.
func (c *course) nearest(capacity float64) (nearest []*Run) {
	best := math.Inf(-1)
	for _, run := range c.runs {
		load := run.Cell.Probe.Load
		if void(run) != "" || load > capacity+c.slack(load) || load < best {
			continue
		}
		if load > best {
			best, nearest = load, nil
		}
		nearest = append(nearest, run)
	}
	return nearest
}

// Rate is the mean of a rate under load at the capacity; false where no run has it.
// What a single one came to is chance.
func (t *TierCapacity) Rate(tag string) (float64, bool) { return meanRate(t.At, tag) }

func meanRate(runs []*Run, tag string) (float64, bool) {
	sum, n := 0.0, 0
	for _, run := range runs {
		if rate, ok := run.Summary.UnderLoad(tag); ok {
			sum, n = sum+rate, n+1
		}
	}
	return sum / float64(n), n > 0
}

// unmeasured is a limit of a tier on a figure that no run has; empty for none.
func (c *course) unmeasured(tier int) string {
	if len(c.votes) == 0 {
		return ""
	}
	for _, l := range c.tiers[tier].Limits {
		known := false
		for _, votes := range c.votes {
			for _, margins := range votes {
				known = known || slices.ContainsFunc(margins, func(m metrics.Margin) bool { return m.Name == l.Name && m.Known() })
			}
		}
		if !known {
			return l.Subject()
		}
	}
	return ""
}

// breaks finds the least load above the capacity that broke a limit.
func (t *TierCapacity) breaks(c *course, tier int) {
	for _, load := range slices.Sorted(slices.Values(c.loads)) {
		if len(c.votes[load]) == 0 || load <= float64(t.Capacity) {
			continue
		}
		if m, broken := metrics.Broken(metrics.Pool(c.votes[load]), c.tiers[tier].Limits); broken {
			t.Broken, t.BreaksAt = &m, load
			return
		}
	}
}

// notes tells of what makes an answer doubtful.
func (c *course) notes() []string {
	var notes []string
	if c.wall > 0 {
		notes = append(notes, fmt.Sprintf("at %s no measurement could be made, twice: %s. The answer is no more than what was measured at other loads; none from there on was tried any more",
			loadText(c.wall), c.lastVoid(c.wall)))
	}
	for tier := range c.tiers {
		name := tierPrefix(c.tiers[tier].Name)
		if what := c.unmeasured(tier); what != "" && c.succeeded() {
			notes = append(notes, fmt.Sprintf("%sno probe has enough requests with %s: its limit can be neither kept nor broken. Are the answers streamed and longer than a token, and do enough of them end within %v?",
				name, what, c.search.probe(c.cell, c.search.From, false).Config.BenchmarkDuration))
		}
		if failed, passed, ok := c.notFalling(tier); ok {
			notes = append(notes, fmt.Sprintf("%sthe answers do not fall with the load: %s failed and %s passed. Something else than the load differed between them",
				name, loadText(failed), loadText(passed)))
		}
		if both := c.bothWays(tier); len(both) > 0 {
			notes = append(notes, fmt.Sprintf("%sat %s one run kept the limits for sure and another broke them: the endpoint was not the same in all runs, and the answer is of neither",
				name, strings.Join(both, ", ")))
		}
	}
	if bunched := c.signed("bunching"); len(bunched) > 0 {
		notes = append(notes, "at "+strings.Join(bunched, ", ")+" users stayed together, as they do where answers are of equal length: another run may find another capacity. Vary the lengths (prompt_output_tokens_stddev)")
	}
	if warm := c.signed("warm_cache"); len(warm) > 0 {
		notes = append(notes, "at "+strings.Join(warm, ", ")+" the endpoint's cache knew prompts from before: what it bears cold may be less")
	}
	if c.cell.Pacing.Mode == loadgen.OpenLoop {
		notes = append(notes, "near saturation the queue of an open loop is slow to settle: its interval holds the truth less often than it says")
	}
	return notes
}

func tierPrefix(name string) string {
	if name == "" {
		return ""
	}
	return name + ": "
}

func (c *course) lastVoid(load float64) string {
	why := ""
	for _, run := range c.runs {
		if text := void(run); run.Cell.Probe.Load == load && text != "" {
			why = text
		}
	}
	return why
}

// signed are the loads at which the verdict of a run has a sign.
func (c *course) signed(name string) []string {
	var at []string
	for _, run := range c.runs {
		if run.Summary == nil {
			continue
		}
		for _, sign := range run.Summary.Validity.Reasons {
			if text := loadText(run.Cell.Probe.Load); sign.Name == name && !slices.Contains(at, text) {
				at = append(at, text)
			}
		}
	}
	return at
}
