package page_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"loadgen/page"
	"loadgen/results"
)

// aiperf writes a directory as AIPerf 0.13 does, with so much of its files as a
// page needs.
func aiperf(t *testing.T, dir string, concurrency int, more string) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o750); err != nil {
		t.Fatal(err)
	}
	export := fmt.Sprintf(`{"schema_version":"1.0","aiperf_version":"0.13.0",
"request_throughput":{"unit":"requests/sec","avg":%d},"output_token_throughput":{"unit":"tokens/sec","avg":%d},
"request_count":{"unit":"requests","avg":2},
"time_to_first_token":{"unit":"ms","avg":20,"p50":20,"p90":21,"p99":22,"min":19,"max":22,"std":1},
"request_latency":{"unit":"ms","avg":120,"p50":120,"p90":121,"p99":122,"min":119,"max":122,"std":1},
"input_config":{"phases":[{"name":"profiling","kind":"profiling","type":"concurrency","concurrency":%d}]},
"start_time":"2026-11-29T10:00:00.000000"%s}`, 10*concurrency, 100*concurrency, concurrency, more)
	lines := ""
	for i := range 2 {
		at := int64(epoch + i*100_000_000)
		lines += fmt.Sprintf(`{"metadata":{"x_request_id":"r%d","request_start_ns":%d,"request_end_ns":%d,"benchmark_phase":"profiling"},"metrics":{"time_to_first_token":{"value":20,"unit":"ms"},"request_latency":{"value":120,"unit":"ms"},"input_sequence_length":{"value":100,"unit":"tokens"},"output_sequence_length":{"value":10,"unit":"tokens"}}}`+"\n", i, at, at+120_000_000)
	}
	for name, text := range map[string]string{"profile_export_aiperf.json": export, "profile_export.jsonl": lines} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func TestRunsOfAIPerfAreToldApart(t *testing.T) {
	for _, tc := range []struct {
		why   string
		users [2]int
		want  []string
		not   []string
	}{
		{"by their load where it differs", [2]int{2, 6}, []string{">concurrency=2<", ">concurrency=6<", "has concurrency=6", "Across the sweep"}, []string{"directory="}},
		{"by their directories where it does not", [2]int{2, 2}, []string{"directory=a", "directory=b"}, []string{"95 % confidence"}},
	} {
		dir := t.TempDir()
		aiperf(t, filepath.Join(dir, "a"), tc.users[0], "")
		aiperf(t, filepath.Join(dir, "b"), tc.users[1], "")
		text := html(t, dir)
		for _, want := range append(tc.want, "AIPerf gives no verdict", "Time to first token over time") {
			if !strings.Contains(text, want) {
				t.Errorf("%s: the page lacks %q", tc.why, want)
			}
		}
		for _, not := range append(tc.not, "to be relied on has", "2 no verdict") {
			if strings.Contains(text, not) {
				t.Errorf("%s: the page has %q", tc.why, not)
			}
		}
	}
}

func TestARunOfAIPerfThatWasCancelledIsNoneToRelyOn(t *testing.T) {
	dir := t.TempDir()
	aiperf(t, filepath.Join(dir, "a"), 2, "")
	aiperf(t, filepath.Join(dir, "b"), 6, `,"was_cancelled":true`)
	text := html(t, dir)
	if !strings.Contains(text, "it was cancelled") || strings.Contains(text, "has concurrency=6") {
		t.Error("a run that was cancelled counts")
	}
}

// Runs of two nights are no repeats of each other, and have no mean.
func TestNightsStandSideBySide(t *testing.T) {
	root := t.TempDir()
	for _, night := range []string{"1", "2"} {
		dir := filepath.Join(root, night)
		if err := os.Rename(batch(t, made{values: value("concurrency", 1), verdict: "VALID"}), dir); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, results.ManifestName), []byte("{}"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	text := html(t, root)
	if !strings.Contains(text, "2 batches side by side") || strings.Contains(text, "Means of the repeats") {
		t.Error("two nights are one batch")
	}
	if _, err := page.Plots(root, t.TempDir(), false); err == nil || !strings.Contains(err.Error(), "name one of them") {
		t.Errorf("the plots of two nights: %v", err)
	}
}
