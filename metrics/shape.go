package metrics

import (
	"math"
	"sort"
)

// A Shape is how the values of a metric are distributed, in its display unit.
type Shape struct {
	Count int64 `json:"count"`
	// Quantiles are the values at ShapeLevels.
	Quantiles Numbers `json:"quantiles"`
	// Bins count the values in [From + i·Width, From + (i+1)·Width); Above are
	// those beyond the last bin, which are the largest hundredth at most.
	From  float64 `json:"from"`
	Width float64 `json:"bin_width"`
	Bins  []int64 `json:"bins"`
	Above int64   `json:"above"`
}

// shaped are the metrics whose distributions are drawn.
var shaped = [...]ID{TTFT, ITL, RequestLatency, ISL, OSL}

// ShapeLevels are the percentiles that a Shape has, from 0 to 100.
func ShapeLevels() []float64 {
	var levels []float64
	for p := range 100 {
		levels = append(levels, float64(p))
	}
	return append(levels, 99.5, 99.9, 99.99, 100)
}

func (t *tally) shapes() map[string]*Shape {
	shapes := map[string]*Shape{}
	for _, id := range shaped {
		if t.dists[id].count() > 0 {
			tag := tagOf(id)
			d, _ := Lookup(tag)
			shapes[tag] = t.dists[id].shape(d.Integer)
		}
	}
	return shapes
}

const mostBins = 40

// shape returns how the values are distributed: those of whole numbers in bins
// of whole numbers, each centred on its own.
func (d *distribution) shape(whole bool) *Shape {
	s := &Shape{Count: d.count()}
	m := d.moments()
	for _, p := range ShapeLevels() {
		s.Quantiles = append(s.Quantiles, min(max(d.percentile(p), m.min), m.max))
	}
	low, high := m.min, s.Quantiles[99]
	n := mostBins
	switch {
	case whole:
		low -= 0.5
		s.Width = max(math.Ceil((high+0.5-low)/mostBins), 1)
		n = max(int(math.Ceil((high+0.5-low)/s.Width)), 1)
	case high > low:
		s.Width = (high - low) / mostBins
	default:
		s.Width, n = max(math.Abs(low)/100, 0.001), 1
	}
	s.From = low
	below := int64(0)
	for i := range n {
		edge := low + float64(i+1)*s.Width
		upTo := d.below(edge)
		if i == n-1 && !whole {
			upTo = d.upTo(edge)
		}
		s.Bins = append(s.Bins, upTo-below)
		below = upTo
	}
	s.Above = d.count() - below
	return s
}

// below is how many values are less than an edge, upTo how many are not more;
// beyond ExactLimit within the histogram's digits.
func (d *distribution) below(edge float64) int64 {
	return d.before(func(v float64) bool { return v >= edge })
}

func (d *distribution) upTo(edge float64) int64 {
	return d.before(func(v float64) bool { return v > edge })
}

func (d *distribution) before(past func(float64) bool) int64 {
	if d.isExact() {
		values := d.sorted()
		return int64(sort.Search(len(values), func(i int) bool { return past(values[i]) }))
	}
	return int64(sort.Search(int(d.count()), func(i int) bool { return past(d.atRank(int64(i) + 1)) }))
}
