package stats

import "math"

// A Region is an ellipse in which the means of two figures lie together with a
// confidence.
type Region struct {
	X, Y float64 // the middle

	// The ellipse is the middle and the circle of radius 1 through these, the
	// root of its matrix by Cholesky.
	xx, yx, yy float64
}

// MeanRegion returns the joint confidence region of the means of figures that
// were measured in pairs, by Hotelling's T²: with k = 2(n−1) / (n(n−2)) · F(2, n−2)
// times their covariances for a matrix. It takes both figures as normal, and
// fewer than four pairs, or a different number of each, have none: of three the
// ellipse would be as long as sixteen standard deviations on each side.
func MeanRegion(xs, ys []float64, confidence float64) (Region, bool) {
	n := float64(len(xs))
	if len(xs) != len(ys) || n < 4 {
		return Region{}, false
	}
	r := Region{}
	for i := range xs {
		r.X += xs[i] / n
		r.Y += ys[i] / n
	}
	var sxx, sxy, syy float64
	for i := range xs {
		dx, dy := xs[i]-r.X, ys[i]-r.Y
		sxx, sxy, syy = sxx+dx*dx/(n-1), sxy+dx*dy/(n-1), syy+dy*dy/(n-1)
	}
	// The quantile of F with 2 and m degrees of freedom is m/2 · ((1−p)^(−2/m) − 1).
	k := (n - 1) / n * (math.Pow(1-confidence, -2/(n-2)) - 1)
	if r.xx = math.Sqrt(k * sxx); r.xx > 0 {
		r.yx = k * sxy / r.xx
	}
	r.yy = math.Sqrt(max(k*syy-r.yx*r.yx, 0))
	return r, !math.IsNaN(r.xx + r.yx + r.yy)
}

// At returns the point of the edge at an angle.
func (r Region) At(angle float64) (x, y float64) {
	sin, cos := math.Sincos(angle)
	return r.X + r.xx*cos, r.Y + r.yx*cos + r.yy*sin
}
