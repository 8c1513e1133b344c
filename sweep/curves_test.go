package sweep_test

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"loadgen/sweep"
)

// Whatever the curve over the load, and however much runs differ, a search has an end.
// Where runs agree, its answer is within the precision or one user, and certified. What it
// says agrees with itself; chance made the runs of the last seeds contradict each other.
func TestASearchOfAnyCurveEnds(t *testing.T) {
	curves := map[string]func(over float64) float64{ // of the load over the capacity
		"as the load":   math.Log,
		"slowly":        func(over float64) float64 { return 0.3 * math.Log(over) },
		"hardly":        func(over float64) float64 { return 0.1 * math.Log(over) },
		"steeply":       func(over float64) float64 { return 8 * math.Log(over) },
		"from a ground": func(over float64) float64 { return math.Log((1 + over) / 2) },
		"to saturation": func(over float64) float64 { return math.Log(0.05 / max(1.05-over, 0.001)) },
		"by a cliff":    func(over float64) float64 { return math.Copysign(1.2, over-1) },
		"by a step":     func(over float64) float64 { return math.Copysign(0.1, over-1) },
	}
	for name, curve := range curves {
		for _, seed := range []uint64{0, 6, 33, 66} {
			for _, noisy := range []float64{0, 1} {
				rng := rand.New(rand.NewPCG(seed, 1))
				capacity := math.Floor(math.Exp(1+4*rng.Float64())) + 0.5
				own, shared := 0.001+0.15*noisy, 0.1*noisy
				c, runs := soughtBy(t, func(p *sweep.Probe, look int) (y, s float64) {
					longer := math.Sqrt(p.Looks[look].Minutes())
					return curve(p.Load/capacity) + shared*rng.NormFloat64() + own/longer*rng.NormFloat64(), math.Hypot(own/longer, 0.02)
				})
				if most := 24 + 16 + 6; runs > most {
					t.Errorf("%s to %.4g, seed %d: %d runs, want %d at most", name, capacity, seed, runs, most)
				}
				tier := c.Tiers[0]
				for _, what := range contradictions(&tier) {
					t.Errorf("%s to %.4g, seed %d, noisy %g: %s: %g (%g to %g), bracket %g to %g, breaks at %g, refuted at %g, certified %v",
						name, capacity, seed, noisy, what, tier.Fit.Capacity, tier.Lower, tier.Upper, tier.Low, tier.High, tier.BreaksAt, tier.RefutedAt, tier.Certified)
				}
				if off := math.Abs(float64(tier.Fit.Capacity) - math.Floor(capacity)); noisy == 0 && (!tier.Certified || off > max(1, 0.05*capacity)) {
					t.Errorf("%s to %.4g, seed %d: %g (%g to %g), certified %v after %d runs", name, capacity, seed, tier.Fit.Capacity, tier.Lower, tier.Upper, tier.Certified, runs)
				}
			}
		}
	}
}

// contradictions are the statements of an answer of which one cannot be true beside
// another.
func contradictions(t *sweep.TierCapacity) (all []string) {
	capacity := float64(t.Fit.Capacity)
	for what, is := range map[string]bool{
		"the interval begins above the answer":       float64(t.Lower) > capacity,
		"the interval ends below the answer":         float64(t.Upper) < capacity,
		"it breaks at the answer":                    t.Broken != nil && t.BreaksAt <= capacity,
		"it is refuted at the answer":                t.Refuted && t.RefutedAt <= capacity,
		"refuted without a limit that breaks":        t.Refuted && t.Broken == nil,
		"certified without both proofs":              t.Certified && !(t.Confirmed && t.Refuted),
		"certified with a failure at the answer":     t.Certified && float64(t.High) <= capacity,
		"certified below what passed":                t.Certified && float64(t.Low) > float64(t.Upper),
		"certified beyond the least load that fails": t.Certified && float64(t.Lower) >= float64(t.High),
		"certified and not found":                    t.Certified && t.Status != sweep.CapacityFound,
	} {
		if is {
			all = append(all, what)
		}
	}
	return all
}

// soughtBy carries out a search whose runs have a margin at each look.
func soughtBy(t *testing.T, margin func(p *sweep.Probe, look int) (y, s float64)) (c sweep.Capacity, runs int) {
	t.Helper()
	batch := parse(t, strings.Replace(searching, "to: 1024", "to: 100000", 1))
	plan := batch.Plan()
	var done []*sweep.Run
	for len(done) < 200 {
		ask, ok := plan.Next(done)
		if !ok {
			return batch.Capacities(done)[0], len(done)
		}
		run := bearing{ttft: 1, s: 0.01}.probe(ask)
		p := ask.Cell.Probe
		for look := range p.Looks {
			run.Margins[0].Y, run.Margins[0].S = margin(p, look)
			if p.Sure(look, run.Margins, run.Queue) {
				break
			}
		}
		done = append(done, run)
	}
	t.Fatal("the search has no end")
	return
}
