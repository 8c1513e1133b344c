package trace_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"loadgen/trace"
)

func resultFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "result.json")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestReadVLLMResult(t *testing.T) {
	found, err := trace.ReadResults(resultFile(t, `{"date":"20260301-020100","model_id":"m","num_prompts":10,"completed":8,
		"request_rate":"inf","max_concurrency":4,"duration":60,"total_input_tokens":800,"total_output_tokens":400,
		"request_throughput":2.5,"output_throughput":100,"mean_ttft_ms":50,"median_ttft_ms":45,"p99_ttft_ms":90,
		"mean_tpot_ms":10,"median_itl_ms":9,"p95_e2el_ms":700}`))
	if err != nil || len(found) != 1 {
		t.Fatal(found, err)
	}
	r := found[0]
	for figure, want := range map[string]float64{
		"time_to_first_token.avg": 50, "time_to_first_token.p50": 45, "time_to_first_token.p99": 90,
		"inter_token_latency.avg": 10, "inter_chunk_latency.p50": 9, "request_latency.p95": 700,
		"request_throughput.avg": 2.5, "output_token_throughput.avg": 100,
		"input_sequence_length.avg": 100, "output_sequence_length.avg": 50,
	} {
		if r.Figures[figure] != want {
			t.Errorf("%s = %v, want %v", figure, r.Figures[figure], want)
		}
	}
	if r.OK != 8 || r.Failed != 2 || r.Model != "m" || len(r.Values) != 1 || r.Values[0].Value != 4.0 {
		t.Errorf("ok %v, failed %v, model %s, values %v; want 8, 2, m, concurrency 4", r.OK, r.Failed, r.Model, r.Values)
	}
	if took := r.Ended.Sub(r.Started).Seconds(); took != 60 {
		t.Errorf("it took %v s, want 60", took)
	}
}

func TestReadGuidellmResults(t *testing.T) {
	for name, config := range map[string]string{"since 0.4": "config", "until 0.3": "args"} {
		found, err := trace.ReadResults(resultFile(t, `{"benchmarks":[
			{"`+config+`":{"strategy":{"type_":"concurrent","streams":8}},"start_time":1000,"end_time":1060,
			 "request_totals":{"successful":9,"errored":1},
			 "metrics":{"request_latency":{"successful":{"mean":0.5,"percentiles":{"p50":0.4,"p05":0.1,"p95":0.9}}},
			  "time_to_first_token_ms":{"successful":{"mean":50,"percentiles":{"p95":80}}},
			  "requests_per_second":{"successful":{"mean":2.5,"percentiles":{"p50":7}}}}},
			{"`+config+`":{"strategy":{"type_":"constant","rate":2.5}},"metrics":{}}]}`))
		if err != nil || len(found) != 2 {
			t.Fatal(name, found, err)
		}
		r := found[0]
		for figure, want := range map[string]float64{
			"request_latency.avg": 500, "request_latency.p50": 400, "request_latency.p5": 100, "request_latency.p95": 900,
			"time_to_first_token.p95": 80, "request_throughput.avg": 2.5,
		} {
			if r.Figures[figure] != want {
				t.Errorf("%s: %s = %v, want %v", name, figure, r.Figures[figure], want)
			}
		}
		if _, there := r.Figures["request_throughput.p50"]; there {
			t.Errorf("%s: a throughput has one value", name)
		}
		if r.OK != 9 || r.Failed != 1 || r.Values[0].Key != "concurrency" || found[1].Values[0].Key != "request_rate" {
			t.Errorf("%s: %v of %v failed at %v; then %v", name, r.Failed, r.OK, r.Values, found[1].Values)
		}
	}
}

func TestNoResult(t *testing.T) {
	for name, text := range map[string]string{
		"another object": `{"a":1}`, "a list": `[1]`, "no JSON": `hello`, "nothing": ``,
	} {
		if _, err := trace.ReadResults(resultFile(t, text)); !errors.Is(err, trace.ErrNoResult) {
			t.Errorf("%s: %v, want ErrNoResult", name, err)
		}
	}
	if _, err := trace.ReadResults(resultFile(t, `{"benchmarks":{"a":1}}`)); err == nil {
		t.Error("benchmarks that are no list were taken")
	}
}
