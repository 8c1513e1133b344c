package analyze

import (
	"math"
	"slices"
	"sort"
)

// A Segment is a stretch of time with a constant number of calls in flight.
// Times are seconds since the trace's epoch.
type Segment struct {
	Start, End float64
	Level      int
}

// A Timeline is the number of calls in flight over time, cut wherever a call
// starts or ends. Calls are half-open: one that ends when another starts does
// not overlap it.
type Timeline struct {
	Segments []Segment
	// area[i] is ∫level dt and share[i] ∫1/level dt (over busy time) before
	// segment i, so that any window costs a binary search.
	area, share []float64
}

// NewTimeline sweeps over intervals given by their starts and ends; both
// slices are sorted in place. A zero-length interval cuts the time but never
// counts.
func NewTimeline(starts, ends []float64) *Timeline {
	slices.Sort(starts)
	slices.Sort(ends)
	most := len(starts) + len(ends)
	t := &Timeline{
		Segments: make([]Segment, 0, most), area: make([]float64, 0, most+1), share: make([]float64, 0, most+1),
	}
	level, last := 0, math.Inf(-1)
	area, share := 0.0, 0.0
	for i, j := 0, 0; j < len(ends); {
		now := ends[j]
		if i < len(starts) && starts[i] < now {
			now = starts[i]
		}
		if now > last && !math.IsInf(last, -1) {
			t.Segments = append(t.Segments, Segment{last, now, level})
			t.area = append(t.area, area)
			t.share = append(t.share, share)
			area += float64(level) * (now - last)
			if level > 0 {
				share += (now - last) / float64(level)
			}
		}
		for ; j < len(ends) && ends[j] == now; j++ {
			level--
		}
		for ; i < len(starts) && starts[i] == now; i++ {
			level++
		}
		last = now
	}
	t.area = append(t.area, area)
	t.share = append(t.share, share)
	return t
}

// peakOf returns the most intervals that overlap, given by their starts and
// ends, which are sorted in place. Those of no length never count.
func peakOf(starts, ends []float64) int {
	slices.Sort(starts)
	slices.Sort(ends)
	level, peak := 0, 0
	for i, j := 0, 0; i < len(starts); {
		now := starts[i]
		for ; j < len(ends) && ends[j] <= now; j++ {
			level--
		}
		for ; i < len(starts) && starts[i] == now; i++ {
			level++
		}
		peak = max(peak, level)
	}
	return peak
}

// Span returns the first and the last moment; both 0 for no calls.
func (t *Timeline) Span() (from, to float64) {
	if len(t.Segments) == 0 {
		return 0, 0
	}
	return t.Segments[0].Start, t.Segments[len(t.Segments)-1].End
}

// at returns the segment that contains a moment, -1 outside all.
func (t *Timeline) at(moment float64) int {
	i := sort.Search(len(t.Segments), func(i int) bool { return t.Segments[i].End > moment })
	if i == len(t.Segments) || t.Segments[i].Start > moment {
		return -1
	}
	return i
}

// Level returns the number of calls in flight at a moment, 0 outside.
func (t *Timeline) Level(moment float64) int {
	if i := t.at(moment); i >= 0 {
		return t.Segments[i].Level
	}
	return 0
}

// Area returns the call-seconds in flight between two moments.
func (t *Timeline) Area(from, to float64) float64 {
	return t.integral(t.area, to, func(level float64) float64 { return level }) -
		t.integral(t.area, from, func(level float64) float64 { return level })
}

// Share returns the seconds that one call active from start to end has to
// itself when each instant is divided among all that are active.
func (t *Timeline) Share(from, to float64) float64 {
	inverse := func(level float64) float64 {
		if level == 0 {
			return 0
		}
		return 1 / level
	}
	return t.integral(t.share, to, inverse) - t.integral(t.share, from, inverse)
}

func (t *Timeline) integral(before []float64, moment float64, rate func(level float64) float64) float64 {
	from, to := t.Span()
	if moment <= from {
		return 0
	}
	if moment >= to {
		return before[len(before)-1]
	}
	i := t.at(moment)
	s := t.Segments[i]
	return before[i] + rate(float64(s.Level))*(moment-s.Start)
}

// Distribution returns the seconds spent at each level that occurs, in order
// of level.
func (t *Timeline) Distribution() []LevelTime {
	var seconds []float64
	var seen []bool
	for _, s := range t.Segments {
		for len(seconds) <= s.Level {
			seconds = append(seconds, 0)
			seen = append(seen, false)
		}
		seconds[s.Level] += s.End - s.Start
		seen[s.Level] = true
	}
	var levels []LevelTime
	for level, sec := range seconds {
		if seen[level] {
			levels = append(levels, LevelTime{level, sec})
		}
	}
	return levels
}

// A LevelTime is how long a level of concurrency lasted in all.
type LevelTime struct {
	Level   int
	Seconds float64
}

// levelPercentile returns the smallest level that was not exceeded for p
// percent of the time; undefined without time.
func levelPercentile(levels []LevelTime, p float64) Number {
	total := 0.0
	for _, l := range levels {
		total += l.Seconds
	}
	if total == 0 {
		return undefined
	}
	// Sums of differences of large times are not exact: a level that is short
	// of its share by rounding alone has reached it.
	need, sum := p/100*total*(1-1e-12), 0.0
	for _, l := range levels {
		sum += l.Seconds
		if sum >= need {
			return Number(l.Level)
		}
	}
	return Number(levels[len(levels)-1].Level)
}

// busy leaves out the time at level 0.
func busy(levels []LevelTime) []LevelTime {
	if len(levels) > 0 && levels[0].Level == 0 {
		return levels[1:]
	}
	return levels
}
