package results

import (
	"net/url"
	"strconv"

	"loadgen/observe"
)

// A telemetry is AIPerf's telemetry_data: what the GPUs did in the measured phase.
type telemetry struct {
	Summary   telemetrySummary      `json:"summary"`
	Endpoints map[string]gpuSources `json:"endpoints"`
}

type telemetrySummary struct {
	Configured []string `json:"endpoints_configured"`
	Successful []string `json:"endpoints_successful"`
	Start      string   `json:"start_time"`
	End        string   `json:"end_time"`
}

type gpuSources struct {
	GPUs map[string]gpuTelemetry `json:"gpus"`
}

type gpuTelemetry struct {
	Index     int                           `json:"gpu_index"`
	Name      string                        `json:"gpu_name"`
	UUID      string                        `json:"gpu_uuid"`
	Platform  string                        `json:"platform"`
	Host      string                        `json:"hostname,omitempty"`
	Namespace string                        `json:"namespace,omitempty"`
	Pod       string                        `json:"pod_name,omitempty"`
	Metrics   map[string]map[string]float64 `json:"metrics"`
}

// telemetryOf returns what was observed of GPUs; nil for none.
func telemetryOf(rec *observe.Recording) *telemetry {
	if rec.Empty() || len(rec.Devices()) == 0 {
		return nil
	}
	t := &telemetry{
		Summary: telemetrySummary{
			Configured: []string{}, Successful: []string{},
			Start: localTime(rec.Began.Add(rec.Epoch())), End: localTime(rec.Began.Add(rec.Marks[observe.After])),
		},
		Endpoints: map[string]gpuSources{},
	}
	for _, e := range rec.Endpoints {
		if e.GPU {
			t.Summary.Configured = append(t.Summary.Configured, e.URL)
			if len(e.Points) > 0 {
				t.Summary.Successful = append(t.Summary.Successful, e.URL)
			}
		}
	}
	for _, d := range rec.Devices() {
		at := hostOf(d.Endpoint.URL)
		if t.Endpoints[at].GPUs == nil {
			t.Endpoints[at] = gpuSources{map[string]gpuTelemetry{}}
		}
		index, _ := strconv.Atoi(d.Index)
		name := "gpu_" + d.Index
		if _, taken := t.Endpoints[at].GPUs[name]; taken { // one exporter of several nodes
			name += "_" + d.UUID
		}
		t.Endpoints[at].GPUs[name] = gpuTelemetry{
			Index: index, Name: d.Model, UUID: d.UUID, Platform: d.Vendor, Host: d.Host, Namespace: d.Namespace, Pod: d.Pod,
			Metrics: fieldsOf(d),
		}
	}
	return t
}

// fieldsOf are the fields of a GPU: of one that only rises by how much it did.
func fieldsOf(d *observe.Device) map[string]map[string]float64 {
	out := map[string]map[string]float64{}
	for name := range d.Fields {
		if observe.Rises(name) {
			if c, ok := d.Delta(name, observe.Measured); ok {
				out[name] = map[string]float64{"avg": c.Total}
			}
			continue
		}
		l, ok := d.Level(name, observe.Measured)
		if !ok {
			continue
		}
		stats := map[string]float64{"avg": l.Avg, "min": l.Min, "max": l.Max, "std": l.Std}
		for _, p := range serverLevels {
			if v := l.Percentile(p); finite(v) {
				stats["p"+strconv.Itoa(int(p))] = v
			}
		}
		out[name] = stats
	}
	return out
}

// hostOf is how AIPerf calls a source: by host and port.
func hostOf(address string) string {
	if u, err := url.Parse(address); err == nil && u.Host != "" {
		return u.Host
	}
	return address
}
