package analyze

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"loadgen/metrics"
)

// byLoad returns the cells that have times in order of load, several runs at
// one load side by side. Rates and concurrencies do not mix: then the order
// is that of the requests in flight.
func byLoad(cells []CellFacts) []CellFacts {
	sorted := slices.DeleteFunc(slices.Clone(cells), func(c CellFacts) bool { return !c.timed() })
	load := loadOf(sorted)
	slices.SortStableFunc(sorted, func(a, b CellFacts) int { return cmp.Compare(load(&a), load(&b)) })
	return sorted
}

// loadOf returns what cells are ordered by.
func loadOf(cells []CellFacts) func(*CellFacts) float64 {
	users := func(c CellFacts) bool { return c.Concurrency > 0 }
	if slices.ContainsFunc(cells, users) && !slices.ContainsFunc(cells, func(c CellFacts) bool { return !users(c) }) {
		return func(c *CellFacts) float64 { return float64(c.Concurrency) }
	}
	if !slices.ContainsFunc(cells, func(c CellFacts) bool { return users(c) || c.Rate == 0 }) {
		return func(c *CellFacts) float64 { return c.Rate }
	}
	return func(c *CellFacts) float64 { return c.InFlight }
}

// levelsOf returns what the cells, in order of load, came to at each load: a
// repeat counts as much as the run that it repeats.
func levelsOf(cells []CellFacts) []CellFacts {
	load := loadOf(cells)
	var levels []CellFacts
	for from := 0; from < len(cells); {
		to := from + 1
		for to < len(cells) && load(&cells[to]) == load(&cells[from]) {
			to++
		}
		levels = append(levels, pool(cells[from:to]))
		from = to
	}
	return levels
}

// pool returns what runs at one load came to together: sums of counts, means
// over the requests of all, the mean of their throughputs.
func pool(runs []CellFacts) CellFacts {
	out := runs[0]
	if len(runs) == 1 {
		return out
	}
	out.Name = fmt.Sprintf("%s and %d more at this load", out.Name, len(runs)-1)
	out.Trace, out.ready = nil, nil
	out.Requests, out.Failed, out.Cancelled = 0, 0, 0
	for i := range runs {
		out.Requests += runs[i].Requests
		out.Failed += runs[i].Failed
		out.Cancelled += runs[i].Cancelled
	}
	mean := func(of func(*CellFacts) float64) float64 {
		sum, n := 0.0, 0.0
		for i := range runs {
			if v := of(&runs[i]); !math.IsNaN(v) {
				sum += v * runs[i].ok()
				n += runs[i].ok()
			}
		}
		return sum / n
	}
	for _, x := range []struct {
		to *Response
		of func(*CellFacts) *Response
	}{
		{&out.TTFT, func(c *CellFacts) *Response { return &c.TTFT }},
		{&out.ITL, func(c *CellFacts) *Response { return &c.ITL }},
		{&out.Latency, func(c *CellFacts) *Response { return &c.Latency }},
	} {
		*x.to = Response{undefined, undefined, Number(mean(func(c *CellFacts) float64 { return float64(x.of(c).Mean) })), undefined, undefined, undefined}
	}
	out.PromptMean = mean(func(c *CellFacts) float64 { return c.PromptMean })
	out.OutputMean = mean(func(c *CellFacts) float64 { return c.OutputMean })
	var throughput, inFlight, waiting []float64
	for i := range runs {
		throughput, inFlight = append(throughput, runs[i].Throughput), append(inFlight, runs[i].InFlight)
		waiting = append(waiting, runs[i].Waiting)
	}
	out.Throughput, out.InFlight, out.Waiting = metrics.Mean(throughput), metrics.Mean(inFlight), metrics.Mean(waiting)
	return out
}

// inFlight is the mean number in flight while the load lasted. The users of a
// closed loop always are, unless they rest; else it is throughput × latency
// (Little's law).
func (f *CellFacts) inFlight() float64 {
	if f.Concurrency > 0 && !f.Paused {
		return float64(f.Concurrency)
	}
	return f.Throughput * float64(f.Latency.Mean)
}

// rate is the throughput while the load lasted: start and end of a closed
// loop, when some of its users have nothing to do, are no part of it.
func (f *CellFacts) rate() float64 { return f.inFlight() / float64(f.Latency.Mean) }

// scaling is the exponent e of throughput ~ (requests in flight)^e between two
// levels of load: 1 where twice as many are served in the same time, 0 where
// more load only takes longer.
func scaling(from, to *CellFacts) float64 {
	return math.Log(to.rate()/from.rate()) / math.Log(to.inFlight()/from.inFlight())
}

// step is the scaling at the most load, from a load that is less by enough to
// tell; NaN where there is none.
func (s *study) step() float64 {
	const enough = 1.5
	top := s.top()
	for i := len(s.levels) - 2; i >= 0; i-- {
		if from := &s.levels[i]; top.inFlight() >= enough*from.inFlight() {
			return scaling(from, top)
		}
	}
	return math.NaN()
}
