package analyze

import (
	"cmp"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"

	"loadgen/metrics"
)

// A KneeShape is how a metric answers to load.
type KneeShape string

const (
	// KneeNone is no shape: there was no point to fit.
	KneeNone KneeShape = "none"
	// KneeFlat does not depend on the load.
	KneeFlat KneeShape = "flat"
	// KneeLinear rises or falls by the same amount per load throughout.
	KneeLinear KneeShape = "linear"
	// KneeRising is a line that bends upwards at the knee: a latency once a
	// queue forms.
	KneeRising KneeShape = "rising"
	// KneeSaturated is a line that bends downwards at the knee: a throughput
	// that has reached its ceiling.
	KneeSaturated KneeShape = "saturated"
)

// A KneeFit is a continuous curve of one or two straight pieces through the
// points of a sweep. The zero value is the fit through no point.
type KneeFit struct {
	Shape     KneeShape `json:"shape"`
	Intercept float64   `json:"intercept"`      // of the first piece, at load 0
	Slope     float64   `json:"slope"`          // of the first piece
	Knee      float64   `json:"knee,omitempty"` // load at the bend; 0 for one piece
	Bend      float64   `json:"bend,omitempty"` // slope after the knee − slope before it
	Points    int       `json:"points"`         // how many the fit rests on
	RSquared  *float64  `json:"r_squared"`      // share of the variance explained; null where all values are equal
	Monotone  *float64  `json:"monotone_r2"`    // the same for the best never-falling curve: what falls with load is outside it
	From      float64   `json:"from"`           // lowest load fitted
	To        float64   `json:"to"`             // highest load fitted
}

// At returns the fitted value at a load.
func (f *KneeFit) At(load float64) float64 {
	return f.Intercept + f.Slope*load + f.Bend*max(0, load-f.Knee)
}

// Crossing returns the load within the tested range at which the curve first
// exceeds the limit. It is To, false where it never does, and From, true where
// it does from the start.
func (f *KneeFit) Crossing(limit float64) (load float64, crossed bool) {
	if f.At(f.From) > limit {
		return f.From, true
	}
	ends := []float64{f.To}
	if f.Knee > f.From && f.Knee < f.To {
		ends = []float64{f.Knee, f.To}
	}
	from := f.From
	for _, to := range ends {
		low, high := f.At(from), f.At(to)
		if high > limit {
			return from + (to-from)*(limit-low)/(high-low), true
		}
		from = to
	}
	return f.To, false
}

const (
	// kneeResolution is the relative difference below which two values of a
	// sweep are taken as equal: what a repeat of a run differs by at best.
	kneeResolution = 0.01
	// kneeSignificance is the level at which a further piece or slope must pay.
	kneeSignificance = 0.05
)

// FitKnee fits the simplest of four curves that the points (loads[i],
// values[i]) call for: a constant, a line, a constant with a line before or
// after it, two lines. Each is fitted by least squares, the bend by trying
// every place (Hudson, 1966: the best bend is at a point or where the separate
// lines of the two sides meet between their points). A curve with more
// parameters is taken where the F test of the residuals says at 5 % that it is
// better by more than chance; residuals below 1 % of the values count as
// chance. Points that are not finite are left out; of equal loads all count.
func FitKnee(loads, values []float64) KneeFit {
	x, y := kneePoints(loads, values)
	n := len(x)
	if n == 0 {
		return KneeFit{Shape: KneeNone}
	}
	floor := 0.0
	for _, v := range y {
		floor += math.Pow(kneeResolution*v, 2)
	}

	best := kneeLine(x, y, false)
	total := best.rss
	for _, c := range kneeCandidates(x, y) {
		if best.worseThan(c, n, floor) {
			best = c
		}
	}
	f := best.fit
	f.Points, f.From, f.To = n, x[0], x[n-1]
	f.Shape = best.shape()
	if total > 0 {
		r, m := 1-best.rss/total, 1-isotonicRSS(y)/total
		f.RSquared, f.Monotone = &r, &m
	}
	return f
}

// A kneeCandidate is a fitted curve before it is chosen.
type kneeCandidate struct {
	fit        KneeFit
	rss        float64 // sum of squared residuals
	parameters int
}

func (c kneeCandidate) shape() KneeShape {
	switch {
	case c.parameters == 1:
		return KneeFlat
	case c.parameters == 2:
		return KneeLinear
	case c.fit.Bend > 0:
		return KneeRising
	}
	return KneeSaturated
}

// worseThan reports whether d, with more parameters, is better by more than
// chance.
func (c kneeCandidate) worseThan(d kneeCandidate, n int, floor float64) bool {
	before, after := max(c.rss, floor), max(d.rss, floor)
	if d.parameters == c.parameters {
		return after < before
	}
	if after >= before {
		return false
	}
	more, left := float64(d.parameters-c.parameters), float64(n-d.parameters)
	if left <= 0 {
		// Nothing is left to judge the noise by. Two points make a line
		// where they differ by more than the resolution.
		return n == 2
	}
	if after == 0 {
		return true
	}
	f := (before - after) / more / (after / left)
	return distuv.F{D1: more, D2: left}.Survival(f) < kneeSignificance
}

