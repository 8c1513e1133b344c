package stats

import (
	"cmp"
	"math"
	"slices"
)

// A Point is an observation y at x with a weight, one over its variance.
type Point struct{ X, Y, W float64 }

// Isotonic is the non-decreasing weighted least squares fit, by pooling
// adjacent violators. One fitted point per distinct x, ascending; observations
// of the same x are pooled first.
func Isotonic(points []Point) []Point {
	asc := slices.Clone(points)
	slices.SortStableFunc(asc, func(a, b Point) int { return cmp.Compare(a.X, b.X) })
	var at []Point // pooled by x
	for _, p := range asc {
		if last := len(at) - 1; last >= 0 && at[last].X == p.X {
			at[last] = pooled(at[last], p)
		} else {
			at = append(at, p)
		}
	}
	type block struct {
		Point
		n int
	}
	var blocks []block
	for _, p := range at {
		b := block{p, 1}
		for len(blocks) > 0 && blocks[len(blocks)-1].Y > b.Y {
			last := blocks[len(blocks)-1]
			blocks = blocks[:len(blocks)-1]
			b = block{pooled(last.Point, b.Point), last.n + b.n}
		}
		blocks = append(blocks, b)
	}
	i := 0
	for _, b := range blocks {
		for range b.n {
			at[i].Y = b.Y
			i++
		}
	}
	return at
}

// pooled is the weighted mean of two observations, at the first's x.
func pooled(a, b Point) Point {
	w := a.W + b.W
	return Point{X: a.X, Y: (a.W*a.Y + b.W*b.Y) / w, W: w}
}

// A CrossingStatus says whether a limit was crossed between the loads seen.
type CrossingStatus string

// Below: even the least load is beyond the limit. Above: even the greatest is
// within it.
const (
	Crossed CrossingStatus = "ok"
	Below   CrossingStatus = "below"
	Above   CrossingStatus = "above"
)

// A Crossing is the load at which a limit is reached.
type Crossing struct {
	Status CrossingStatus
	// Capacity is NaN when below, and a lower bound when above.
	Capacity float64
	// Lower is NaN where the data bound it by nothing. Upper is infinite
	// where they leave it open, NaN where even its own fit lies below.
	Lower, Upper float64
}

// A Load is a probe: the logarithm Y of its figure over the limit, with its
// standard error S > 0, at load X > 0.
type Load struct{ X, Y, S float64 }

// IsotonicCrossing fits Y as a non-decreasing function of log X, weighted by
// 1/S², and finds where it crosses 0; the interval is that of the fits of
// Y ± z·S, z of 1.96 for one of 95 %.
func IsotonicCrossing(loads []Load, z float64) Crossing {
	c := Crossing{}
	c.Capacity, c.Status = crossing(loads, 0)
	c.Lower, _ = crossing(loads, z)
	upper, status := crossing(loads, -z)
	if c.Upper = upper; status == Above {
		c.Upper = math.Inf(1)
	}
	return c
}

// crossing fits Y + shift·S.
func crossing(loads []Load, shift float64) (float64, CrossingStatus) {
	points := make([]Point, len(loads))
	for i, l := range loads {
		points[i] = Point{X: math.Log(l.X), Y: l.Y + shift*l.S, W: 1 / (l.S * l.S)}
	}
	fit := Isotonic(points)
	if len(fit) == 0 || fit[0].Y > 0 {
		return math.NaN(), Below
	}
	last := fit[len(fit)-1]
	if last.Y <= 0 {
		return math.Exp(last.X), Above
	}
	i := 0
	for fit[i+1].Y <= 0 {
		i++
	}
	a, b := fit[i], fit[i+1]
	return math.Exp(a.X - a.Y/(b.Y-a.Y)*(b.X-a.X)), Crossed
}
