package metrics

import (
	"math"
	"slices"

	"loadgen/stats"
)

func marginOf(margins []Margin, l Limit) (Margin, bool) {
	for _, m := range margins {
		if m.Name == l.Name {
			return m.against(l), m.Known()
		}
	}
	return Margin{}, false
}

// Room is by which factor a figure may grow before it reaches its limit; false where
// nobody knows, as of a share of requests.
func Room(margins []Margin, l Limit) (float64, bool) {
	if l.IsShare() {
		return 0, false
	}
	m, ok := marginOf(margins, l)
	return math.Exp(-m.Y), ok
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
// sure; or what keeps it from being so is what differs from run to run, which no run
// tells of itself; or it would not be sure with half the error either, which is what
// the longest look has of the first. The queue of an open loop is another after a
// longer time, and only the first two end its run.
func Settled(margins []Margin, limits []Limit, confidence float64, open bool) bool {
	if Judge(margins, limits, confidence) != stats.Undecided {
		return true
	}
	z := oneSided(confidence)
	for _, l := range limits {
		m, ok := marginOf(margins, l)
		if !ok {
			return false
		}
		if m.Y+z*m.S <= 0 {
			continue
		}
		own := math.Sqrt(max(0, m.S*m.S-RunSD*RunSD))
		exact, futile := own <= RunSD/2, own <= 2*RunSD && math.Abs(m.Y) <= z*math.Hypot(RunSD, own/2)
		if open {
			exact, futile = own <= RunSD/4, false
		}
		if !exact && !futile {
			return false
		}
	}
	return true
}

// What is far within its limit is so by a quarter of it at least, in so many requests
// at least.
const (
	farFromLimit = 1.25
	fewestFar    = 30
	clearOfLimit = 2
)

// Far reports whether all limits are kept for sure, and would be if those of times
// were a quarter tighter: what has not settled yet will not change that. A failure is
// never so sure: an endpoint may take its time for what it does the first time.
func Far(margins []Margin, limits []Limit, confidence float64) bool {
	for _, m := range margins {
		if !m.IsShare() && m.N < fewestFar {
			return false
		}
	}
	return tighter(margins, limits, confidence, farFromLimit)
}

// Clear reports whether all limits would be kept for sure if those of times were half as
// long, by however few requests: of an endpoint that has nothing to wait for they are
// enough.
func Clear(margins []Margin, limits []Limit, confidence float64) bool {
	return tighter(margins, limits, confidence, clearOfLimit)
}

// Lost reports whether a limit would be broken for sure if it were twice as far.
func Lost(margins []Margin, limits []Limit, confidence float64) bool {
	farther := slices.Clone(margins)
	for i, m := range farther {
		if !m.IsShare() {
			farther[i].Y -= math.Log(clearOfLimit)
		}
	}
	return Judge(farther, limits, confidence) == stats.Fail
}

// tighter reports whether limits are kept for sure that are those of times divided by a
// factor.
func tighter(margins []Margin, limits []Limit, confidence, by float64) bool {
	nearer := slices.Clone(margins)
	for i, m := range nearer {
		if !m.IsShare() {
			nearer[i].Y += math.Log(by)
		}
	}
	return Judge(nearer, limits, confidence) == stats.Pass
}

// Contradict reports whether two runs of one load disagree by more than chance: one
// keeps all limits for sure, and the other breaks one for sure, and by a quarter.
func Contradict(kept, broke []Margin, limits []Limit, confidence float64) bool {
	worst, broken := Broken(broke, limits)
	return broken && worst.Y >= math.Log(farFromLimit) &&
		Judge(broke, limits, confidence) == stats.Fail && Judge(kept, limits, confidence) == stats.Pass
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

// Kept reports whether margins keep all limits, however sure that is.
func Kept(margins []Margin, limits []Limit) bool {
	return !slices.ContainsFunc(limits, func(l Limit) bool {
		m, ok := marginOf(margins, l)
		return !ok || m.Y > 0
	})
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
func oneSided(confidence float64) float64 { return stats.NormalQuantile(confidence) }
