package page

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"gonum.org/v1/plot/plotter"

	"loadgen/metrics"
	"loadgen/report"
	"loadgen/results"
)

// Plots writes the charts of a batch, or of a run, as SVG and PNG into a
// directory, and returns how many. Those of a batch's runs are written, too,
// where runs asks for them or the batch has but one: into a directory for each.
func Plots(dir, into string, runs bool) (int, error) {
	if found, err := results.BatchesIn(dir); err == nil && len(found) > 1 {
		return 0, fmt.Errorf("%s holds %d batches: name one of them, such as %s", dir, len(found), found[len(found)-1])
	}
	b, err := Open(dir)
	if err != nil {
		return 0, err
	}
	w := plotWriter{}
	charts := b.sweepCharts()
	for i := range b.Capacities {
		found := searchCharts(&b.Capacities[i])
		for k := range found {
			if len(b.Capacities) > 1 {
				found[k].Name += fmt.Sprintf("_%d", i+1)
				found[k].Title = named(b.Capacities[i].Cell.Values) + " " + found[k].Title
			}
		}
		charts = append(charts, found...)
	}
	w.write(into, charts)
	for _, r := range b.Runs {
		if r.Dir == "" || !runs && len(b.Runs) > 1 {
			continue
		}
		w.run(r, runPlace(into, b, r))
	}
	return w.n, errors.Join(w.errs...)
}

// runPlace is where the charts of a run go: as its directory lies in the batch's.
func runPlace(into string, b *Batch, r *Run) string {
	below, err := filepath.Rel(b.Dir, r.Dir)
	if err != nil || len(b.Runs) == 1 || strings.HasPrefix(below, "..") {
		return into
	}
	return filepath.Join(into, below)
}

// A plotWriter writes what it can.
type plotWriter struct {
	n    int
	errs []error
}

func (w *plotWriter) run(r *Run, into string) {
	course, err := r.course()
	if err != nil {
		w.errs = append(w.errs, err)
	}
	if course == nil {
		return
	}
	charts := courseCharts(course, metrics.MaxPoints)
	lines, err := results.ReadServerSeries(r.Dir)
	if err != nil {
		w.errs = append(w.errs, err)
	}
	charts = append(charts, serverCharts(lines, course, metrics.MaxPoints)...)
	if both := gpuLoad(charts); both != nil {
		w.file(into, gpuLoadName+".svg", func() ([]byte, error) { return asSVG(both.paint) })
		w.file(into, gpuLoadName+".png", func() ([]byte, error) { return asPNG(both.paint) })
	}
	for i := range charts {
		if name, other := fileNames[charts[i].Name]; other {
			charts[i].Name = name
		}
	}
	charts = append(requestCharts(course), charts...)
	slices, err := sliceCharts(r.Dir)
	if err != nil {
		w.errs = append(w.errs, err)
	}
	w.write(into, append(append(charts, shapeCharts(course)...), slices...))
	calls, err := r.calls(ganttCalls)
	if err != nil || len(calls) == 0 {
		return
	}
	gantt := report.NewGantt(calls, report.GanttOptions{Title: fmt.Sprintf("The first %s that ended", report.Count(len(calls), "request")), Rows: ganttCalls, Scale: 1})
	w.file(into, "ttft_timeline.svg", func() ([]byte, error) { return gantt.SVG(), nil })
	w.file(into, "ttft_timeline.png", gantt.PNG)
}

// fileNames are those of charts as files, where AIPerf has a plot that shows the
// same, or another of the chart's own name.
var fileNames = map[string]string{
	"ttft_over_time": "ttft_percentiles_over_time", "itl_over_time": "itl_percentiles_over_time", "latency_over_time": "latency_percentiles_over_time",
	"output_tokens_over_time": "dispersed_throughput_over_time",
}

func (w *plotWriter) write(into string, charts []Chart) {
	for i := range charts {
		c := &charts[i]
		if c.empty() {
			continue
		}
		w.file(into, c.Name+".svg", c.SVG)
		w.file(into, c.Name+".png", c.PNG)
	}
}

func (w *plotWriter) file(into, name string, draw func() ([]byte, error)) {
	data, err := drawn(draw)
	if err == nil {
		err = os.MkdirAll(into, 0o777)
	}
	if err == nil {
		err = results.DeriveFile(filepath.Join(into, name), data)
	}
	if err != nil {
		w.errs = append(w.errs, err)
		return
	}
	w.n++
}

// requestCharts are AIPerf's pictures of a run with a dot for each request, in
// the order in which they were sent, of those that were kept.
func requestCharts(c *metrics.Course) []Chart {
	var charts []Chart
	for _, t := range []struct {
		name, title string
		of          func(*metrics.Sampled) float64
	}{
		{"ttft_over_time", "Time to first token", func(s *metrics.Sampled) float64 { return s.TTFT }},
		{"itl_over_time", "Inter token latency", func(s *metrics.Sampled) float64 { return s.ITL }},
		{"latency_over_time", "Request latency", func(s *metrics.Sampled) float64 { return s.Latency }},
	} {
		ch := Chart{Name: t.name, Title: t.title + " of each request", XLabel: "request number", YLabel: "ms", FromZero: true}
		if c.Stride > 1 {
			ch.Title = fmt.Sprintf("%s of every %dth request", t.title, c.Stride)
		}
		dots := Series{Kind: Dots, Color: 0}
		for i := range c.Requests {
			s := &c.Requests[i]
			dots.Points = append(dots.Points, plotter.XY{X: float64(s.Index), Y: t.of(s)})
		}
		ch.Series = []Series{dots}
		if t.name == "latency_over_time" {
			ch.Series = append(ch.Series, rolling(dots.Points)...)
		}
		charts = append(charts, ch)
	}
	return charts
}

// rolling are the percentiles of a window over points, as AIPerf's are over the
// requests before each.
func rolling(points plotter.XYs) []Series {
	var known plotter.XYs
	for _, p := range points {
		if finite(p.Y) {
			known = append(known, p)
		}
	}
	window := max(len(known)/20, 10)
	if len(known) < 2*window {
		return nil
	}
	step := max(window/5, 1)
	series := []Series{{Name: "p50", Color: 2}, {Name: "p95", Color: 5}, {Name: "p99", Color: 1}}
	for end := window; end <= len(known); end += step {
		var values []float64
		for _, p := range known[end-window : end] {
			values = append(values, p.Y)
		}
		sorted := metrics.Sorted(values)
		for i, level := range []float64{50, 95, 99} {
			series[i].Points = append(series[i].Points, plotter.XY{X: known[end-1].X, Y: metrics.Percentile(sorted, level)})
		}
	}
	return series
}
