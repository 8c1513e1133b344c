package page

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/plot/plotter"

	"loadgen/metrics"
)

// mostGroups is how many combinations of the other keys have a line of their
// own in a chart over one key.
const mostGroups = ordinary

// sweepCharts are what the cells of a batch say together; of one cell, what its
// repeats do.
func (b *Batch) sweepCharts() []Chart {
	throughput := b.throughput()
	if len(b.cells) < 2 {
		return slices.DeleteFunc([]Chart{b.uncertainty(b.perGPU(throughput))}, func(c Chart) bool { return c.empty() })
	}
	var charts []Chart
	charts = append(charts, b.againstThroughput(throughput)...)
	for _, key := range b.numericKeys() {
		charts = append(charts, b.overKey(key, throughput)...)
	}
	charts = append(charts, b.heatMaps(throughput)...)
	charts = append(charts, b.frontiers(throughput)...)
	charts = append(charts, b.uncertainty(b.perGPU(throughput)))
	return slices.DeleteFunc(charts, func(c Chart) bool { return c.empty() })
}

// throughput is the measure of what was carried: goodput where there are limits
// to be good by, else tokens, else requests.
func (b *Batch) throughput() metrics.Figure {
	for _, tag := range []string{"goodput", "output_token_throughput"} {
		f := metrics.Figure{Tag: tag, Stat: "avg"}
		if slices.ContainsFunc(b.cells, func(c *cell) bool { _, ok := c.figure(f); return ok }) {
			return f
		}
	}
	return metrics.Figure{Tag: "request_throughput", Stat: "avg"}
}

var figureNames = map[string]string{
	"goodput": "Goodput", "output_token_throughput": "Output token throughput", "request_throughput": "Request throughput",
	"time_to_first_token": "Time to first token", "inter_token_latency": "Inter token latency", "request_latency": "Request latency",
	"output_token_throughput_per_user": "Output tokens per user", metrics.PerGPU: "Output tokens per GPU",
}

func axisOf(f metrics.Figure) string {
	unit := strings.ReplaceAll(f.Unit(), "/sec", "/s")
	name := figureNames[f.Tag]
	if f.Stat != "avg" {
		name += " " + f.Stat
	}
	return name + ", " + unit
}

// numericKeys are the swept keys with several numbers for values.
func (b *Batch) numericKeys() []string {
	var keys []string
	for _, v := range b.cells[0].values {
		values := map[float64]bool{}
		all := true
		for _, c := range b.cells {
			n, ok := c.number(v.Key)
			all = all && ok
			values[n] = true
		}
		if all && len(values) > 1 {
			keys = append(keys, v.Key)
		}
	}
	return keys
}

// loadKey is the swept key that is a load; empty for none.
func (b *Batch) loadKey() string {
	for _, key := range b.numericKeys() {
		if key == "concurrency" || key == "request_rate" || key == "num_users" || key == "user_request_rate" {
			return key
		}
	}
	return ""
}

// A group is the cells that differ in one key alone, by its value.
type group struct {
	name  string
	cells []*cell
}

func (b *Batch) groups(key string) []group {
	var groups []group
	for _, c := range b.cells {
		if _, ok := c.number(key); !ok && key != "" {
			continue
		}
		name := c.without(key)
		at := slices.IndexFunc(groups, func(g group) bool { return g.name == name })
		if at < 0 {
			at = len(groups)
			groups = append(groups, group{name: name})
		}
		groups[at].cells = append(groups[at].cells, c)
	}
	for _, g := range groups {
		slices.SortStableFunc(g.cells, func(x, y *cell) int {
			a, _ := x.number(key)
			b, _ := y.number(key)
			return cmp.Compare(a, b)
		})
	}
	return groups
}

// againstThroughput draws each latency against what was carried, along the
// load: percentiles of one sweep, or a percentile of each of several.
func (b *Batch) againstThroughput(throughput metrics.Figure) []Chart {
	key := b.loadKey()
	if key == "" {
		return nil
	}
	groups := b.groups(key)
	var charts []Chart
	for _, t := range timed {
		ch := Chart{
			Name: t.short + "_vs_throughput", Title: t.name + " against throughput",
			XLabel: axisOf(throughput), YLabel: "ms", FromZero: true,
			Says: "Each point is a " + key + ", with its value beside it.",
		}
		if len(groups) == 1 {
			for i, stat := range []string{"p50", "p90", "p99"} {
				ch.Series = append(ch.Series, pair(groups[0], throughput, metrics.Figure{Tag: t.tag, Stat: stat}, stat, []int{0, 4, 1}[i], key))
			}
			for i := range ch.Series[:2] {
				ch.Series[i].Labels = nil
			}
		} else {
			ch.Title += ", p99"
			for i, g := range groups[:min(len(groups), mostGroups)] {
				ch.Series = append(ch.Series, pair(g, throughput, metrics.Figure{Tag: t.tag, Stat: "p99"}, g.name, i, key))
			}
			ch.Says += leftOut(len(groups))
		}
		ch.Series = append(ch.Series, b.doubtful(throughput, metrics.Figure{Tag: t.tag, Stat: "p99"}))
		charts = append(charts, ch)
	}
	return charts
}

