package stats

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/mathext"
	"gonum.org/v1/gonum/stat/distuv"
)

// StudentQuantile is the p quantile of Student's t with so many degrees of freedom,
// which need not be whole.
func StudentQuantile(p, df float64) float64 {
	if math.IsInf(df, 1) {
		return NormalQuantile(p)
	}
	return distuv.StudentsT{Sigma: 1, Nu: df}.Quantile(p)
}

// tTail is P(T > x) under Student's t.
func tTail(x, df float64) float64 {
	switch {
	case math.IsInf(x, 1):
		return 0
	case math.IsInf(x, -1):
		return 1
	case math.IsInf(df, 1):
		return distuv.UnitNormal.CDF(-x)
	}
	return distuv.StudentsT{Sigma: 1, Nu: df}.CDF(-x)
}

// chiSquaredQuantile is the p quantile of χ² with so many degrees of freedom.
func chiSquaredQuantile(p, df float64) float64 { return distuv.ChiSquared{K: df}.Quantile(p) }

// binomialAtMost is P(B ≤ k) for B ~ Binomial(n, p) and 0 < p < 1.
func binomialAtMost(k, n int, p float64) float64 {
	switch {
	case k < 0:
		return 0
	case k >= n:
		return 1
	}
	return mathext.RegIncBeta(float64(n-k), float64(k+1), 1-p)
}

// binomialAtLeast is P(B ≥ k); computed by itself, because 1 − P(B ≤ k−1)
// loses the digits of a small tail.
func binomialAtLeast(k, n int, p float64) float64 {
	switch {
	case k <= 0:
		return 1
	case k > n:
		return 0
	}
	return mathext.RegIncBeta(float64(k), float64(n-k+1), p)
}

// trigamma is the second derivative of log Γ: ζ(2, x).
func trigamma(x float64) float64 { return mathext.Zeta(2, x) }

// tetragamma is the third: −2·ζ(3, x).
func tetragamma(x float64) float64 { return -2 * mathext.Zeta(3, x) }

// trigammaInverse solves trigamma(x) = y > 0 by Newton's method on 1/trigamma,
// which is nearly a straight line and so converges from below in a few steps
// (Smyth 2004, appendix).
func trigammaInverse(y float64) float64 {
	x := 0.5 + 1/y
	for range 100 {
		tri := trigamma(x)
		step := tri * (1 - tri/y) / tetragamma(x)
		x += step
		if math.Abs(step)/x < 1e-10 {
			break
		}
	}
	return x
}

// Quantile interpolates linearly between the order statistics of sorted at
// (n−1)·p for p in [0, 1], which is numpy's default; NaN for no values.
func Quantile(sorted []float64, p float64) float64 {
	n := len(sorted)
	if n == 0 {
		return math.NaN()
	}
	at := float64(n-1) * p
	i := int(at)
	if i+1 >= n {
		return sorted[n-1]
	}
	return sorted[i] + (at-float64(i))*(sorted[i+1]-sorted[i])
}

func sorted(values []float64) []float64 {
	s := slices.Clone(values)
	slices.Sort(s)
	return s
}

func median(values []float64) float64 { return Quantile(sorted(values), 0.5) }

func logs(values []float64) []float64 {
	z := make([]float64, len(values))
	for i, v := range values {
		z[i] = math.Log(v)
	}
	return z
}
