package stats

import "math"

// A Ratio compares two sides by the mean of their logarithms, so that a
// doubling weighs as much as a halving and a few per cent mean the same at
// every size.
type Ratio struct {
	D  float64 // mean log of new less that of base
	SE float64 // of D; NaN without a degree of freedom
	DF float64

	Ratio, Lower, Upper float64 // new over base: exp of D and of its bounds
}

// PooledRatio compares independent sides of positive values: both share one
// variance, with n+m−2 degrees of freedom.
func PooledRatio(base, fresh []float64, confidence float64) Ratio {
	a, b := MomentsOf(logs(base)), MomentsOf(logs(fresh))
	r := Ratio{D: b.Mean - a.Mean, DF: float64(a.N + b.N - 2)}
	r.SE = math.Sqrt((a.M2 + b.M2) / r.DF * (1/float64(a.N) + 1/float64(b.N)))
	return r.bounds(confidence)
}

// PairedRatio compares sides of positive values that belong together by
// index, as the runs of one round do: what both share of a round cancels.
// Sides of different lengths have no ratio.
func PairedRatio(base, fresh []float64, confidence float64) Ratio {
	if len(base) != len(fresh) {
		return Ratio{D: math.NaN()}.bounds(confidence)
	}
	m := MomentsOf(differences(logs(base), logs(fresh)))
	r := Ratio{D: m.Mean, DF: float64(m.N - 1), SE: m.SD() / math.Sqrt(float64(m.N))}
	return r.bounds(confidence)
}

func (r Ratio) bounds(confidence float64) Ratio {
	half := math.NaN()
	if r.DF > 0 {
		half = StudentQuantile((1+confidence)/2, r.DF) * r.SE
	} else {
		r.DF, r.SE = 0, math.NaN()
	}
	r.Ratio, r.Lower, r.Upper = math.Exp(r.D), math.Exp(r.D-half), math.Exp(r.D+half)
	return r
}

// differences are b − a, element by element.
func differences(a, b []float64) []float64 {
	d := make([]float64, len(a))
	for i := range a {
		d[i] = b[i] - a[i]
	}
	return d
}
