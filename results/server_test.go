package results_test

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/parquet-go/parquet-go"

	"loadgen"
	"loadgen/internal/memnet"
	"loadgen/observe"
	"loadgen/results"
)

// watched observes a server that makes 10 tokens a second and a GPU at 300 W for a
// warm-up of 2.5 and a measurement of 5 seconds.
func watched(t *testing.T) (rec *observe.Recording) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		network := memnet.Listen()
		began := time.Now()
		server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			s := time.Since(began).Seconds()
			if r.URL.Path == "/gpu" {
				fmt.Fprintf(w, "# TYPE DCGM_FI_DEV_POWER_USAGE gauge\nDCGM_FI_DEV_POWER_USAGE{gpu=\"0\",UUID=\"GPU-1\",modelName=\"H200\",Hostname=\"a\"} 300\n"+
					"# TYPE DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION counter\nDCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION{gpu=\"0\",UUID=\"GPU-1\",modelName=\"H200\",Hostname=\"a\"} %g\n", 300e3*s)
				return
			}
			fmt.Fprintf(w, "# HELP vllm:generation_tokens_total Tokens, =made\n# TYPE vllm:generation_tokens_total counter\nvllm:generation_tokens_total{model_name=\"m\"} %g\n"+
				"# TYPE vllm:num_requests_running gauge\nvllm:num_requests_running{model_name=\"m\"} 4\n"+
				"# TYPE vllm:time_to_first_token_seconds histogram\nvllm:time_to_first_token_seconds_bucket{le=\"0.5\"} %g\nvllm:time_to_first_token_seconds_bucket{le=\"+Inf\"} %g\nvllm:time_to_first_token_seconds_sum %g\nvllm:time_to_first_token_seconds_count %g\n"+
				"# TYPE vllm:cache_config_info gauge\nvllm:cache_config_info{block_size=\"16\"} 1\n",
				10*s, float64(int(s)), float64(int(s)), 0.25*float64(int(s)), float64(int(s)))
		})}
		served := make(chan error, 1)
		go func() { served <- server.Serve(network) }()
		o, err := observe.Start(context.Background(), observe.Config{
			Interval: time.Second, Dial: network.DialContext,
			Targets: []observe.Target{{URL: "http://s/metrics"}, {URL: "http://s/gpu", GPU: true}},
		})
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(100 * time.Millisecond)
		o.Mark(observe.Warmup)
		time.Sleep(2500 * time.Millisecond)
		o.Mark(observe.Profiling)
		time.Sleep(5 * time.Second)
		rec = o.Stop(context.Background())
		server.Close()
		<-served
	})
	return rec
}

