package metrics

import (
	"math"
	"slices"
)

// ExactLimit is how many values of a metric are held one by one; beyond it
// the metric goes on in an HdrHistogram of three significant digits, whose
// percentiles are within 0.1 %. Average, deviation, minimum, maximum and sum
// stay exact.
const ExactLimit = 192 * blockLen

// A distribution folds the values of one metric. The zero value is ready.
//
// A value that comes again and again, as token counts and sizes do, costs and
// holds next to nothing: only when another one comes is it taken in, as often
// as it came.
type distribution struct {
	last  float64
	times int64 // how often last came in a row; these are in none of what follows

	n     int64         // values taken in
	exact list[float64] // these, in order of arrival; empty when there are too many
	moved int           // of its full blocks, how many are in rest as well
	rest  histogram

	ordered []float64 // the exact values in ascending order, as far as sorted has been asked for it
}

func (d *distribution) add(v float64) {
	if v != d.last {
		d.settle()
		d.last = v
	}
	d.times++
}

// settle takes in the value that came last.
func (d *distribution) settle() {
	times := d.times
	d.n, d.times = d.n+times, 0
	if d.n > ExactLimit {
		if d.exact.len() > 0 {
			d.release()
		}
		d.rest.add(d.last, times)
		return
	}
	for range times {
		d.hold(d.last)
	}
}

// hold keeps an exact value. From half of the limit on, two blocks move into
// the histogram for every one that fills: all but the last are there when the
// limit is reached, and no request waits until they are.
func (d *distribution) hold(v float64) {
	if !d.exact.add(v) || len(d.exact.full) < ExactLimit/blockLen/2 {
		return
	}
	for range min(2, len(d.exact.full)-d.moved) {
		d.rest.addAll(d.exact.full[d.moved])
		d.moved++
	}
}

// release moves what is left of the exact values and lets go of them.
func (d *distribution) release() {
	for _, b := range d.exact.full[d.moved:] {
		d.rest.addAll(b)
	}
	d.rest.addAll(d.exact.tail)
	d.exact, d.moved, d.ordered = list[float64]{}, 0, nil
}

// count is how many values there are.
func (d *distribution) count() int64 { return d.n + d.times }

// isExact reports whether every value is still held.
func (d *distribution) isExact() bool { return d.count() <= ExactLimit }

// values returns the exact values in order of arrival.
func (d *distribution) values() []float64 {
	values := slices.AppendSeq(make([]float64, 0, d.count()), d.exact.all())
	for range d.times {
		values = append(values, d.last)
	}
	return values
}

// sorted returns the exact values in ascending order. They are sorted once,
// however many percentiles are asked for.
func (d *distribution) sorted() []float64 {
	if int64(len(d.ordered)) != d.count() {
		d.ordered = d.values()
		slices.Sort(d.ordered)
	}
	return d.ordered
}

// moments returns those of all values.
func (d *distribution) moments() moments {
	m := d.rest.moments
	for _, b := range d.exact.full[d.moved:] {
		m.addAll(b)
	}
	m.addAll(d.exact.tail)
	if d.times > 0 {
		m.add(d.last, d.times)
	}
	return m
}

// stats returns the distribution, nil when it is empty.
func (d *distribution) stats() *Stats {
	if d.count() == 0 {
		return nil
	}
	if d.isExact() {
		return newStats(d.values(), d.sorted())
	}
	m := d.moments()
	s := &Stats{Avg: m.mean(), Min: m.min, Max: m.max, Std: m.deviation(), Count: m.n, Sum: m.sum}
	for _, p := range s.percentiles() {
		*p.value = d.atRank(int64(math.Ceil(p.level / 100 * float64(m.n))))
	}
	return s
}

// percentile returns the p-th percentile (0..100), NaN when empty.
func (d *distribution) percentile(p float64) float64 {
	if d.count() == 0 {
		return math.NaN()
	}
	if d.isExact() {
		return Percentile(d.sorted(), p)
	}
	return d.atRank(int64(math.Ceil(p / 100 * float64(d.count()))))
}

// atRank returns the rank-th smallest value, from 1, of more than are exact.
func (d *distribution) atRank(rank int64) float64 {
	d.settle()
	return d.rest.atRank(max(rank, 1))
}

// adjusted returns the distribution with failed values of +Inf behind its own,
// by nearest rank as AIPerf's adj_ metrics are. A figure that would be infinite
// is NaN: not applicable.
func (d *distribution) adjusted(failed int64) *Stats {
	n := d.count() + failed
	nan := math.NaN()
	s := &Stats{Avg: nan, Max: nan, Std: nan, Sum: nan, Min: d.moments().min, Count: n}
	for _, p := range s.percentiles() {
		rank := max(int64(math.Ceil(p.level/100*float64(n))), 1)
		switch {
		case rank > d.count():
			*p.value = nan
		case d.isExact():
			*p.value = d.sorted()[rank-1]
		default:
			*p.value = d.atRank(rank)
		}
	}
	return s
}
