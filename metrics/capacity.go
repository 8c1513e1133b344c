package metrics

import (
	"math"

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

// Fitted says what the loads are that a capacity is fitted to.
type Fitted struct {
	Whole bool // numbers
	// Open: rates of an open loop. Near saturation its queue remembers for longer than
	// a run lasts, whatever the runs say of their errors: an interval is no narrower
	// than Precision, a share, to either side.
	Open      bool
	Precision float64
	// Arrivals is the coefficient of variation of the gaps between arrivals of an open
	// loop, 1 for Poisson: n of them have a rate that is off by that over √n.
	Arrivals float64
	// Confidence is that of the interval, to both sides.
	Confidence float64
}

// A Fit is the greatest load within all limits, by the fit of each limit's margins
// over the logarithm of the load.
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
func FitCapacity(probes []Probe, limits []Limit, of Fitted) Fit {
	unknown := Bound(math.NaN())
	fit := Fit{Capacity: Bound(math.Inf(1)), Lower: Bound(math.Inf(1)), Upper: Bound(math.Inf(1))}
	down := func(b float64) Bound {
		if of.Whole && !math.IsInf(b, 0) {
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
		c, se, scatter := crossing(loads, of)
		if of.Open && c.Status == stats.Crossed {
			se = unevenly(&c, se, loads, n, of)
			c.Lower, c.Upper = min(c.Lower, c.Capacity/(1+of.Precision)), max(c.Upper, c.Capacity*(1+of.Precision))
		}
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
			fit.At, fit.SE, fit.Scatter = c.Capacity, se, scatter
		}
	}
	if len(fit.Crossings) == 0 {
		fit.Capacity, fit.Lower, fit.Upper = unknown, unknown, unknown
	}
	return fit
}

// least is the lesser of two bounds; below all loads, NaN, is the least.
func least(a, b Bound) Bound {
	if math.IsNaN(float64(a)) || math.IsNaN(float64(b)) {
		return Bound(math.NaN())
	}
	return min(a, b)
}

// bursts is by how much more uneven arrivals move a crossing than their number says:
// requests that come together wait for each other. By simulation.
const bursts = 1.6

// unevenly widens a crossing and its standard error by what the arrivals of the probes
// near the limit leave open of their rate, and returns the latter.
func unevenly(c *stats.Crossing, se float64, loads []stats.Load, n []int, of Fitted) float64 {
	arrivals, most := 0, 0
	for i, l := range loads {
		most = max(most, n[i])
		if math.Abs(l.Y) < nearLimit {
			arrivals += n[i]
		}
	}
	off := bursts * of.Arrivals / math.Sqrt(float64(max(arrivals, most, 1)))
	wide := func(half float64) float64 {
		return math.Exp(math.Hypot(half, stats.NormalQuantile((1+of.Confidence)/2)*off))
	}
	c.Lower, c.Upper = c.Capacity/wide(math.Log(c.Capacity/c.Lower)), c.Capacity*wide(math.Log(c.Upper/c.Capacity))
	return math.Hypot(se, off)
}
