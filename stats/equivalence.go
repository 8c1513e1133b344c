package stats

import "math"

// equivalenceLevel is the error that each of the two one-sided tests may make.
const equivalenceLevel = 0.05

// An Equivalence says whether a difference of logarithms is shown to lie
// within a margin: that nothing was found is no proof that nothing is there.
type Equivalence struct {
	Lower, Upper   float64 // the 90 % interval of the difference
	PLower, PUpper float64 // of the two one-sided tests; NaN without noise
	P              float64 // the larger of the two
	Equivalent     bool
}

// TOST runs two one-sided tests of the difference d with standard error se:
// equivalent if the 90 % interval lies strictly inside ±log(1+margin).
func TOST(d, se, df, margin float64) Equivalence {
	limit := math.Log1p(margin)
	if se == 0 {
		return Equivalence{
			Lower: d, Upper: d, PLower: math.NaN(), PUpper: math.NaN(), P: math.NaN(),
			Equivalent: math.Abs(d) < limit,
		}
	}
	half := StudentQuantile(1-equivalenceLevel, df) * se
	e := Equivalence{
		Lower: d - half, Upper: d + half,
		PLower: tTail((d+limit)/se, df), PUpper: tTail((limit-d)/se, df),
	}
	e.P = max(e.PLower, e.PUpper)
	e.Equivalent = e.Lower > -limit && e.Upper < limit
	return e
}
