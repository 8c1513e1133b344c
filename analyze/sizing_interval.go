package analyze

import (
	"math"
	"math/rand/v2"

	"loadgen/metrics"
)

const (
	// sizingResamples is how many times a sweep is drawn again for an
	// interval, where that costs no more than sizingWork values to draw.
	sizingResamples = 400
	sizingWork      = 100_000_000
	// fewLoads are too few to tell a trend from chance: that they look flat
	// proves nothing.
	fewLoads = 4
)

// A sizingCurve is one metric over the loads of a sweep, with its target.
type sizingCurve struct {
	target     float64
	loads, p95 []float64
	samples    [][]float64 // by load; empty where only the p95 is known
}

// capacity fits the p95s and returns where the fit stands to the target.
func (c *sizingCurve) capacity(p95 []float64) (fit KneeFit, load float64, reach SizingReach) {
	fit = FitKnee(c.loads, p95)
	if fit.Shape == KneeNone {
		return fit, 0, SizingUnknown
	}
	if fit.Shape == KneeFlat && len(c.loads) <= fewLoads {
		load, reach = c.between(p95)
		return fit, load, reach
	}
	load, crossed := fit.Crossing(c.target)
	switch {
	case !crossed:
		return fit, load, SizingAtLeast
	case load <= fit.From && fit.At(fit.From) > c.target:
		return fit, 0, SizingUnreachable
	}
	return fit, load, SizingAt
}

// between returns the capacity on the straight lines between the values.
func (c *sizingCurve) between(p95 []float64) (load float64, reach SizingReach) {
	for i, v := range p95 {
		switch {
		case v <= c.target:
		case i == 0:
			return 0, SizingUnreachable
		default:
			from, to := c.loads[i-1], c.loads[i]
			return from + (to-from)*(c.target-p95[i-1])/(v-p95[i-1]), SizingAt
		}
	}
	return c.loads[len(c.loads)-1], SizingAtLeast
}

// intervals returns the intervals of the capacity and of the knee, nil where
// they cannot be drawn. Every resample chooses its shape anew, so that the
// doubt about the shape is in the interval too; a knee's interval comes from
// those that have one.
func (c *sizingCurve) intervals(fit *KneeFit, rng *rand.Rand) (capacity, knee *SizingInterval) {
	draw := c.drawResiduals(fit)
	work := len(c.loads) * len(c.loads)
	if draws, n := c.drawSamples(); draws != nil {
		draw, work = draws, work+n
	}
	if draw == nil {
		return nil, nil
	}
	n := max(100, min(sizingResamples, sizingWork/work))
	loads, knees := make([]float64, 0, n), make([]float64, 0, n)
	for range n {
		f, load, _ := c.capacity(draw(rng))
		loads = append(loads, load)
		if f.Knee > 0 && f.Shape == fit.Shape {
			knees = append(knees, f.Knee)
		}
	}
	capacity = sizingQuantiles(loads)
	capacity.OpenLow, capacity.OpenHigh = capacity.Low <= 0, capacity.High >= fit.To
	if fit.Knee > 0 && len(knees) >= 20 {
		knee = sizingQuantiles(knees)
	}
	return capacity, knee
}

func sizingQuantiles(values []float64) *SizingInterval {
	sorted := metrics.Sorted(values)
	return &SizingInterval{Low: metrics.Percentile(sorted, 2.5), High: metrics.Percentile(sorted, 97.5)}
}

// drawSamples returns a function that draws the p95s of a sweep like this one,
// each from blocks of its run's samples, and how many values that takes; nil
// where a run has fewer than 20 samples.
func (c *sizingCurve) drawSamples() (draw func(*rand.Rand) []float64, work int) {
	runs := make([]sizingBlocks, len(c.samples))
	for i, samples := range c.samples {
		if len(samples) < 20 {
			return nil, 0
		}
		runs[i] = newSizingBlocks(samples)
		work += len(samples)
	}
	p95 := make([]float64, len(runs))
	return func(rng *rand.Rand) []float64 {
		for i := range runs {
			p95[i] = runs[i].p95(rng)
		}
		return p95
	}, work
}

// drawResiduals returns a function that draws p95s around the fit with its own
// residuals, widened to what the fit took out of them; nil where the fit has
// too few points to tell them.
func (c *sizingCurve) drawResiduals(fit *KneeFit) func(*rand.Rand) []float64 {
	parameters := map[KneeShape]int{KneeFlat: 1, KneeLinear: 2, KneeRising: 4, KneeSaturated: 4}[fit.Shape]
	n := len(c.loads)
	if n < parameters+2 {
		return nil
	}
	widen := math.Sqrt(float64(n) / float64(n-parameters))
	residuals := make([]float64, n)
	for i := range residuals {
		residuals[i] = widen * (c.p95[i] - fit.At(c.loads[i]))
	}
	drawn := make([]float64, n)
	return func(rng *rand.Rand) []float64 {
		for i, load := range c.loads {
			drawn[i] = fit.At(load) + residuals[rng.IntN(n)]
		}
		return drawn
	}
}

// sizingBlocks draws p95s of one run by the circular block bootstrap. Blocks
// of n^(1/3) values keep what neighbours have in common.
type sizingBlocks struct {
	sorted []float64
	rank   []int32 // position in sorted of the i-th value
	length int
	times  []int // how often each rank was drawn
}

func newSizingBlocks(samples []float64) sizingBlocks {
	n := len(samples)
	return sizingBlocks{
		sorted: metrics.Sorted(samples),
		rank:   ranks(samples),
		length: int(math.Ceil(math.Cbrt(float64(n)))),
		times:  make([]int, n),
	}
}

// p95 draws n values and returns their p95, counting ranks in place of
// sorting.
func (b *sizingBlocks) p95(rng *rand.Rand) float64 {
	n := len(b.rank)
	clear(b.times)
	for drawn := 0; drawn < n; {
		start := rng.IntN(n)
		for k := 0; k < b.length && drawn < n; k, drawn = k+1, drawn+1 {
			i := start + k
			if i >= n {
				i -= n
			}
			b.times[b.rank[i]]++
		}
	}
	return countedPercentile(b.sorted, b.times, 95)
}
