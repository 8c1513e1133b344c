package stats

import (
	"math"
	"sort"

	"gonum.org/v1/gonum/mathext"
)

// UpperRank is the least k for which the k-th smallest of n independent values
// is, with the stated confidence, no less than the p quantile; 0 where not
// even the greatest is.
func UpperRank(n int, p, confidence float64) int {
	k := 1 + sort.Search(n, func(k int) bool { return binomialAtMost(k, n, p) >= confidence })
	if k > n {
		return 0
	}
	return k
}

// LowerRank is the greatest k for which the k-th smallest of n independent
// values is, with the stated confidence, no more than the p quantile; 0 where
// not even the least is.
func LowerRank(n int, p, confidence float64) int {
	return sort.Search(n, func(k int) bool { return binomialAtLeast(k+1, n, p) < confidence })
}

// RankConfidence is the confidence with which the k-th smallest of n
// independent values is no less than the p quantile: P(B ≤ k−1) for
// B ~ Binomial(n, p). NaN for rank 0.
func RankConfidence(k, n int, p float64) float64 {
	if k < 1 {
		return math.NaN()
	}
	return binomialAtMost(k-1, n, p)
}

// RequiredN is the least number of independent values of which the greatest
// bounds the p quantile with the stated confidence: 1 − pⁿ ≥ confidence.
func RequiredN(p, confidence float64) int {
	n := int(math.Ceil(math.Log(1-confidence) / math.Log(p)))
	for n > 1 && 1-math.Pow(p, float64(n-1)) >= confidence {
		n-- // the quotient of the logarithms was rounded up past a whole number
	}
	return max(n, 1)
}

// EarlyStopping is MLPerf's rule for the p quantile: how many values under the
// limit must stand against over values beyond it, so that the share beyond is
// at most 1−p+tolerance with the stated confidence. A run of n values with
// over beyond passes if n ≥ EarlyStopping + over.
func EarlyStopping(over int, p, tolerance, confidence float64) int {
	enough := func(h int) bool {
		return mathext.RegIncBeta(float64(h), float64(over+1), p-tolerance) <= 1-confidence
	}
	high := 1
	for high < math.MaxInt32 && !enough(high) {
		high *= 2
	}
	return 1 + sort.Search(high, func(h int) bool { return enough(h + 1) })
}

// EstimateN is the least number of values for which MLPerf's rule gives an
// estimate of the p quantile at all: one of them may lie beyond.
func EstimateN(p, tolerance, confidence float64) int {
	return EarlyStopping(1, p, tolerance, confidence) + 1
}

// EarlyStoppingRank is the rank from 1 of the value that MLPerf's rule takes for
// the p quantile of n: the greatest that is left when so many are discarded as
// may be, with it, beyond. 0 where n are too few.
func EarlyStoppingRank(n int, p, tolerance, confidence float64) int {
	beyond := sort.Search(n, func(t int) bool { return EarlyStopping(t+1, p, tolerance, confidence)+t+1 > n })
	if beyond == 0 {
		return 0
	}
	return n - beyond + 1
}
