// Package metrics folds records into a summary: what each request's times and
// token counts were, how they are distributed, what the run achieved, and
// whether its numbers can be trusted.
//
// It computes and never prints or writes: results puts summaries into files
// and report in front of people. Every formula is stated in docs/metrics.md.
package metrics

import "loadgen"

// Stats is a distribution in a metric's display unit. Percentiles are by
// linear interpolation, Std divides by n, as in AIPerf's files. A figure that
// does not apply is NaN, and Count 0 where no values were counted.
type Stats struct {
	Avg, P1, P5, P10, P25, P50, P75, P90, P95, P99, Min, Max, Std float64

	Count int64
	Sum   float64
}

// A Metric is one row of a summary. Exactly one of Stats and Value is set: a
// record metric has a distribution, an aggregate or derived one a single value.
type Metric struct {
	Tag    string // AIPerf's: time_to_first_token
	Header string // AIPerf's: Time to First Token
	Unit   string // ms, sec, tokens, requests/sec, …
	Stats  *Stats
	Value  *float64
	// Integer says that the value is a count and is printed as one.
	Integer bool
	// Console is the row in AIPerf's table; 0 keeps the metric out of it.
	Console int
}

// A Summary is what a run comes to. A figure that does not apply is absent: a
// nil pointer, an empty list or an empty text.
type Summary struct {
	// Metrics stand in the order of AIPerf's JSON export.
	Metrics []Metric `json:"-"`
	// Warmup are the same metrics of the warm-up's requests; empty without.
	Warmup []Metric `json:"-"`
	// Errors are the failures of the measured requests, most frequent first.
	Errors []Error `json:"-"`

	// Load is what the endpoint was asked to bear.
	Load     loadgen.Load `json:"load"`
	Validity Validity     `json:"validity"`
	Counts   Counts       `json:"counts"`
	// Whole is the run from the first request sent to the last one ended.
	Whole *Window `json:"whole_run,omitempty"`
	// Loaded is the part of it under load: from the end of the ramp, or from the
	// beginning, until no new request was started. Its rates are the run's.
	Loaded *Window `json:"under_load,omitempty"`
	// Steady is the part of it without ramp and drain; nil where NoSteady
	// says why there is none.
	Steady   *Window    `json:"steady_state,omitempty"`
	NoSteady string     `json:"no_steady_state,omitempty"`
	Means    []Interval `json:"means,omitempty"`
	Rate     *Rate      `json:"rate,omitempty"`
	// Stalls is nil where the endpoint never stood still, and of an open loop,
	// whose percentiles have it.
	Stalls *Stalls `json:"stalls,omitempty"`
	// Lag is how late requests were sent, over all of them; OwnLag leaves out
	// the time that the ceiling held them back: the generator's own fault.
	Lag    *Delay `json:"lag,omitempty"`
	OwnLag *Delay `json:"own_lag,omitempty"`
	// ReaderDelay is, over requests, the largest time between the kernel's
	// receipt and this process's read; nil where the kernel gave no stamps.
	ReaderDelay *Delay  `json:"reader_delay,omitempty"`
	Sources     Sources `json:"sources"`
	// Weak lists, by tag, the percentiles that the sample is too small for.
	Weak map[string][]string `json:"unsupported_percentiles,omitempty"`
	// Percentiles says how they were computed.
	Percentiles string `json:"percentiles"`
	Cancelled   bool   `json:"-"`
	// GPUs are those of the deployment; 0 where it is not known.
	GPUs int `json:"gpus,omitempty"`
	// Certificates are what the run proves of its percentiles; nil unless it was
	// asked for.
	Certificates []Certificate `json:"certificates,omitempty"`
	// Server is what the server said of itself; nil where it was not asked.
	Server *Server `json:"server,omitempty"`
	// Workers made the run together; none where one process made it.
	Workers []loadgen.Worker `json:"-"`
	// RoundTrip is that of the network in milliseconds; 0 where it is not known.
	RoundTrip float64 `json:"network_round_trip_ms,omitempty"`
}

// Metric returns the metric of a tag, nil where the run has none.
func (s *Summary) Metric(tag string) *Metric {
	for i := range s.Metrics {
		if s.Metrics[i].Tag == tag {
			return &s.Metrics[i]
		}
	}
	return nil
}

// UnderLoad returns the rate of a tag while the run was under load, which is the
// run's own where AIPerf's rule gives another, or the price that follows from it; ok
// is false where the tag is neither, or the run has none.
func (s *Summary) UnderLoad(tag string) (rate float64, ok bool) {
	w := s.Loaded
	if w == nil || w.To <= w.From || s.Metric(tag) == nil {
		return 0, false
	}
	var of *float64
	switch tag {
	case "request_throughput":
		of = &w.RequestThroughput
	case "output_token_throughput":
		of = w.TokenThroughput
	case "input_token_throughput":
		of = w.InputThroughput
	case "goodput":
		of = w.Goodput
	case PerGPU:
		if w.TokenThroughput == nil {
			return 0, false
		}
		rate := *w.TokenThroughput / float64(s.GPUs)
		of = &rate
	case CostPerOutput: // as it is dearer where the rate is lower
		whole := s.Metric("output_token_throughput")
		if w.TokenThroughput == nil || *w.TokenThroughput <= 0 || whole == nil || whole.Value == nil {
			return 0, false
		}
		price := *s.Metric(tag).Value * *whole.Value / *w.TokenThroughput
		of = &price
	}
	if of == nil {
		return 0, false
	}
	return *of, true
}

