package page

import (
	"slices"
	"strings"

	"gonum.org/v1/plot/plotter"

	"loadgen/metrics"
	"loadgen/results"
)

// capacityCharts draw what several batches were found to bear, one after another with
// their intervals: a chart for what is counted, a colour for each cell and tier. One
// that was asked something else than the last is left out.
func capacityCharts(batches []*Batch) []Chart {
	var charts []Chart
	for i, b := range slices.Backward(batches) { // the last batch with a search says what is asked
		if len(b.Capacities) == 0 {
			continue
		}
		for k := range b.Capacities {
			c := &b.Capacities[k]
			for t := range c.Tiers {
				s, others := capacitySeries(batches[:i+1], c, &c.Tiers[t])
				if len(s.Points) < 2 {
					continue
				}
				at := slices.IndexFunc(charts, func(ch Chart) bool { return ch.YLabel == c.Unit })
				if at < 0 {
					at = len(charts)
					charts = append(charts, Chart{
						Name: "capacities", Title: "Capacity", XLabel: "batch, in the order above", YLabel: c.Unit, FromZero: true,
						Says: "With the interval of each; a ring where it is not certified.",
					})
				}
				ch := &charts[at]
				if others > 0 && !strings.Contains(ch.Says, "left out") {
					ch.Says += " Batches that were asked for other limits than the last are left out."
				}
				if s.Color = len(ch.Series); s.Color < mostGroups {
					ch.Series = append(ch.Series, s)
				}
			}
		}
		break
	}
	return charts
}

// capacitySeries are the answers of some batches to the question of one, by number.
func capacitySeries(batches []*Batch, asked *results.Capacity, of *results.CapacityTier) (s Series, others int) {
	s = Series{Kind: Marked, Name: strings.TrimSpace(named(asked.Cell.Values) + " " + of.Name)}
	if s.Name == "" {
		s.Name = "capacity"
	}
	for n, b := range batches {
		for i := range b.Capacities {
			c := &b.Capacities[i]
			if c.Over != asked.Over || named(c.Cell.Values) != named(asked.Cell.Values) {
				continue
			}
			for t := range c.Tiers {
				tier := &c.Tiers[t]
				switch {
				case tier.Name != of.Name || !(tier.Capacity > 0) || tier.Status != "found":
				case !slices.Equal(tier.Limits, of.Limits):
					others++
				default:
					s.Points = append(s.Points, plotter.XY{X: float64(n + 1), Y: float64(tier.Capacity)})
					s.Errors = append(s.Errors, Error{reach(tier.Capacity - tier.Lower), reach(tier.Upper - tier.Capacity)})
					s.Labels = append(s.Labels, number(float64(tier.Capacity)))
					s.Weak = append(s.Weak, !tier.Certified)
				}
			}
		}
	}
	return s, others
}

// reach is how far an interval reaches to one side; 0 where it has no end.
func reach(b metrics.Bound) float64 {
	if !b.Known() || b < 0 {
		return 0
	}
	return float64(b)
}
