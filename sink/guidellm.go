package sink

import (
	"context"
	"encoding/json"
	"io"
	"math"
	"path/filepath"

	"loadgen"
	"loadgen/metrics"
	"loadgen/sweep"
)

// GuideLLMName is a batch as a report of guidellm: a benchmark for each run that
// has figures.
const GuideLLMName = "guidellm.json"

// guidellmVersion is that of the report's schema.
const guidellmVersion = 2

func guidellmFile(_ context.Context, b *Batch, _ *sweep.Export, o *Options) (string, error) {
	runs := b.fit()
	if len(runs) == 0 {
		return "", errNoRun
	}
	path := filepath.Join(b.Dir, GuideLLMName)
	return path, file(path, func(w io.Writer) error {
		benchmarks := make([]object, len(runs))
		for i, r := range runs {
			var err error
			if benchmarks[i], err = guidellmBenchmark(b, r, i); err != nil {
				return err
			}
		}
		return json.NewEncoder(w).Encode(object{
			"metadata": object{"version": guidellmVersion, "guidellm_version": "none: loadgen " + o.Version, "python_version": "none", "platform": "none"},
			"config":   guidellmConfig(runs), "benchmarks": benchmarks,
		})
	})
}

// guidellmConfig is what guidellm was to be called with for the same load, as far
// as its arguments say it. Prompts are told by their mean lengths.
func guidellmConfig(runs []*Run) object {
	first := runs[0]
	var streams []int
	var rates []float64
	for _, r := range runs {
		if l := r.Summary.Load; l.Mode == loadgen.ClosedLoop && l.Users > 0 {
			streams = append(streams, l.Users)
		} else if l.Rate > 0 {
			rates = append(rates, l.Rate)
		}
	}
	profile := object{"kind": "throughput", "max_concurrency": nil}
	switch {
	case len(streams) == len(runs):
		profile = object{"kind": "concurrent", "streams": streams}
	case len(rates) == len(runs):
		profile = object{"kind": guidellmStrategy(first)["type_"], "rate": rates}
	}
	data := object{"kind": "synthetic_text", "prompt_tokens": 1}
	for key, tag := range map[string]string{"prompt_tokens": "input_sequence_length", "output_tokens": "output_sequence_length"} {
		if v, ok := first.Figure(tag, "avg"); ok && v >= 1 {
			data[key] = int(math.Round(v))
		}
	}
	backend := object{"kind": "openai_http", "target": first.setting("url"), "model": first.setting("model")}
	if path := first.setting("endpoint"); path == "/v1/completions" || path == "/v1/chat/completions" {
		backend["request_format"] = path
	}
	return object{"spec": object{"backend": backend, "profile": profile, "data": []object{data}}}
}

func guidellmBenchmark(b *Batch, r *Run, index int) (object, error) {
	var c requestColumns
	if err := r.measured(func(rec *loadgen.Record) error { c.add(rec, r.Meta.Facts.ServerInput); return nil }); err != nil {
		return nil, err
	}
	counts := r.Summary.Counts
	totals := object{"successful": counts.OK, "errored": counts.Failed, "incomplete": counts.Cancelled, "total": counts.OK + counts.Failed + counts.Cancelled}
	epoch := unixNano(r.Outcome.Epoch)
	from, to := epoch+c.firstStart, epoch+c.lastEnd
	scheduler := object{
		"start_time": unix(r.Started), "request_start_time": from, "measure_start_time": from, "measure_end_time": to, "request_end_time": to, "end_time": unix(r.Ended),
		"requests_made": totals, "request_time_avg": mean(c.latency), "request_targeted_start_delay_avg": mean(c.lag),
	}
	for _, unknown := range []string{
		"queued_time_avg", "resolve_start_delay_avg", "resolve_targeted_start_delay_avg", "request_start_delay_avg",
		"resolve_end_delay_avg", "resolve_time_avg", "finalized_delay_avg", "processed_delay_avg",
	} {
		scheduler[unknown] = 0.0
	}
	return object{
		"type_": "generative_benchmark",
		"config": object{
			"id_": r.Name, "run_id": b.Name, "run_index": index, "strategy": guidellmStrategy(r), "constraints": object{}, "sample_size": 0,
			"profile": object{}, "requests": object{}, "backend": object{"model": r.setting("model")},
			"environment": object{"generator": "loadgen", "verdict": r.Verdict(), "verdict_reasons": signs(r.Summary.Validity.Reasons)},
		},
		"scheduler_state": object{
			"start_time": unix(r.Started), "end_time": unix(r.Ended), "created_requests": counts.Issued, "processed_requests": totals["total"],
			"successful_requests": counts.OK, "errored_requests": counts.Failed, "cancelled_requests": counts.Cancelled,
		},
		"scheduler_metrics": scheduler,
		"metrics":           c.guidellm(totals),
		"requests":          object{"successful": []any{}, "errored": []any{}, "incomplete": []any{}, "total": nil},
		"start_time":        from, "end_time": to, "duration": to - from,
	}, nil
}

