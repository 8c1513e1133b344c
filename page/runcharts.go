package page

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/plot/plotter"

	"loadgen/metrics"
	"loadgen/report"
)

// timed are the times of which a run has a course, with what people call them.
var timed = []struct{ tag, name, short string }{
	{"time_to_first_token", "Time to first token", "ttft"},
	{"inter_token_latency", "Inter token latency", "itl"},
	{"request_latency", "Request latency", "latency"},
}

// courseCharts are what happened over the time of a run, drawn with about so
// many points.
func courseCharts(c *metrics.Course, points int) []Chart {
	if len(c.Sent) == 0 {
		return nil
	}
	group := max((len(c.Sent)+points-1)/points, 1)
	charts := []Chart{rateChart(c, group), flightChart(c, group)}
	if c.Tokens != nil {
		charts = append(charts, tokenChart(c, group))
	}
	for _, t := range timed {
		if course := c.Times[t.tag]; course != nil {
			charts = append(charts, timeChart(c, course, t.name, t.short, group))
		}
	}
	if total(c.Failed)+total(c.Cancelled) > 0 {
		charts = append(charts, failureChart(c, group))
	}
	return charts
}

func total(counts []int) int {
	n := 0
	for _, k := range counts {
		n += k
	}
	return n
}

// perSecond turns counts into rates, so many slices together.
func perSecond[N int | float64](c *metrics.Course, counts []N, group int) plotter.XYs {
	var points plotter.XYs
	for from := 0; from < len(counts); from += group {
		to := min(from+group, len(counts))
		var sum N
		for _, n := range counts[from:to] {
			sum += n
		}
		begins := float64(from) * c.Width
		if lasted := min(float64(to)*c.Width, c.End) - begins; lasted > 0.05*c.Width {
			points = append(points, plotter.XY{X: begins, Y: float64(sum) / lasted})
		}
	}
	return closed(points, c)
}

// closed ends steps where the run does.
func closed(points plotter.XYs, c *metrics.Course) plotter.XYs {
	if len(points) == 0 {
		return nil
	}
	return append(points, plotter.XY{X: c.End, Y: points[len(points)-1].Y})
}

func overTime(name, title, unit string) Chart {
	return Chart{Name: name, Title: title, XLabel: "seconds since the measurement began", YLabel: unit, FromZero: true}
}

func rateChart(c *metrics.Course, group int) Chart {
	ch := overTime("requests_over_time", "Requests over time", "requests/s")
	ch.Series = []Series{
		{Name: "sent", Kind: Steps, Points: perSecond(c, c.Sent, group), Color: 0},
		{Name: "succeeded", Kind: Steps, Points: perSecond(c, c.OK, group), Color: 2, Dashed: true},
	}
	ch.Says = fmt.Sprintf("%s sent, %s of them succeeded.", report.Count(total(c.Sent), "request"), number(float64(total(c.OK))))
	return ch
}

func failureChart(c *metrics.Course, group int) Chart {
	ch := overTime("failures_over_time", "Failed requests over time", "requests/s")
	ch.Series = []Series{{Name: "failed", Kind: Steps, Points: perSecond(c, c.Failed, group), Color: 1}}
	if total(c.Cancelled) > 0 {
		ch.Series = append(ch.Series, Series{Name: "cancelled by loadgen", Kind: Steps, Points: perSecond(c, c.Cancelled, group), Color: 6, Dashed: true})
	}
	ch.Says = fmt.Sprintf("%s failed, %d were cancelled.", report.Count(total(c.Failed), "request"), total(c.Cancelled))
	return ch
}

func flightChart(c *metrics.Course, group int) Chart {
	ch := overTime("in_flight_over_time", "Requests in flight", "requests")
	points := flightPoints(c, group)
	most := 0.0
	for _, p := range points {
		most = max(most, p.Y)
	}
	ch.Series = []Series{{Name: "mean in flight", Kind: Steps, Points: points, Color: 0}}
	ch.Says = "At most " + number(most) + " in the mean of a slice of time."
	return ch
}

// flightPoints are the mean numbers in flight.
func flightPoints(c *metrics.Course, group int) plotter.XYs {
	var points plotter.XYs
	for from := 0; from < len(c.InFlight); from += group {
		to := min(from+group, len(c.InFlight))
		sum := 0.0
		for _, v := range c.InFlight[from:to] {
			sum += v
		}
		points = append(points, plotter.XY{X: float64(from) * c.Width, Y: sum / float64(to-from)})
	}
	return closed(points, c)
}

