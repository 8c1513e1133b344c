package results

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"loadgen/observe"
)

// serverCSV is server_metrics_export.csv of the measured phase: a section for each
// kind of metric, and one for those that only name things.
func (r *Run) serverCSV(rec *observe.Recording) []byte {
	b := fmt.Appendf(nil, "# aiperf_version: loadgen %s\r\n# schema_version: 1.0\r\n# benchmark_id: %s\r\n", r.meta.Version, r.batch.benchmarkID(r.meta.Dir))
	for _, kind := range []observe.Kind{observe.Gauge, observe.Counter, observe.Histogram, observe.Summary, observe.Unknown} {
		b = appendSection(b, rec, kind)
	}
	return appendInfo(b, rec)
}

// serverColumns are the figures of each kind.
func serverColumns(kind observe.Kind) []string {
	var columns []string
	end := ""
	switch kind {
	case observe.Counter:
		return []string{"total", "rate"}
	case observe.Histogram, observe.Summary:
		columns, end = []string{"count", "sum", "avg", "count_rate", "sum_rate"}, "_estimate"
	default:
		columns = []string{"avg", "min", "max", "std"}
	}
	for _, p := range serverLevels {
		columns = append(columns, "p"+strconv.Itoa(int(p))+end)
	}
	return columns
}

func appendSection(b []byte, rec *observe.Recording, kind observe.Kind) []byte {
	type row struct {
		e *observe.Endpoint
		s *observe.Series
	}
	var rows []row
	var labels []string
	for _, e := range endpoints(rec) {
		for _, s := range e.Sorted() {
			if s.Family.Kind != kind || isInfo(s) {
				continue
			}
			rows = append(rows, row{e, s})
			for _, l := range s.Labels {
				labels = append(labels, l.Name)
			}
		}
	}
	if len(rows) == 0 {
		return b
	}
	slices.Sort(labels)
	labels = slices.Compact(labels)
	columns := serverColumns(kind)
	b = append(b, "\r\nEndpoint,Type,Metric,Unit"...)
	for _, name := range slices.Concat(columns, labels, []string{"Description"}) {
		b = appendField(append(b, ','), name)
	}
	if kind == observe.Histogram {
		b = append(b, ",buckets"...)
	}
	b = append(b, "\r\n"...)
	for _, x := range rows {
		stats, buckets, ok := statsOf(x.e, x.s, observe.Measured)
		if !ok {
			continue
		}
		for i, text := range []string{inCSV(x.e.URL), kind.String(), metricName(x.s), x.s.Family.Unit} {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendField(b, text)
		}
		for _, column := range columns {
			b = append(b, ',')
			if v, ok := stats[column]; ok {
				b = strconv.AppendFloat(b, v, 'f', 4, 64)
			}
		}
		values := labelsOf(x.s)
		for _, name := range labels {
			b = appendField(append(b, ','), values[name])
		}
		b = appendField(append(b, ','), x.s.Family.Help)
		if kind == observe.Histogram {
			var parts []string
			for i, bound := range buckets.bounds {
				parts = append(parts, le(bound)+"="+strconv.FormatFloat(buckets.counts[i], 'f', -1, 64))
			}
			b = appendField(append(b, ','), strings.Join(parts, ";"))
		}
		b = append(b, "\r\n"...)
	}
	return b
}

// isInfo reports whether a metric only names things by its labels.
func isInfo(s *observe.Series) bool { return strings.HasSuffix(s.Family.Name, "_info") }

func appendInfo(b []byte, rec *observe.Recording) []byte {
	head := "\r\nEndpoint,Metric,Key,Value,Description\r\n"
	for _, e := range endpoints(rec) {
		for _, s := range e.Sorted() {
			if !isInfo(s) {
				continue
			}
			for _, l := range s.Labels {
				b = append(b, head...)
				head = ""
				for i, text := range []string{inCSV(e.URL), s.Family.Name, l.Name, l.Value, s.Family.Help} {
					if i > 0 {
						b = append(b, ',')
					}
					b = appendField(b, text)
				}
				b = append(b, "\r\n"...)
			}
		}
	}
	return b
}

// A serverLine is a scrape in server_metrics_export.jsonl.
type serverLine struct {
	Endpoint string                    `json:"endpoint_url"`
	At       int64                     `json:"timestamp_ns"`
	Latency  int64                     `json:"endpoint_latency_ns"`
	Metrics  map[string][]serverSample `json:"metrics"`
	Sent     int64                     `json:"request_sent_ns"`
	First    int64                     `json:"first_byte_ns"`
	Phase    string                    `json:"benchmark_phase,omitempty"`
}

type serverSample struct {
	Labels  map[string]string `json:"labels,omitempty"`
	Value   *float64          `json:"value,omitempty"`
	Buckets buckets           `json:"buckets,omitzero"`
	Sum     *float64          `json:"sum,omitempty"`
	Count   *float64          `json:"count,omitempty"`
}

