package stats

import (
	"math"
	"slices"
)

// A RankTest is Mann and Whitney's, by counting arrangements.
type RankTest struct {
	U, UBase int     // UBase counts the pairs in which base is greater; U is the smaller of it and its mirror
	P        float64 // two-sided
	LeastP   float64 // what complete separation would give
}

// MannWhitney tests two samples without ties, up to about 1,000 values in
// all. With five runs a side it cannot reject after a correction for twenty
// tests, so no decision here rests on it.
func MannWhitney(base, fresh []float64) RankTest {
	t := RankTest{}
	for _, b := range base {
		for _, f := range fresh {
			if b > f {
				t.UBase++
			}
		}
	}
	t.U = min(t.UBase, len(base)*len(fresh)-t.UBase)
	at := arrangements(len(base), len(fresh))
	t.P, t.LeastP = min(1, 2*at[t.U]), min(1, 2*at[0])
	return t
}

// arrangements returns P(U ≤ u) for every u when all orders of n and m values
// are equally likely. The number of orders with a given u are the
// coefficients of the Gaussian binomial ∏(1−q^(m+i))/(1−q^i).
func arrangements(n, m int) []float64 {
	count := make([]float64, n*m+1)
	count[0] = 1
	for i := 1; i <= n; i++ {
		for u := len(count) - 1; u >= m+i; u-- {
			count[u] -= count[u-m-i]
		}
		for u := i; u < len(count); u++ {
			count[u] += count[u-i]
		}
	}
	for u := 1; u < len(count); u++ {
		count[u] += count[u-1]
	}
	all := count[len(count)-1]
	for u := range count {
		count[u] /= all
	}
	return count
}

// A Shift is Hodges and Lehmann's estimate of how far new lies above base.
type Shift struct {
	Shift        float64
	Rank         int // of the difference that is the lower bound; 0 for none
	Lower, Upper float64
	Achieved     float64 // the confidence that the bounds have
}

// HodgesLehmann takes the median of all differences, and their order
// statistics for bounds, by inverting the rank test.
func HodgesLehmann(base, fresh []float64, confidence float64) Shift {
	var d []float64
	for _, b := range base {
		for _, f := range fresh {
			d = append(d, f-b)
		}
	}
	slices.Sort(d)
	s := Shift{Shift: Quantile(d, 0.5), Lower: math.NaN(), Upper: math.NaN(), Achieved: math.NaN()}
	at := arrangements(len(base), len(fresh))
	for s.Rank < len(d) && 2*at[s.Rank] <= 1-confidence {
		s.Rank++
	}
	if s.Rank > 0 {
		s.Lower, s.Upper = d[s.Rank-1], d[len(d)-s.Rank]
		s.Achieved = 1 - 2*at[s.Rank-1]
	}
	return s
}
