package metrics

import (
	"math"
	"slices"

	"loadgen/stats"
)

// A Repeated is a figure over the runs of a cell.
type Repeated struct {
	Tag  string
	Stat string // avg, min, p50 …; avg for a metric with one value for a run
	Unit string
	stats.Interval
	Min, Max float64
}

// Key is AIPerf's: request_latency_p99.
func (r *Repeated) Key() string { return r.Tag + "_" + r.Stat }

// CV is the standard deviation over the mean: infinite where the mean is zero
// and the values are not.
func (r *Repeated) CV() float64 {
	if r.SD == 0 {
		return 0
	}
	return r.SD / math.Abs(r.Mean)
}

// Certain reports whether the half width is within a share of the mean.
func (r *Repeated) Certain(share float64) bool { return r.HalfWidth <= share*math.Abs(r.Mean) }

// repeatedStats are the statistics of a distribution, in AIPerf's order.
var repeatedStats = []string{"avg", "p1", "p5", "p10", "p25", "p50", "p75", "p90", "p95", "p99", "min", "max", "std", "sum"}

// Repeats folds the figures of several runs of a cell: each figure that any of
// them has, over those that have it, in the order of the summaries.
func Repeats(runs []*Summary, confidence float64) []Repeated {
	var order []Repeated
	values := map[string][]float64{}
	add := func(m *Metric, stat string, v float64) {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return
		}
		r := Repeated{Tag: m.Tag, Stat: stat, Unit: m.Unit}
		if values[r.Key()] == nil {
			order = append(order, r)
		}
		values[r.Key()] = append(values[r.Key()], v)
	}
	for _, run := range runs {
		for i := range run.Metrics {
			m := &run.Metrics[i]
			if m.Value != nil {
				add(m, "avg", *m.Value)
				continue
			}
			for _, stat := range repeatedStats {
				if v, ok := m.Stats.Named(stat); ok {
					add(m, stat, v)
				}
			}
		}
	}
	for i := range order {
		order[i].over(values[order[i].Key()], confidence)
	}
	return order
}

// over folds the values of the runs.
func (r *Repeated) over(values []float64, confidence float64) {
	r.Interval = stats.MeanInterval(values, confidence)
	r.Min, r.Max = slices.Min(values), slices.Max(values)
}

// RepeatsUnderLoad are the rates of Repeats while there was load, which tables
// show in place of those over the whole run: a rate that not all runs have so
// is left as it is.
func RepeatsUnderLoad(repeated []Repeated, runs []*Summary, confidence float64) []Repeated {
	out := slices.Clone(repeated)
	for i := range out {
		var rates []float64
		for _, run := range runs {
			if rate, ok := run.UnderLoad(out[i].Tag); ok {
				rates = append(rates, rate)
			}
		}
		if len(rates) == len(runs) && len(runs) > 0 {
			out[i].over(rates, confidence)
		}
	}
	return out
}
