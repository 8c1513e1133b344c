package metrics

import (
	"fmt"
	"math"
	"slices"
)

// Percentile returns the p-th percentile (0..100) of values sorted in
// ascending order, by linear interpolation between order statistics at
// (n−1)·p/100: numpy's default and AIPerf's. NaN for no values.
func Percentile(sorted []float64, p float64) float64 {
	n := len(sorted)
	if n == 0 {
		return math.NaN()
	}
	k := float64(n-1) * p / 100
	i := int(k)
	if i+1 >= n {
		return sorted[n-1]
	}
	return sorted[i] + (k-float64(i))*(sorted[i+1]-sorted[i])
}

// Mean returns the arithmetic mean, NaN for no values.
func Mean(values []float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	return sum / float64(len(values))
}

// PopulationStdDev divides by n, as AIPerf's files do; NaN for no values.
func PopulationStdDev(values []float64) float64 {
	return math.Sqrt(squares(values) / float64(len(values)))
}

// SampleStdDev divides by n−1, as intervals need; NaN for fewer than two
// values.
func SampleStdDev(values []float64) float64 {
	if len(values) < 2 {
		return math.NaN()
	}
	return math.Sqrt(squares(values) / float64(len(values)-1))
}

func squares(values []float64) float64 {
	mean, sum := Mean(values), 0.0
	for _, v := range values {
		sum += (v - mean) * (v - mean)
	}
	return sum
}

// Sorted returns a sorted copy.
func Sorted(values []float64) []float64 {
	s := slices.Clone(values)
	slices.Sort(s)
	return s
}

// NewStats folds values, in any order, into their distribution; nil for none.
func NewStats(values []float64) *Stats { return newStats(values, Sorted(values)) }

func newStats(values, sorted []float64) *Stats {
	n := len(values)
	if n == 0 {
		return nil
	}
	mean := Mean(values)
	s := &Stats{Avg: mean, Min: sorted[0], Max: sorted[n-1], Std: PopulationStdDev(values), Count: int64(n)}
	for _, v := range values {
		s.Sum += v
	}
	for _, p := range s.percentiles() {
		*p.value = Percentile(sorted, p.level)
	}
	return s
}

type percentile struct {
	level float64
	value *float64
}

func (s *Stats) percentiles() [9]percentile {
	return [...]percentile{
		{1, &s.P1},
		{5, &s.P5},
		{10, &s.P10},
		{25, &s.P25},
		{50, &s.P50},
		{75, &s.P75},
		{90, &s.P90},
		{95, &s.P95},
		{99, &s.P99},
	}
}

// Named returns the statistic of a name as the JSON export has it: avg, min,
// max, std, sum, or p1 to p99. An empty name is the average.
func (s *Stats) Named(name string) (float64, bool) {
	switch name {
	case "", "avg":
		return s.Avg, true
	case "min":
		return s.Min, true
	case "max":
		return s.Max, true
	case "std":
		return s.Std, true
	case "sum":
		return s.Sum, s.Count > 0
	}
	for _, p := range s.percentiles() {
		if name == fmt.Sprintf("p%g", p.level) {
			return *p.value, true
		}
	}
	return 0, false
}

// Supported reports whether n values can support the p-th percentile: at least
// one of them must be expected beyond it. p90 needs 10, p95 20, p99 100 and
// p99.9 1,000; p1 as many as p99.
func Supported(p float64, n int64) bool {
	tail := min(p, 100-p)
	return float64(n)*tail > 100-1e-6 // 99.9 is not exact in binary
}
