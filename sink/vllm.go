package sink

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"time"

	"loadgen"
	"loadgen/metrics"
	"loadgen/sweep"
)

// VLLMName is a run as vLLM's bench serve saves one with --save-detailed.
const VLLMName = "vllm_bench.json"

func vllmFiles(_ context.Context, b *Batch, _ *sweep.Export, _ *Options) (string, error) {
	return eachFile(b, VLLMName, func(w io.Writer, r *Run) error {
		head, err := json.Marshal(vllmHead(r))
		if err != nil {
			return err
		}
		// The object goes on with the columns.
		if _, err := w.Write(head[:len(head)-1]); err != nil {
			return err
		}
		return vllmColumns(w, r)
	})
}

// eachFile writes a file into the directory of every run that has figures.
func eachFile(b *Batch, name string, write func(io.Writer, *Run) error) (string, error) {
	runs := b.fit()
	if len(runs) == 0 {
		return "", errNoRun
	}
	for _, r := range runs {
		if err := file(filepath.Join(r.Dir, name), func(w io.Writer) error { return write(w, r) }); err != nil {
			return "", fmt.Errorf("%s: %w", r.Name, err)
		}
	}
	if len(runs) == 1 {
		return filepath.Join(runs[0].Dir, name), nil
	}
	return fmt.Sprintf("%s of %d runs", name, len(runs)), nil
}

// vllmHead are the keys that are no columns. What is not known is left out; a
// name of the verdict stands where --metadata puts its keys.
func vllmHead(r *Run) object {
	c := r.Summary.Counts
	o := object{
		"date":         r.Ended.Local().Format("20060102-150405"),
		"backend":      map[bool]string{true: "openai-chat", false: "openai"}[r.setting("endpoint_type") == "chat"],
		"label":        r.Meta.Label,
		"model_id":     r.setting("model"),
		"tokenizer_id": tokenizerOf(r),
		"num_prompts":  c.Issued,
		"completed":    c.OK, "failed": c.Failed + c.Cancelled,
		"request_rate": "inf", "burstiness": 1.0, "max_concurrency": nil,
		"verdict": r.Verdict(), "verdict_reasons": signs(r.Summary.Validity.Reasons),
	}
	o["endpoint_type"] = o["backend"]
	switch l := r.Summary.Load; {
	case l.Mode == loadgen.OpenLoop:
		o["request_rate"] = l.Rate
		if l.Smoothness > 0 {
			o["burstiness"] = l.Smoothness
		}
		if l.Ceiling > 0 {
			o["max_concurrency"] = l.Ceiling
		}
	case l.Users > 0:
		o["max_concurrency"] = l.Users
	}
	figure := func(key, tag string) {
		if v, ok := r.Figure(tag, "avg"); ok {
			o[key] = v
		}
	}
	figure("duration", "benchmark_duration")
	figure("request_throughput", "request_throughput")
	figure("request_goodput", "goodput")
	figure("output_throughput", "output_token_throughput")
	figure("total_token_throughput", "total_token_throughput")
	figure("total_input_tokens", "total_isl")
	figure("total_output_tokens", "total_osl")
	for _, m := range []struct{ theirs, tag string }{
		{"ttft", "time_to_first_token"}, {"tpot", "inter_token_latency"}, {"itl", "inter_chunk_latency"}, {"e2el", "request_latency"},
	} {
		for _, s := range []struct{ theirs, stat string }{{"mean", "avg"}, {"median", "p50"}, {"std", "std"}, {"p90", "p90"}, {"p95", "p95"}, {"p99", "p99"}} {
			if v, ok := r.Figure(m.tag, s.stat); ok {
				o[s.theirs+"_"+m.theirs+"_ms"] = v
			}
		}
	}
	return o
}

func tokenizerOf(r *Run) string {
	if t := r.setting("tokenizer"); t != "" {
		return t
	}
	return r.setting("model")
}

// object is a JSON object; its keys are written in order.
type object map[string]any

// vllmColumns are the lists with an element for each request of the
// measurement, in the order in which they ended. A request that failed has an
// error, and no times.
func vllmColumns(w io.Writer, r *Run) error {
	var m metrics.Measurement
	measure := func(rec *loadgen.Record) {
		m = metrics.Measurement{ServerInput: r.Meta.Facts.ServerInput}
		metrics.Measure(rec, &m)
	}
	number := func(id metrics.ID) float64 {
		v, ok := m.Value(id)
		if !ok {
			return 0
		}
		return v
	}
	columns := []struct {
		name string
		of   func(*loadgen.Record) any
	}{
		{"input_lens", func(rec *loadgen.Record) any { measure(rec); return int(number(metrics.ISL)) }},
		{"output_lens", func(rec *loadgen.Record) any { measure(rec); return int(number(metrics.OSL)) }},
		{"ttfts", func(rec *loadgen.Record) any {
			if !rec.OK() || !rec.Streamed || len(rec.Chunks) == 0 {
				return 0.0
			}
			return rec.Chunks[0].At.Seconds()
		}},
		{"itls", func(rec *loadgen.Record) any { return gaps(rec) }},
		{"start_times", func(rec *loadgen.Record) any { return rec.Sent.Seconds() }},
		{"errors", func(rec *loadgen.Record) any {
			if rec.OK() {
				return ""
			}
			return string(rec.Failure.Kind) + ": " + rec.Failure.Message
		}},
	}
	for _, c := range columns {
		if _, err := fmt.Fprintf(w, ",%q:[", c.name); err != nil {
			return err
		}
		first := true
		err := r.measured(func(rec *loadgen.Record) error {
			if !first {
				if _, err := io.WriteString(w, ","); err != nil {
					return err
				}
			}
			first = false
			text, err := json.Marshal(c.of(rec))
			if err != nil {
				return err
			}
			_, err = w.Write(text)
			return err
		})
		if err != nil {
			return err
		}
		if _, err := io.WriteString(w, "]"); err != nil {
			return err
		}
	}
	_, err := io.WriteString(w, "}\n")
	return err
}

// gaps are the times between the chunks of an answer, in seconds.
func gaps(rec *loadgen.Record) []float64 {
	out := []float64{}
	if !rec.OK() || !rec.Streamed {
		return out
	}
	for i := 1; i < len(rec.Chunks); i++ {
		out = append(out, (rec.Chunks[i].At - rec.Chunks[i-1].At).Seconds())
	}
	return out
}

// unix is a time in seconds since 1970; 0 where it is not known.
func unix(t time.Time) float64 {
	if t.IsZero() {
		return 0
	}
	return math.Round(float64(t.UnixNano())/1e3) / 1e6
}
