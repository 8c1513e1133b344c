package stats

import "math"

// Pareto returns the indices of the points that no other dominates: none is
// as good in every objective and better in one. Equal points all stay; a
// point with an undefined objective is left out. maximize has one entry per
// objective.
func Pareto(points [][]float64, maximize []bool) []int {
	frontier := []int{}
	for i, p := range points {
		if defined(p) && !dominated(p, points, maximize) {
			frontier = append(frontier, i)
		}
	}
	return frontier
}

func defined(point []float64) bool {
	for _, v := range point {
		if math.IsNaN(v) {
			return false
		}
	}
	return true
}

func dominated(p []float64, points [][]float64, maximize []bool) bool {
	for _, q := range points {
		if defined(q) && dominates(q, p, maximize) {
			return true
		}
	}
	return false
}

func dominates(q, p []float64, maximize []bool) bool {
	better := false
	for k := range p {
		gain := p[k] - q[k]
		if maximize[k] {
			gain = -gain
		}
		if gain < 0 {
			return false
		}
		better = better || gain > 0
	}
	return better
}
