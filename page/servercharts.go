package page

import (
	"cmp"
	"math"
	"slices"

	"gonum.org/v1/plot/plotter"

	"loadgen/metrics"
	"loadgen/observe"
	"loadgen/results"
)

// serverCharts are what the server and GPUs said of themselves while a run
// lasted, drawn with about so many points.
func serverCharts(lines []results.ServerLine, c *metrics.Course, points int) []Chart {
	s := serverView{lines, c, points}
	charts := append([]Chart{s.requests(), s.shares(), s.times(), s.preemptions()}, s.gpus()...)
	return slices.DeleteFunc(charts, func(ch Chart) bool { return ch.empty() })
}

// A serverView is the lines of a run on the time of its course.
type serverView struct {
	lines  []results.ServerLine
	course *metrics.Course
	points int
}

// A drawnLine is a noun in a chart, and what its values are multiplied by.
type drawnLine struct {
	noun, name string
	scale      float64
	color      int
	dashed     bool
}

// requests are those that the server has, beside those that are under way by the
// client's account: what lies between is neither running nor waiting there.
func (s *serverView) requests() Chart {
	ch := overTime("server_requests_over_time", "Requests in the server", "requests")
	ch.Series = s.series(
		drawnLine{observe.Running, "running", 1, 2, false},
		drawnLine{observe.Waiting, "waiting", 1, 1, false},
	)
	if len(ch.Series) == 0 {
		ch.Series = s.series(drawnLine{observe.Inside, "running or waiting", 1, 2, false})
	}
	if len(ch.Series) == 0 {
		return ch
	}
	group := max((len(s.course.InFlight)+s.points-1)/s.points, 1)
	ch.Series = append(ch.Series, Series{Name: "in flight", Kind: Steps, Points: flightPoints(s.course, group), Color: 6, Dashed: true})
	ch.Says = "As the server tells it, and how many this run had in flight." + s.peaks(observe.Running)
	return ch
}

// shares are those of the KV cache in use and of prompts found in the prefix cache.
func (s *serverView) shares() Chart {
	ch := overTime("server_kv_cache_over_time", "The server's caches", "%")
	ch.Series = append(
		s.series(drawnLine{observe.KVUsage, "KV cache in use", 100, 0, false}),
		s.hits()...,
	)
	ch.Says = "As the server tells it." + s.peaks(observe.KVUsage)
	return ch
}

// hits is the share of the prompt tokens looked up that were found in the prefix
// cache; a moment at which none was looked up has none.
func (s *serverView) hits() []Series {
	found, asked := s.line(observe.PrefixHits, ""), s.line(observe.PrefixQueries, "")
	if found == nil || asked == nil || !slices.Equal(found.At, asked.At) {
		return s.series(drawnLine{observe.HitRate, "prefix cache hits", 100, 4, true})
	}
	share := results.ServerLine{At: found.At, Values: make(metrics.Numbers, len(found.Values))}
	for i := range share.Values {
		if share.Values[i] = math.NaN(); asked.Values[i] > 0 {
			share.Values[i] = found.Values[i] / asked.Values[i]
		}
	}
	return []Series{{Name: "prefix cache hits", Points: known(s.pointsOf(&share, 100)), Color: 4, Dashed: true}}
}

// times are what requests waited for in the server, by its own clock.
func (s *serverView) times() Chart {
	ch := overTime("server_times_over_time", "Times in the server", "ms")
	ch.Series = s.series(
		drawnLine{observe.QueueTime, "queue", 1e3, 1, false},
		drawnLine{observe.PrefillTime, "prefill", 1e3, 0, false},
		drawnLine{observe.TTFTTime, "first token", 1e3, 2, true},
	)
	ch.Says = "Means of what ended since the sample before, by the server's own clock."
	return ch
}

// preemptions are shown where there were any.
func (s *serverView) preemptions() Chart {
	ch := overTime("server_preemptions_over_time", "Preemptions", "requests/s")
	l := s.line(observe.Preemptions, "")
	if l == nil || !slices.ContainsFunc(l.Values, func(v float64) bool { return v > 0 }) {
		return ch
	}
	ch.Series = s.series(drawnLine{observe.Preemptions, "preempted", 1, 1, false})
	ch.Says = "Requests that lost their place in the server and are computed again."
	return ch
}

// line returns a noun of the server, or a figure of a GPU; nil for none.
func (s *serverView) line(name, gpu string) *results.ServerLine {
	for i := range s.lines {
		if l := &s.lines[i]; l.Name == name && l.GPU == gpu {
			return l
		}
	}
	return nil
}

func (s *serverView) series(wanted ...drawnLine) []Series {
	var out []Series
	for _, w := range wanted {
		if l := s.line(w.noun, ""); l != nil {
			points := s.pointsOf(l, w.scale)
			if slices.Contains(observe.Times, w.noun) {
				points = known(points)
			}
			out = append(out, Series{Name: w.name, Points: points, Color: w.color, Dashed: w.dashed})
		}
	}
	return out
}

// known leaves out what was not: a moment at which nothing ended has no mean, and
// is no gap.
func known(points plotter.XYs) plotter.XYs {
	return slices.DeleteFunc(points, func(p plotter.XY) bool { return !finite(p.Y) })
}

// pointsOf are the samples within the measurement, the largest of so many
// together: a queue or a cache that was full for a moment is not drawn away. What
// was not known is a gap.
func (s *serverView) pointsOf(l *results.ServerLine, scale float64) plotter.XYs {
	var points plotter.XYs
	for i, at := range l.At {
		if at >= 0 && at <= s.course.End {
			points = append(points, plotter.XY{X: at, Y: scale * l.Values[i]})
		}
	}
	group := s.group(len(points))
	if group == 1 {
		return points
	}
	var peaks plotter.XYs
	for part := range slices.Chunk(points, group) {
		peaks = append(peaks, slices.MaxFunc(part, func(a, b plotter.XY) int { return cmp.Compare(a.Y, b.Y) })) // NaN is the least
	}
	return peaks
}

func (s *serverView) group(samples int) int { return max((samples+s.points-1)/s.points, 1) }

// peaks says how many samples a point stands for.
func (s *serverView) peaks(noun string) string {
	if l := s.line(noun, ""); l == nil || s.group(len(l.At)) == 1 {
		return ""
	}
	return " A point is the largest of several samples."
}
