package analyze

import (
	"cmp"
	"math"
	"slices"

	"loadgen"
	"loadgen/metrics"
)

// A Bottleneck is an operation that takes longer on average than was set.
// Severity is a rule of thumb: high above twice the threshold.
type Bottleneck struct {
	Operation string `json:"operation"`
	Avg       Number `json:"avg_execution_time"`
	Max       Number `json:"max_execution_time"`
	Count     int    `json:"total_executions"`
	P95       Number `json:"p95_execution_time"`
	Share     Number `json:"share_of_total_time"` // of the time of all operations given
	Severity  string `json:"severity"`
}

// SlowOperations lists the operations whose mean time exceeds a threshold in
// seconds, the slowest first.
func SlowOperations(times Object[[]float64], threshold float64) []Bottleneck {
	out := []Bottleneck{}
	total := 0.0
	for _, op := range times {
		total += sum(op.Value)
	}
	for _, op := range times {
		avg := metrics.Mean(op.Value)
		if !(avg > threshold) {
			continue
		}
		b := Bottleneck{
			Operation: op.Key, Avg: Number(avg), Max: Number(slices.Max(op.Value)), Count: len(op.Value), Severity: "medium",
			P95: Number(metrics.Percentile(metrics.Sorted(op.Value), 95)), Share: Number(sum(op.Value) / total),
		}
		if avg > 2*threshold {
			b.Severity = "high"
		}
		out = append(out, b)
	}
	slices.SortStableFunc(out, func(a, b Bottleneck) int { return cmp.Compare(b.Avg, a.Avg) })
	return out
}

func sum(values []float64) float64 {
	total := 0.0
	for _, x := range values {
		total += x
	}
	return total
}

// operationTimes are the durations of successful calls by kind and name, and
// of the phases of LLM calls that tell them.
func (v *view) operationTimes() Object[[]float64] {
	byName := map[string][]float64{}
	for i, c := range v.calls {
		if c.Failed {
			continue
		}
		name := operation(c)
		if t, ok := ttftOf(c); ok && c.Kind == loadgen.LLMCall && len(v.children(i)) == 0 {
			byName[name+"/"+PhasePrefill] = append(byName[name+"/"+PhasePrefill], t)
			byName[name+"/"+PhaseDecode] = append(byName[name+"/"+PhaseDecode], c.End-c.FirstToken)
			continue
		}
		byName[name] = append(byName[name], c.Duration())
	}
	out := make(Object[[]float64], 0, len(byName))
	for _, name := range sortedKeys(byName) {
		out = append(out, Member[[]float64]{name, byName[name]})
	}
	return out
}

// Burst says when calls are fired in a burst: more than Size calls, each less
// than Gap seconds after the one before, in a group of more than Ops calls.
type Burst struct {
	Gap  float64
	Size int
	Ops  int
}

// Clusters returns the sizes of the bursts in a list of times in seconds, the
// last one included even where nothing follows it.
func (b Burst) Clusters(times []float64) []int {
	if len(times) <= b.Ops {
		return nil
	}
	times = metrics.Sorted(times)
	var clusters []int
	size := 1
	for i := 1; i <= len(times); i++ {
		if i < len(times) && times[i]-times[i-1] < b.Gap {
			size++
			continue
		}
		if size > b.Size {
			clusters = append(clusters, size)
		}
		size = 1
	}
	return clusters
}

// A BurstReport is the sessions' bursts of one operation: many small calls in
// a loop where one would do.
type BurstReport struct {
	Operation string `json:"operation"`
	Sessions  int    `json:"sessions"`
	Clusters  int    `json:"clusters"`
	AvgSize   Number `json:"avg_cluster_size"`
	MaxSize   int    `json:"max_cluster_size"`
}

func (v *view) bursts() []BurstReport {
	byName := map[string]*BurstReport{}
	for _, calls := range v.sessions {
		if len(calls) <= v.opt.Burst.Ops {
			continue
		}
		times := map[string][]float64{}
		for _, c := range calls {
			name := operation(c)
			times[name] = append(times[name], c.Start)
		}
		for name, starts := range times {
			clusters := v.opt.Burst.Clusters(starts)
			if len(clusters) == 0 {
				continue
			}
			r := byName[name]
			if r == nil {
				r = &BurstReport{Operation: name}
				byName[name] = r
			}
			r.Sessions++
			for _, size := range clusters {
				r.AvgSize = (r.AvgSize*Number(r.Clusters) + Number(size)) / Number(r.Clusters+1)
				r.Clusters++
				r.MaxSize = max(r.MaxSize, size)
			}
		}
	}
	out := []BurstReport{}
	for _, name := range sortedKeys(byName) {
		out = append(out, *byName[name])
	}
	return out
}