// serverLines are the scrapes that were kept and differ from the one before.
func serverLines(rec *observe.Recording) ([]byte, error) {
	var b []byte
	for _, e := range endpoints(rec) {
		sorted := e.Sorted()
		for i, p := range e.Points {
			if i > 0 && !slices.ContainsFunc(sorted, func(s *observe.Series) bool { return s.Differs(i) }) {
				continue
			}
			line := serverLine{
				Endpoint: e.URL, At: at(rec, p.At), Latency: int64(p.Took), Metrics: map[string][]serverSample{},
				Sent: at(rec, p.At-p.Took), First: at(rec, p.At), Phase: phaseOf(p.Phase),
			}
			for _, s := range sorted {
				if sample, ok := sampleOf(s, i); ok && !isInfo(s) {
					line.Metrics[metricName(s)] = append(line.Metrics[metricName(s)], sample)
				}
			}
			data, err := json.Marshal(line)
			if err != nil {
				return nil, err
			}
			b = append(append(b, data...), '\n')
		}
	}
	return b, nil
}

// phaseOf is AIPerf's word for a phase; empty between them.
func phaseOf(p observe.Phase) string {
	switch p {
	case observe.Warmup:
		return "warmup"
	case observe.Profiling, observe.Drain:
		return "profiling"
	}
	return ""
}

func sampleOf(s *observe.Series, point int) (serverSample, bool) {
	out := serverSample{Labels: labelsOf(s)}
	if s.Values != nil {
		v := s.Values[point]
		out.Value = &v
		return out, !math.IsNaN(v)
	}
	count, sum, bounds, counts, ok := s.State(point)
	out.Count, out.Sum, out.Buckets = &count, &sum, buckets{bounds, counts}
	return out, ok
}

// A gpuLine is a GPU at one moment in gpu_telemetry_export.jsonl.
type gpuLine struct {
	At        int64              `json:"timestamp_ns"`
	Source    string             `json:"telemetry_source_url"`
	Index     int                `json:"gpu_index"`
	UUID      string             `json:"gpu_uuid"`
	Model     string             `json:"gpu_model_name"`
	PCI       string             `json:"pci_bus_id,omitempty"`
	Device    string             `json:"device,omitempty"`
	Host      string             `json:"hostname,omitempty"`
	Namespace string             `json:"namespace,omitempty"`
	Pod       string             `json:"pod_name,omitempty"`
	Platform  string             `json:"platform"`
	Data      map[string]float64 `json:"telemetry_data"`
}

func gpuLines(rec *observe.Recording) []byte {
	var b []byte
	for _, d := range rec.Devices() {
		index, err := strconv.Atoi(d.Index)
		if err != nil {
			index = 0
		}
		for i, p := range d.Endpoint.Points {
			line := gpuLine{
				At: at(rec, p.At), Source: d.Endpoint.URL, Index: index, UUID: d.UUID, Model: d.Model, PCI: d.PCI, Device: d.Device,
				Host: d.Host, Namespace: d.Namespace, Pod: d.Pod, Platform: d.Vendor, Data: map[string]float64{},
			}
			for name := range d.Fields {
				if v := d.Value(name, i); finite(v) {
					line.Data[name] = v
				}
			}
			if len(line.Data) == 0 {
				continue
			}
			data, _ := json.Marshal(line) // has finite numbers and texts alone
			b = append(append(b, data...), '\n')
		}
	}
	return b
}

// A seriesFile is server_series.json: the common nouns over the time of the run,
// at most two thousand points each.
type seriesFile struct {
	Server struct {
		Epoch int64        `json:"epoch_ns"` // of the times below, unix nanoseconds
		Lines []seriesLine `json:"lines"`
	} `json:"server"`
}

type seriesLine struct {
	Name   string     `json:"name"`
	GPU    string     `json:"gpu,omitempty"`
	At     []float64  `json:"at_sec"`
	Values []*float64 `json:"values"` // null where there was none
}

func seriesOf(rec *observe.Recording) *seriesFile {
	file := &seriesFile{}
	file.Server.Epoch = at(rec, rec.Epoch())
	for _, l := range rec.Lines() {
		file.Server.Lines = append(file.Server.Lines, seriesLine{Name: l.Noun, At: rounded(l.At), Values: nullable(l.Values)})
	}
	for _, d := range rec.Devices() {
		for _, name := range slices.Sorted(maps.Keys(d.Fields)) {
			line := seriesLine{Name: name, GPU: strings.TrimSpace(d.Host + " " + d.Index)}
			var times, values []float64
			for i, p := range d.Endpoint.Points {
				times, values = append(times, (p.At-rec.Epoch()).Seconds()), append(values, d.Value(name, i))
			}
			line.At, line.Values = rounded(times), nullable(values)
			file.Server.Lines = append(file.Server.Lines, line)
		}
	}
	return file
}

// rounded are times to the millisecond.
func rounded(seconds []float64) []float64 {
	out := make([]float64, len(seconds))
	for i, s := range seconds {
		out[i] = math.Round(s*1e3) / 1e3
	}
	return out
}

func nullable(values []float64) []*float64 {
	out := make([]*float64, len(values))
	for i := range values {
		if finite(values[i]) {
			out[i] = &values[i]
		}
	}
	return out
}

// writeServerSeries writes server_series.json, without indents: its lists are long.
func (r *Run) writeServerSeries(rec *observe.Recording) error {
	data, err := json.Marshal(seriesOf(rec))
	if err != nil {
		return err
	}
	return r.batch.writeFile(filepath.Join(r.Dir, ServerSeriesName), append(data, '\n'))
}

// inCSV is the address of an endpoint as AIPerf's CSV has it: host, port and what
// stands before /metrics.
func inCSV(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return address
	}
	return u.Host + strings.TrimSuffix(u.Path, "/metrics")
}
