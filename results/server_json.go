package results

import (
	"encoding/json"
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"loadgen/observe"
)

// The files of a server's own metrics, by AIPerf's names, and one of our own.
const (
	ServerJSONName   = "server_metrics_export.json"
	ServerCSVName    = "server_metrics_export.csv"
	ServerJSONLName  = "server_metrics_export.jsonl"
	GPUJSONLName     = "gpu_telemetry_export.jsonl"
	ServerSeriesName = "server_series.json"
)

// serverSchema is that of AIPerf's JSON export of server metrics.
const serverSchema = "1.1"

// WriteServer writes what was observed of the server and of GPUs, in some of the
// formats json, csv, jsonl and parquet. Nothing is written where nothing was seen.
func (r *Run) WriteServer(rec *observe.Recording, formats []string, config InputConfig) error {
	if rec.Empty() {
		return nil
	}
	if err := r.writeServerSeries(rec); err != nil {
		return err
	}
	if len(rec.Devices()) > 0 {
		if err := r.batch.writeFile(filepath.Join(r.Dir, GPUJSONLName), gpuLines(rec)); err != nil {
			return err
		}
	}
	if !serves(rec) {
		return nil
	}
	for _, f := range []struct {
		format, name string
		data         func() ([]byte, error)
	}{
		{"json", ServerJSONName, func() ([]byte, error) { return r.serverJSON(rec, config) }},
		{"csv", ServerCSVName, func() ([]byte, error) { return r.serverCSV(rec), nil }},
		{"jsonl", ServerJSONLName, func() ([]byte, error) { return serverLines(rec) }},
		{"parquet", ServerParquetName, func() ([]byte, error) { return r.serverParquet(rec) }},
	} {
		if !slices.Contains(formats, f.format) {
			continue
		}
		data, err := f.data()
		if err == nil {
			err = r.batch.writeFile(filepath.Join(r.Dir, f.name), data)
		}
		if err != nil {
			return failed(filepath.Join(r.Dir, f.name), err)
		}
	}
	return nil
}

// serves reports whether a server said anything, and not GPUs alone.
func serves(rec *observe.Recording) bool {
	return slices.ContainsFunc(rec.Endpoints, func(e *observe.Endpoint) bool { return !e.GPU && len(e.Points) > 0 })
}

// endpoints are those of servers.
func endpoints(rec *observe.Recording) []*observe.Endpoint {
	return slices.DeleteFunc(slices.Clone(rec.Endpoints), func(e *observe.Endpoint) bool { return e.GPU })
}

type serverFile struct {
	Schema  string        `json:"schema_version"`
	Version string        `json:"aiperf_version"`
	ID      string        `json:"benchmark_id"`
	Summary serverSummary `json:"summary"`
	Phase   string        `json:"metrics_phase"`
	Metrics serverMetrics `json:"metrics"`
	Warmup  serverMetrics `json:"warmup_metrics,omitempty"`
	Config  InputConfig   `json:"input_config"`
}

type serverSummary struct {
	Configured []string              `json:"endpoints_configured"`
	Successful []string              `json:"endpoints_successful"`
	Start      string                `json:"start_time"`
	End        string                `json:"end_time"`
	Endpoints  map[string]scrapes    `json:"endpoint_info"`
	Phases     map[string]phaseRange `json:"phase_time_ranges"`
}

type phaseRange struct {
	Start int64 `json:"start_ns"`
	End   int64 `json:"end_ns"`
}

type serverMetrics map[string]*serverMetric

type serverMetric struct {
	Type        string         `json:"type"`
	Description string         `json:"description"`
	Unit        string         `json:"unit,omitempty"`
	Series      []serverSeries `json:"series"`
}

type serverSeries struct {
	Endpoint string             `json:"endpoint_url"`
	Labels   map[string]string  `json:"labels,omitempty"`
	Stats    map[string]float64 `json:"stats"`
	Buckets  buckets            `json:"buckets,omitzero"`
}

// buckets are upper bounds with what lies at or below them, in their order.
type buckets struct{ bounds, counts []float64 }

func (b buckets) MarshalJSON() ([]byte, error) {
	var o object
	o.open()
	for i, bound := range b.bounds {
		o.number(le(bound), b.counts[i], true)
	}
	o.close()
	return o.b, nil
}

// IsZero reports whether there are none.
func (b buckets) IsZero() bool { return len(b.bounds) == 0 }

// le writes the bound of a bucket.
func le(bound float64) string {
	if math.IsInf(bound, 1) {
		return "+Inf"
	}
	return strconv.FormatFloat(bound, 'g', -1, 64)
}

