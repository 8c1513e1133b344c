package compare

import (
	"math"
	"time"

	"loadgen/analyze"
	"loadgen/metrics"
	"loadgen/stats"
)

// A Night is one execution of a batch: what its runs come to, by cell.
type Night struct {
	Dir     string // its name below the batch's
	Started time.Time
	Label   string // what was tested; empty where nobody said
	Version string // of loadgen
	// Runs were made, of which Invalid and Unfit have no say: the latter have
	// no figures. Degraded ones have.
	Runs, Degraded, Invalid, Unfit int
	Cells                          []NightCell
	// Asked is what searches looked for, by capacity.
	Asked map[metrics.Figure]Question
}

// A NightCell holds the figures of one cell over the runs that have a say:
// geometric means, of the error rate arithmetic and a share of 1.
type NightCell struct {
	Key     string
	Figures map[metrics.Figure]float64
	// Bounds are the capacities that are only bounded, such as < 1 or ≥ 128.
	Bounds map[metrics.Figure]string
}

// NightOf folds the runs of a batch.
func NightOf(side CompareSide, figuresOf []metrics.Figure) Night {
	n := Night{Runs: len(side.Runs), Asked: questions(side.Runs)}
	var fit CompareSide
	for _, r := range side.Runs {
		if !r.Started.IsZero() && (n.Started.IsZero() || r.Started.Before(n.Started)) {
			n.Started = r.Started
		}
		switch {
		case r.Unfit != "":
			n.Unfit++
			continue
		case r.Mute():
			n.Invalid++
			continue
		case r.Validity.Verdict == metrics.Degraded:
			n.Degraded++
		}
		fit.Runs = append(fit.Runs, r)
	}
	for _, c := range cellsOf(fit) {
		cell := NightCell{Key: c.key, Figures: map[metrics.Figure]float64{}, Bounds: bounds(c.runs)}
		for _, f := range figuresOf {
			values := figures(c.runs, f)
			v := geometricMean(values)
			if f.Tag == metrics.ErrorRate && len(values) > 0 {
				v = analyze.Number(metrics.Mean(values))
			}
			if v.Defined() {
				cell.Figures[f] = float64(v)
			}
		}
		n.Cells = append(n.Cells, cell)
	}
	return n
}

// figure returns a figure of a cell of the night.
func (n *Night) figure(key string, f metrics.Figure) (float64, bool) {
	for _, c := range n.Cells {
		if c.Key == key {
			v, ok := c.Figures[f]
			return v, ok
		}
	}
	return 0, false
}

// Bound is what bounds a figure of the only one of some cells; empty for none.
func (n *Night) Bound(cells []string, f metrics.Figure) string {
	for _, c := range n.Cells {
		if len(cells) == 1 && c.Key == cells[0] {
			return c.Bounds[f]
		}
	}
	return ""
}

// Mean is the geometric mean of a figure over some cells, of the error rate the
// arithmetic one in per cent; undefined where one of them lacks it.
func (n *Night) Mean(cells []string, f metrics.Figure) analyze.Number {
	var values []float64
	for _, key := range cells {
		v, ok := n.figure(key, f)
		if !ok {
			return undefined
		}
		values = append(values, v)
	}
	if f.Tag == metrics.ErrorRate {
		return analyze.Number(100 * metrics.Mean(values))
	}
	return geometricMean(values)
}

// A History is how the figures of a batch went from night to night.
type History struct {
	Nights []Night
	// Cells are those of the last night with figures, in its order.
	Cells  []string
	Series []Series
	// Figures are those that were followed, in the order of the rules.
	Figures []metrics.Figure
	// Asked is what the last searches looked for, by capacity; Others are the nights
	// that were asked something else, whose capacities are left out.
	Asked  map[metrics.Figure]Question
	Others []string
}

// Unit is that of a figure; of a capacity that of its loads.
func (h *History) Unit(f metrics.Figure) string {
	if f.Tag == metrics.Capacity {
		return h.Asked[f].Unit
	}
	return f.Unit()
}

// A Series is one figure of one cell over the nights that have it.
type Series struct {
	Cell   string
	Figure metrics.Figure
	Higher bool
	At     []int // the night of each value
	Values []float64
	// Changes are where the level changed.
	Changes []LevelChange
	// Noise is the standard deviation of a night's logarithm since the last
	// change, about its coefficient of variation; undefined for fewer than
	// three nights.
	Noise analyze.Number
}

// A LevelChange is a night from which on a figure had another level.
type LevelChange struct {
	Night         int // its number in the history
	Before, After float64
	P             float64
	Worse         bool
}

// HistoryOf finds the change points of every figure of every cell. Nights must
// be in the order of time. The error rate is left out: it has no level to speak
// of.
func HistoryOf(nights []Night, rules []CompareRule) *History {
	h := &History{}
	h.Nights, h.Asked, h.Others = lastAsked(nights)
	nights = h.Nights
	for i := len(nights) - 1; i >= 0 && h.Cells == nil; i-- {
		for _, c := range nights[i].Cells {
			h.Cells = append(h.Cells, c.Key)
		}
	}
	rules = EachCapacity(rules, h.capacities())
	for _, r := range rules {
		h.Figures = append(h.Figures, r.Figure)
	}
	for _, key := range h.Cells {
		for _, r := range rules {
			if r.Figure.Tag == metrics.ErrorRate || r.Unstreamed && h.streamed(key) {
				continue
			}
			s := Series{Cell: key, Figure: r.Figure, Higher: r.Higher}
			for i := range nights {
				if v, ok := nights[i].figure(key, r.Figure); ok && v > 0 {
					s.At, s.Values = append(s.At, i), append(s.Values, v)
				}
			}
			if len(s.Values) > 0 {
				s.find()
				h.Series = append(h.Series, s)
			}
		}
	}
	return h
}

// capacities are those that any night has.
func (h *History) capacities() []metrics.Figure {
	var all []metrics.Figure
	for _, n := range h.Nights {
		for _, c := range n.Cells {
			for f := range c.Figures {
				if f.Tag == metrics.Capacity {
					all = append(all, f)
				}
			}
		}
	}
	return all
}

// streamed reports whether a cell had a time to the first token in any night.
func (h *History) streamed(key string) bool {
	for i := range h.Nights {
		if _, ok := h.Nights[i].figure(key, medianTTFT); ok {
			return true
		}
	}
	return false
}

func (s *Series) find() {
	points, _ := stats.ChangePoints(s.Values, stats.DefaultChangeRule)
	from := 0
	for i, p := range points {
		to := len(s.Values)
		if i+1 < len(points) {
			to = points[i+1].Index
		}
		before, after := geometricMean(s.Values[from:p.Index]), geometricMean(s.Values[p.Index:to])
		s.Changes = append(s.Changes, LevelChange{
			Night: s.At[p.Index], Before: float64(before), After: float64(after),
			P: p.P, Worse: after > before != s.Higher,
		})
		from = p.Index
	}
	s.Noise = undefined
	if level := s.Values[from:]; len(level) >= stats.DefaultChangeRule.MinSegment {
		logs := make([]float64, len(level))
		for i, v := range level {
			logs[i] = math.Log(v)
		}
		if s.Noise = analyze.Number(metrics.SampleStdDev(logs)); s.Noise < 1e-12 {
			s.Noise = 0 // rounding
		}
	}
}
