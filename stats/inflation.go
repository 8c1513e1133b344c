package stats

import "math"

// inflationBatches are the batches whose means tell how much neighbours
// depend on each other. Fewer values than that say nothing.
const inflationBatches = 20

// An Inflation says how much less than independent values the values of one
// run are worth, for the share of them above a threshold.
type Inflation struct {
	N, Exceed int
	// Factor is by how much the variance of the share is greater than that
	// of independent values, at least 1; EffectiveN is N over it. Both are
	// NaN for fewer than 20 values.
	Factor, EffectiveN float64
}

// InflationOf compares the scatter of 20 batch means of the indicator
// x > threshold, in order of issue, with what independent values would give.
// Unlike the lag-1 correlation it also sees bursts that last.
func InflationOf(values []float64, threshold float64) Inflation {
	i := Inflation{N: len(values), Factor: math.NaN(), EffectiveN: math.NaN()}
	for _, v := range values {
		if v > threshold {
			i.Exceed++
		}
	}
	if i.N < inflationBatches {
		return i
	}
	f := float64(i.Exceed) / float64(i.N)
	i.Factor = 1
	if f > 0 && f < 1 {
		i.Factor = max(1, batchScatter(values, threshold)/(f*(1-f)))
	}
	i.EffectiveN = float64(i.N) / i.Factor
	return i
}

// batchScatter is the variance of the batch means of the indicator
// x > threshold, times the length of a batch. What does not fill the last
// batch is left out.
func batchScatter(values []float64, threshold float64) float64 {
	size := len(values) / inflationBatches
	means := make([]float64, inflationBatches)
	for b := range means {
		for _, v := range values[b*size : (b+1)*size] {
			if v > threshold {
				means[b] += 1 / float64(size)
			}
		}
	}
	return float64(size) * MomentsOf(means).Variance()
}

// A Certificate is an upper bound of a percentile that holds with a stated
// confidence, also though neighbouring requests depend on each other.
type Certificate struct {
	Quantile   float64 // of the sample
	Inflation  float64 // NaN for fewer than 20 values
	EffectiveN int     // whole independent values; 0 where unknown
	Rank       int     // of the value that is the bound, from 1; 0 for none
	Bound      float64 // NaN for none: the values are too few
}

// Certify bounds the p quantile of values in order of issue: the rank that
// the effective number of values allows, scaled to all of them.
func Certify(values []float64, p, confidence float64) Certificate {
	asc := sorted(values)
	c := Certificate{Quantile: Quantile(asc, p), Bound: math.NaN()}
	i := InflationOf(values, c.Quantile)
	c.Inflation = i.Factor
	if math.IsNaN(i.Factor) {
		return c
	}
	c.EffectiveN = int(math.Floor(i.EffectiveN + 1e-9))
	k := UpperRank(c.EffectiveN, p, confidence)
	if k == 0 {
		return c
	}
	c.Rank = min(i.N, (k*i.N+c.EffectiveN-1)/c.EffectiveN)
	c.Bound = asc[c.Rank-1]
	return c
}
