package metrics

import (
	"math"
	"slices"

	"loadgen/stats"
)

// Probes near the limit, as a logarithm: those that tell how much probes scatter, a
// factor of 1.65, and those through which the curve is a straight line, 1.28.
const (
	nearLimit = 0.5
	onTheLine = 0.25
)

// fewestOnLine are the probes that a straight line rests on at least, and mostOffLine
// χ² per degree of freedom beyond which they do not lie on one.
const (
	fewestOnLine = 4
	mostOffLine  = 4
)

// priorRuns is how many probes [RunSD] counts for, where those near the limit differ
// less than it says.
const priorRuns = 4

// near are the probes that lie within a distance of the limit.
func near(loads []stats.Load, distance float64) []stats.Load {
	return slices.DeleteFunc(slices.Clone(loads), func(l stats.Load) bool { return math.Abs(l.Y) >= distance })
}

// crossing is where a limit is reached, the standard error of the logarithm of that,
// and by how much more the probes scatter than their errors say. It is by the straight
// line through the probes nearest to the limit, where those are enough and agree with
// one; else by the isotonic fit, which supposes less, and makes less of each probe.
func crossing(loads []stats.Load, of Fitted) (c stats.Crossing, se, scatter float64) {
	line, straight := straightLine(loads)
	wide := slices.Clone(loads)
	scatter = widen(wide, of.Open)
	c = stats.IsotonicCrossing(together(wide), stats.NormalQuantile((1+of.Confidence)/2))
	if c.Status != stats.Crossed || !straight {
		se = math.Inf(1)
		if rising, ok := stats.StraightCrossing(near(wide, nearLimit)); ok {
			se = rising.ErrorAt(c.Capacity)
		}
		return c, se, scatter
	}
	free := priorRuns + float64(line.Free)
	if scatter = math.Sqrt((priorRuns + line.Chi2) / free); of.Open {
		scatter = max(1, scatter)
	}
	c.Capacity, se = line.At, line.ErrorAt(line.At)*scatter
	half := stats.StudentQuantile((1+of.Confidence)/2, free) * se
	c.Lower, c.Upper = c.Capacity*math.Exp(-half), c.Capacity*math.Exp(half)
	return c, se, scatter
}

// straightLine is the line through the probes nearest to a limit; false where they are
// too few, all on one side of it, or disagree with a line.
func straightLine(loads []stats.Load) (stats.Line, bool) {
	on := near(loads, onTheLine)
	line, ok := stats.StraightCrossing(on)
	if !ok || len(on) < fewestOnLine || line.Chi2 > mostOffLine*float64(line.Free) {
		return line, false
	}
	below := slices.ContainsFunc(on, func(l stats.Load) bool { return l.X <= line.At })
	above := slices.ContainsFunc(on, func(l stats.Load) bool { return l.X >= line.At })
	return line, below && above
}

// together joins the runs of each load: what several say is more certain.
func together(loads []stats.Load) []stats.Load {
	var all []stats.Load
	at := map[float64]int{}
	for _, l := range loads {
		i, ok := at[l.X]
		if !ok {
			at[l.X] = len(all)
			all = append(all, l)
			continue
		}
		a, b := 1/(all[i].S*all[i].S), 1/(l.S*l.S)
		all[i].Y, all[i].S = (a*all[i].Y+b*l.Y)/(a+b), 1/math.Sqrt(a+b)
	}
	return all
}

// share gives the probes near the limit the variance per request that is usual among
// them, of n requests each. By its own, a run that chance made slow would weigh less
// than one that it made fast, because its tail is longer, too: the capacity would come
// out too high.
func share(loads []stats.Load, n []int) {
	const shared = RunSD * RunSD
	var each []float64
	for i, l := range loads {
		if math.Abs(l.Y) < nearLimit {
			each = append(each, max(0, l.S*l.S-shared)*float64(n[i]))
		}
	}
	usual := Percentile(Sorted(each), 50)
	for i, l := range loads {
		if math.Abs(l.Y) < nearLimit {
			loads[i].S = math.Sqrt(usual/float64(n[i]) + shared)
		}
	}
}

// widen scales the standard errors up where the probes near the limit scatter
// more around the isotonic fit than their errors say: by the root of χ² over its
// degrees of freedom (Birge's ratio), which are the probes less the levels of
// the fit. One run knows nothing of what lasts longer than it. Where they scatter
// less, what differs from run to run is less than [RunSD], as far as so few tell; of
// an open loop's queue they do not. It returns the ratio.
func widen(loads []stats.Load, open bool) float64 {
	var points []stats.Point
	for _, l := range near(loads, nearLimit) {
		points = append(points, stats.Point{X: math.Log(l.X), Y: l.Y, W: 1 / (l.S * l.S)})
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
	ratio := 1.0
	switch free := float64(len(points) - len(levels)); {
	case free >= 1 && chi2 > free:
		ratio = math.Sqrt(chi2 / free)
	case !open:
		ratio = math.Sqrt((priorRuns + chi2) / (priorRuns + free))
	}
	for i := range loads {
		loads[i].S *= ratio
	}
	return ratio
}
