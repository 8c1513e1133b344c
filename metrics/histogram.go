package metrics

import (
	"math"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Values go into a histogram as multiples of a millionth of their unit:
// milliseconds as nanoseconds. maxTick is 10⁹ units: eleven days in ms.
const (
	ticksPerUnit = 1e6
	maxTick      = int64(1e15)
)

func newHistogram() *hdrhistogram.Histogram { return hdrhistogram.New(1, maxTick, 3) }

// record clamps to what a histogram can hold, so that recording cannot fail.
func record(h *hdrhistogram.Histogram, v float64, times int64) {
	_ = h.RecordValues(int64(min(v*ticksPerUnit, float64(maxTick))), times)
}

// A histogram is what is left of values that are too many to be kept: their
// moments, and where they lie within 0.1 %. The zero value is empty.
type histogram struct {
	moments
	pos, neg *hdrhistogram.Histogram // nil until needed; neg holds magnitudes
}

func (h *histogram) add(v float64, times int64) {
	h.moments.add(v, times)
	side := &h.pos
	if v < 0 {
		side, v = &h.neg, -v
	}
	if *side == nil {
		*side = newHistogram()
	}
	record(*side, v, times)
}

func (h *histogram) addAll(values []float64) {
	for _, v := range values {
		h.add(v, 1)
	}
}

// atRank returns the rank-th smallest value, from 1.
func (h *histogram) atRank(rank int64) float64 {
	below := int64(0)
	if h.neg != nil {
		below = h.neg.TotalCount()
	}
	if rank <= below {
		return max(-valueAt(h.neg, below-rank+1), h.min)
	}
	return min(max(valueAt(h.pos, rank-below), h.min), h.max)
}

func valueAt(h *hdrhistogram.Histogram, rank int64) float64 {
	return float64(h.ValueAtPercentile(100*float64(rank)/float64(h.TotalCount()))) / ticksPerUnit
}

// A moments is what can be told exactly of values without keeping them.
type moments struct {
	n        int64
	sum      float64
	squares  float64 // of the distances from pivot, the first value
	pivot    float64
	min, max float64
}

func (m *moments) add(v float64, times int64) {
	if m.n == 0 {
		m.pivot, m.min, m.max = v, v, v
	}
	n := float64(times)
	m.n += times
	m.sum += n * v
	m.squares += n * (v - m.pivot) * (v - m.pivot)
	m.min, m.max = min(m.min, v), max(m.max, v)
}

func (m *moments) addAll(values []float64) {
	for _, v := range values {
		m.add(v, 1)
	}
}

func (m *moments) mean() float64 { return m.sum / float64(m.n) }

// deviation is that of the population.
func (m *moments) deviation() float64 {
	off := m.mean() - m.pivot
	return math.Sqrt(max(m.squares/float64(m.n)-off*off, 0))
}
