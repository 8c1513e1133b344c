package analyze

import (
	"cmp"
	"math"
	"slices"

	"loadgen"
	"loadgen/metrics"
)

// An Optimization is inference_optimization.json.
type Optimization struct {
	Intervals  ConfidenceIntervals `json:"confidence_intervals"`
	Prefixes   Object[Prefixes]    `json:"common_prefixes"`
	Uniqueness Object[Quantiles]   `json:"token_uniqueness"`
	Runtimes   *Quantiles          `json:"workflow_runtimes"` // seconds
	Dynamo     any                 `json:"dynamo_metrics"`
	More       *OptimizationMore   `json:"loadgen,omitempty"`
}

// ConfidenceIntervals are AIQ's three; seconds, and requests/s.
type ConfidenceIntervals struct {
	RunTime    Metric `json:"workflow_run_time_confidence_intervals"`
	Latency    Metric `json:"llm_latency_confidence_intervals"`
	Throughput Metric `json:"throughput_estimate_confidence_interval"`
}

// OptimizationMore is what loadgen adds to AIQ's file.
type OptimizationMore struct {
	Source  string   `json:"source"`
	Missing []string `json:"missing"`
	Defects Defects  `json:"defects"`

	TTFT        Metric   `json:"ttft_confidence_intervals"`
	ITL         Metric   `json:"itl_confidence_intervals"`
	LatencyP50  Interval `json:"latency_p50_95_interval"`
	LatencyP95  Interval `json:"latency_p95_95_interval"`
	TTFTP50     Interval `json:"ttft_p50_95_interval"`
	TTFTP95     Interval `json:"ttft_p95_95_interval"`
	Effective   Number   `json:"effective_sample_size"` // of the latencies in order of start
	ValueMethod string   `json:"percentile_interval_method"`

	KPI           KPI           `json:"kpi"`
	Concurrency   Concurrency   `json:"concurrency"`
	Little        Little        `json:"little"`
	Users         Users         `json:"requests"`
	Bottlenecks   []Bottleneck  `json:"bottlenecks"`
	PrefixCache   *PrefixCache  `json:"prefix_cache,omitempty"`
	NewTokens     *Quantiles    `json:"new_tokens_per_turn,omitempty"`
	Bursts        []BurstReport `json:"bursts"`
	Serialization Serialization `json:"serialization"`
	Transport     *Transport    `json:"transport,omitempty"`     // of a run of loadgen
	Client        *ClientHealth `json:"client_health,omitempty"` // likewise
	Findings      []Finding     `json:"findings"`
}

// A KPI is the block of key figures.
type KPI struct {
	Latency         Response `json:"latency"` // seconds
	TTFT            Response `json:"ttft"`
	ITL             Response `json:"itl"`
	Requests        Number   `json:"requests_per_second"` // successful
	OutputTokens    Number   `json:"output_tokens_per_second"`
	TimeAvgFlight   Number   `json:"time_avg_in_flight"`
	PeakFlight      int      `json:"peak_in_flight"`
	TokensPerCall   Number   `json:"tokens_per_request"`
	TokensPerTask   Number   `json:"tokens_per_session"`
	CachedShare     Number   `json:"cached_share"`
	TokensKnownFor  int      `json:"requests_with_tokens"`
	SessionsCounted int      `json:"sessions"`
}

// Concurrency is the block of calls in flight.
type Concurrency struct {
	Max        int              `json:"max_in_flight"`
	Open       int              `json:"in_flight_at_end"` // began and were not seen to end
	Completed  int              `json:"completed"`
	Failed     int              `json:"failed"`
	AvgLatency Number           `json:"avg_latency"` // seconds, of successes
	Operations []OperationStats `json:"operation_stats"`
	Message    string           `json:"message,omitempty"`
}

// OperationStats are the count, the time and the true peak of an operation.
type OperationStats struct {
	Operation     string `json:"operation"`
	Count         int    `json:"count"`
	Total         Number `json:"total_time"`
	MaxConcurrent int    `json:"max_concurrent"`
}

