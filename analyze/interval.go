package analyze

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"

	"loadgen"
	"loadgen/metrics"
)

// A Metric is AIQ's block of a mean with its intervals and percentiles. The
// intervals are of the mean, not of the values.
type Metric struct {
	N           int      `json:"n"`
	Mean        Number   `json:"mean"`
	Ninetieth   Interval `json:"ninetieth_interval"`
	NinetyFifth Interval `json:"ninety_fifth_interval"`
	NinetyNinth Interval `json:"ninety_ninth_interval"`
	P90         Number   `json:"p90"`
	P95         Number   `json:"p95"`
	P99         Number   `json:"p99"`
	// Method says how the intervals were made; absent in AIQ's own files.
	Method string `json:"method,omitempty"`
}

// confidences are the levels of the three intervals, with the quantiles of
// the normal distribution as AIQ rounds them.
var confidences = [3]struct{ level, z float64 }{{0.90, 1.645}, {0.95, 1.96}, {0.99, 2.576}}

func (m *Metric) intervals() [3]*Interval {
	return [3]*Interval{&m.Ninetieth, &m.NinetyFifth, &m.NinetyNinth}
}

// AIQMetric is the toolkit's: mean ± z·(population deviation)/√n, all zero
// for no values.
func AIQMetric(values []float64) Metric {
	if len(values) == 0 {
		return Metric{}
	}
	m := Metric{N: len(values), Mean: Number(metrics.Mean(values))}
	half := metrics.PopulationStdDev(values) / math.Sqrt(float64(len(values)))
	for i, iv := range m.intervals() {
		margin := Number(confidences[i].z * half)
		if len(values) == 1 {
			margin = 0
		}
		*iv = Interval{m.Mean - margin, m.Mean + margin}
	}
	m.percentiles(values)
	return m
}

// MeanMetric takes Student's t with the sample standard deviation, for values
// that are independent of each other. The intervals are null for fewer than
// two values, everything is for none.
func MeanMetric(values []float64) Metric {
	m := newMetric(values)
	m.student(float64(len(values)), metrics.SampleStdDev(values)/math.Sqrt(float64(len(values))))
	m.Method = "Student t"
	return m
}

const (
	// seriesLeast is the least number of values from which their correlation
	// can be told at all.
	seriesLeast = 20
	// batchesLeast values make batches long enough to be independent.
	batchesLeast = 200
	batches      = 20
)

// SeriesMetric is for values of one run in order of issue, which depend on
// each other: from 200 values on the means of 20 batches under Student's t,
// below that Student's t on the effective sample size n·(1−ρ)/(1+ρ) by the
// lag-1 autocorrelation ρ. Fewer than 20 values say nothing of ρ and are taken
// as independent.
func SeriesMetric(values []float64) Metric {
	n := len(values)
	switch {
	case n < seriesLeast:
		return MeanMetric(values)
	case n < batchesLeast:
		m := newMetric(values)
		effective := EffectiveSize(values)
		if effective >= 2 {
			m.student(effective, metrics.SampleStdDev(values)/math.Sqrt(effective))
		}
		m.Method = "Student t on the effective sample size"
		return m
	default:
		m := newMetric(values)
		means := make([]float64, batches)
		for i := range means {
			means[i] = metrics.Mean(values[i*n/batches : (i+1)*n/batches])
		}
		m.student(batches, metrics.SampleStdDev(means)/math.Sqrt(batches))
		m.Method = "Student t on 20 batch means"
		return m
	}
}

func newMetric(values []float64) Metric {
	m := Metric{N: len(values), Mean: Number(metrics.Mean(values))}
	for _, iv := range m.intervals() {
		*iv = Interval{undefined, undefined}
	}
	m.percentiles(values)
	return m
}

func (m *Metric) percentiles(values []float64) {
	sorted := metrics.Sorted(values)
	m.P90 = Number(metrics.Percentile(sorted, 90))
	m.P95 = Number(metrics.Percentile(sorted, 95))
	m.P99 = Number(metrics.Percentile(sorted, 99))
}

// student sets the intervals from a standard error with n−1 degrees of
// freedom.
func (m *Metric) student(n, se float64) {
	if n < 2 || math.IsNaN(se) {
		return
	}
	t := distuv.StudentsT{Sigma: 1, Nu: n - 1}
	for i, iv := range m.intervals() {
		margin := Number(t.Quantile(0.5+confidences[i].level/2) * se)
		*iv = Interval{m.Mean - margin, m.Mean + margin}
	}
}

// EffectiveSize is how many independent values a series is worth:
// n·(1−ρ)/(1+ρ) with its lag-1 autocorrelation ρ, clamped to [1, n].
func EffectiveSize(values []float64) float64 {
	n := float64(len(values))
	if n < 3 {
		return n
	}
	mean, lagged, squares := metrics.Mean(values), 0.0, 0.0
	for i, x := range values {
		squares += (x - mean) * (x - mean)
		if i > 0 {
			lagged += (x - mean) * (values[i-1] - mean)
		}
	}
	if squares == 0 {
		return n
	}
	rho := lagged / squares
	return min(max(n*(1-rho)/(1+rho), 1), n)
}

