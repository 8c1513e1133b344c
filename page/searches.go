package page

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"gonum.org/v1/plot/plotter"

	"loadgen/metrics"
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
	probes := slices.SortedStableFunc(slices.Values(c.Probes), func(a, b results.CapacityProbe) int { return cmp.Compare(a.Load, b.Load) })
	for t := range c.Tiers {
		tier := &c.Tiers[t]
		ch := Chart{
			Name: "capacity", Title: "Share of the limit", XLabel: c.Over, YLabel: "% of the limit", FromZero: true,
			Says: sentence(tier.Answer), LogX: true,
		}
		if tier.Name != "" {
			ch.Name, ch.Title = "capacity_"+fileName(tier.Name), tier.Name+": share of the limit"
		}
		void := Series{Name: "void: INVALID, or broken off", Kind: Crosses, Color: warning}
		for i, l := range tier.Limits {
			sound := Series{Name: l.String(), Kind: Marked, Color: i}
			for _, p := range probes {
				share, ok := share(&p, l)
				switch at := (plotter.XY{X: p.Load, Y: share}); {
				case !ok:
				case p.Void != "":
					void.Points = append(void.Points, at)
				default:
					sound.Points = append(sound.Points, at)
					sound.Weak = append(sound.Weak, p.Verdict == metrics.Degraded)
				}
			}
			ch.Series = append(ch.Series, sound)
		}
		ch.Series = append(ch.Series, void)
		ch.Levels = append(ch.Levels, Level{At: 100, Name: "the limit", Color: warning})
		ch.Levels = append(ch.Levels, answerLevels(c, tier)...)
		charts = append(charts, ch)
	}
	return charts
}

// answerLevels are the answer on the axis of the loads, the capacity above its interval.
// A search without an answer has none.
func answerLevels(c *results.Capacity, tier *results.CapacityTier) []Level {
	var levels, capacity []Level
	for name, v := range tier.Numbers() {
		level := Level{At: v, Name: "interval of the capacity", Upright: true, Color: 6}
		switch {
		case name == metrics.Capacity:
			level.Name, level.Color = strings.TrimSpace("capacity: "+number(v)+" "+c.Unit), 7
			capacity = append(capacity, level)
			continue
		case !tier.Found():
			level.Name = strings.TrimSpace("borne: at least " + number(v) + " " + c.Unit)
		}
		levels = append(levels, level)
	}
	return append(levels, capacity...)
}

// share is what a probe measured as a percentage of a limit.
func share(p *results.CapacityProbe, l metrics.Limit) (percent float64, ok bool) {
	for _, m := range p.Margins {
		if m.Name == l.Name && l.Bound > 0 { // a margin may be held against the limit of another tier
			return 100 * m.Observed / l.Bound, true
		}
	}
	return 0, false
}

// sideCharts hold several batches against each other: the same figures, a colour
// for each batch.
func sideCharts(batches []*Batch) []Chart {
	charts := capacityCharts(batches)
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