// Optimize computes inference_optimization.json.
func Optimize(tr *loadgen.Trace, opt Options) *Optimization {
	return newView(tr, opt).optimization()
}

func (v *view) optimization() *Optimization {
	out := &Optimization{}
	runtimes := v.runtimes()
	if v.opt.AIQ {
		from, to := v.span()
		out.Intervals = ConfidenceIntervals{
			AIQMetric(runtimes), AIQMetric(v.aiqLatencies()), AIQThroughput(len(runtimes), to-from),
		}
	} else {
		out.More = v.optimizationMore(&out.Intervals, runtimes)
	}
	if v.opt.CommonPrefixes {
		out.Prefixes = v.commonPrefixes()
	}
	if v.opt.TokenUniqueness {
		out.Uniqueness = v.uniqueness()
	}
	if v.opt.WorkflowRuntime {
		q := quantilesOf(runtimes)
		out.Runtimes = &q
	}
	return out
}

// WorkflowRuntimes are AIQ's workflow_runtimes: percentiles of the sessions'
// seconds from first to last event.
func WorkflowRuntimes(tr *loadgen.Trace, opt Options) Quantiles {
	return quantilesOf(newView(tr, opt).runtimes())
}

// runtimes are the seconds of each session; of those without a failure only,
// unless AIQ's are asked for.
func (v *view) runtimes() []float64 {
	var out []float64
	for _, calls := range v.sessions {
		from, to, failed := calls[0].Start, calls[0].Start, false
		for _, c := range calls {
			to = max(to, c.End)
			failed = failed || c.Failed
		}
		if !failed || v.opt.AIQ {
			out = append(out, to-from)
		}
	}
	return out
}

// aiqLatencies pairs each LLM end with the last start seen, as the toolkit
// does: of overlapping calls some are wrong and some are lost.
func (v *view) aiqLatencies() []float64 {
	var out []float64
	var buf []event
	for _, calls := range v.sessions {
		buf = eventsOf(calls, buf)
		last := math.NaN()
		for _, e := range buf {
			if calls[e.call].Kind != loadgen.LLMCall {
				continue
			}
			if e.start {
				last = e.time
			} else if !math.IsNaN(last) {
				out = append(out, e.time-last)
				last = math.NaN()
			}
		}
	}
	return out
}

func (v *view) optimizationMore(ci *ConfidenceIntervals, runtimes []float64) *OptimizationMore {
	var latency, ttft, itl, ends []float64
	byStart := make([]*loadgen.Call, 0, len(v.calls))
	for _, c := range v.leaves {
		byStart = append(byStart, c)
	}
	slices.SortStableFunc(byStart, func(a, b *loadgen.Call) int { return cmp.Compare(a.Start, b.Start) })
	for _, c := range byStart {
		if c.Kind != loadgen.LLMCall || c.Failed {
			continue
		}
		latency, ends = append(latency, c.Duration()), append(ends, c.End)
		if t, ok := ttftOf(c); ok {
			ttft = append(ttft, t)
		}
		if t, ok := itlOf(c); ok {
			itl = append(itl, t)
		}
	}
	from, to := v.flight.Span()
	ci.RunTime, ci.Latency = SeriesMetric(runtimes), SeriesMetric(latency)
	ci.Throughput = Throughput(ends, from, to)
	latencies := PercentileIntervals(latency, v.opt.Seed, 50, 95)
	firsts := PercentileIntervals(ttft, v.opt.Seed, 50, 95)
	more := &OptimizationMore{
		Source: v.trace.Source, Missing: append([]string{}, v.trace.Missing...), Defects: v.defects,
		TTFT: SeriesMetric(ttft), ITL: SeriesMetric(itl),
		LatencyP50:  latencies[0],
		LatencyP95:  latencies[1],
		TTFTP50:     firsts[0],
		TTFTP95:     firsts[1],
		Effective:   Number(EffectiveSize(latency)),
		ValueMethod: "circular block bootstrap",
		Little:      v.little(0, 0), Users: users(byStart, v.opt),
		Bottlenecks: SlowOperations(v.operationTimes(), v.opt.SlowSeconds),
		Bursts:      v.bursts(), Serialization: v.serialization(),
	}
	if len(latency) > bootstrapMost {
		more.ValueMethod = "order statistics on the effective sample size"
	}
	more.KPI = v.kpi(byStart, latency, ttft, itl)
	more.Concurrency = v.concurrency(byStart, latency)
	if v.opt.CommonPrefixes {
		more.PrefixCache = v.cacheBound()
	}
	if v.opt.TokenUniqueness {
		q := v.newTokens()
		more.NewTokens = &q
	}
	return more
}