// AIQThroughput is the toolkit's: examples over the window from the first to
// the last event, with rate/√n as its standard error and 0 as the least lower
// bound; all zero where it gives up.
func AIQThroughput(examples int, window float64) Metric {
	if examples <= 1 || window <= 0 {
		return Metric{}
	}
	rate := float64(examples) / window
	m := Metric{N: examples, Mean: Number(rate)}
	for i, iv := range m.intervals() {
		margin := confidences[i].z * rate / math.Sqrt(float64(examples))
		*iv = Interval{Number(max(0, rate-margin)), Number(rate + margin)}
	}
	return m
}

// throughputLeast completions let a run be cut into slices of time with
// enough in each.
const throughputLeast = 10 * batches

// Throughput is the rate of completions, given by their times, in the window
// [from, to]: from 200 on by Student's t over 20 slices of time, which holds
// for steady and bursty runs alike; below that the exact interval of a Poisson
// count (Garwood), which is too wide for a closed loop. Percentiles are those
// of the slices' rates.
func Throughput(ends []float64, from, to float64) Metric {
	window := to - from
	m := newMetric(nil)
	m.N = len(ends)
	if window <= 0 {
		return m
	}
	m.Mean = Number(float64(len(ends)) / window)
	if len(ends) < throughputLeast {
		m.Method = "Poisson, exact"
		for i, iv := range m.intervals() {
			lo, hi := poissonInterval(len(ends), confidences[i].level)
			*iv = Interval{Number(lo / window), Number(hi / window)}
		}
		return m
	}
	rates := make([]float64, batches)
	for _, end := range ends {
		slice := min(max(int((end-from)/window*batches), 0), batches-1)
		rates[slice] += batches / window
	}
	m.Method = "Student t on 20 slices of time"
	m.student(batches, metrics.SampleStdDev(rates)/math.Sqrt(batches))
	m.percentiles(rates)
	return m
}

// poissonInterval bounds the mean of a Poisson variable of which n were
// counted: Garwood's interval by the quantiles of χ².
func poissonInterval(n int, level float64) (lo, hi float64) {
	tail := (1 - level) / 2
	if n > 0 {
		lo = distuv.ChiSquared{K: float64(2 * n)}.Quantile(tail) / 2
	}
	return lo, distuv.ChiSquared{K: float64(2*n + 2)}.Quantile(1-tail) / 2
}

const (
	resamples = 1000
	// bootstrapMost values are resampled; above that the interval of order
	// statistics is as good and cheaper.
	bootstrapMost = 20_000
)

// PercentileIntervals returns 95 % intervals of percentiles of values in order
// of issue, by a circular block bootstrap with blocks of n^(1/3)
// values, which keeps the dependence of neighbours; for long series by the
// ranks that a binomial count on the effective sample size allows. Undefined
// for fewer than 10 values.
func PercentileIntervals(values []float64, seed loadgen.Seed, levels ...float64) []Interval {
	intervals := make([]Interval, len(levels))
	n := len(values)
	if n < 10 {
		for k := range intervals {
			intervals[k] = Interval{undefined, undefined}
		}
		return intervals
	}
	sorted := metrics.Sorted(values)
	if n > bootstrapMost {
		effective := EffectiveSize(values)
		at := func(q float64) Number {
			return Number(metrics.Percentile(sorted, 100*min(max(q, 0), 1)))
		}
		for k, p := range levels {
			q := p / 100
			spread := 1.96 * math.Sqrt(q*(1-q)/effective)
			intervals[k] = Interval{at(q - spread), at(q + spread)}
		}
		return intervals
	}
	rank := ranks(values)
	rng := seed.Rand("bootstrap")
	block := max(int(math.Cbrt(float64(n))), 1)
	estimates := make([][]float64, len(levels))
	count := make([]int, n)
	for range resamples {
		clear(count)
		for drawn := 0; drawn < n; {
			at := rng.IntN(n)
			for range min(block, n-drawn) {
				count[rank[at]]++
				drawn++
				if at++; at == n {
					at = 0
				}
			}
		}
		for k, p := range levels {
			estimates[k] = append(estimates[k], countedPercentile(sorted, count, p))
		}
	}
	for k := range intervals {
		e := metrics.Sorted(estimates[k])
		intervals[k] = Interval{Number(metrics.Percentile(e, 2.5)), Number(metrics.Percentile(e, 97.5))}
	}
	return intervals
}

// countedPercentile is the percentile of a sample that holds sorted[i]
// count[i] times, len(sorted) in all.
func countedPercentile(sorted []float64, count []int, p float64) float64 {
	k := float64(len(sorted)-1) * p / 100
	low := int(k)
	seen, lower := 0, math.NaN()
	for i, c := range count {
		seen += c
		if seen > low && math.IsNaN(lower) {
			lower = sorted[i]
		}
		if seen > low+1 {
			return lower + (k-float64(low))*(sorted[i]-lower)
		}
	}
	return lower
}