// kneeCandidates returns the best curve of each kind, fewer parameters first.
func kneeCandidates(x, y []float64) []kneeCandidate {
	n := len(x)
	if n < 2 || x[0] == x[n-1] {
		return nil
	}
	all := []kneeCandidate{kneeLine(x, y, true)}
	three, four := kneeCandidate{rss: math.Inf(1)}, kneeCandidate{rss: math.Inf(1)}
	for i := 1; i < n-1; i++ {
		for _, slopes := range [][2]bool{{false, true}, {true, false}, {true, true}} {
			c := kneeBend(x, y, i, slopes[0], slopes[1])
			switch {
			case c.fit.Bend == 0: // not a bend
			case c.parameters == 3 && c.rss < three.rss:
				three = c
			case c.parameters == 4 && c.rss < four.rss:
				four = c
			}
		}
	}
	for _, c := range []kneeCandidate{three, four} {
		if !math.IsInf(c.rss, 1) {
			all = append(all, c)
		}
	}
	return all
}

// kneeLine fits a line, or a constant where it may not slope.
func kneeLine(x, y []float64, slopes bool) kneeCandidate {
	mx, my := metrics.Mean(x), metrics.Mean(y)
	c := kneeCandidate{parameters: 1, fit: KneeFit{Intercept: my}}
	if slopes {
		sxx, sxy := 0.0, 0.0
		for i := range x {
			sxx += (x[i] - mx) * (x[i] - mx)
			sxy += (x[i] - mx) * (y[i] - my)
		}
		c.parameters = 2
		if sxx > 0 {
			c.fit.Slope = sxy / sxx
			c.fit.Intercept = my - c.fit.Slope*mx
		}
	}
	c.rss = kneeRSS(&c.fit, x, y)
	return c
}

// kneeBend fits two pieces with the bend at the point i or between it and the
// next, of which each slopes or not as asked.
func kneeBend(x, y []float64, i int, left, right bool) kneeCandidate {
	at := []float64{x[i]}
	a := kneeLine(x[:i+1], y[:i+1], left).fit
	b := kneeLine(x[i+1:], y[i+1:], right).fit
	if d := b.Slope - a.Slope; d != 0 {
		if meet := (a.Intercept - b.Intercept) / d; meet > x[i] && meet < x[i+1] {
			at = append(at, meet)
		}
	}
	best := kneeCandidate{rss: math.Inf(1)}
	for _, knee := range at {
		f := kneeAt(x, y, knee, left, right)
		if rss := kneeRSS(&f, x, y); rss < best.rss {
			best = kneeCandidate{fit: f, rss: rss, parameters: 3}
		}
	}
	if left && right {
		best.parameters = 4
	}
	return best
}

// kneeAt fits two pieces with a given bend by least squares over the distances
// to it: value = level + l·min(0, x−knee) + r·max(0, x−knee).
func kneeAt(x, y []float64, knee float64, left, right bool) KneeFit {
	distances := func(x float64) (u, v float64) {
		if left {
			u = min(0, x-knee)
		}
		if right {
			v = max(0, x-knee)
		}
		return u, v
	}
	var mu, mv, my float64
	for i := range x {
		u, v := distances(x[i])
		mu, mv, my = mu+u, mv+v, my+y[i]
	}
	n := float64(len(x))
	mu, mv, my = mu/n, mv/n, my/n
	var uu, uv, vv, uy, vy float64
	for i := range x {
		u, v := distances(x[i])
		du, dv, dy := u-mu, v-mv, y[i]-my
		uu, uv, vv = uu+du*du, uv+du*dv, vv+dv*dv
		uy, vy = uy+du*dy, vy+dv*dy
	}
	var l, r float64
	switch det := uu*vv - uv*uv; {
	case left && right && det > 1e-12*uu*vv:
		l, r = (uy*vv-vy*uv)/det, (vy*uu-uy*uv)/det
	case left && !right && uu > 0:
		l = uy / uu
	case right && !left && vv > 0:
		r = vy / vv
	}
	level := my - l*mu - r*mv
	return KneeFit{Intercept: level - l*knee, Slope: l, Knee: knee, Bend: r - l}
}

func kneeRSS(f *KneeFit, x, y []float64) float64 {
	sum := 0.0
	for i := range x {
		d := y[i] - f.At(x[i])
		sum += d * d
	}
	return sum
}

// kneePoints returns the usable points by ascending load.
func kneePoints(loads, values []float64) (x, y []float64) {
	type point struct{ x, y float64 }
	var points []point
	for i := range min(len(loads), len(values)) {
		if kneeUsable(loads[i]) && kneeUsable(values[i]) {
			points = append(points, point{loads[i], values[i]})
		}
	}
	slices.SortStableFunc(points, func(a, b point) int { return cmp.Compare(a.x, b.x) })
	for _, p := range points {
		x, y = append(x, p.x), append(y, p.y)
	}
	return x, y
}

// isotonicRSS returns what the best never-falling curve leaves of the squares,
// by pooling adjacent violators.
func isotonicRSS(y []float64) float64 {
	type block struct {
		sum, squares float64
		n            int
	}
	var blocks []block
	for _, v := range y {
		b := block{v, v * v, 1}
		for len(blocks) > 0 {
			last := blocks[len(blocks)-1]
			if last.sum/float64(last.n) <= b.sum/float64(b.n) {
				break
			}
			b = block{b.sum + last.sum, b.squares + last.squares, b.n + last.n}
			blocks = blocks[:len(blocks)-1]
		}
		blocks = append(blocks, b)
	}
	rss := 0.0
	for _, b := range blocks {
		rss += max(0, b.squares-b.sum*b.sum/float64(b.n))
	}
	return rss
}

// kneeUsable reports whether a number can be squared and summed; what cannot
// is no measurement.
func kneeUsable(v float64) bool { return math.Abs(v) < 1e100 }
