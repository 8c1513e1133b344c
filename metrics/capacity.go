package metrics

import (
	"encoding/json"
	"math"

	"gonum.org/v1/gonum/stat/distuv"

	"loadgen/stats"
)

// A Probe is what one run says of a load.
type Probe struct {
	Load    float64
	Margins []Margin
}

// A Crossing is the load at which one limit is reached.
type Crossing struct {
	Limit
	Status   stats.CrossingStatus `json:"status"`
	Capacity Bound                `json:"capacity"`
	Lower    Bound                `json:"lower"`
	Upper    Bound                `json:"upper"`
}

// A Bound is a load that may be unknown (NaN) or open (infinite); in JSON both
// are null.
type Bound float64

// Known reports whether there is a bound.
func (b Bound) Known() bool { return !math.IsNaN(float64(b)) && !math.IsInf(float64(b), 0) }

// MarshalJSON writes null for what is unknown or open.
func (b Bound) MarshalJSON() ([]byte, error) {
	if !b.Known() {
		return []byte("null"), nil
	}
	return json.Marshal(float64(b))
}

// UnmarshalJSON reads null as unknown.
func (b *Bound) UnmarshalJSON(data []byte) error {
	if string(data) == "null" {
		*b = Bound(math.NaN())
		return nil
	}
	return json.Unmarshal(data, (*float64)(b))
}

// A Fit is the greatest load within all limits, by the isotonic fit of each
// limit's margins over the logarithm of the load.
type Fit struct {
	// Capacity is the least of the limits' crossings: NaN where even the least
	// load is beyond one. Where no limit is reached it is the greatest load.
	Capacity, Lower, Upper Bound
	// Binding is the limit that is reached first; nil where none is.
	Binding   *Limit
	Crossings []Crossing
	// At is the capacity before it is rounded to whole numbers, and SE the
	// standard error of its logarithm; infinite where too few probes lie near the
	// limit.
	At, SE float64
	// Scatter is by how much more the probes near the limit differ than their
	// errors say, 1 for no more.
	Scatter float64
}

// FitCapacity fits the margins of probes. In whole numbers the capacity is the
// greatest that is within, and so are its bounds.
func FitCapacity(probes []Probe, limits []Limit, whole bool) Fit {
	unknown := Bound(math.NaN())
	fit := Fit{Capacity: Bound(math.Inf(1)), Lower: Bound(math.Inf(1)), Upper: Bound(math.Inf(1))}
	down := func(b float64) Bound {
		if whole && !math.IsInf(b, 0) {
			b = math.Floor(b + 1e-9)
		}
		return Bound(b)
	}
	for i, l := range limits {
		var loads []stats.Load
		var n []int
		for _, p := range probes {
			if m, ok := marginOf(p.Margins, l); ok {
				loads, n = append(loads, stats.Load{X: p.Load, Y: m.Y, S: m.S}), append(n, m.N)
			}
		}
		if len(loads) == 0 {
			continue
		}
		share(loads, n)
		scatter := widen(loads)
		c := stats.IsotonicCrossing(loads)
		at, se := c.Capacity, crossingError(loads, c.Capacity)
		x := Crossing{Limit: l, Status: c.Status, Capacity: down(c.Capacity), Lower: down(c.Lower), Upper: down(c.Upper)}
		fit.Crossings = append(fit.Crossings, x)
		fit.Lower = least(fit.Lower, x.Lower)
		fit.Upper = least(fit.Upper, x.Upper)
		if c.Status == stats.Above {
			if fit.Binding == nil {
				fit.Capacity = min(fit.Capacity, x.Capacity)
			}
			continue
		}
		if fit.Binding == nil || least(fit.Capacity, x.Capacity) != fit.Capacity {
			fit.Binding = &limits[i]
			fit.Capacity = least(fit.Capacity, x.Capacity)
			fit.At, fit.SE, fit.Scatter = at, se, scatter
		}
	}
	if len(fit.Crossings) == 0 {
		fit.Capacity, fit.Lower, fit.Upper = unknown, unknown, unknown
	}
	return fit
}

// nearLimit is how far from its limit, as a logarithm, a probe may lie to tell
// how much probes scatter around the fit where it crosses: a factor of 1.65.
const nearLimit = 0.5

// share gives the probes near the limit the variance per request that they have
// together, of n requests each. By its own, a run that chance made slow would
// weigh less than one that it made fast, because its tail is longer, too: the
// capacity would come out too high.
func share(loads []stats.Load, n []int) {
	const shared = RunSD * RunSD
	total, near := 0.0, 0.0
	for i, l := range loads {
		if math.Abs(l.Y) < nearLimit {
			total += max(0, l.S*l.S-shared) * float64(n[i])
			near++
		}
	}
	for i, l := range loads {
		if math.Abs(l.Y) < nearLimit {
			loads[i].S = math.Sqrt(total/near/float64(n[i]) + shared)
		}
	}
}