func leftOut(groups int) string {
	if groups <= mostGroups {
		return ""
	}
	return fmt.Sprintf(" The first %d of %d combinations of the other keys are drawn; the table has all.", mostGroups, groups)
}

// pair is a series of two figures.
func pair(g group, x, y metrics.Figure, name string, color int, key string) Series {
	s := Series{Name: name, Kind: Marked, Color: color}
	for _, c := range g.cells {
		a, ok := c.figure(x)
		v, too := c.figure(y)
		if !ok || !too { // the line does not lead across what is not known
			a.mean, v = math.NaN(), measured{}
		}
		s.Points = append(s.Points, plotter.XY{X: a.mean, Y: v.mean})
		s.Errors = append(s.Errors, Error{v.mean - max(v.low, 0), v.high - v.mean})
		n, _ := c.number(key)
		s.Labels = append(s.Labels, short(n))
		s.Weak = append(s.Weak, c.weak())
	}
	return s
}

const doubtfulName = "INVALID: not to be relied on"

// doubtful are the points of runs that are INVALID or did not end well.
func (b *Batch) doubtful(x, y metrics.Figure) Series {
	return b.crosses(func(c *cell, r *Run) (float64, bool) { return r.figure(x) }, y)
}

func (b *Batch) crosses(x func(*cell, *Run) (float64, bool), y metrics.Figure) Series {
	s := Series{Name: doubtfulName, Kind: Crosses, Color: warning}
	for _, c := range b.cells {
		for _, r := range c.runs {
			a, ok := x(c, r)
			v, too := r.figure(y)
			if r.invalid() && ok && too {
				s.Points = append(s.Points, plotter.XY{X: a, Y: v})
			}
		}
	}
	return s
}

// overKey draws the throughput and a latency over a swept key.
func (b *Batch) overKey(key string, throughput metrics.Figure) []Chart {
	groups := b.groups(key)
	figures := []metrics.Figure{throughput}
	for _, t := range timed[:2] {
		figures = append(figures, metrics.Figure{Tag: t.tag, Stat: "p99"})
	}
	var charts []Chart
	for _, f := range figures {
		ch := Chart{
			Name: f.Tag + "_over_" + fileName(key), Title: strings.TrimSuffix(figureNames[f.Tag]+" "+strings.TrimPrefix(f.Stat, "avg"), " ") + " over " + key,
			XLabel: key, YLabel: strings.ReplaceAll(f.Unit(), "/sec", "/s"), FromZero: true, LogX: b.wide(key),
		}
		repeated := false
		for i, g := range groups[:min(len(groups), mostGroups)] {
			s := Series{Name: g.name, Kind: Marked, Color: i}
			for _, c := range g.cells {
				at, _ := c.number(key)
				v, ok := c.figure(f)
				if !ok { // the line does not lead across what is not known
					at = math.NaN()
				}
				s.Points = append(s.Points, plotter.XY{X: at, Y: v.mean})
				s.Errors = append(s.Errors, Error{v.mean - max(v.low, 0), v.high - v.mean})
				s.Weak = append(s.Weak, c.weak())
				repeated = repeated || v.runs > 1
			}
			ch.Series = append(ch.Series, s)
		}
		ch.Series = append(ch.Series, b.crosses(func(c *cell, _ *Run) (float64, bool) { return c.number(key) }, f))
		if ch.Says = "One run for each point: how much runs differ is not known."; repeated {
			ch.Says = "Means of the repeats with 95 % confidence intervals."
		}
		ch.Says += leftOut(len(groups))
		charts = append(charts, ch)
	}
	return charts
}

// wide reports whether the values of a key are better told apart on a
// logarithmic axis.
func (b *Batch) wide(key string) bool {
	low, high := math.Inf(1), 0.0
	for _, c := range b.cells {
		n, _ := c.number(key)
		low, high = min(low, n), max(high, n)
	}
	return low > 0 && high/low >= 15
}

// fileName is a key as a part of a file's name.
func fileName(key string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '_', r == '-':
			return r
		}
		return '_'
	}, cut(key, 60))
}
