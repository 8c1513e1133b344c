package metrics

import (
	"math"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// ExactLimit is how many values of a metric are held one by one; beyond it
// the metric goes on in an HdrHistogram of three significant digits, whose
// percentiles are within 0.1 %. Average, deviation, minimum, maximum and sum
// stay exact.
const ExactLimit = 1 << 17

// Values go into a histogram as multiples of a millionth of their unit:
// milliseconds as nanoseconds. maxTick is 10⁹ units: eleven days in ms.
const (
	ticksPerUnit = 1e6
	maxTick      = int64(1e15)
)

// A distribution folds the values of one metric. The zero value is ready.
type distribution struct {
	exact    []float64               // in order of arrival
	ordered  []float64               // the same in ascending order, as far as sorted has been asked for it
	pos, neg *hdrhistogram.Histogram // nil until exact is full; neg holds magnitudes

	n        int64
	sum      float64
	squares  float64 // of the distances from pivot, the first value
	pivot    float64
	min, max float64
}

func newHistogram() *hdrhistogram.Histogram { return hdrhistogram.New(1, maxTick, 3) }

func (d *distribution) add(v float64) {
	if d.n == 0 {
		d.pivot, d.min, d.max = v, v, v
	}
	d.n++
	d.sum += v
	d.squares += (v - d.pivot) * (v - d.pivot)
	d.min, d.max = min(d.min, v), max(d.max, v)
	if d.pos != nil {
		d.record(v)
		return
	}
	d.exact = append(d.exact, v)
	if len(d.exact) > ExactLimit {
		d.pos = newHistogram()
		for _, v := range d.exact {
			d.record(v)
		}
		d.exact, d.ordered = nil, nil
	}
}

// sorted returns the exact values in ascending order. They are sorted once,
// however many percentiles are asked for.
func (d *distribution) sorted() []float64 {
	if len(d.ordered) != len(d.exact) {
		d.ordered = Sorted(d.exact)
	}
	return d.ordered
}

func (d *distribution) record(v float64) {
	if v >= 0 {
		record(d.pos, v)
		return
	}
	if d.neg == nil {
		d.neg = newHistogram()
	}
	record(d.neg, -v)
}

// record clamps to what a histogram can hold, so that recording cannot fail.
func record(h *hdrhistogram.Histogram, v float64) {
	_ = h.RecordValue(int64(min(v*ticksPerUnit, float64(maxTick))))
}

// isExact reports whether every value is still held.
func (d *distribution) isExact() bool { return d.pos == nil }

// stats returns the distribution, nil when it is empty.
func (d *distribution) stats() *Stats {
	if d.n == 0 {
		return nil
	}
	if d.isExact() {
		return newStats(d.exact, d.sorted())
	}
	n := float64(d.n)
	mean := d.sum / n
	variance := d.squares/n - (mean-d.pivot)*(mean-d.pivot)
	s := &Stats{Avg: mean, Min: d.min, Max: d.max, Std: math.Sqrt(max(variance, 0)), Count: d.n, Sum: d.sum}
	for _, p := range s.percentiles() {
		*p.value = d.atRank(int64(math.Ceil(p.level / 100 * n)))
	}
	return s
}

// percentile returns the p-th percentile (0..100), NaN when empty.
func (d *distribution) percentile(p float64) float64 {
	if d.n == 0 {
		return math.NaN()
	}
	if d.isExact() {
		return Percentile(d.sorted(), p)
	}
	return d.atRank(int64(math.Ceil(p / 100 * float64(d.n))))
}

// atRank returns the rank-th smallest value, from 1, out of the histograms.
func (d *distribution) atRank(rank int64) float64 {
	rank = max(rank, 1)
	below := int64(0)
	if d.neg != nil {
		below = d.neg.TotalCount()
	}
	if rank <= below {
		return max(-valueAt(d.neg, below-rank+1), d.min)
	}
	return min(max(valueAt(d.pos, rank-below), d.min), d.max)
}

func valueAt(h *hdrhistogram.Histogram, rank int64) float64 {
	return float64(h.ValueAtPercentile(100*float64(rank)/float64(h.TotalCount()))) / ticksPerUnit
}

// adjusted returns the distribution with failed values of +Inf behind its own,
// by nearest rank as AIPerf's adj_ metrics are. A figure that would be infinite
// is NaN: not applicable.
func (d *distribution) adjusted(failed int64) *Stats {
	n := d.n + failed
	nan := math.NaN()
	s := &Stats{Avg: nan, Max: nan, Std: nan, Sum: nan, Min: d.min, Count: n}
	sorted := d.sorted()
	for _, p := range s.percentiles() {
		rank := max(int64(math.Ceil(p.level/100*float64(n))), 1)
		switch {
		case rank > d.n:
			*p.value = nan
		case d.isExact():
			*p.value = sorted[rank-1]
		default:
			*p.value = d.atRank(rank)
		}
	}
	return s
}
