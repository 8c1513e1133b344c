package results

import (
	"encoding/json"
	"fmt"
	"math"

	"loadgen"
	"loadgen/metrics"
)

// Summary returns what the export says of the run: metrics of AIPerf and of
// loadgen, and of loadgen's runs all the rest. Nil where there is no export.
func (p *Published) Summary() (*metrics.Summary, error) {
	if p.keys == nil {
		return nil, nil
	}
	s := new(metrics.Summary)
	var own struct {
		*metrics.Summary
		Failures []metrics.Error `json:"failures"`
		Outcome  struct {
			Workers []loadgen.Worker `json:"workers"`
		} `json:"outcome"`
	}
	own.Summary = s
	if raw := p.keys["loadgen"]; raw != nil {
		if err := json.Unmarshal(raw, &own); err != nil {
			return nil, fmt.Errorf("read run %s: %s: loadgen: %w", p.Dir, JSONName, err)
		}
		s.Errors, s.Workers = own.Failures, own.Outcome.Workers
	} else {
		s.Errors = p.foreignErrors()
	}
	var cancelled bool
	_ = json.Unmarshal(p.keys["was_cancelled"], &cancelled)
	s.Cancelled = cancelled
	for _, d := range metrics.Definitions() {
		if m, ok := p.metric(&d); ok {
			s.Metrics = append(s.Metrics, m)
		}
	}
	if p.Version == "" {
		s.Counts = p.foreignCounts()
	}
	return s, nil
}

// metric makes a metric of the export again; false where it has none.
func (p *Published) metric(d *metrics.Definition) (metrics.Metric, bool) {
	m := metrics.Metric{Tag: d.Tag, Header: d.Header, Unit: d.Unit, Integer: d.Integer, Console: d.Console}
	figure := func(stat string) float64 {
		if v, ok := p.Figure(metrics.Figure{Tag: d.Tag, Stat: stat}); ok {
			return v
		}
		return math.NaN()
	}
	avg := figure("avg")
	if d.Kind == metrics.Scalar {
		m.Value = &avg
		return m, !math.IsNaN(avg)
	}
	s := &metrics.Stats{
		Avg: avg, P1: figure("p1"), P5: figure("p5"), P10: figure("p10"), P25: figure("p25"), P50: figure("p50"),
		P75: figure("p75"), P90: figure("p90"), P95: figure("p95"), P99: figure("p99"),
		Min: figure("min"), Max: figure("max"), Std: figure("std"), Sum: figure("sum"),
	}
	if n := figure("count"); n > 0 {
		s.Count = int64(n)
	}
	m.Stats = s
	return m, len(p.decoded[d.Tag]) > 0
}

// foreignErrors reads AIPerf's error_summary.
func (p *Published) foreignErrors() []metrics.Error {
	var errors []struct {
		Details struct {
			Code    int    `json:"code"`
			Type    string `json:"type"`
			Message string `json:"message"`
		} `json:"error_details"`
		Count int `json:"count"`
	}
	_ = json.Unmarshal(p.keys["error_summary"], &errors)
	var out []metrics.Error
	for _, e := range errors {
		out = append(out, metrics.Error{Kind: loadgen.FailureKind(e.Details.Type), Status: e.Details.Code, Message: e.Details.Message, Count: e.Count})
	}
	return out
}

// foreignCounts are as far as AIPerf's metrics tell them.
func (p *Published) foreignCounts() metrics.Counts {
	ok, _ := p.Figure(metrics.Figure{Tag: "request_count", Stat: "avg"})
	failed, _ := p.Figure(metrics.Figure{Tag: "error_request_count", Stat: "avg"})
	return metrics.Counts{Issued: int(ok + failed), OK: int(ok), Failed: int(failed)}
}
