package analyze

import (
	"cmp"
	"math"
	"slices"

	"loadgen/metrics"
)

// ascending returns the indices of values from the least to the greatest.
func ascending(values []float64) []int32 {
	order := make([]int32, len(values))
	for i := range order {
		order[i] = int32(i)
	}
	slices.SortFunc(order, func(a, b int32) int {
		return cmp.Or(cmp.Compare(values[a], values[b]), cmp.Compare(a, b))
	})
	return order
}

// ranks returns each value's position in sorted order; equal values are
// ranked in the order they come.
func ranks(values []float64) []int32 {
	rank := make([]int32, len(values))
	for r, i := range ascending(values) {
		rank[i] = int32(r)
	}
	return rank
}

// Spearman returns the rank correlation of two columns, with equal values at
// their mean rank; undefined for fewer than three pairs or a constant column.
func Spearman(x, y []float64) Number {
	if len(x) != len(y) || len(x) < 3 {
		return undefined
	}
	return pearson(meanRanks(x), meanRanks(y))
}

func meanRanks(values []float64) []float64 {
	order := ascending(values)
	rank := make([]float64, len(values))
	for i := 0; i < len(order); {
		j := i + 1
		for j < len(order) && values[order[j]] == values[order[i]] {
			j++
		}
		for _, k := range order[i:j] {
			rank[k] = float64(i+j-1) / 2
		}
		i = j
	}
	return rank
}

func pearson(x, y []float64) Number {
	mx, my := metrics.Mean(x), metrics.Mean(y)
	var xx, yy, xy float64
	for i := range x {
		xx += (x[i] - mx) * (x[i] - mx)
		yy += (y[i] - my) * (y[i] - my)
		xy += (x[i] - mx) * (y[i] - my)
	}
	if xx == 0 || yy == 0 {
		return undefined
	}
	return Number(xy / math.Sqrt(xx*yy))
}

// A Line is a straight line fitted by least squares, with the share R2 of the
// variance that it explains.
type Line struct {
	Intercept, Slope, R2 float64
	N                    int
}

// leastSquares fits y = intercept + slope·x; ok is false for fewer than three
// points or where all x are the same.
func leastSquares(x, y []float64) (line Line, ok bool) {
	if len(x) < 3 {
		return Line{}, false
	}
	mx, my := metrics.Mean(x), metrics.Mean(y)
	var xx, yy, xy float64
	for i := range x {
		xx += (x[i] - mx) * (x[i] - mx)
		yy += (y[i] - my) * (y[i] - my)
		xy += (x[i] - mx) * (y[i] - my)
	}
	if xx == 0 {
		return Line{}, false
	}
	line = Line{Slope: xy / xx, N: len(x)}
	line.Intercept = my - line.Slope*mx
	if yy > 0 {
		line.R2 = xy * xy / (xx * yy)
	}
	return line, true
}
