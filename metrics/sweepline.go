package metrics

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// A span is a request's time in flight, [from, to): one that ends when another
// begins does not overlap it.
type span struct{ from, to time.Duration }

// concurrency sweeps over the spans and returns the time-weighted distribution
// of how many are open during the whole, which covers them; nil where none is
// ever open. The slice is reordered.
func concurrency(spans []span, whole span) *Stats {
	spans = slices.DeleteFunc(spans, func(s span) bool { return s.to <= s.from })
	if len(spans) == 0 {
		return nil
	}
	slices.SortFunc(spans, func(a, b span) int { return cmp.Compare(a.from, b.from) })
	ends := make([]time.Duration, len(spans))
	for i, s := range spans {
		ends[i] = s.to
	}
	slices.Sort(ends)

	var at []time.Duration // time spent at each level
	now, level := whole.from, 0
	for i, j := 0, 0; j < len(ends); {
		next := ends[j]
		begins := i < len(spans) && spans[i].from < next
		if begins {
			next = spans[i].from
		}
		for len(at) <= level {
			at = append(at, 0)
		}
		at[level] += next - now
		now = next
		if begins {
			level, i = level+1, i+1
		} else {
			level, j = level-1, j+1
		}
	}
	at[0] += whole.to - now
	return weighted(at, whole.to-whole.from)
}

// weighted makes the distribution of levels out of the time spent at each. It
// has the figures that AIPerf gives for its time-weighted metrics; the others
// are NaN.
func weighted(at []time.Duration, total time.Duration) *Stats {
	s := &Stats{Min: math.Inf(1)}
	for level, d := range at {
		if d > 0 {
			s.Avg += float64(level) * float64(d) / float64(total)
			s.Min, s.Max = min(s.Min, float64(level)), max(s.Max, float64(level))
		}
	}
	variance := 0.0
	for level, d := range at {
		variance += (float64(level) - s.Avg) * (float64(level) - s.Avg) * float64(d) / float64(total)
	}
	s.Std = math.Sqrt(variance)
	for _, p := range s.percentiles() {
		sum := time.Duration(0)
		for level, d := range at {
			sum += d
			if d > 0 && float64(sum) >= p.level/100*float64(total) {
				*p.value = float64(level)
				break
			}
		}
	}
	nan := math.NaN()
	s.P1, s.P5, s.P10, s.P25, s.P75, s.Sum = nan, nan, nan, nan, nan, nan
	return s
}