// Serialization says which sessions never had two calls at once, though each
// call began right when the last had ended: work that might run side by side,
// if it is independent, which a trace cannot tell.
type Serialization struct {
	Sessions     int    `json:"sessions_with_several_calls"`
	Serial       int    `json:"sessions_never_overlapping"`
	BackToBack   int    `json:"sessions_back_to_back"` // serial, with gaps below a tenth of the work
	SavingBound  Number `json:"saving_bound_seconds"`  // if all calls of the back-to-back sessions ran at once
	SavingSource string `json:"saving_bound_is"`
}

func (v *view) serialization() Serialization {
	out := Serialization{SavingSource: "sum less the longest call of each back-to-back session: true only for independent calls"}
	for from, calls := range v.sessions {
		n, work, longest, gaps, end, overlap := 0, 0.0, 0.0, 0.0, math.Inf(-1), false
		for i, c := range calls {
			if !v.leaf[from+i] {
				continue
			}
			if n++; n > 1 {
				overlap = overlap || c.Start < end
				gaps += max(0, c.Start-end)
			}
			end = max(end, c.End)
			work += c.Duration()
			longest = max(longest, c.Duration())
		}
		if n < 2 {
			continue
		}
		if out.Sessions++; overlap {
			continue
		}
		if out.Serial++; gaps < work/10 {
			out.BackToBack++
			out.SavingBound += Number(work - longest)
		}
	}
	return out
}

// Users are the statistics of a load test with users: counts over all
// requests, times over successes.
type Users struct {
	Total      int      `json:"total_requests"`
	OK         int      `json:"successful_requests"`
	Failed     int      `json:"failed_requests"`
	ErrorRate  Number   `json:"error_rate"`
	Window     Number   `json:"window_s"`       // first start to last end
	Throughput Number   `json:"throughput_rps"` // successes per second of the window
	Times      Response `json:"response_time"`
}

// Response is a distribution of response times in seconds.
type Response struct {
	Min    Number `json:"min"`
	Max    Number `json:"max"`
	Mean   Number `json:"mean"`
	Median Number `json:"median"`
	P95    Number `json:"p95"`
	P99    Number `json:"p99"`
}

// UserStatistics sums up requests. In AIQ's form it is the load tester of the
// performance guide: failures count in times and throughput, the window ends
// at the last start, p95 needs more than 20 values and p99 more than 100, else
// they are the maximum.
func UserStatistics(calls []loadgen.Call, opt Options) Users {
	pointers := make([]*loadgen.Call, len(calls))
	for i := range calls {
		pointers[i] = &calls[i]
	}
	return users(pointers, opt)
}

// users counts LLM calls.
func users(calls []*loadgen.Call, opt Options) Users {
	var times []float64
	out := Users{ErrorRate: undefined, Window: undefined, Throughput: undefined}
	first, last := math.Inf(1), math.Inf(-1)
	for _, c := range calls {
		if !c.Done() || c.Kind != loadgen.LLMCall {
			continue
		}
		if out.Total++; c.Failed {
			out.Failed++
		}
		if !c.Failed || opt.AIQ {
			times = append(times, c.Duration())
		}
		first = min(first, c.Start)
		if opt.AIQ {
			last = max(last, c.Start)
		} else {
			last = max(last, c.End)
		}
	}
	out.OK = out.Total - out.Failed
	if out.Total > 0 {
		out.ErrorRate = Number(out.Failed) / Number(out.Total)
		out.Window = Number(last - first)
	}
	if last > first {
		out.Throughput = Number(len(times)) / out.Window
	}
	sorted := metrics.Sorted(times)
	at := func(p float64) Number { return Number(metrics.Percentile(sorted, p)) }
	out.Times = Response{at(0), at(100), Number(metrics.Mean(sorted)), at(50), at(95), at(99)}
	if opt.AIQ {
		out.Times.P95, out.Times.P99 = exclusive(sorted, 95, 20), exclusive(sorted, 99, 100)
	}
	return out
}

// exclusive is the percentile at (n+1)·p between order statistics, as Python's
// statistics.quantiles has it; the maximum for no more than few values.
func exclusive(sorted []float64, p, few int) Number {
	n := len(sorted)
	if n == 0 {
		return undefined
	}
	if n <= few {
		return Number(sorted[n-1])
	}
	k := float64(n+1) * float64(p) / 100
	i := min(max(int(k), 1), n-1)
	return Number(sorted[i-1] + (k-float64(i))*(sorted[i]-sorted[i-1]))
}
