package results

import (
	"encoding/json"
	"time"

	"loadgen"
	"loadgen/metrics"
)

// schemaVersion is that of AIPerf's newest JSON export.
const schemaVersion = "1.5"

// InputConfig is what was asked for, in AIPerf's structure. Absent where
// empty.
type InputConfig struct {
	Endpoint  InputEndpoint  `json:"endpoint"`
	Input     InputPrompts   `json:"input,omitzero"`
	Tokenizer InputTokenizer `json:"tokenizer,omitzero"`
	Load      InputLoad      `json:"loadgen"`
}

// InputEndpoint says where requests went.
type InputEndpoint struct {
	Models    []string `json:"model_names"`
	Type      string   `json:"type"`
	Custom    string   `json:"custom_endpoint,omitempty"` // the path
	Streaming bool     `json:"streaming"`
	URL       string   `json:"url"`
	Timeout   float64  `json:"timeout_seconds,omitempty"`
}

// InputPrompts says what the prompts were like.
type InputPrompts struct {
	Seed   uint64            `json:"random_seed,omitempty"`
	File   string            `json:"file,omitempty"`
	Type   string            `json:"custom_dataset_type,omitempty"`
	Extra  json.RawMessage   `json:"extra,omitempty"`
	Prompt InputPromptLength `json:"prompt,omitzero"`
}

// InputPromptLength holds the asked lengths in tokens.
type InputPromptLength struct {
	Input  MeanStdDev `json:"input_tokens,omitzero"`
	Output MeanStdDev `json:"output_tokens,omitzero"`
}

// MeanStdDev is an asked normal distribution.
type MeanStdDev struct {
	Mean   float64 `json:"mean"`
	StdDev float64 `json:"stddev"`
}

// InputTokenizer names the tokenizer.
type InputTokenizer struct {
	Name string `json:"name,omitempty"`
}

// InputLoad says what load was asked for.
type InputLoad struct {
	Concurrency     int     `json:"concurrency,omitempty"`
	RequestRate     float64 `json:"request_rate,omitempty"`
	RequestRateMode string  `json:"request_rate_mode,omitempty"`
	RequestCount    int     `json:"request_count,omitempty"`
	Warmup          int     `json:"warmup_request_count,omitempty"`
	Duration        float64 `json:"benchmark_duration,omitempty"`
	Grace           float64 `json:"benchmark_grace_period,omitempty"`
}

// runInfo is AIPerf's run_info.
type runInfo struct {
	ID      string          `json:"benchmark_id"`
	Seed    uint64          `json:"random_seed"`
	Label   string          `json:"variation_label,omitempty"`
	Index   int             `json:"variation_index"`
	Values  json.RawMessage `json:"variation_values,omitempty"`
	Command []string        `json:"cli_command,omitempty"`
}

// own is the key "loadgen" of the JSON export: all that AIPerf's schema has no
// place for.
type own struct {
	Version string `json:"version,omitempty"`
	*metrics.Summary
	Failures  []metrics.Error `json:"failures,omitempty"`
	Outcome   outcome         `json:"outcome"`
	Health    healthFile      `json:"health"`
	Transport transport       `json:"transport"`
}

// export returns profile_export_aiperf.json.
func (r *Run) export(res *Result) ([]byte, error) {
	params, err := sweepParams(r.meta.Cell.Values)
	if err != nil {
		return nil, err
	}
	if len(r.meta.Cell.Values) == 0 {
		params = nil
	}
	info := runInfo{
		ID: r.batch.benchmarkID(r.meta.Cell), Seed: uint64(r.meta.Cell.Seed),
		Label: r.meta.Cell.Dir, Index: r.meta.Cell.Index, Values: params, Command: r.meta.Command,
	}
	start := time.Unix(0, res.Outcome.Epoch)
	s := &res.Summary

	var o object
	o.open()
	o.text("schema_version", schemaVersion)
	o.text("benchmark_id", info.ID)
	appendMetrics(&o, s.Metrics)
	if err := o.any("input_config", res.Config); err != nil {
		return nil, err
	}
	if err := o.any("run_info", info); err != nil {
		return nil, err
	}
	o.bool("was_cancelled", s.Cancelled)
	appendErrors(&o, s.Errors)
	o.text("start_time", localTime(start))
	o.text("end_time", localTime(start.Add(res.Outcome.Elapsed)))
	if len(s.Warmup) > 0 {
		o.begin("warmup_metrics")
		appendMetrics(&o, s.Warmup)
		o.close()
	}
	if err := o.any("loadgen", own{
		Version: r.meta.Version, Summary: s, Failures: s.Errors,
		Outcome: outcome(res.Outcome), Health: healthOf(res.Health), Transport: transport(res.Transport),
	}); err != nil {
		return nil, err
	}
	o.close()
	return indented(o.b)
}

func appendMetrics(o *object, ms []metrics.Metric) {
	for i := range ms {
		m := &ms[i]
		o.begin(m.Tag)
		o.text("unit", m.Unit)
		if m.Value != nil {
			o.number("avg", *m.Value, m.Integer)
		} else {
			appendStats(o, m.Stats, m.Integer)
		}
		o.close()
	}
}

