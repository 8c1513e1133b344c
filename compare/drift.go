package compare

import (
	"math"
	"slices"

	"loadgen"
	"loadgen/metrics"
)

const (
	// driftLevel is how rarely independent runs may look as if they drifted.
	driftLevel = 0.01
	// leastRounds have enough orders for that level.
	leastRounds = 4
	// mostListed rounds have few enough orders to list them all; of more, some
	// are drawn.
	mostListed  = 6
	ordersDrawn = 2000
)

// driftP is how often a shuffled order of the rounds would look as much like
// a drift as the order of time does: 1 where there are too few rounds. All
// cells and figures of a side are shuffled together, so that rounds may be
// good or bad as a whole without being taken for a drift. Cells whose sides
// took turns are left out: there a drift hits both.
func driftP(pairs []cellPair, of []metrics.Figure) float64 {
	var base, fresh gram
	for i := range pairs {
		p := &pairs[i]
		if p.byRound() {
			continue
		}
		for _, f := range of {
			base.add(figures(p.base, f))
			fresh.add(figures(p.fresh, f))
		}
	}
	a, b := base.orders(), fresh.orders()
	if len(a)+len(b) == 0 {
		return 1
	}
	seen := base.inTime() + fresh.inTime()
	slices.Sort(b)
	at := func(v float64) int { i, _ := slices.BinarySearch(b, v); return len(b) - i }
	if len(a) == 0 {
		return float64(at(seen-1e-9)) / float64(len(b))
	}
	if len(b) == 0 {
		b = []float64{0}
	}
	as, total := 0, len(a)*len(b)
	for _, v := range a {
		as += at(seen - v - 1e-9)
	}
	return float64(as) / float64(total)
}

// A gram holds, for every two rounds, how alike they are: the products of the
// deviations of their logs from the mean, summed over series of equal weight.
// The first series says how many rounds there are; others are left out.
type gram struct{ rounds [][]float64 }

func (g *gram) add(values []float64) {
	v := withLog(values)
	n := len(v)
	if n < leastRounds || n != len(values) || g.rounds != nil && n != len(g.rounds) {
		return
	}
	mean, squares := 0.0, 0.0
	for i := range v {
		v[i] = math.Log(v[i])
		mean += v[i] / float64(n)
	}
	for i := range v {
		v[i] -= mean
		squares += v[i] * v[i]
	}
	if squares < 1e-20 {
		return
	}
	if g.rounds == nil {
		g.rounds = make([][]float64, n)
		for i := range g.rounds {
			g.rounds[i] = make([]float64, n)
		}
	}
	for i := range v {
		for j := range v {
			g.rounds[i][j] += v[i] * v[j] / squares
		}
	}
}

// inTime sums over rounds that follow each other.
func (g *gram) inTime() float64 {
	order := make([]int, len(g.rounds))
	for i := range order {
		order[i] = i
	}
	return g.along(order)
}

func (g *gram) along(order []int) float64 {
	sum := 0.0
	for i := 1; i < len(order); i++ {
		sum += g.rounds[order[i-1]][order[i]]
	}
	return sum
}

// orders are the sums of all orders of the rounds, or of a fixed draw of them.
func (g *gram) orders() []float64 {
	n := len(g.rounds)
	if n == 0 {
		return nil
	}
	if n > mostListed {
		sums := []float64{g.inTime()}
		rng := loadgen.Seed(1).Rand("compare.drift")
		for range ordersDrawn - 1 {
			sums = append(sums, g.along(rng.Perm(n)))
		}
		return sums
	}
	var sums []float64
	order := make([]int, 0, n)
	var place func()
	place = func() {
		if len(order) == n {
			sums = append(sums, g.along(order))
			return
		}
		for i := range n {
			if !slices.Contains(order, i) {
				order = append(order, i)
				place()
				order = order[:len(order)-1]
			}
		}
	}
	place()
	return sums
}