// Counts account for every request: Issued = OK + Failed + Cancelled, unless
// Lost says otherwise.
type Counts struct {
	Issued    int  `json:"issued"`
	OK        int  `json:"ok"`
	Failed    int  `json:"failed"`
	Cancelled int  `json:"cancelled"`
	Lost      int  `json:"lost,omitempty"`   // issued, but no record came back
	Missed    int  `json:"missed,omitempty"` // due, but never sent before the end
	Good      *int `json:"good,omitempty"`   // met every SLO
	Warmup    int  `json:"warmup,omitempty"`
	Coalesced int  `json:"coalesced,omitempty"` // streamed, yet arrived all at once
	Ramp      int  `json:"ramp,omitempty"`      // sent while a ramp was climbing
	// Unfinished are successful answers without a finish reason: the server
	// ended them, but did not say that they were complete.
	Unfinished int `json:"unfinished,omitempty"`
}

// An Error is a way in which requests failed.
type Error struct {
	Kind    loadgen.FailureKind `json:"kind"`
	Status  int                 `json:"status,omitempty"`
	Message string              `json:"message"` // of the first such failure
	Count   int                 `json:"count"`
}

// A Window is a stretch of the run, in seconds since its epoch, with what was
// achieved in it. Tokens and requests are counted over the time they are
// divided by: tokens by when they came, and a request that crosses an end of the
// window by the share of its time in flight that lies inside. Requests of the
// warm-up that were in flight at the epoch are part of that.
type Window struct {
	From float64 `json:"from_sec"`
	To   float64 `json:"to_sec"`
	Sent int     `json:"sent"`
	OK   int     `json:"ok"`
	Good *int    `json:"good,omitempty"`
	// RequestThroughput is successful requests per second. Sent, OK and Good
	// are whole requests: those sent in the window, and those ended in it.
	RequestThroughput float64  `json:"request_throughput"`
	TokenThroughput   *float64 `json:"output_token_throughput,omitempty"`
	InputThroughput   *float64 `json:"input_token_throughput,omitempty"`
	Goodput           *float64 `json:"goodput,omitempty"`
	// InFlight is the time-weighted mean.
	InFlight float64 `json:"in_flight"`
	Little   *Little `json:"littles_law,omitempty"`
	// Latency, TTFT, ITL and TTFTFromDue are over the requests sent in the
	// window, in milliseconds; nil for the whole run, whose metrics have
	// them, and where more than ExactLimit requests were made.
	Latency     *Spread `json:"request_latency,omitempty"`
	TTFT        *Spread `json:"time_to_first_token,omitempty"`
	ITL         *Spread `json:"inter_token_latency,omitempty"`
	TTFTFromDue *Spread `json:"time_to_first_token_from_due,omitempty"`
}

// A Spread is a short distribution in milliseconds.
type Spread struct {
	Avg   float64 `json:"avg"`
	P50   float64 `json:"p50"`
	P90   float64 `json:"p90"`
	P99   float64 `json:"p99"`
	Count int64   `json:"count"`
}

// Little holds both sides of Little's law over a window: the mean number in
// flight, and the rate of all requests, failed ones too, times the mean time in
// flight of those that were sent in the window.
type Little struct {
	InFlight        float64 `json:"in_flight"`
	RateTimesFlight float64 `json:"rate_times_time_in_flight"`
	Ratio           float64 `json:"ratio"`
}

// An Interval is a metric's mean over the steady window with its 95 %
// confidence interval by batch means: the values of one run are correlated, so
// that their number says nothing about the mean's precision.
type Interval struct {
	Tag     string  `json:"tag"`
	Mean    float64 `json:"mean"`
	Low     float64 `json:"low"`
	High    float64 `json:"high"`
	Batches int     `json:"batches"`
}

// A Rate compares the sessions per second that were asked for with those begun
// after the ramp; where users keep a pace of their own, the requests per second.
type Rate struct {
	Asked    float64 `json:"asked,omitempty"` // 0 for a trace, which has times in place of a rate
	Achieved float64 `json:"achieved"`
	// CeilingBound says that the concurrency ceiling held requests back: the
	// load was not an open loop.
	CeilingBound bool `json:"ceiling_bound,omitempty"`
}

// A Delay is a distribution of a delay of the generator, in milliseconds.
type Delay struct {
	P50 float64 `json:"p50_ms"`
	P99 float64 `json:"p99_ms"`
	Max float64 `json:"max_ms"`
}

// Sources say where the figures come from, in numbers of successful requests.
type Sources struct {
	Tokenizer     string `json:"tokenizer,omitempty"`
	OSLUsage      int    `json:"osl_from_usage"`
	OSLTokenizer  int    `json:"osl_from_tokenizer"`
	ISL           string `json:"isl,omitempty"`
	KernelTimed   int    `json:"kernel_timed"`
	ReaderTimed   int    `json:"reader_timed"`
	Chunks        int    `json:"chunks"`        // of streamed replies
	MergedChunks  int    `json:"merged_chunks"` // of these, out of the same read as the one before
	NotStreamed   int    `json:"not_streamed,omitempty"`
	OSLNotCounted int    `json:"osl_not_counted,omitempty"`
	// TemplateTokens is what the chat template adds to a prompt's text on average,
	// as it was rendered or learnt from the warm-up; 0 where that is not known of
	// every successful request.
	TemplateTokens float64 `json:"template_tokens,omitempty"`
}