func (r *Run) serverJSON(rec *observe.Recording, config InputConfig) ([]byte, error) {
	file := serverFile{
		Schema: serverSchema, Version: "loadgen " + r.meta.Version, ID: r.batch.benchmarkID(r.meta.Dir),
		Phase: "profiling", Config: config,
		Metrics: metricsIn(rec, observe.Measured),
		Summary: serverSummary{
			Configured: []string{}, Successful: []string{}, Endpoints: map[string]scrapes{}, Phases: map[string]phaseRange{},
			Start: localTime(rec.Began), End: localTime(rec.Began.Add(rec.Ended)),
		},
	}
	for _, e := range endpoints(rec) {
		file.Summary.Configured = append(file.Summary.Configured, e.URL)
		if len(e.Points) > 0 {
			file.Summary.Successful = append(file.Summary.Successful, e.URL)
		}
		file.Summary.Endpoints[e.URL] = scrapesOf(rec, e)
	}
	ends := rec.Marks[observe.After]
	if from := rec.Marks[observe.Profiling]; from > 0 {
		file.Summary.Phases["profiling"] = phaseRange{at(rec, from), at(rec, ends)}
		ends = from
	}
	if from := rec.Marks[observe.Warmup]; from > 0 {
		file.Summary.Phases["warmup"] = phaseRange{at(rec, from), at(rec, ends)}
		file.Warmup = metricsIn(rec, observe.WarmingUp)
	}
	return json.MarshalIndent(file, "", "  ")
}

// at is a time of a recording in unix nanoseconds.
func at(rec *observe.Recording, d time.Duration) int64 { return rec.Began.Add(d).UnixNano() }

// metricsIn are the metrics of all servers over a window, by name.
func metricsIn(rec *observe.Recording, w observe.Window) serverMetrics {
	out := serverMetrics{}
	for _, e := range endpoints(rec) {
		for _, s := range e.Sorted() {
			stats, b, ok := statsOf(e, s, w)
			if !ok {
				continue
			}
			m := out[metricName(s)]
			if m == nil {
				m = &serverMetric{Type: s.Family.Kind.String(), Description: s.Family.Help, Unit: s.Family.Unit}
				out[metricName(s)] = m
			}
			m.Series = append(m.Series, serverSeries{Endpoint: e.URL, Labels: labelsOf(s), Stats: stats, Buckets: b})
		}
	}
	return out
}

// metricName is a metric's name in AIPerf's files: a counter's is without _total.
func metricName(s *observe.Series) string {
	if s.Family.Kind == observe.Counter {
		return strings.TrimSuffix(s.Family.Name, "_total")
	}
	return s.Family.Name
}

func labelsOf(s *observe.Series) map[string]string {
	if len(s.Labels) == 0 {
		return nil
	}
	labels := map[string]string{}
	for _, l := range s.Labels {
		labels[l.Name] = l.Value
	}
	return labels
}

// serverLevels are the percentiles of files.
var serverLevels = []float64{1, 5, 10, 25, 50, 75, 90, 95, 99}

// statsOf are the figures of a series over a window, by AIPerf's names.
func statsOf(e *observe.Endpoint, s *observe.Series, w observe.Window) (stats map[string]float64, b buckets, ok bool) {
	stats = map[string]float64{}
	put := func(name string, v float64) {
		if finite(v) {
			stats[name] = v
		}
	}
	switch s.Family.Kind {
	case observe.Counter:
		c, ok := e.Change(s, w)
		put("total", c.Total)
		put("rate", c.Rate())
		return stats, b, ok
	case observe.Gauge, observe.Unknown:
		l, ok := e.Level(s, w)
		put("avg", l.Avg)
		put("min", l.Min)
		put("max", l.Max)
		put("std", l.Std)
		for _, p := range serverLevels {
			put("p"+strconv.Itoa(int(p)), l.Percentile(p))
		}
		return stats, b, ok
	}
	spread, ok := e.Spread(s, w)
	put("count", spread.Count)
	if spread.Count > 0 {
		put("sum", spread.Sum)
		put("avg", spread.Mean())
		put("count_rate", spread.Count/spread.Seconds)
		put("sum_rate", spread.Sum/spread.Seconds)
		for _, p := range serverLevels {
			put("p"+strconv.Itoa(int(p))+"_estimate", spread.Quantile(p/100))
		}
		b = buckets{spread.Bounds, spread.Counts}
	}
	return stats, b, ok
}
