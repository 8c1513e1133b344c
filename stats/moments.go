package stats

import "math"

// Moments are what several workers can merge exactly: count, mean, the sum of
// squared deviations from the mean, least and greatest value. Without values
// all but N are NaN.
type Moments struct {
	N        int
	Mean, M2 float64
	Min, Max float64
}

// MomentsOf folds values in two passes, so that a large offset costs no
// digits.
func MomentsOf(values []float64) Moments {
	if len(values) == 0 {
		return Moments{Mean: math.NaN(), M2: math.NaN(), Min: math.NaN(), Max: math.NaN()}
	}
	m := Moments{N: len(values), Min: values[0], Max: values[0]}
	for _, v := range values {
		m.Mean += v / float64(m.N)
		m.Min, m.Max = min(m.Min, v), max(m.Max, v)
	}
	for _, v := range values {
		m.M2 += (v - m.Mean) * (v - m.Mean)
	}
	return m
}

// Merge joins the moments of two disjoint samples (Chan, Golub and LeVeque).
func (m Moments) Merge(o Moments) Moments {
	switch {
	case m.N == 0:
		return o
	case o.N == 0:
		return m
	}
	a, b := float64(m.N), float64(o.N)
	delta := o.Mean - m.Mean
	return Moments{
		N:    m.N + o.N,
		Mean: m.Mean + delta*b/(a+b),
		M2:   m.M2 + o.M2 + delta*delta*a*b/(a+b),
		Min:  min(m.Min, o.Min),
		Max:  max(m.Max, o.Max),
	}
}

// Variance divides by n−1; NaN for fewer than two values.
func (m Moments) Variance() float64 {
	if m.N < 2 {
		return math.NaN()
	}
	return m.M2 / float64(m.N-1)
}

// SD is the root of Variance.
func (m Moments) SD() float64 { return math.Sqrt(m.Variance()) }

// An Interval is a mean with its two-sided interval. With fewer than two
// values SD, T, HalfWidth and both bounds are NaN.
type Interval struct {
	N                       int
	Mean, SD                float64
	T                       float64 // Student's quantile: the half width in standard errors
	HalfWidth, Lower, Upper float64
}

// MeanInterval is Student's: mean ± t·sd/√n with n−1 degrees of freedom, for
// independent values, as the figures of whole runs are.
func MeanInterval(values []float64, confidence float64) Interval {
	m := MomentsOf(values)
	iv := Interval{N: m.N, Mean: m.Mean, SD: m.SD(), HalfWidth: math.NaN(), T: math.NaN()}
	if m.N >= 2 {
		iv.T = StudentQuantile((1+confidence)/2, float64(m.N-1))
		iv.HalfWidth = iv.T * iv.SD / math.Sqrt(float64(m.N))
	}
	iv.Lower, iv.Upper = iv.Mean-iv.HalfWidth, iv.Mean+iv.HalfWidth
	return iv
}
