package metrics

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"gonum.org/v1/gonum/stat/distuv"

	"loadgen"
)

// What a steady state needs. A window that is shorter, or in which the latency
// climbs, would give a number that says nothing about any other window.
const (
	steadyLevel    = 0.9 // of the usual number in flight: below it is ramp or drain
	steadyRequests = 10  // ended in the window
	trendGroups    = 10  // the window's parts whose mean latencies are compared
	trendChange    = 0.2 // from the first third to the last
	meanBatches    = 20
	batchRequests  = 5 // the fewest per batch
)

// steady returns the bins between ramp and drain, or why there is no steady
// state. The usual number in flight is the median over the time in which
// requests were being started.
func (t *tally) steady(o loadgen.Outcome) (from, to int, why string) {
	width := t.series.width
	from, to = t.sending(o)
	if to-from < 2 {
		return 0, 0, "no new requests were started for long enough"
	}
	level := t.level()
	usual := Percentile(Sorted(level[from:to]), 50)
	for from < to && level[from] < steadyLevel*usual {
		from++
	}
	for to > from && level[to-1] < steadyLevel*usual {
		to--
	}
	sum := t.series.sum(from, to)
	if sum.ended < steadyRequests {
		ended := fmt.Sprintf("only %d requests", sum.ended)
		switch sum.ended {
		case 0:
			ended = "no request"
		case 1:
			ended = "only 1 request"
		}
		return 0, 0, fmt.Sprintf("%s ended between ramp and drain; %d are needed: measure for longer", ended, steadyRequests)
	}
	residence := sum.residence / time.Duration(sum.ended)
	if length := time.Duration(to-from) * width; length < 2*residence {
		return 0, 0, fmt.Sprintf("the %.3g s between ramp and drain are less than two request latencies of %.3g s: measure for longer",
			length.Seconds(), residence.Seconds())
	}
	return from, to, t.trend(from, to)
}

// sending returns the bins from the end of the ramp until no more requests were
// started.
func (t *tally) sending(o loadgen.Outcome) (from, to int) {
	width := t.series.width
	begin, end := t.loaded(o)
	return int((max(begin, t.firstSent, 0) + width - 1) / width), min(int(end/width), len(t.series.bins))
}

// trend says how the latency of the requests climbs or falls over the bins, by
// the order in which they were sent; empty where it does not. Kendall's test
// keeps noise from passing for a trend, the size of the change a trend too
// small to matter.
func (t *tally) trend(from, to int) string {
	var group [trendGroups]float64
	for i := range group {
		a, b := from+(to-from)*i/trendGroups, from+(to-from)*(i+1)/trendGroups
		sum := t.series.sum(a, b)
		if sum.answered == 0 {
			return ""
		}
		group[i] = sum.latency.Seconds() / float64(sum.answered)
	}
	score := 0
	for i := range group {
		for j := i + 1; j < trendGroups; j++ {
			score += cmp.Compare(group[j], group[i])
		}
	}
	const n = trendGroups
	z := math.Abs(float64(score)) / math.Sqrt(n*(n-1)*(2*n+5)/18.0)
	first, last := Mean(group[:n/3]), Mean(group[n-n/3:])
	if z < 2.576 || math.Abs(last-first) < trendChange*first {
		return ""
	}
	verb := "grew"
	if last < first {
		verb = "fell"
	}
	return fmt.Sprintf("request latency %s from %.3g s to %.3g s between ramp and drain", verb, first, last)
}

// inside returns the samples sent in [from, to), in the order of sending; none
// where not every request was sampled.
func (t *tally) inside(from, to time.Duration) []sample {
	if t.issued() > t.samples.len() {
		return nil
	}
	var in []sample
	for s := range t.samples.all() {
		if s.from >= from && s.from < to {
			in = append(in, s)
		}
	}
	slices.SortStableFunc(in, func(a, b sample) int { return cmp.Compare(a.from, b.from) })
	return in
}

func valuesOf(samples []sample, value func(sample) float64) []float64 {
	var values []float64
	for _, s := range samples {
		if v := value(s); !math.IsNaN(v) {
			values = append(values, v)
		}
	}
	return values
}

func spreadOf(samples []sample, value func(sample) float64) *Spread {
	s := NewStats(valuesOf(samples, value))
	if s == nil {
		return nil
	}
	return &Spread{Avg: s.Avg, P50: s.P50, P90: s.P90, P99: s.P99, Count: s.Count}
}

// means returns the batch-means intervals of the main metrics, of those that
// have enough values.
func means(samples []sample) []Interval {
	var is []Interval
	for _, m := range []struct {
		tag   string
		value func(sample) float64
	}{
		{"request_latency", func(s sample) float64 { return s.latency }},
		{"time_to_first_token", func(s sample) float64 { return s.ttft }},
		{"inter_token_latency", func(s sample) float64 { return s.itl }},
	} {
		if i, ok := BatchMeans(valuesOf(samples, m.value)); ok {
			i.Tag = m.tag
			is = append(is, i)
		}
	}
	return is
}

// BatchMeans returns the mean of correlated values in the order of their
// making with its 95 % interval: Student's over the means of twenty batches.
// It needs five values a batch.
func BatchMeans(values []float64) (Interval, bool) {
	n := len(values)
	if n < meanBatches*batchRequests {
		return Interval{}, false
	}
	batch := make([]float64, meanBatches)
	for i := range batch {
		batch[i] = Mean(values[n*i/meanBatches : n*(i+1)/meanBatches])
	}
	t := distuv.StudentsT{Mu: 0, Sigma: 1, Nu: meanBatches - 1}.Quantile(0.975)
	half := t * SampleStdDev(batch) / math.Sqrt(meanBatches)
	mean := Mean(values)
	return Interval{Mean: mean, Low: mean - half, High: mean + half, Batches: meanBatches}, true
}
