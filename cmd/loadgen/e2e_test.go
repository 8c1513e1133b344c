package main

import (
	"bytes"
	"context"
	"encoding/json"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"loadgen/mockllm"
)

// serve starts the simulated endpoint for the length of a test and returns its
// URL.
func serve(t *testing.T, change func(*mockllm.Config)) string {
	t.Helper()
	cfg := mockllm.DefaultConfig()
	cfg.Timing, cfg.Models = mockllm.Fixed, []string{"mock-model", "meta/llama-3.3-70b-instruct"}
	if change != nil {
		change(&cfg)
	}
	server, err := mockllm.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- server.Serve(ctx, l) }()
	t.Cleanup(func() {
		stop()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	return "http://" + l.Addr().String()
}

// TestSampleConfigsRun runs every file of configs/ as it stands, only shorter
// and against the simulated endpoint.
func TestSampleConfigsRun(t *testing.T) {
	shorter := map[string][]string{
		"quickstart":         {"sweeps.concurrency=[1, 4]"},
		"single_concurrency": nil,
		"sweep_concurrency":  {"sweeps.concurrency=[1, 16, 64]"},
		"sweep_request_rate": {"sweeps.request_rate=[40, 80]"},
		"sweep_tokens":       {"sweeps.prompt_input_tokens_mean=[50, 2000]", "sweeps.prompt_output_tokens_mean=[50, 100]"},
		"search_capacity":    {"search.to=2", "search.slos={latency.p95: 60000}"},
		"nightly_capacity":   {"base_config.concurrency_ramp_duration=0.1", "sweeps.concurrency=[16, 32]"},
	}
	files, err := filepath.Glob("../../configs/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("found %q: %v", files, err)
	}
	url := serve(t, nil)
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".yaml")
		t.Run(name, func(t *testing.T) {
			settings, known := shorter[name]
			if !known {
				t.Fatal("the sample is not in this test's table")
			}
			// By requests: in a short time a busy machine may send none.
			length := "base_config.request_count=64"
			if name == "search_capacity" { // whose probes last for a time
				length = "base_config.benchmark_duration=1"
			}
			settings = append(settings, "base_config.url="+url, length, "base_config.warmup_request_count=2", "profiler.enable=false")
			dir := t.TempDir()
			out := runSample(t, dir, file, settings...)
			b := readBatch(t, dir)
			if b.Completed == 0 || b.Completed != b.Total || b.Failed != 0 {
				t.Errorf("%d of %d runs completed, %d failed", b.Completed, b.Total, b.Failed)
			}
			shown := "Time to First Token"
			if name == "search_capacity" {
				shown = "carries at least 2 users within latency p95 ≤ 60000 ms"
			}
			if !strings.Contains(out, shown) || !strings.Contains(out, "Results: "+dir) {
				t.Errorf("printed\n%s", out)
			}
		})
	}
}

// runSample runs a batch file with settings of its own below dir and returns
// what it printed.
func runSample(t *testing.T, dir, file string, settings ...string) string {
	t.Helper()
	args := []string{"--config-file", file, "--output-base-dir", dir, "--ui", "none", "--offline", "--allow-invalid"}
	for _, s := range settings {
		args = append(args, "--set", s)
	}
	var out, log bytes.Buffer
	if err := run(t.Context(), args, streams{in: strings.NewReader(""), out: &out, err: &log}); err != nil {
		t.Fatalf("%v\n%s", err, log.String())
	}
	return out.String()
}

// readBatch reads the summary of the one batch below dir.
func readBatch(t *testing.T, dir string) (b struct {
	Total     int `json:"total_runs"`
	Completed int `json:"completed"`
	Failed    int `json:"failed"`
},
) {
	t.Helper()
	readOne(t, filepath.Join(dir, "*", "*", "batch_summary.json"), &b)
	return b
}

// readOne reads the one JSON file of a pattern.
func readOne(t *testing.T, pattern string, v any) {
	t.Helper()
	found, err := filepath.Glob(pattern)
	if err != nil || len(found) != 1 {
		t.Fatalf("found %q: %v", found, err)
	}
	text, err := os.ReadFile(found[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, v); err != nil {
		t.Fatal(err)
	}
}
