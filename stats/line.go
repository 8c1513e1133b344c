package stats

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// A Line is the straight line through probes, Y over the logarithm of their load, and
// where it crosses 0.
type Line struct {
	At float64 // the load of the crossing
	// Chi2 is the weighted sum of squared distances from the line, of so many
	// degrees of freedom.
	Chi2 float64
	Free int

	slope, mean, weight, spread float64
}

// StraightCrossing fits a line by least squares with the weights 1/S²; false where it
// does not rise.
func StraightCrossing(loads []Load) (Line, bool) {
	var l Line
	y := 0.0
	for _, p := range loads {
		w := 1 / (p.S * p.S)
		l.weight, l.mean, y = l.weight+w, l.mean+w*math.Log(p.X), y+w*p.Y
	}
	l.mean, y = l.mean/l.weight, y/l.weight
	for _, p := range loads {
		w, x := 1/(p.S*p.S), math.Log(p.X)-l.mean
		l.spread, l.slope = l.spread+w*x*x, l.slope+w*x*(p.Y-y)
	}
	if l.slope /= l.spread; !(l.spread > 0) || !(l.slope > 0) {
		return Line{}, false
	}
	for _, p := range loads {
		off := (p.Y - y - l.slope*(math.Log(p.X)-l.mean)) / p.S
		l.Chi2 += off * off
	}
	l.At, l.Free = math.Exp(l.mean-y/l.slope), len(loads)-2
	return l, true
}

// ErrorAt is the standard error of the logarithm of the crossing, were it at a load.
func (l Line) ErrorAt(load float64) float64 {
	x := math.Log(load) - l.mean
	return math.Sqrt(1/l.weight+x*x/l.spread) / l.slope
}

// NormalQuantile is the p quantile of the standard normal distribution.
func NormalQuantile(p float64) float64 { return distuv.UnitNormal.Quantile(p) }