func tokenChart(c *metrics.Course, group int) Chart {
	ch := overTime("output_tokens_over_time", "Output tokens over time", "tokens/s")
	ch.Series = []Series{{Name: "output tokens", Kind: Steps, Points: perSecond(c, []float64(c.Tokens), group), Color: 2}}
	sum := 0.0
	for _, v := range c.Tokens {
		sum += v
	}
	ch.Says = number(math.Round(sum)) + " tokens in all."
	return ch
}

// timeChart shows the percentiles of a time by when the requests were sent. A
// point of several slices has the median of their medians and the largest of
// their upper percentiles: a peak is not drawn away.
func timeChart(c *metrics.Course, t *metrics.TimeCourse, name, short string, group int) Chart {
	ch := overTime(short+"_over_time", name+" over time", "ms")
	for i, line := range []struct {
		name   string
		values metrics.Numbers
		of     func([]float64) float64
		dashed bool
	}{
		{"p50", t.P50, median, false},
		{"p90", t.P90, slices.Max[[]float64], true},
		{"p99", t.P99, slices.Max[[]float64], false},
	} {
		var points plotter.XYs
		for from := 0; from < len(line.values); from += group {
			var known []float64
			for _, v := range line.values[from:min(from+group, len(line.values))] {
				if finite(v) {
					known = append(known, v)
				}
			}
			if len(known) > 0 { // a slice without requests has no time, and is no gap
				points = append(points, plotter.XY{X: (float64(from) + float64(group)/2) * c.Width, Y: line.of(known)})
			}
		}
		ch.Series = append(ch.Series, Series{Name: line.name, Points: points, Color: []int{0, 4, 1}[i], Dashed: line.dashed})
	}
	ch.Says = "Percentiles of the successful requests, by when they were sent."
	if group > 1 {
		ch.Says += fmt.Sprintf(" A point stands for %d slices: the median of their medians, and the largest of their upper percentiles.", group)
	}
	return ch
}

func median(values []float64) float64 {
	return metrics.Percentile(metrics.Sorted(values), 50)
}

// shapeCharts are how the times and lengths of a run are distributed.
func shapeCharts(c *metrics.Course) []Chart {
	var charts []Chart
	for _, m := range []struct{ tag, name, short, unit string }{
		{"time_to_first_token", "Time to first token", "ttft", "ms"},
		{"inter_token_latency", "Inter token latency", "itl", "ms"},
		{"request_latency", "Request latency", "latency", "ms"},
		{"input_sequence_length", "Input length", "isl", "tokens"},
		{"output_sequence_length", "Output length", "osl", "tokens"},
	} {
		s := c.Distributions[m.tag]
		if s == nil || s.Count == 0 {
			continue
		}
		charts = append(charts, ecdfChart(s, m.name, m.short, m.unit), histogramChart(s, m.name, m.short, m.unit))
	}
	return charts
}

func ecdfChart(s *metrics.Shape, name, short, unit string) Chart {
	ch := Chart{Name: short + "_ecdf", Title: name + ", cumulative", XLabel: unit, YLabel: "% of requests within", FromZero: true}
	q := s.Quantiles
	levels := metrics.ShapeLevels()
	low, high := q[1], q[99]
	ch.LogX = q[0] > 0 && low > 0 && high/low > 20
	var points plotter.XYs
	for i, v := range q {
		points = append(points, plotter.XY{X: v, Y: levels[i]})
	}
	ch.Series = []Series{{Points: points, Color: 0}}
	ch.Says = fmt.Sprintf("Half within %s %s, 90 %% within %s, 99 %% within %s, all within %s.",
		number(q[50]), unit, number(q[90]), number(q[99]), number(q[len(q)-1]))
	return ch
}

func histogramChart(s *metrics.Shape, name, short, unit string) Chart {
	ch := Chart{Name: short + "_histogram", Title: name + ", histogram", XLabel: unit, YLabel: "% of requests", FromZero: true}
	var points plotter.XYs
	for i, n := range s.Bins {
		points = append(points, plotter.XY{X: s.From + float64(i)*s.Width, Y: 100 * float64(n) / float64(s.Count)})
	}
	if len(points) == 1 {
		points = append(points, plotter.XY{X: s.From + s.Width, Y: 0})
	}
	ch.Series = []Series{{Kind: Bars, Points: points, Color: 0}}
	ch.Says = report.Count(int(s.Count), "request") + "."
	if s.Above > 0 {
		ch.Says += fmt.Sprintf(" %d beyond %s %s, at most %s, are not drawn.", s.Above,
			number((s.From + float64(len(s.Bins))*s.Width)), unit, number(s.Quantiles[len(s.Quantiles)-1]))
	}
	return ch
}
