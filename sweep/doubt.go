package sweep

import (
	"math"
	"slices"

	"loadgen/metrics"
	"loadgen/stats"
)

// succeeded reports whether any request of the search did.
func (c *course) succeeded() bool {
	return slices.ContainsFunc(c.runs, func(r *Run) bool { return r.Summary != nil && r.Summary.Counts.OK > 0 })
}

// notFalling are the least load that failed and the greatest above it that passed;
// false where none did.
func (c *course) notFalling(tier int) (failed, passed float64, ok bool) {
	failed = math.Inf(1)
	for _, load := range slices.Sorted(slices.Values(c.loads)) {
		switch answer := c.answer(tier, load); {
		case answer == stats.Fail:
			failed = min(failed, load)
		case answer == stats.Pass && load > failed:
			passed, ok = load, true
		}
	}
	return failed, passed, ok
}

// bothWays are the loads at which two runs disagree by more than chance.
func (c *course) bothWays(tier int) (at []string) {
	limits, confidence := c.tiers[tier].Limits, float64(c.search.Confidence)
	for _, load := range slices.Sorted(slices.Values(c.loads)) {
		votes := c.votes[load]
		if slices.ContainsFunc(votes, func(kept []metrics.Margin) bool {
			return slices.ContainsFunc(votes, func(broke []metrics.Margin) bool {
				return metrics.Contradict(kept, broke, limits, confidence)
			})
		}) {
			at = append(at, loadText(load))
		}
	}
	return at
}
