package main

import (
	"path/filepath"
	"runtime"
	"testing"
)

// TestProcessors: a closed loop on kernel times has as many processors as the
// process may use CPUs; one that paces a schedule, or stamps arrivals itself,
// twice as many. How many the machine has does not matter.
func TestProcessors(t *testing.T) {
	processors, cpus := runtime.GOMAXPROCS(0), granted
	t.Cleanup(func() {
		granted = cpus
		runtime.GOMAXPROCS(processors)
	})
	granted = runtime.NumCPU() + 1
	closed, spare := granted, 2*granted
	if runtime.GOOS != "linux" {
		closed = spare
	}
	url := serve(t, nil)
	for name, c := range map[string]struct {
		set, env string
		want     int
	}{
		"closed loop":                 {"base_config.concurrency=2", "", closed},
		"closed loop, net/http":       {"base_config.transport=std", "", spare},
		"rate":                        {"base_config.request_rate=50", "", spare},
		"what the user has set stays": {"base_config.concurrency=2", "1", 1},
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
