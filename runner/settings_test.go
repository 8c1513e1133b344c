package runner_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"loadgen"
	"loadgen/metrics"
	"loadgen/runner"
	"loadgen/sweep"
)

// parse returns the batch of a text that has no faults.
func parse(t *testing.T, text string) *sweep.Batch {
	t.Helper()
	batch, err := sweep.Parse("batch.yaml", []byte(text), sweep.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return batch
}

func TestConnections(t *testing.T) {
	for _, tt := range []struct {
		name, keys string
		want       int
	}{
		{"one for each user", "  concurrency: 70000\n", 70000},
		{"likewise over HTTP/1.1", "  concurrency: 70000\n  http_version: 1.1\n", 70000},
		{"over HTTP/2 as few as the endpoint lets them share", "  concurrency: 70000\n  http_version: 2\n", 0},
		{"one for each user with a pace", "  num_users: 10\n  user_request_rate: 4\n", 10},
		{"a rate without a ceiling takes what it needs", "  request_rate: 5\n", 0},
		{"one for each user of the warm-up that a rate follows", "  request_rate: auto\n  concurrency: 8\n", 8},
	} {
		t.Run(tt.name, func(t *testing.T) {
			const base = "batch_name: b\noutput_base_dir: o\nbase_config:\n  model: m\n  url: http://localhost:8000\n  warmup_request_count: 1\n  benchmark_duration: 60\n"
			if got := runner.Connections(&parse(t, base+tt.keys).Cells()[0]); got != tt.want {
				t.Errorf("%d connections, want %d", got, tt.want)
			}
		})
	}
}

func TestFactsSayWhatWasAsked(t *testing.T) {
	for _, tt := range []struct {
		keys string
		want metrics.Facts
	}{
		{"  concurrency: 8\n", metrics.Facts{Load: loadgen.Load{Users: 8}}},
		{"  request_rate: 5\n  concurrency: 8\n", metrics.Facts{Load: loadgen.Load{Mode: loadgen.OpenLoop, Ceiling: 8, Rate: 5}}},
		{"  num_users: 10\n  user_request_rate: 4\n", metrics.Facts{Load: loadgen.Load{Mode: loadgen.UserPaced, Users: 10, Rate: 40}, Paused: true}},
	} {
		const base = "batch_name: b\noutput_base_dir: o\nbase_config:\n  model: m\n  url: http://localhost:8000\n  warmup_request_count: 1\n  benchmark_duration: 60\n"
		if diff := cmp.Diff(tt.want, runner.Facts(&parse(t, base+tt.keys).Cells()[0])); diff != "" {
			t.Errorf("%q (-want +got):\n%s", tt.keys, diff)
		}
	}
}