func responseOf(values []float64) Response {
	s := metrics.Sorted(values)
	at := func(p float64) Number { return Number(metrics.Percentile(s, p)) }
	return Response{at(0), at(100), Number(metrics.Mean(s)), at(50), at(95), at(99)}
}

func (v *view) kpi(calls []*loadgen.Call, latency, ttft, itl []float64) KPI {
	k := KPI{
		Latency: responseOf(latency), TTFT: responseOf(ttft), ITL: responseOf(itl), PeakFlight: v.flight.peak(),
		Requests: undefined, OutputTokens: undefined, TimeAvgFlight: undefined, TokensPerCall: undefined,
		TokensPerTask: undefined, CachedShare: undefined,
	}
	var output, tokens, cached, prompt float64
	anyCached := false
	for _, c := range calls {
		if c.Kind != loadgen.LLMCall || c.Failed || c.PromptTokens < 0 || c.CompletionTokens < 0 {
			continue
		}
		k.TokensKnownFor++
		output += float64(c.CompletionTokens)
		tokens += float64(c.PromptTokens + c.CompletionTokens)
		if c.CachedTokens >= 0 {
			anyCached = true
			cached += float64(c.CachedTokens)
			prompt += float64(c.PromptTokens)
		}
	}
	for range v.sessions {
		k.SessionsCounted++
	}
	if from, to := v.flight.Span(); to > from {
		k.Requests = Number(float64(len(latency)) / (to - from))
		k.TimeAvgFlight = Number(v.flight.Area(from, to) / (to - from))
		if k.TokensKnownFor > 0 {
			k.OutputTokens = Number(output / (to - from))
		}
	}
	if k.TokensKnownFor > 0 {
		k.TokensPerCall = Number(tokens) / Number(k.TokensKnownFor)
		k.TokensPerTask = Number(tokens) / Number(k.SessionsCounted)
	}
	if anyCached && prompt > 0 {
		k.CachedShare = Number(cached / prompt)
	}
	return k
}

func (v *view) concurrency(calls []*loadgen.Call, latency []float64) Concurrency {
	out := Concurrency{
		Max: v.flight.peak(), Open: v.defects.Open, AvgLatency: Number(metrics.Mean(latency)), Operations: []OperationStats{},
	}
	type times struct{ starts, ends []float64 }
	byName := map[string]*times{}
	for _, c := range calls {
		if out.Completed++; c.Failed {
			out.Completed--
			out.Failed++
		}
		t := byName[operation(c)]
		if t == nil {
			t = &times{}
			byName[operation(c)] = t
		}
		t.starts, t.ends = append(t.starts, c.Start), append(t.ends, c.End)
	}
	for _, name := range sortedKeys(byName) {
		t := byName[name]
		stats := OperationStats{Operation: name, Count: len(t.starts), Total: Number(sum(t.ends) - sum(t.starts))}
		if !v.trace.Untimed {
			stats.MaxConcurrent = peakOf(t.starts, t.ends)
		}
		out.Operations = append(out.Operations, stats)
	}
	if out.Completed == 0 {
		out.Message = "no completed requests"
	}
	return out
}