// guidellmStrategy is how the run was loaded, in guidellm's words.
func guidellmStrategy(r *Run) object {
	switch l := r.Summary.Load; {
	case l.Mode == loadgen.OpenLoop && l.Smoothness == 0:
		return withCeiling(object{"type_": "constant", "rate": l.Rate}, l.Ceiling)
	case l.Mode == loadgen.OpenLoop:
		return withCeiling(object{"type_": "poisson", "rate": l.Rate}, l.Ceiling)
	case l.Mode == loadgen.ClosedLoop && l.Users > 0:
		return object{"type_": "concurrent", "streams": l.Users}
	case l.Users > 0:
		return object{"type_": "throughput", "max_concurrency": l.Users}
	}
	return object{"type_": "throughput"}
}

func withCeiling(strategy object, ceiling int) object {
	if ceiling > 0 {
		strategy["max_concurrency"] = ceiling
	}
	return strategy
}

// requestColumns are figures of the successful requests of a run, each in a list;
// a request without one has no place in its list.
type requestColumns struct {
	latency, lag            []float64 // seconds
	ttft, tpot, itl         []float64 // milliseconds
	input, output, total    []float64 // tokens
	chunks                  []float64
	perChunk                []float64
	starts, ends            []float64 // seconds since the epoch
	inputs, outputs, totals []float64 // tokens by request, 0 where not known
	firstStart, lastEnd     float64
}

func (c *requestColumns) add(rec *loadgen.Record, serverInput bool) {
	if !rec.OK() {
		return
	}
	m := metrics.Measurement{ServerInput: serverInput}
	metrics.Measure(rec, &m)
	value := func(id metrics.ID, list *[]float64, scale float64) float64 {
		v, ok := m.Value(id)
		if ok {
			*list = append(*list, v*scale)
		}
		return v
	}
	latency := value(metrics.RequestLatency, &c.latency, 1e-3) / 1e3
	value(metrics.TTFT, &c.ttft, 1)
	value(metrics.ITL, &c.itl, 1)
	input, output := value(metrics.ISL, &c.input, 1), value(metrics.OSL, &c.output, 1)
	c.lag = append(c.lag, rec.Lag().Seconds())
	c.total = append(c.total, input+output)
	if output > 0 {
		c.tpot = append(c.tpot, latency*1e3/output)
	}
	if n := len(rec.Chunks); n > 0 {
		c.chunks = append(c.chunks, float64(n))
		c.perChunk = append(c.perChunk, output/float64(n))
	}
	start, end := rec.Sent.Seconds(), rec.Sent.Seconds()+latency
	if len(c.starts) == 0 || start < c.firstStart {
		c.firstStart = start
	}
	c.lastEnd = max(c.lastEnd, end)
	c.starts, c.ends = append(c.starts, start), append(c.ends, end)
	c.inputs, c.outputs, c.totals = append(c.inputs, input), append(c.outputs, output), append(c.totals, input+output)
}

// guidellm are the metrics of a benchmark. Rates are those between one answer
// and the next, weighted by the time between them.
func (c *requestColumns) guidellm(totals object) object {
	ones := make([]float64, len(c.ends))
	for i := range ones {
		ones[i] = 1
	}
	ok := func(d object) object {
		if d == nil {
			return object{}
		}
		return object{"successful": d, "total": d}
	}
	none := func(keys ...string) object {
		o := object{}
		for _, k := range keys {
			o[k] = nil
		}
		return o
	}
	rate := func(amounts []float64) object { return ok(c.rates(amounts)) }
	return object{
		"request_totals":      totals,
		"requests_per_second": rate(ones), "request_concurrency": ok(c.concurrency()), "request_latency": ok(plain(c.latency)),
		"request_streaming_iterations_count": ok(plain(c.chunks)),
		"prompt_token_count":                 ok(plain(c.input)), "output_token_count": ok(plain(c.output)), "total_token_count": ok(plain(c.total)),
		"time_to_first_token_ms": ok(plain(c.ttft)), "time_to_first_output_token_ms": ok(plain(c.ttft)),
		"time_per_output_token_ms": ok(plain(c.tpot)), "inter_token_latency_ms": ok(plain(c.itl)),
		"time_to_last_round_trip_ms": object{}, "avg_round_trip_time_ms": object{},
		"prompt_tokens_per_second": rate(c.inputs), "output_tokens_per_second": rate(c.outputs), "tokens_per_second": rate(c.totals),
		"output_tokens_per_iteration": ok(plain(c.perChunk)), "iter_tokens_per_iteration": object{},
		"text": none("tokens", "words", "characters"), "image": none("tokens", "images", "pixels", "bytes"),
		"video": none("tokens", "frames", "seconds", "bytes"), "audio": none("tokens", "samples", "seconds", "bytes"),
		"tool_call": none("tokens", "mixed_tokens", "count"),
	}
}
