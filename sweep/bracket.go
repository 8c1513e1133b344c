package sweep

import (
	"math"
	"slices"

	"loadgen"
	"loadgen/metrics"
	"loadgen/stats"
)

// mostGrowth is by how much the next load is greater at most while nothing has
// failed.
const mostGrowth = 4

func (c *course) bisection(tier int) stats.Bisection {
	b := stats.Bisection{
		Integer: c.search.Whole(), Start: c.begin(), Most: c.search.To,
		Resolution: float64(c.search.Precision), MaxProbes: mostProbes * len(c.tiers), Growth: c.growth(tier),
	}
	if fit := c.fit(tier); fit.Binding != nil && !fit.Binding.IsShare() && fit.At > 0 { // NaN is not
		b.Aim = fit.At
	}
	if c.wall > 0 {
		b.Most = c.wall
	}
	return b
}

// growth is by how much the next load is to be greater than one that passed: where
// latency grows no faster than the load, it is still within the limit when the load
// has grown by what the latency is short of it. Where it is short of less than twice,
// it is taken to go on as between the two greatest loads. Users who are too many wait
// for each other; of arrivals see lone.
func (c *course) growth(tier int) float64 {
	if len(c.loads) == 0 || c.wall > 0 {
		return 2
	}
	greatest := slices.Max(c.loads)
	room, known := c.room(tier, greatest)
	if c.cell.Pacing.Mode != loadgen.ClosedLoop {
		if !known {
			return 2
		}
		return max(2, min(room, c.lone(greatest), mostGrowth))
	}
	reach, rises := c.reach(tier)
	switch {
	case !known:
		return 2
	case room >= 2:
		return min(room, mostGrowth)
	case rises:
		return min(max(reach, 1)*(1+2*float64(c.search.Precision)), mostGrowth)
	case greatest == 1:
		return mostGrowth // four users harm nobody
	}
	return 2
}

// loneShare is the part of the time for which requests that never overlap may keep an
// endpoint at work.
const loneShare = 0.5

// lone is by how much a rate may grow until the requests would keep an endpoint at work
// for half of the time that answers one by one (Little's law). Arrivals that are too many
// pile up, and are only doubled beyond that.
func (c *course) lone(rate float64) float64 {
	flight := 0.0
	for _, run := range c.runs {
		if run.Cell.Probe.Load == rate {
			flight = max(flight, run.Queue.InFlight)
		}
	}
	if flight <= 0 || c.search.Over != "request_rate" {
		return 0
	}
	return loneShare / flight
}

// grows reports whether a load lies above all that were tried, none of which broke a
// limit. Its answer only says how to go on; one between such loads is to say where the
// limit is.
func (c *course) grows(load float64) bool {
	return !slices.ContainsFunc(c.loads, func(tried float64) bool {
		return tried >= load || slices.ContainsFunc(c.tiers, func(t Tier) bool {
			_, broken := metrics.Broken(metrics.Pool(c.votes[tried]), t.Limits)
			return broken
		})
	})
}

// room is by which factor all figures of a tier may grow at a load; false where
// nobody knows of one.
func (c *course) room(tier int, load float64) (room float64, known bool) {
	margins := metrics.Pool(c.votes[load])
	room = math.Inf(1)
	for _, l := range c.tiers[tier].Limits {
		if l.Name == metrics.ErrorRate {
			continue
		}
		r, ok := metrics.Room(margins, l)
		if !ok {
			return 0, false
		}
		room = min(room, r)
	}
	return room, !math.IsInf(room, 1)
}

// reach is by how much the load may grow until the first limit is reached, if figures
// go on to rise by as much for each user as between the two greatest loads, which
// answers that share a step do; false where there is but one load.
func (c *course) reach(tier int) (float64, bool) {
	loads := slices.Sorted(slices.Values(c.loads))
	if len(loads) < 2 {
		return 0, false
	}
	low, high := loads[len(loads)-2], loads[len(loads)-1]
	before, after := metrics.Pool(c.votes[low]), metrics.Pool(c.votes[high])
	reach := float64(mostGrowth)
	for _, l := range c.tiers[tier].Limits {
		if l.Name == metrics.ErrorRate {
			continue
		}
		was, _ := metrics.Room(before, l)
		is, _ := metrics.Room(after, l)
		// Of the limit the figures were 1/was and 1/is.
		if rise := (1/is - 1/was) / (high - low); rise > 0 {
			reach = min(reach, 1+(1-1/is)/rise/high)
		}
	}
	return reach, true
}

// belowWall is the double of the greatest load that was measured, where the next
// was greater and could not be.
func (c *course) belowWall() (float64, bool) {
	greatest := 0.0
	for load := range c.votes {
		greatest = max(greatest, load)
	}
	return 2 * greatest, greatest > 0 && 2*greatest < c.wall
}

// begin is the first load: what is written, or four times a rate that has too few arrivals
// for a probe.
func (c *course) begin() float64 {
	return max(c.search.From, mostGrowth*c.few)
}

// tooFew reports whether a run before all votes says nothing because hardly any request
// arrived: all that did were answered, and a greater rate would tell more.
func (c *course) tooFew(run *Run) bool {
	s, load := run.Summary, run.Cell.Probe.Load
	if run.Err != nil || s == nil || len(c.votes) > 0 || load <= c.few || !run.Cell.Probe.open() {
		return false
	}
	return s.Counts.OK > 0 && s.Counts.Failed+s.Counts.Cancelled == 0 && run.Queue.Alone() &&
		!slices.ContainsFunc(run.Margins, metrics.Margin.Known) && (c.search.To == 0 || mostGrowth*load <= c.search.To)
}

// mostHalvings is how often a first load that could not be measured is halved.
const mostHalvings = 6

// start is the load below a wall that is tried while nothing was measured: of users who
// are too many none may be answered within a probe, and a generator may be too small for
// a rate. Where no request was sent, it was not the load that was to blame.
func (c *course) start() (float64, bool) {
	if c.wall == 0 || len(c.votes) > 0 || !c.sent() {
		return 0, false
	}
	half := c.wall / 2
	if c.search.Whole() {
		half = math.Floor(half)
	}
	return half, half > 0 && c.search.From/half < 1<<mostHalvings+1 // loads are rounded
}

// sent reports whether the last run sent anything.
func (c *course) sent() bool {
	last := c.runs[len(c.runs)-1]
	return last.Summary != nil && last.Summary.Counts.Issued > 0
}

// measured are the probes of a bracket that is sought downward: without those that could
// not be measured, and say nothing of loads below.
func (c *course) measured(probes []stats.Probe) []stats.Probe {
	is := func(answer stats.Answer) bool {
		return slices.ContainsFunc(probes, func(p stats.Probe) bool { return p.Answer == answer })
	}
	if c.wall == 0 || is(stats.Pass) || !is(stats.Fail) {
		return probes
	}
	return slices.DeleteFunc(probes, func(p stats.Probe) bool { return len(c.votes[p.Load]) == 0 })
}
