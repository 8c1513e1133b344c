package page

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"gonum.org/v1/plot/plotter"

	"loadgen/metrics"
	"loadgen/stats"
)

// frontiers draw what one user gets, and how long a request takes, against what
// all get, for each GPU where their number is known, by AIPerf's names then.
func (b *Batch) frontiers(throughput metrics.Figure) []Chart {
	name, title := "pareto_curve_throughput_vs_", "Throughput of all against "
	if each := b.perGPU(throughput); each != throughput {
		throughput = each
		name, title = "pareto_curve_throughput_per_gpu_vs_", "Throughput per GPU against "
	}
	user, latency := figureOf("output_token_throughput_per_user", "avg"), figureOf("request_latency", "avg")
	charts := []Chart{
		b.frontier(name+"interactivity", title+"speed for one user", user, true, throughput),
		b.frontier(name+"latency", title+"latency", latency, false, throughput),
	}
	for _, vendor := range []string{"nvidia_", "amd_"} {
		perJoule := figureOf(vendor+metrics.TokensPerJoule, "avg")
		if slices.ContainsFunc(b.cells, func(c *cell) bool { _, ok := c.figure(perJoule); return ok }) {
			charts = append(charts, b.frontier("pareto_curve_"+perJoule.Tag+"_vs_interactivity", "Tokens per joule against speed for one user", user, true, perJoule))
		}
	}
	return charts
}

// perGPU is the throughput for each GPU where every cell knows their number, else
// that of all.
func (b *Batch) perGPU(throughput metrics.Figure) metrics.Figure {
	each := figureOf(metrics.PerGPU, "avg")
	if slices.ContainsFunc(b.cells, func(c *cell) bool { _, ok := c.figure(each); return !ok }) {
		return throughput
	}
	return each
}

// frontier draws a figure against the throughput: a cell on the line has no other
// that is better in both.
func (b *Batch) frontier(name, title string, of metrics.Figure, larger bool, throughput metrics.Figure) Chart {
	ch := Chart{Name: name, Title: title, XLabel: axisOf(of), YLabel: axisOf(throughput), FromZero: true}
	all := Series{Name: "cells", Kind: Dots, Color: 6}
	var values [][]float64
	var labels []string
	for _, c := range b.cells {
		x, ok := c.figure(of)
		y, too := c.figure(throughput)
		if ok && too {
			all.Points = append(all.Points, plotter.XY{X: x.mean, Y: y.mean})
			all.Weak = append(all.Weak, c.weak())
			labels = append(labels, c.label(len(b.cells)))
			values = append(values, []float64{x.mean, y.mean})
		}
	}
	if len(values) < 2 {
		return ch
	}
	line := Series{Name: "Pareto frontier", Kind: Marked, Color: 0}
	best := stats.Pareto(values, []bool{larger, true})
	slices.SortFunc(best, func(i, j int) int { return cmp.Compare(values[i][0], values[j][0]) })
	for _, i := range best {
		line.Points = append(line.Points, all.Points[i])
		line.Labels = append(line.Labels, labels[i])
	}
	ch.Series = []Series{all, line, b.doubtful(of, throughput)}
	ch.Says = "On the line are the cells that no other beats in both."
	return ch
}

// label is the cell's name where there is room for it: its values alone.
func (c *cell) label(of int) string {
	const roomFor = 40
	if of > roomFor {
		return ""
	}
	var parts []string
	for _, v := range c.values {
		parts = append(parts, cut(fmt.Sprint(v.Value), 16))
	}
	return strings.Join(parts, ", ")
}
