package stats

import (
	"math"
	"slices"
)

// ChangeRule is what a change of level must have to be told.
type ChangeRule struct {
	PMax       float64 // a t-test across it must give less
	MinSegment int     // values on either side, at least 2
	MinChange  float64 // 0.08: smaller changes are left out
}

// DefaultChangeRule raises one false alarm in a few hundred nightly looks.
var DefaultChangeRule = ChangeRule{PMax: 1e-4, MinSegment: 3, MinChange: 0.08}

// A ChangePoint is where a series of positive values changed its level.
type ChangePoint struct {
	Index int     // of the first value of the new level, from 0
	Ratio float64 // of the level after to the one before
	P     float64 // of the t-test between the two stretches
}

// ChangePoints finds them by the energy statistic of E-divisive (Matteson and
// James 2014), with a t-test in place of its permutations: nothing is drawn
// by lot, so a series always has the same answer. Then those that do not
// stand up between their neighbours are dropped. The second result are the
// indices before that.
func ChangePoints(values []float64, rule ChangeRule) (found []ChangePoint, candidates []int) {
	n := len(values) + 1
	d := divider{
		z: logs(values), rule: rule, segment: max(rule.MinSegment, 2),
		within: make([]float64, n), across: make([]float64, n),
	}
	d.divide(0, len(values))
	slices.Sort(d.points)
	candidates = slices.Clone(d.points)
	for d.prune() {
	}
	for k, at := range d.points {
		before, after := d.around(k)
		found = append(found, ChangePoint{
			Index: at,
			Ratio: math.Exp(MomentsOf(after).Mean - MomentsOf(before).Mean),
			P:     pooledP(before, after),
		})
	}
	return found, candidates
}

type divider struct {
	z       []float64
	rule    ChangeRule
	segment int
	points  []int
	// What best keeps for each split: the distances between the pairs left of
	// it, and of those across it.
	within, across []float64
}

// best splits [a, b) where [a, t) and [t, end) differ most; of equals the least
// t, then the least end. Values join from the left: the distances of the new
// one to all before it are summed once, which gives those across every split,
// and the rest of all distances lies right of it. So the search is quadratic in
// time and linear in memory.
func (d *divider) best(a, b int) (t, end int) {
	within, across := d.within[:b-a+1], d.across[:b-a+1]
	clear(across)
	most, all := math.Inf(-1), 0.0
	for e := a + 1; e <= b; e++ {
		joined, sum := d.z[e-1], 0.0
		for i, v := range d.z[a : e-1] {
			across[i] += sum
			sum += math.Abs(v - joined)
		}
		across[e-1-a] += sum
		all += sum
		within[e-a] = all
		for s := a + d.segment; s+d.segment <= e; s++ {
			n, r := float64(s-a), float64(e-s)
			left, cross := within[s-a], across[s-a]
			q := 2 / (n + r) * (cross - r*left/(n-1) - n*(all-left-cross)/(r-1))
			if q > most || q == most && s < t {
				most, t, end = q, s, e
			}
		}
	}
	return t, end
}

func (d *divider) divide(a, b int) {
	if b-a < 2*d.segment {
		return
	}
	t, end := d.best(a, b)
	// Ten times the level: what looks weak here may stand once its other
	// neighbour is known.
	if end == 0 || pooledP(d.z[a:t], d.z[t:end]) >= 10*d.rule.PMax {
		return
	}
	d.points = append(d.points, t)
	d.divide(a, t)
	d.divide(t, b)
}

// around returns the two stretches that meet at the k-th point.
func (d *divider) around(k int) (before, after []float64) {
	from, to := 0, len(d.z)
	if k > 0 {
		from = d.points[k-1]
	}
	if k+1 < len(d.points) {
		to = d.points[k+1]
	}
	at := d.points[k]
	return d.z[from:at], d.z[at:to]
}

// prune drops the least certain point, or the smallest; false when all stand.
func (d *divider) prune() bool {
	uncertain, p := -1, d.rule.PMax
	small, change := -1, math.Log1p(d.rule.MinChange)
	for k := range d.points {
		before, after := d.around(k)
		if q := pooledP(before, after); q > p || q == p && uncertain < 0 {
			uncertain, p = k, q
		}
		if c := math.Abs(MomentsOf(after).Mean - MomentsOf(before).Mean); c < change {
			small, change = k, c
		}
	}
	drop := uncertain
	if drop < 0 {
		drop = small
	}
	if drop < 0 {
		return false
	}
	d.points = slices.Delete(d.points, drop, drop+1)
	return true
}

// pooledP is the two-sided p of the pooled t-test.
func pooledP(a, b []float64) float64 {
	x, y := MomentsOf(a), MomentsOf(b)
	diff, squares := math.Abs(y.Mean-x.Mean), x.M2+y.M2
	df := float64(x.N + y.N - 2)
	if squares <= 1e-24*(1+diff) {
		return certain(diff > leastDifference)
	}
	if df <= 0 {
		return 1
	}
	se := math.Sqrt(squares / df * (1/float64(x.N) + 1/float64(y.N)))
	return 2 * tTail(diff/se, df)
}
