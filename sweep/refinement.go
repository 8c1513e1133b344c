package sweep

import (
	"math"

	"loadgen"
	"loadgen/metrics"
	"loadgen/stats"
)

// mostRefinements is how many first looks are spent at most where the limit is
// reached, because the runs before do not say closely enough where that is.
const mostRefinements = 16

// refinement is what a run takes of them: one that is looked at again four, if it
// has to be.
func refinement(short bool) int {
	if short {
		return 1
	}
	return 4
}

// mostScatter is by how much more probes may differ than their errors say,
// before two that are sure are no proof together.
const mostScatter = 2

// refined is the part of the precision that the standard error of an answer may have:
// its interval of 95 % is then about as wide as the precision to either side.
const refined = 0.4

// refine is a run that says more about where the limit is reached; false where that
// is known closely enough. One run knows nothing of what lasts longer than it, such as
// who met whom in a closed loop: short runs that begin anew tell more than a long one.
func (c *course) refine(tier int, fit *metrics.Fit) (step, bool) {
	n := c.refined[tier]
	if low, high := stats.Bracket(c.probes(tier)); fit.Scatter < mostScatter && high-low <= c.least(low)+1e-9 {
		return step{}, false // both sides are sure
	}
	if fit.Binding == nil || n >= mostRefinements || c.exact(fit) {
		return step{}, false
	}
	at := fit.At
	if c.search.Whole() {
		at = c.doubtful(tier, max(1, math.Floor(at)))
	}
	at = c.search.roundLoad(at)
	return step{tier: tier, load: at, refines: true, short: c.quick(fit)}, at > 0 && (c.search.To == 0 || at <= c.search.To) && (c.wall == 0 || at < c.wall)
}

// exact reports whether an answer is known closely enough: by its interval, and by its
// standard error where probes near the limit have one.
func (c *course) exact(fit *metrics.Fit) bool {
	return precise(fit, c.least(float64(fit.Capacity))) && (math.IsInf(fit.SE, 1) || fit.SE <= refined*float64(c.search.Precision))
}

// fewestQuick are the requests that a look must rest on to be enough of a run.
const fewestQuick = 60

// quick reports whether a first look is enough of a run: it is where its answers
// are many and short. Where one takes a good part of it, a look sees little but the
// beginning and the end of a load.
func (c *course) quick(fit *metrics.Fit) bool {
	if c.cell.Pacing.Mode == loadgen.OpenLoop {
		return false // whose queue is slow to show its state
	}
	for i := len(c.runs) - 1; i >= 0; i-- {
		run := c.runs[i]
		if run.Cell.Probe.Short() || void(run) != "" {
			continue
		}
		for _, m := range run.Margins {
			if m.Name == fit.Binding.Name && m.Known() {
				first := run.Cell.Probe.Base.Config.BenchmarkDuration
				return float64(m.N)*first.Seconds() >= fewestQuick*max(run.Outcome.Elapsed, first).Seconds()
			}
		}
	}
	return true
}

// doubtful is the one of two neighbouring whole loads whose answer is not sure: another
// run tells most there. Where both are, or neither is, they take turns.
func (c *course) doubtful(tier int, below float64) float64 {
	above := below + 1
	lower, upper := c.answer(tier, below) == stats.Undecided, c.answer(tier, above) == stats.Undecided
	switch {
	case lower && !upper:
		return below
	case upper && !lower:
		return above
	}
	return below + float64(len(c.runs)%2)
}
