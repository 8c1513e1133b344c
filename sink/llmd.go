package sink

import (
	"context"
	"encoding/json"
	"io"

	"loadgen"
	"loadgen/sweep"
)

// LLMDName is a run as a Benchmark Report of llm-d, version 0.1: JSON, which is
// YAML too.
const LLMDName = "benchmark_report_v0.1.yaml"

func llmdFiles(_ context.Context, b *Batch, _ *sweep.Export, o *Options) (string, error) {
	return eachFile(b, LLMDName, func(w io.Writer, r *Run) error {
		enc := json.NewEncoder(w)
		enc.SetIndent("", "  ")
		return enc.Encode(llmd(r, o.Version))
	})
}

// llmd is the report. Its schema knows no loadgen among the generators, so that
// the load is called nop, and its true name stands in the metadata.
func llmd(r *Run, version string) object {
	c := r.Summary.Counts
	scenario := object{
		"model": object{"name": r.setting("model")},
		"load": object{
			"name": "nop", "type": string(r.Summary.Load.Mode), "args": llmdArgs(r),
			"metadata": object{"generator": "loadgen", "version": version},
		},
	}
	if r.Summary.Load.Mode == loadgen.ClosedLoop {
		scenario["description"] = "closed loop"
	}
	latency, throughput := object{}, object{}
	for _, m := range []struct{ key, tag, units string }{
		{"time_to_first_token", "time_to_first_token", "ms"},
		{"time_per_output_token", "inter_token_latency", "ms/token"},
		{"inter_token_latency", "inter_chunk_latency", "ms/token"},
		{"request_latency", "request_latency", "ms"},
	} {
		if s := statistics(r, m.tag, m.units); s != nil {
			latency[m.key] = s
		}
	}
	for key, tag := range map[string]string{
		"input_tokens_per_sec": "input_token_throughput", "output_tokens_per_sec": "output_token_throughput",
		"total_tokens_per_sec": "total_token_throughput", "requests_per_sec": "request_throughput",
	} {
		if v, ok := r.Figure(tag, "avg"); ok {
			throughput[key] = v
		}
	}
	requests := object{"total": c.Issued, "failures": c.Failed, "incomplete": c.Cancelled}
	for key, tag := range map[string]string{"input_length": "input_sequence_length", "output_length": "output_sequence_length"} {
		if s := statistics(r, tag, "count"); s != nil {
			requests[key] = s
		}
	}
	duration, _ := r.Figure("benchmark_duration", "avg")
	return object{
		"version": "0.1", "scenario": scenario,
		"metrics": object{
			"time":     object{"duration": duration, "start": unix(r.Started), "stop": unix(r.Ended)},
			"requests": requests, "latency": latency, "throughput": throughput,
			"metadata": object{"verdict": r.Verdict(), "verdict_reasons": signs(r.Summary.Validity.Reasons)},
		},
		"metadata": object{"run": r.Name, "label": r.Meta.Label},
	}
}

func llmdArgs(r *Run) object {
	args := object{}
	settings, _ := r.Meta.Config.(map[string]any)
	for key, v := range settings {
		if key != "headers" {
			args[key] = v
		}
	}
	return args
}

// statistics are those of a metric that has a distribution, nil for none.
func statistics(r *Run, tag, units string) object {
	m := r.Summary.Metric(tag)
	if m == nil || m.Stats == nil {
		return nil
	}
	return object{
		"units": units, "mean": m.Stats.Avg, "stddev": m.Stats.Std, "min": m.Stats.Min, "max": m.Stats.Max,
		"p1": m.Stats.P1, "p5": m.Stats.P5, "p10": m.Stats.P10, "p25": m.Stats.P25, "p50": m.Stats.P50,
		"p75": m.Stats.P75, "p90": m.Stats.P90, "p95": m.Stats.P95, "p99": m.Stats.P99,
	}
}
