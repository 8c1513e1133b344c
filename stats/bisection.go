package stats

import (
	"cmp"
	"math"
	"slices"
)

// A Bisection looks for the greatest load that passes: doubling or halving to
// a bracket, then the geometric middle of the widest gap. It holds no state:
// what to probe next follows from the probes that are over.
type Bisection struct {
	Integer    bool    // loads are whole numbers, at least 1
	Start      float64 // the first load
	Most       float64 // no load above it is probed; 0 for none
	Resolution float64 // 0.05: a gap of 5 % is closed; of whole numbers a gap of 1
	MaxProbes  int
	Growth     float64 // by which the next load is greater while none failed; 0 for 2
	Aim        float64 // where the limit is expected: tried in place of a middle, and of growth where it was passed; 0 for nowhere
}

// A Probe is a load with its answer.
type Probe struct {
	Load   float64
	Answer Answer
}

// A Stop is why a bisection ended.
type Stop string

// The stops.
const (
	StopResolution Stop = "resolution" // the bracket is narrow enough
	StopMaxProbes  Stop = "max_probes"
	StopNoFail     Stop = "no_fail" // nothing failed
	StopNoPass     Stop = "no_pass" // even the least load failed
)

// leastReal is the least load where loads are not whole numbers.
const leastReal = 0.001

// Next returns the load to probe, or why there is none. An undecided load
// proves nothing: it stays inside the bracket.
func (b Bisection) Next(probes []Probe) (load float64, stop Stop) {
	passed, failed := withAnswer(probes, Pass), withAnswer(probes, Fail)
	switch {
	case len(probes) == 0:
		return b.Start, ""
	case len(probes) >= b.MaxProbes:
		if len(failed) == 0 {
			return 0, StopNoFail
		}
		return 0, StopMaxProbes
	}
	loads := withAnswer(probes, Pass, Fail, Undecided)
	if probes[0].Answer == Fail && len(passed) == 0 {
		if half, ok := b.halve(loads[0]); ok {
			return half, ""
		}
	}
	highest := loads[len(loads)-1]
	high := highest // where the limit is expected below it, though none is sure to fail
	if len(failed) > 0 {
		high = failed[0]
	} else if b.Aim == 0 || b.Aim >= highest {
		if b.Most > 0 && highest >= b.Most {
			return 0, StopNoFail
		}
		next := highest * cmp.Or(b.Growth, 2)
		if b.Integer {
			next = max(highest+1, math.Floor(next))
		}
		if b.Most > 0 {
			next = min(next, b.Most)
		}
		return next, ""
	}
	if next, ok := b.inside(loads, passed, high, fromOneSide(probes)); ok {
		return next, ""
	}
	if len(passed) == 0 && probes[0].Answer == Fail {
		return 0, StopNoPass
	}
	return 0, StopResolution
}

// fromOneSide reports whether the last three probes failed, or passed: an aim that keeps
// to one side follows a curve that is no line.
func fromOneSide(probes []Probe) bool {
	n := len(probes)
	if n < 3 || probes[n-1].Answer == Undecided {
		return false
	}
	return !slices.ContainsFunc(probes[n-3:], func(p Probe) bool { return p.Answer != probes[n-1].Answer })
}

func (b Bisection) halve(load float64) (float64, bool) {
	half := load / 2
	if b.Integer {
		half = math.Floor(half)
		return half, half >= 1
	}
	return half, half >= leastReal
}

// inside is a load between neighbouring ones of the bracket below the lowest failed
// load: the geometric middle of the widest gap, or with an aim one near it in the
// gap that holds it.
func (b Bisection) inside(loads, passed []float64, high float64, middle bool) (float64, bool) {
	low := loads[0]
	if p := highestBelow(passed, high); !math.IsNaN(p) {
		low = p
	}
	inside := slices.DeleteFunc(slices.Clone(loads), func(l float64) bool { return l < low || l > high })
	at, widest := -1, 0.0
	for i := range len(inside) - 1 {
		step := b.Resolution * inside[i]
		if b.Integer {
			step = max(step, 1)
		}
		aimed := b.Aim > 0 && inside[i] <= b.Aim && b.Aim < inside[i+1]
		if inside[i+1]-inside[i] <= step+1e-9 {
			if aimed {
				return 0, false // it is close enough there
			}
			continue
		}
		if ratio := inside[i+1] / inside[i]; at < 0 || aimed || ratio > widest*(1+1e-9) {
			at, widest = i, ratio
		}
		if aimed {
			break
		}
	}
	if at < 0 {
		return 0, false
	}
	m := math.Sqrt(inside[at] * inside[at+1])
	if !middle && b.Aim > inside[at] && b.Aim < inside[at+1] {
		edge := math.Pow(widest, leastShare)
		m = min(max(b.Aim, inside[at]*edge), inside[at+1]/edge)
	}
	if b.Integer {
		m = min(max(math.Round(m), inside[at]+1), inside[at+1]-1)
	}
	return m, m > inside[at] && m < inside[at+1]
}

// leastShare is the part of a gap, by its logarithm, that an aim leaves on either
// side at least: a gap is closed in a bounded number of probes, however wrong the
// aims.
const leastShare = 0.1

// Bracket returns the highest passed load below the lowest failed one, and
// that; NaN for none.
func Bracket(probes []Probe) (low, high float64) {
	high = math.NaN()
	below := math.Inf(1)
	if failed := withAnswer(probes, Fail); len(failed) > 0 {
		high, below = failed[0], failed[0]
	}
	return highestBelow(withAnswer(probes, Pass), below), high
}

// highestBelow is the highest of ascending loads below a bound; NaN for none.
func highestBelow(loads []float64, bound float64) float64 {
	i, _ := slices.BinarySearchFunc(loads, bound, cmp.Compare[float64])
	if i == 0 {
		return math.NaN()
	}
	return loads[i-1]
}

// withAnswer are the distinct loads with one of the answers, ascending.
func withAnswer(probes []Probe, answers ...Answer) []float64 {
	var loads []float64
	for _, p := range probes {
		if slices.Contains(answers, p.Answer) {
			loads = append(loads, p.Load)
		}
	}
	slices.Sort(loads)
	return slices.Compact(loads)
}
