package page

import (
	"math"
	"slices"

	"gonum.org/v1/plot/plotter"

	"loadgen/metrics"
	"loadgen/stats"
)

// uncertainty is AIPerf's picture of latency and throughput with how far both
// are known at once: an ellipse for each cell with enough repeats.
func (b *Batch) uncertainty(throughput metrics.Figure) Chart {
	latency := figureOf("request_latency", "avg")
	ch := Chart{
		Name: "latency_throughput_uncertainty", Title: "Throughput against latency, with what is known of both",
		XLabel: axisOf(latency), YLabel: axisOf(throughput), FromZero: true,
		Says: "An ellipse holds the means of a cell's repeats, both at once, with 95 % (Hotelling's T², from four repeats on); a dot is a run.",
	}
	runs := Series{Name: "runs", Kind: Dots, Color: 6}
	means := Series{Name: "mean of the repeats", Kind: Dots, Color: 0}
	var edges []Series
	for _, c := range b.cells {
		xs, ys := c.pairs(latency, throughput)
		for i := range xs {
			runs.Points = append(runs.Points, plotter.XY{X: xs[i], Y: ys[i]})
		}
		if r, ok := stats.MeanRegion(xs, ys, confidence); ok {
			means.Points = append(means.Points, plotter.XY{X: r.X, Y: r.Y})
			means.Labels = append(means.Labels, c.label(len(b.cells)))
			means.Weak = append(means.Weak, c.weak())
			edges = append(edges, Series{Name: "95 % region", Points: edgeOf(r), Color: 4})
		}
	}
	if len(edges) == 0 {
		return Chart{}
	}
	ch.Series = slices.Concat(edges, []Series{runs, means, b.doubtful(latency, throughput)})
	return ch
}

// pairs are two figures of each run that counts.
func (c *cell) pairs(x, y metrics.Figure) (xs, ys []float64) {
	for _, r := range c.runs {
		a, ok := r.figure(x)
		b, too := r.figure(y)
		if ok && too && !r.invalid() {
			xs, ys = append(xs, a), append(ys, b)
		}
	}
	return xs, ys
}

func edgeOf(r stats.Region) plotter.XYs {
	const corners = 48
	points := make(plotter.XYs, corners+1)
	for i := range points {
		points[i].X, points[i].Y = r.At(2 * math.Pi * float64(i) / corners)
	}
	return points
}
