package sweep

import (
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
		Integer: c.search.Whole(), Start: c.search.From, Most: c.search.To,
		Resolution: float64(c.search.Precision), MaxProbes: mostProbes * len(c.tiers), Growth: c.growth(tier),
	}
	if c.wall > 0 {
		b.Most = c.wall
	}
	return b
}

// growth is by how much the next load is to be greater than one that passed: where
// latency grows no faster than the load, it is still within the limit when the load
// has grown by what the latency is short of it. Users who are too many wait for
// each other; arrivals that are too many pile up, and are only doubled.
func (c *course) growth(tier int) float64 {
	if len(c.loads) == 0 || c.wall > 0 || c.cell.Pacing.Mode != loadgen.ClosedLoop {
		return 2
	}
	room := float64(mostGrowth)
	margins := metrics.Pool(c.votes[slices.Max(c.loads)])
	for _, l := range c.tiers[tier].Limits {
		if l.Name != metrics.ErrorRate {
			room = min(room, metrics.Room(margins, l))
		}
	}
	return max(2, room)
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