// TestServerMetricsHaveTheShapeOfAIPerf looks at each file.
func TestServerMetricsHaveTheShapeOfAIPerf(t *testing.T) {
	dir := t.TempDir()
	batch, err := results.CreateBatch(dir, "b", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	defer batch.Close()
	run, err := batch.Begin(results.Metadata{Version: "9", Dir: "r"})
	if err != nil {
		t.Fatal(err)
	}
	defer run.Close()
	rec := watched(t)
	if err := run.WriteServer(rec, []string{"json", "csv", "jsonl", "parquet"}, results.InputConfig{}); err != nil {
		t.Fatal(err)
	}
	read := func(name string) string {
		data, err := os.ReadFile(filepath.Join(run.Dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}

	t.Run(results.ServerJSONName, func(t *testing.T) {
		type series struct {
			URL     string             `json:"endpoint_url"`
			Labels  map[string]string  `json:"labels"`
			Stats   map[string]float64 `json:"stats"`
			Buckets map[string]float64 `json:"buckets"`
		}
		type metrics map[string]struct {
			Type, Description, Unit string
			Series                  []series
		}
		var file struct {
			Schema  string  `json:"schema_version"`
			Phase   string  `json:"metrics_phase"`
			Metrics metrics `json:"metrics"`
			Warmup  metrics `json:"warmup_metrics"`
			Summary struct {
				Configured []string                      `json:"endpoints_configured"`
				Phases     map[string]map[string]float64 `json:"phase_time_ranges"`
				Endpoints  map[string]map[string]float64 `json:"endpoint_info"`
			}
		}
		if err := json.Unmarshal([]byte(read(results.ServerJSONName)), &file); err != nil {
			t.Fatal(err)
		}
		if file.Schema != "1.1" || file.Phase != "profiling" || len(file.Summary.Configured) != 1 || file.Summary.Phases["profiling"]["end_ns"]-file.Summary.Phases["profiling"]["start_ns"] != 5e9 {
			t.Errorf("head %+v", file)
		}
		// The counter moves from scrape to scrape, a second apart but at borders.
		info := file.Summary.Endpoints["http://s/metrics"]
		if took := (info["last_update_ns"] - info["first_update_ns"]) / 1e9; took < 7 || math.Abs(info["duration_seconds"]-took) > 1e-6 || math.Abs(info["avg_update_interval_ms"]-1e3*took/(info["unique_updates"]-1)) > 1e-3 || !(info["median_update_interval_ms"] > 0 && info["median_update_interval_ms"] <= 1000) {
			t.Errorf("endpoint info %v", info)
		}
		tokens := file.Metrics["vllm:generation_tokens"]
		if tokens.Type != "counter" || tokens.Description != "Tokens, =made" || tokens.Unit != "tokens" || len(tokens.Series) != 1 {
			t.Fatalf("tokens %+v", tokens)
		}
		// From 2.6 s until the last scrape, half a second after the end.
		if s := tokens.Series[0]; s.URL != "http://s/metrics" || s.Labels["model_name"] != "m" || !near(s.Stats["total"], 55) || !near(s.Stats["rate"], 10) {
			t.Errorf("tokens %+v", s)
		}
		if s := file.Warmup["vllm:generation_tokens"].Series[0]; !near(s.Stats["total"], 25) {
			t.Errorf("tokens of the warm-up %+v", s)
		}
		if s := file.Metrics["vllm:num_requests_running"].Series[0]; s.Stats["avg"] != 4 || s.Stats["p99"] != 4 || s.Stats["std"] != 0 {
			t.Errorf("running %+v", s)
		}
		ttft := file.Metrics["vllm:time_to_first_token_seconds"].Series[0]
		if ttft.Stats["count"] != 6 || ttft.Stats["avg"] != 0.25 || ttft.Stats["p50_estimate"] != 0.25 || ttft.Buckets["+Inf"] != 6 || ttft.Buckets["0.5"] != 6 {
			t.Errorf("TTFT %+v", ttft)
		}
	})

	t.Run(results.ServerCSVName, func(t *testing.T) {
		text := read(results.ServerCSVName)
		r := csv.NewReader(strings.NewReader(text))
		r.Comment, r.FieldsPerRecord = '#', -1
		rows, err := r.ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		var heads [][]string
		for _, row := range rows {
			if row[0] == "Endpoint" {
				heads = append(heads, row)
			}
		}
		want := [][]string{
			strings.Split("Endpoint,Type,Metric,Unit,avg,min,max,std,p1,p5,p10,p25,p50,p75,p90,p95,p99,model_name,Description", ","),
			strings.Split("Endpoint,Type,Metric,Unit,total,rate,model_name,Description", ","),
			strings.Split("Endpoint,Type,Metric,Unit,count,sum,avg,count_rate,sum_rate,p1_estimate,p5_estimate,p10_estimate,p25_estimate,p50_estimate,p75_estimate,p90_estimate,p95_estimate,p99_estimate,Description,buckets", ","),
			strings.Split("Endpoint,Metric,Key,Value,Description", ","),
		}
		if diff := cmp.Diff(want, heads); diff != "" {
			t.Errorf("sections (-want +got):\n%s", diff)
		}
		for _, part := range []string{"counter,vllm:generation_tokens,tokens,55.0000,10.0000,m,", "0.5=6;+Inf=6", "s,vllm:cache_config_info,block_size,16,"} {
			if !strings.Contains(text, part) {
				t.Errorf("%s is not in\n%s", part, text)
			}
		}
	})

	t.Run(results.ServerJSONLName, func(t *testing.T) {
		phases := map[string]int{}
		for line := range strings.Lines(read(results.ServerJSONLName)) {
			var x struct {
				URL     string `json:"endpoint_url"`
				At      int64  `json:"timestamp_ns"`
				Phase   string `json:"benchmark_phase"`
				Metrics map[string][]struct {
					Value *float64
					Count *float64
				}
			}
			if err := json.Unmarshal([]byte(line), &x); err != nil {
				t.Fatal(err)
			}
			if x.Metrics["vllm:generation_tokens"][0].Value == nil || x.Metrics["vllm:time_to_first_token_seconds"][0].Count == nil || x.Metrics["vllm:cache_config_info"] != nil {
				t.Errorf("line %s", line)
			}
			phases[x.Phase]++
		}
		// Before at 0 and 0.1 s; at 1, 2 and 2.6; 3 to 7 and 7.6; 8 and 8.1 s.
		if diff := cmp.Diff(map[string]int{"": 4, "warmup": 3, "profiling": 6}, phases); diff != "" {
			t.Errorf("lines by phase (-want +got):\n%s", diff)
		}
	})

	t.Run(results.ServerParquetName, func(t *testing.T) {
		file, err := parquet.OpenFile(strings.NewReader(read(results.ServerParquetName)), int64(len(read(results.ServerParquetName))))
		if err != nil {
			t.Fatal(err)
		}
		type row struct {
			Metric string   `parquet:"metric_name"`
			Type   string   `parquet:"metric_type"`
			Model  *string  `parquet:"model_name,optional"`
			Value  *float64 `parquet:"value,optional"`
			Count  *float64 `parquet:"count,optional"`
			Le     *string  `parquet:"bucket_le,optional"`
			Bucket *float64 `parquet:"bucket_count,optional"`
			At     int64    `parquet:"timestamp_ns"`
		}
		rows := make([]row, file.NumRows())
		if _, err := parquet.NewGenericReader[row](file).Read(rows); err != nil && !errors.Is(err, io.EOF) {
			t.Fatal(err)
		}
		if version, ok := file.Lookup("aiperf.schema_version"); !ok || version != "1.0" {
			t.Errorf("version %q", version)
		}
		tokens, buckets := []row{}, []row{}
		for _, x := range rows {
			switch {
			case x.Metric == "vllm:generation_tokens":
				tokens = append(tokens, x)
			case x.Metric == "vllm:time_to_first_token_seconds" && *x.Le == "+Inf":
				buckets = append(buckets, x)
			}
		}
		// Of 3 to 7, 7.6, 8 and 8.1 s, from 2.6 s on.
		if last := tokens[len(tokens)-1]; len(tokens) != 8 || !near(*tokens[0].Value, 4) || !near(*last.Value, 55) || *last.Model != "m" || last.Type != "counter" {
			t.Errorf("%d rows of tokens, the last %+v", len(tokens), last)
		}
		if last := buckets[len(buckets)-1]; len(buckets) != 8 || *last.Bucket != 6 || *last.Count != 6 || last.Model != nil {
			t.Errorf("%d rows of a bucket, the last %+v", len(buckets), last)
		}
	})

	t.Run("telemetry_data of "+results.JSONName, func(t *testing.T) {
		if err := run.Finish(&results.Result{Observed: rec, Status: loadgen.Completed}); err != nil {
			t.Fatal(err)
		}
		var file struct {
			Data struct {
				Endpoints map[string]struct {
					GPUs map[string]struct {
						Name    string `json:"gpu_name"`
						Metrics map[string]map[string]float64
					}
				}
			} `json:"telemetry_data"`
		}
		if err := json.Unmarshal([]byte(read(results.JSONName)), &file); err != nil {
			t.Fatal(err)
		}
		g := file.Data.Endpoints["s"].GPUs["gpu_0"]
		// From 2.6 to 8.1 s at 300 W: 1650 J, in MJ.
		if g.Name != "H200" || g.Metrics["nvidia_power_usage"]["p99"] != 300 || !near(1e6*g.Metrics["nvidia_energy_consumption"]["avg"], 1650) {
			t.Errorf("%+v", file)
		}
	})

	t.Run(results.GPUJSONLName, func(t *testing.T) {
		first, _, _ := strings.Cut(read(results.GPUJSONLName), "\n")
		var x map[string]any
		if err := json.Unmarshal([]byte(first), &x); err != nil {
			t.Fatal(err)
		}
		delete(x, "timestamp_ns")
		want := map[string]any{
			"telemetry_source_url": "http://s/gpu", "gpu_index": 0.0, "gpu_uuid": "GPU-1", "gpu_model_name": "H200", "hostname": "a", "platform": "nvidia",
			"telemetry_data": map[string]any{"nvidia_power_usage": 300.0, "nvidia_energy_consumption": 0.0},
		}
		if diff := cmp.Diff(want, x); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

func near(a, b float64) bool { return a-b < 1e-6 && b-a < 1e-6 }
