package sink

import (
	"cmp"
	"math"
	"slices"
)

// A weighted value counts for as much as it weighs.
type weighted struct{ value, weight float64 }

// plain is the distribution of values that all weigh the same; nil for none.
func plain(values []float64) object {
	list := make([]weighted, len(values))
	for i, v := range values {
		list[i] = weighted{v, 1}
	}
	return distribution(list, len(values), sum(values))
}

// rates are amounts per second, from one answer to the next, from the first
// request on; nil where there are fewer than one.
func (c *requestColumns) rates(amounts []float64) object {
	order := make([]int, len(c.ends))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(c.ends[a], c.ends[b]) })
	var list []weighted
	last, together := c.firstStart, 0.0
	for _, i := range order {
		together += amounts[i]
		if gap := c.ends[i] - last; gap > 0 {
			list = append(list, weighted{together / gap, gap})
			last, together = c.ends[i], 0
		}
	}
	return distribution(list, len(amounts), sum(amounts))
}

// concurrency is how many of the requests were in flight, weighted by time.
func (c *requestColumns) concurrency() object {
	type event struct{ at, by float64 }
	var events []event
	for i := range c.starts {
		events = append(events, event{c.starts[i], 1}, event{c.ends[i], -1})
	}
	slices.SortFunc(events, func(a, b event) int { return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.by, b.by)) })
	var list []weighted
	level := 0.0
	for i, e := range events {
		if i > 0 && e.at > events[i-1].at {
			list = append(list, weighted{level, e.at - events[i-1].at})
		}
		level += e.by
	}
	return distribution(list, len(c.starts), math.NaN())
}

// distribution is a DistributionSummary of guidellm. Percentiles are the least
// values at or below which so much of the weight lies; total is the sum that the
// values were made of, NaN for their own.
func distribution(list []weighted, count int, total float64) object {
	weight, first, second := 0.0, 0.0, 0.0
	for _, w := range list {
		weight += w.weight
		first += w.value * w.weight
	}
	if weight == 0 {
		return nil
	}
	average := first / weight
	slices.SortFunc(list, func(a, b weighted) int { return cmp.Compare(a.value, b.value) })
	mode, most, run := list[0].value, 0.0, 0.0
	for i, w := range list {
		second += w.weight * (w.value - average) * (w.value - average)
		if i == 0 || w.value != list[i-1].value {
			run = 0
		}
		if run += w.weight; run > most {
			mode, most = w.value, run
		}
	}
	if math.IsNaN(total) {
		total = first
	}
	at := func(p float64) float64 {
		below := 0.0
		for _, w := range list {
			if below += w.weight; below >= p*weight*(1-1e-12) {
				return w.value
			}
		}
		return list[len(list)-1].value
	}
	percentiles := object{}
	for name, p := range map[string]float64{
		"p001": 0.001, "p01": 0.01, "p05": 0.05, "p10": 0.1, "p25": 0.25, "p50": 0.5, "p75": 0.75, "p90": 0.9, "p95": 0.95, "p99": 0.99, "p999": 0.999,
	} {
		percentiles[name] = at(p)
	}
	return object{
		"mean": average, "median": at(0.5), "mode": mode, "variance": second / weight, "std_dev": math.Sqrt(second / weight),
		"min": list[0].value, "max": list[len(list)-1].value, "count": count, "total_sum": total, "percentiles": percentiles,
	}
}

func sum(values []float64) float64 {
	total := 0.0
	for _, v := range values {
		total += v
	}
	return total
}

func mean(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	return sum(values) / float64(len(values))
}

// unixNano is a time in nanoseconds since 1970 in seconds.
func unixNano(ns int64) float64 { return float64(ns) / 1e9 }
