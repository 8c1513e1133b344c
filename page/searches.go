package page

import (
	"cmp"
	"fmt"
	"slices"

	"gonum.org/v1/plot/plotter"

	"loadgen/results"
)

// A searchView is a search for capacity on a page.
type searchView struct {
	Name    string
	Figures []figure
	Notes   []string
}

func (b *Batch) searches(id string, left *int) []searchView {
	var views []searchView
	for i := range b.Capacities {
		c := &b.Capacities[i]
		room := *left / 4
		before := room
		views = append(views, searchView{
			Name: named(c.Cell.Values), Notes: c.Notes,
			Figures: figures(fmt.Sprintf("%s-s%d", id, i+1), searchCharts(c), &room),
		})
		*left -= before - room
	}
	return views
}

// searchCharts draw, for each set of limits, how near the probes came to each.
func searchCharts(c *results.Capacity) []Chart {
	var charts []Chart
	for t := range c.Tiers {
		tier := &c.Tiers[t]
		ch := Chart{
			Name: "capacity", Title: "What was measured, as a share of its limit", XLabel: c.Over, YLabel: "% of the limit", FromZero: true,
			Says: sentence(tier.Answer), LogX: true,
		}
		if tier.Name != "" {
			ch.Name, ch.Title = "capacity_"+fileName(tier.Name), tier.Name+": what was measured, as a share of its limit"
		}
		for i, l := range tier.Limits {
			s := Series{Name: l.String(), Kind: Marked, Color: i}
			for _, p := range c.Probes {
				if p.Void != "" {
					continue
				}
				for _, m := range p.Margins {
					if m.Limit == l && l.Bound > 0 {
						s.Points = append(s.Points, plotter.XY{X: p.Load, Y: 100 * m.Observed / l.Bound})
					}
				}
			}
			slices.SortStableFunc(s.Points, func(a, b plotter.XY) int { return cmp.Compare(a.X, b.X) })
			ch.Series = append(ch.Series, s)
		}
		ch.Levels = append(ch.Levels, Level{At: 100, Name: "the limit", Color: warning})
		for _, bound := range []struct {
			at   float64
			name string
		}{{float64(tier.Lower), "interval of the capacity"}, {float64(tier.Upper), "interval of the capacity"}, {float64(tier.Capacity), "capacity"}} {
			if finite(bound.at) && bound.at > 0 {
				shade := 6
				if bound.name == "capacity" {
					shade = 2
				}
				ch.Levels = append(ch.Levels, Level{At: bound.at, Name: bound.name, Upright: true, Color: shade})
			}
		}
		charts = append(charts, ch)
	}
	return charts
}

// sideCharts hold several batches against each other: the same figures, a colour
// for each batch.
func sideCharts(batches []*Batch) []Chart {
	var charts []Chart
	throughput := batches[0].throughput()
	for _, t := range timed {
		ch := Chart{
			Name: t.short + "_vs_throughput", Title: t.name + " p99 against throughput", XLabel: axisOf(throughput), YLabel: "ms", FromZero: true,
			Says: "A colour for each batch.",
		}
		for i, b := range batches[:min(len(batches), mostGroups)] {
			key := b.loadKey()
			for _, g := range b.groups(key) {
				s := pair(g, throughput, figureOf(t.tag, "p99"), b.Name, i, key)
				if key == "" {
					s.Kind, s.Labels = Dots, nil
				}
				ch.Series = append(ch.Series, s)
			}
			ch.Series = append(ch.Series, b.doubtful(throughput, figureOf(t.tag, "p99")))
		}
		charts = append(charts, ch)
	}
	return slices.DeleteFunc(charts, func(c Chart) bool { return c.empty() })
}