// widen scales the standard errors up where the probes near the limit scatter
// more around the isotonic fit than their errors say: by the root of χ² over its
// degrees of freedom (Birge's ratio), which are the probes less the levels of
// the fit. One run knows nothing of what lasts longer than it. It returns the
// ratio.
func widen(loads []stats.Load) float64 {
	var points []stats.Point
	for _, l := range loads {
		if math.Abs(l.Y) < nearLimit {
			points = append(points, stats.Point{X: math.Log(l.X), Y: l.Y, W: 1 / (l.S * l.S)})
		}
	}
	level := map[float64]float64{}
	levels := map[float64]bool{}
	for _, p := range stats.Isotonic(points) {
		level[p.X], levels[p.Y] = p.Y, true
	}
	chi2 := 0.0
	for _, p := range points {
		chi2 += (p.Y - level[p.X]) * (p.Y - level[p.X]) * p.W
	}
	free := float64(len(points) - len(levels))
	if free < 1 || chi2 <= free {
		return 1
	}
	ratio := math.Sqrt(chi2 / free)
	for i := range loads {
		loads[i].S *= ratio
	}
	return ratio
}

// crossingError is the standard error of the logarithm of the load at which the
// limit is reached, by the straight line through the probes near the limit.
func crossingError(loads []stats.Load, at float64) float64 {
	var w, wx, wxx, wy, wxy float64
	for _, l := range loads {
		if math.Abs(l.Y) < nearLimit {
			x, weight := math.Log(l.X/at), 1/(l.S*l.S)
			w, wx, wxx, wy, wxy = w+weight, wx+weight*x, wxx+weight*x*x, wy+weight*l.Y, wxy+weight*x*l.Y
		}
	}
	spread := wxx - wx*wx/w
	slope := (wxy - wx*wy/w) / spread
	if !(spread > 0) || !(slope > 0) {
		return math.Inf(1)
	}
	return math.Sqrt(1/w+wx*wx/(w*w)/spread) / slope
}

// least is the lesser of two bounds; below all loads, NaN, is the least.
func least(a, b Bound) Bound {
	if math.IsNaN(float64(a)) || math.IsNaN(float64(b)) {
		return Bound(math.NaN())
	}
	return min(a, b)
}

func marginOf(margins []Margin, l Limit) (Margin, bool) {
	for _, m := range margins {
		if m.Name == l.Name {
			return m.against(l), m.Known()
		}
	}
	return Margin{}, false
}

// Room is by which factor a figure may grow before it reaches its limit; 1 where
// nobody knows, as of a share of requests.
func Room(margins []Margin, l Limit) float64 {
	if _, ok := l.definition(); !ok {
		return 1
	}
	if m, ok := marginOf(margins, l); ok {
		return math.Exp(-m.Y)
	}
	return 1
}

// against is the margin held against another bound of the same figure.
func (m Margin) against(l Limit) Margin {
	if m.Bound == l.Bound {
		return m
	}
	switch was, is := m.Bound, l.Bound; {
	case l.Name == GoodShare:
		m.Y += logit(1-was) - logit(1-is)
	case l.Name == ErrorRate:
		m.Y += logit(was) - logit(is)
	case l.AtLeast():
		m.Y += math.Log(is) - math.Log(was)
	default:
		m.Y += math.Log(was) - math.Log(is)
	}
	m.Limit = l
	return m
}

func logit(p float64) float64 { return math.Log(p / (1 - p)) }

// Judge holds margins against limits: pass where all are kept and that is sure,
// fail where one is broken for sure, each to one side at the confidence.
func Judge(margins []Margin, limits []Limit, confidence float64) stats.Answer {
	z := oneSided(confidence)
	answer := stats.Pass
	for _, l := range limits {
		m, ok := marginOf(margins, l)
		switch {
		case ok && m.Y-z*m.S >= 0:
			return stats.Fail
		case !ok || m.Y+z*m.S > 0:
			answer = stats.Undecided
		}
	}
	return answer
}

// Settled reports whether more of the run would leave the answer as it is: it is
// sure, or what keeps it from being so is what differs from run to run, which no
// run tells of itself.
func Settled(margins []Margin, limits []Limit, confidence float64) bool {
	if Judge(margins, limits, confidence) != stats.Undecided {
		return true
	}
	z := oneSided(confidence)
	for _, l := range limits {
		m, ok := marginOf(margins, l)
		if !ok {
			return false
		}
		own := math.Sqrt(max(0, m.S*m.S-RunSD*RunSD))
		if m.Y+z*m.S > 0 && own > RunSD/4 {
			return false
		}
	}
	return true
}

// Broken returns the limit that margins break by most; false where all are kept.
func Broken(margins []Margin, limits []Limit) (Margin, bool) {
	var worst Margin
	found := false
	for _, l := range limits {
		if m, ok := marginOf(margins, l); ok && m.Y > 0 && (!found || m.Y > worst.Y) {
			worst, found = m, true
		}
	}
	return worst, found
}

// Pool joins the margins of several runs at the same load, weighted by what each
// is worth.
func Pool(runs [][]Margin) []Margin {
	if len(runs) == 1 {
		return runs[0]
	}
	var pooled []Margin
	at := map[string]int{}
	for _, run := range runs {
		for _, m := range run {
			if !m.Known() {
				continue
			}
			i, ok := at[m.Name]
			if !ok {
				at[m.Name] = len(pooled)
				pooled = append(pooled, m)
				continue
			}
			p := &pooled[i]
			a, b := 1/(p.S*p.S), 1/(m.S*m.S)
			p.Y, p.S = (a*p.Y+b*m.Y)/(a+b), 1/math.Sqrt(a+b)
			p.Observed = (a*p.Observed + b*m.Observed) / (a + b)
			p.N += m.N
			p.EffectiveN += m.EffectiveN
		}
	}
	return pooled
}

// oneSided is how many standard errors are sure to one side.
func oneSided(confidence float64) float64 { return distuv.UnitNormal.Quantile(confidence) }
