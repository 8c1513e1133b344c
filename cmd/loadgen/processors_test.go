package main

import (
	"path/filepath"
	"runtime"
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
			runSample(t, dir, "../../configs/single_concurrency.yaml", "base_config.url="+url, "base_config.benchmark_duration=0.2",
				"base_config.warmup_request_count=1", "profiler.enable=false", c.set)
			var e struct {
				Loadgen struct{ Health struct{ GOMAXPROCS int } }
			}
			readOne(t, filepath.Join(dir, "*", "*", "profile_export_aiperf.json"), &e)
			if got := e.Loadgen.Health.GOMAXPROCS; got != c.want {
				t.Errorf("%d processors, want %d", got, c.want)
			}
		})
	}
}
