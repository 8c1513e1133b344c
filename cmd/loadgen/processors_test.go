package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// TestProcessors: a closed loop on kernel times has as many processors as there
// are CPUs; one that paces a schedule, or stamps arrivals itself, twice as many.
func TestProcessors(t *testing.T) {
	before := runtime.GOMAXPROCS(0)
	t.Cleanup(func() { runtime.GOMAXPROCS(before) })
	url := serve(t, nil)
	closed := runtime.NumCPU()
	if runtime.GOOS != "linux" {
		closed *= 2
	}
	for name, c := range map[string]struct {
		set, env string
		want     int
	}{
		"closed loop":                 {"base_config.concurrency=2", "", closed},
		"closed loop, net/http":       {"base_config.transport=std", "", 2 * runtime.NumCPU()},
		"rate":                        {"base_config.request_rate=50", "", 2 * runtime.NumCPU()},
		"what the user has set stays": {"base_config.concurrency=2", "3", 3},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("GOMAXPROCS", c.env)
			if c.env != "" {
				runtime.GOMAXPROCS(c.want) // as the runtime does at its start
			}
			dir := t.TempDir()
			args := []string{
				"--config-file", "../../configs/single_concurrency.yaml", "--output-base-dir", dir, "--ui", "none", "--offline", "--allow-invalid",
				"--set", "base_config.url=" + url, "--set", "base_config.benchmark_duration=0.2", "--set", "base_config.warmup_request_count=1",
				"--set", "profiler.enable=false", "--set", c.set,
			}
			var log bytes.Buffer
			if err := run(t.Context(), args, streams{in: strings.NewReader(""), out: &bytes.Buffer{}, err: &log}); err != nil {
				t.Fatalf("%v\n%s", err, log.String())
			}
			found, err := filepath.Glob(filepath.Join(dir, "*", "*", "profile_export_aiperf.json"))
			if err != nil || len(found) != 1 {
				t.Fatalf("found %q: %v", found, err)
			}
			data, err := os.ReadFile(found[0])
			if err != nil {
				t.Fatal(err)
			}
			var e struct {
				Loadgen struct{ Health struct{ GOMAXPROCS int } }
			}
			if err := json.Unmarshal(data, &e); err != nil {
				t.Fatal(err)
			}
			if got := e.Loadgen.Health.GOMAXPROCS; got != c.want {
				t.Errorf("%d processors, want %d", got, c.want)
			}
		})
	}
}