// appendStats appends a distribution in AIPerf's order; what of it does not
// apply is not finite and left out.
func appendStats(o *object, s *metrics.Stats, integer bool) {
	o.number("avg", s.Avg, false)
	for _, p := range [...]struct {
		key   string
		value float64
	}{{"p1", s.P1}, {"p5", s.P5}, {"p10", s.P10}, {"p25", s.P25}, {"p50", s.P50}, {"p75", s.P75}, {"p90", s.P90}, {"p95", s.P95}, {"p99", s.P99}} {
		o.number(p.key, p.value, false)
	}
	o.number("min", s.Min, integer)
	o.number("max", s.Max, integer)
	o.number("std", s.Std, false)
	o.positive("count", s.Count)
	o.number("sum", s.Sum, integer)
}

// appendErrors appends error_summary: [] when there are none.
func appendErrors(o *object, errs []metrics.Error) {
	o.key("error_summary")
	o.b = append(o.b, '[')
	for i, e := range errs {
		if i > 0 {
			o.b = append(o.b, ',')
		}
		code, kind, message := aiperfError(e.Kind, e.Status, e.Message)
		o.open()
		o.begin("error_details")
		o.positive("code", int64(code))
		o.text("type", kind)
		o.text("message", message)
		o.close()
		o.int("count", int64(e.Count))
		o.close()
	}
	o.b = append(o.b, ']')
}

// The generator's own view of a run, as it stands in the file. Each type is
// convertible to and from loadgen's: the compiler keeps them equal.

type outcome struct {
	Epoch     int64         `json:"epoch_ns"`
	Issued    int           `json:"issued"`
	Sessions  int           `json:"sessions,omitempty"`
	Elapsed   time.Duration `json:"elapsed_ns"`
	StoppedAt time.Duration `json:"stopped_at_ns"`
	Cancelled bool          `json:"cancelled,omitempty"`
	MaxFlight int           `json:"max_in_flight"`
	Missed    int           `json:"missed,omitempty"`
}

type transport struct {
	Engine     string `json:"engine,omitempty"`
	Protocol   string `json:"protocol,omitempty"`
	TLS        bool   `json:"tls,omitempty"`
	Timing     string `json:"timing_source,omitempty"`
	Opened     int    `json:"connections_opened"`
	Reused     int    `json:"requests_on_reused_connections"`
	DialErrors int    `json:"dial_errors,omitempty"`
	Retried    int    `json:"retried,omitempty"`
	MaxOpen    int    `json:"max_open_connections"`
}

type health struct {
	GOMAXPROCS   int               `json:"gomaxprocs"`
	CPUs         int               `json:"cpus"`
	Wall         time.Duration     `json:"watched_ns"`
	ProcessCPU   time.Duration     `json:"process_cpu_ns"`
	MachineBusy  float64           `json:"-"` // see healthFile
	CPUQuota     float64           `json:"cpu_quota,omitempty"`
	Throttled    time.Duration     `json:"throttled_ns,omitempty"`
	SchedLatency loadgen.Quantiles `json:"-"`
	GCPause      loadgen.Quantiles `json:"-"`
	GCCycles     int               `json:"gc_cycles"`
	HeapPeak     uint64            `json:"heap_peak_bytes,omitempty"`
	RSSPeak      uint64            `json:"rss_peak_bytes,omitempty"`
	Goroutines   int               `json:"goroutines,omitempty"`
	ClockSteps   int               `json:"clock_steps,omitempty"`
	Starved      int               `json:"starved,omitempty"`
}

// A healthFile leaves out what was not known, which Health gives as −1.
type healthFile struct {
	health
	MachineBusy  *float64   `json:"machine_busy,omitempty"`
	SchedLatency *quantiles `json:"sched_latency_sec,omitempty"`
	GCPause      *quantiles `json:"gc_pause_sec,omitempty"`
}

type quantiles struct {
	P50 float64 `json:"p50"`
	P99 float64 `json:"p99"`
	Max float64 `json:"max"`
}

func healthOf(h loadgen.Health) healthFile {
	f := healthFile{health: health(h), SchedLatency: known(h.SchedLatency), GCPause: known(h.GCPause)}
	if h.MachineBusy >= 0 {
		f.MachineBusy = &h.MachineBusy
	}
	return f
}

func known(q loadgen.Quantiles) *quantiles {
	if q.Max < 0 {
		return nil
	}
	return (*quantiles)(&q)
}

func (f healthFile) value() loadgen.Health {
	h := loadgen.Health(f.health)
	unknown := loadgen.Quantiles{P50: -1, P99: -1, Max: -1}
	h.MachineBusy, h.SchedLatency, h.GCPause = -1, unknown, unknown
	if f.MachineBusy != nil {
		h.MachineBusy = *f.MachineBusy
	}
	if f.SchedLatency != nil {
		h.SchedLatency = loadgen.Quantiles(*f.SchedLatency)
	}
	if f.GCPause != nil {
		h.GCPause = loadgen.Quantiles(*f.GCPause)
	}
	return h
}
