package analyze

import (
	"errors"
	"math/rand/v2"
	"slices"

	"loadgen/metrics"
)

const (
	forestTrees    = 40
	forestDepth    = 10
	forestLeaf     = 10    // rows that a leaf holds at least
	forestFeatures = 4     // tried per split, of 11: a third
	forestRows     = 20000 // drawn per tree at most
	forestBins     = 64    // places that a split can be at, per feature
)

// A forecastForest is the mean of regression trees, each grown on rows drawn
// with replacement and on few features per split (Breiman, 2001).
type forecastForest struct {
	Trees []forecastTree `json:"trees"`
}

// A forecastTree is its nodes, children after their parents.
type forecastTree []forecastNode

// A forecastNode is a split, or a leaf where Left is 0.
type forecastNode struct {
	Feature int     `json:"f,omitempty"`
	Split   float64 `json:"s,omitempty"` // values up to it go left
	Left    int     `json:"l,omitempty"` // the right child follows the left one
	Value   float64 `json:"v"`           // mean of the rows that came here
}

func (f *forecastForest) predict(x forecastInput) float64 {
	if len(f.Trees) == 0 {
		return 0
	}
	sum := 0.0
	for _, t := range f.Trees {
		n := 0
		for t[n].Left > 0 {
			next := t[n].Left
			if x[t[n].Feature] > t[n].Split {
				next++
			}
			n = next
		}
		sum += t[n].Value
	}
	return sum / float64(len(f.Trees))
}

// check reports whether every walk through the trees ends.
func (f *forecastForest) check() error {
	for _, t := range f.Trees {
		if len(t) == 0 {
			return errors.New("a tree has no node")
		}
		for i, n := range t {
			if n.Left != 0 && (n.Left <= i || n.Left+1 >= len(t) || n.Feature < 0 || n.Feature >= len(forecastInput{})) {
				return errors.New("a node of a tree points outside it")
			}
		}
	}
	return nil
}

// growForecastForest grows a forest. Features are cut into bins at their
// quantiles first, so that a split costs one pass over its rows.
func growForecastForest(x []forecastInput, y []float64, rng *rand.Rand) forecastForest {
	g := forestGrower{y: y, rng: rng, bins: make([][len(forecastInput{})]uint8, len(x))}
	column := make([]float64, len(x))
	for feature := range g.cuts {
		for i := range x {
			column[i] = x[i][feature]
		}
		g.cuts[feature] = forestCuts(column)
		for i := range x {
			bin, _ := slices.BinarySearch(g.cuts[feature], x[i][feature])
			g.bins[i][feature] = uint8(bin)
		}
	}
	var forest forecastForest
	for range forestTrees {
		rows := make([]int32, min(len(x), forestRows))
		for i := range rows {
			rows[i] = int32(rng.IntN(len(x)))
		}
		g.tree = forecastTree{{}}
		g.grow(0, rows, forestDepth)
		forest.Trees = append(forest.Trees, g.tree)
	}
	return forest
}

// forestCuts returns the values after which a feature can be split, ascending
// and distinct: bin b holds the values above cut b−1 and up to cut b.
func forestCuts(column []float64) []float64 {
	sorted := metrics.Sorted(column)
	var cuts []float64
	for b := 1; b < forestBins; b++ {
		v := sorted[(len(sorted)-1)*b/forestBins]
		if v < sorted[len(sorted)-1] && (len(cuts) == 0 || v > cuts[len(cuts)-1]) {
			cuts = append(cuts, v)
		}
	}
	return cuts
}

type forestGrower struct {
	y    []float64
	bins [][len(forecastInput{})]uint8 // per row and feature
	cuts [len(forecastInput{})][]float64
	rng  *rand.Rand
	tree forecastTree
}

// grow makes the node for the rows and, where a split pays, its children.
func (g *forestGrower) grow(node int, rows []int32, depth int) {
	sum := 0.0
	for _, r := range rows {
		sum += g.y[r]
	}
	g.tree[node].Value = sum / float64(len(rows))
	if depth == 0 || len(rows) < 2*forestLeaf {
		return
	}
	feature, bin, ok := g.split(rows, sum)
	if !ok {
		return
	}
	left := len(g.tree)
	g.tree[node].Feature, g.tree[node].Split, g.tree[node].Left = feature, g.cuts[feature][bin], left
	g.tree = append(g.tree, forecastNode{}, forecastNode{})
	middle := 0
	for i, r := range rows {
		if int(g.bins[r][feature]) <= bin {
			rows[i], rows[middle] = rows[middle], r
			middle++
		}
	}
	g.grow(left, rows[:middle], depth-1)
	g.grow(left+1, rows[middle:], depth-1)
}

// split returns the feature and bin, among a few features drawn by chance,
// that leave the least squares around the two means.
func (g *forestGrower) split(rows []int32, total float64) (feature, bin int, ok bool) {
	n := float64(len(rows))
	// A split gains Σl²/nl + Σr²/nr − Σ²/n; rounding errors are no gain.
	best := total * total / n * (1 + 1e-12)
	for _, f := range g.rng.Perm(len(g.cuts))[:forestFeatures] {
		var sums [forestBins]float64
		var counts [forestBins]int
		for _, r := range rows {
			b := g.bins[r][f]
			sums[b] += g.y[r]
			counts[b]++
		}
		sum, count := 0.0, 0
		for b := range g.cuts[f] {
			sum, count = sum+sums[b], count+counts[b]
			rest := len(rows) - count
			if count < forestLeaf || rest < forestLeaf {
				continue
			}
			if gain := sum*sum/float64(count) + (total-sum)*(total-sum)/float64(rest); gain > best {
				feature, bin, best, ok = f, b, gain, true
			}
		}
	}
	return feature, bin, ok
}
