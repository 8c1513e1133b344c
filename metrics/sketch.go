package metrics

import (
	"cmp"
	"math"
	"slices"
)

// A sketch is a distribution of times within 1.6 %, small enough for there to
// be one in each slice of a run's time. Values share a bucket when their first
// five binary digits are the same: 32 to an octave. Sum and maximum are exact.
// The zero value is empty.
type sketch struct {
	count    int
	sum, max float64
	buckets  []bucket // in ascending order, none empty
}

// A bucket is how often a value's first digits occurred.
type bucket struct {
	digits uint16
	times  uint32
}

const keptDigits = 52 - 5 // of the 52 of a float64's fraction, so many are cut

func (s *sketch) add(v float64) {
	s.count++
	s.sum += v
	s.max = max(s.max, v)
	digits := uint16(math.Float64bits(max(v, 0)) >> keptDigits)
	at, found := slices.BinarySearchFunc(s.buckets, digits, func(b bucket, d uint16) int { return cmp.Compare(b.digits, d) })
	if !found {
		s.buckets = slices.Insert(s.buckets, at, bucket{digits: digits})
	}
	s.buckets[at].times++
}

// join adds what another sketch holds, and may take its memory.
func (s *sketch) join(o *sketch) {
	switch {
	case o.count == 0:
		return
	case s.count == 0:
		*s = *o
		return
	}
	s.count += o.count
	s.sum += o.sum
	s.max = max(s.max, o.max)
	both := make([]bucket, 0, len(s.buckets)+len(o.buckets))
	a, b := s.buckets, o.buckets
	for len(a) > 0 && len(b) > 0 {
		switch {
		case a[0].digits < b[0].digits:
			both, a = append(both, a[0]), a[1:]
		case a[0].digits > b[0].digits:
			both, b = append(both, b[0]), b[1:]
		default:
			both = append(both, bucket{a[0].digits, a[0].times + b[0].times})
			a, b = a[1:], b[1:]
		}
	}
	s.buckets = append(append(both, a...), b...)
}

// percentile is the p-th percentile (0..100) by nearest rank, from the middle of
// its bucket; NaN when empty.
func (s *sketch) percentile(p float64) float64 {
	if s.count == 0 {
		return math.NaN()
	}
	rank := max(int(math.Ceil(p/100*float64(s.count))), 1)
	for _, b := range s.buckets {
		if rank -= int(b.times); rank <= 0 {
			low := math.Float64frombits(uint64(b.digits) << keptDigits)
			high := math.Float64frombits((uint64(b.digits) + 1) << keptDigits)
			return min((low+high)/2, s.max)
		}
	}
	return s.max
}
