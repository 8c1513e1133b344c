package results

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"loadgen"
	"loadgen/metrics"
)

// schemaVersion is that of AIPerf 0.13's JSON export.
const schemaVersion = "1.4"

// runInfo is AIPerf's run_info.
type runInfo struct {
	ID      string          `json:"benchmark_id"`
	Seed    uint64          `json:"random_seed"`
	Label   string          `json:"variation_label,omitempty"`
	Index   int             `json:"variation_index"`
	Values  json.RawMessage `json:"variation_values,omitempty"`
	Command string          `json:"cli_command,omitempty"`
}

// own is the key "loadgen" of the JSON export: all that AIPerf's schema has no
// place for.
type own struct {
	Version string         `json:"version,omitempty"`
	Status  loadgen.Status `json:"status"`
	Missed  []string       `json:"limits_missed,omitempty"`
	*metrics.Summary
	Failures  []metrics.Error `json:"failures,omitempty"`
	Outcome   outcome         `json:"outcome"`
	Health    healthFile      `json:"health"`
	Transport transport       `json:"transport"`
	Prompts   Prompts         `json:"prompts,omitzero"`
}

// Prompts says what the prompts of a run can be trusted for.
type Prompts struct {
	// Sessions and Requests were made; the last ones may not have been sent.
	Sessions int `json:"sessions"`
	Requests int `json:"requests"`
	Inexact  int `json:"inexact"` // not as long as was drawn
	Repeats  int `json:"repeats"` // too short to be certain to differ from all others
	Reused   int `json:"reused"`  // sessions of a dataset that were sent another time
	// Template says how it is known what the chat template adds: "file" or
	// "measured", empty where it is not known.
	Template string `json:"chat_template,omitempty"`
	// TemplateTokens is what it adds to the prompt of a first turn.
	TemplateTokens int `json:"chat_template_tokens,omitempty"`
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
		ID: r.batch.benchmarkID(r.meta.Dir), Seed: uint64(r.meta.Cell.Seed),
		Label: r.meta.Cell.Dir, Index: r.meta.Cell.Index, Values: params, Command: commandLine(r.meta.Command),
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
	o.bool("was_cancelled", res.Status == loadgen.Interrupted)
	reason := incomplete(res)
	o.bool("is_complete", reason == "")
	o.text("incomplete_reason", reason)
	appendErrors(&o, s.Errors)
	o.text("start_time", localTime(start))
	o.text("end_time", localTime(start.Add(res.Outcome.Elapsed)))
	if len(s.Warmup) > 0 {
		o.begin("warmup_metrics")
		appendMetrics(&o, s.Warmup)
		o.close()
	}
	if t := telemetryOf(res.Observed); t != nil {
		if err := o.any("telemetry_data", t); err != nil {
			return nil, err
		}
	}
	if err := o.any("loadgen", own{
		Version: r.meta.Version, Status: res.Status, Missed: res.Missed, Summary: s, Failures: s.Errors,
		Outcome: outcome(res.Outcome), Health: healthOf(res.Health), Transport: transport(res.Transport), Prompts: res.Prompts,
	}); err != nil {
		return nil, err
	}
	o.close()
	return indented(o.b)
}

// incomplete says why the metrics are over a part of the run only; "" where
// they are not.
func incomplete(res *Result) string {
	switch lost := res.Summary.Counts.Lost; {
	case res.Status == loadgen.Failed:
		return "the run failed: see " + ProcessName
	case res.Status == loadgen.Interrupted:
		return "the user ended the run"
	case lost > 0:
		return fmt.Sprintf("%d requests left no record", lost)
	}
	return ""
}

// commandLine joins arguments as a shell would take them.
func commandLine(args []string) string {
	quoted := make([]string, len(args))
	for i, a := range args {
		quoted[i] = a
		if a == "" || strings.ContainsAny(a, " \t\n\"'`$&|;<>()*?[]{}~#\\!") {
			quoted[i] = "'" + strings.ReplaceAll(a, "'", `'\''`) + "'"
		}
	}
	return strings.Join(quoted, " ")
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
	Cut       string        `json:"cut,omitempty"`
	MaxFlight int           `json:"max_in_flight"`
	Crossing  int           `json:"crossing,omitempty"`
	FirstWave int           `json:"first_wave,omitempty"`
	Missed    int           `json:"missed,omitempty"`
	Notes     []string      `json:"notes,omitempty"`

	Server  *loadgen.Server  `json:"-"` // stands beside it, with what follows from it
	Workers []loadgen.Worker `json:"workers,omitempty"`
}

type transport struct {
	Engine     string `json:"engine,omitempty"`
	Protocol   string `json:"protocol,omitempty"`
	TLS        bool   `json:"tls,omitempty"`
	Timing     string `json:"timing_source,omitempty"`
	Opened     int    `json:"connections_opened"`
	Reused     int    `json:"requests_on_reused_connections"`
	DialErrors int    `json:"dial_errors,omitempty"`
	LocalDials int    `json:"local_dial_errors,omitempty"`
	Retried    int    `json:"retried,omitempty"`
	MaxOpen    int    `json:"max_open_connections"`

	RoundTrip time.Duration `json:"network_round_trip_ns,omitempty"`
}

type health struct {
	GOMAXPROCS   int               `json:"gomaxprocs"`
	CPUs         int               `json:"cpus"`
	Wall         time.Duration     `json:"watched_ns"`
	ProcessCPU   time.Duration     `json:"process_cpu_ns"`
	MachineBusy  float64           `json:"-"` // see healthFile
	CPUQuota     float64           `json:"cpu_quota,omitempty"`
	Throttled    time.Duration     `json:"throttled_ns,omitempty"`
	StoodStill   time.Duration     `json:"stood_still_ns,omitempty"`
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
