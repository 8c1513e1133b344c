package stats

import (
	"math"

	"gonum.org/v1/gonum/mathext"
)

// A Moderated is a set of variances, each drawn towards what they have in
// common: a few runs alone tell a variance badly, many cells of few runs tell
// their usual variance well.
type Moderated struct {
	// PriorDF is how many degrees of freedom the common variance is worth:
	// infinite where the variances differ no more than chance has them
	// differ, NaN where nothing was shared.
	PriorDF       float64
	PriorVariance float64   // NaN where nothing was shared
	Shrunk, DF    []float64 // one per variance
}

const (
	// leastOfMedian floors the variances while the moments are taken: the
	// logarithm of a variance of 0 would rule them all.
	leastOfMedian = 1e-5
	// greatestPriorDF is beyond telling from infinite.
	greatestPriorDF = 1e6
)

// Moderate is the empirical Bayes method of Smyth (2004): log variances are
// compared with the scatter that χ² gives them, and what is left over tells
// how much the true variances differ. All df must be positive.
func Moderate(variances, df []float64) Moderated {
	none := Moderated{PriorDF: math.NaN(), PriorVariance: math.NaN(), Shrunk: variances, DF: df}
	floor, some := momentFloor(variances)
	if len(variances) < 2 || !some {
		return none
	}
	g := float64(len(variances))
	e := make([]float64, len(variances))
	scatter, total := 0.0, 0.0
	for i, v := range variances {
		e[i] = math.Log(max(v, floor)) - mathext.Digamma(df[i]/2) + math.Log(df[i]/2)
		scatter += trigamma(df[i]/2) / g
		total += df[i]
	}
	m := MomentsOf(e)
	prior, common := math.Inf(1), math.Exp(m.Mean)
	if excess := m.Variance() - scatter; excess > 0 {
		if d0 := 2 * trigammaInverse(excess); d0 <= greatestPriorDF {
			prior = d0
			common = math.Exp(m.Mean + mathext.Digamma(d0/2) - math.Log(d0/2))
		}
	}
	out := Moderated{PriorDF: prior, PriorVariance: common}
	for i, v := range variances {
		shrunk := common
		if !math.IsInf(prior, 1) {
			shrunk = (prior*common + df[i]*v) / (prior + df[i])
		}
		out.Shrunk = append(out.Shrunk, shrunk)
		out.DF = append(out.DF, min(prior+df[i], total))
	}
	return out
}

// momentFloor is the least variance that enters the moments; false where all
// are 0.
func momentFloor(variances []float64) (floor float64, some bool) {
	if mid := median(variances); mid > 0 {
		return leastOfMedian * mid, true
	}
	sum, n := 0.0, 0.0
	for _, v := range variances {
		if v > 0 {
			sum, n = sum+v, n+1
		}
	}
	if n == 0 {
		return 0, false
	}
	return leastOfMedian * sum / n, true
}
