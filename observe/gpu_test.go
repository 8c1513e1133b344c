package observe_test

import (
	"fmt"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"loadgen"
	"loadgen/observe"
)

// measuredGPUs are those of a measurement of ten seconds of an exporter whose text
// is made of the seconds since it began.
func measuredGPUs(t *testing.T, exporter func(w http.ResponseWriter, s float64)) []loadgen.GPU {
	t.Helper()
	c := observe.Config{Targets: []observe.Target{{URL: "http://node:9400/metrics", GPU: true}}}
	r := observed(t, c, func(w http.ResponseWriter, _ *http.Request, _ int, since time.Duration) { exporter(w, since.Seconds()) }, func(o *observe.Observer) {
		time.Sleep(100 * time.Millisecond)
		o.Mark(observe.Profiling)
		time.Sleep(8 * time.Second)
		o.Mark(observe.Drain)
		time.Sleep(2 * time.Second)
	})
	s := r.Server()
	if s == nil {
		t.Fatal("nothing was seen")
	}
	return s.GPUs
}

// TestDCGMsExporter has two GPUs, of which the second is held back by heat from the
// sixth second on; one has an energy counter, of 300 W.
func TestDCGMsExporter(t *testing.T) {
	gpus := measuredGPUs(t, func(w http.ResponseWriter, s float64) {
		bits, clock := 4, 1980
		if s > 5.9 {
			bits, clock = 0x44, 1200
		}
		one, two := `{gpu="0",UUID="GPU-a",pci_bus_id="00000000:1B:00.0",device="nvidia0",modelName="NVIDIA H200",Hostname="node"}`, `{gpu="1",UUID="GPU-b",modelName="NVIDIA H200",Hostname="node"}`
		for _, m := range []struct {
			name, kind, labels string
			v                  float64
		}{
			{"DCGM_FI_DEV_POWER_USAGE", "gauge", one, 310},
			{"DCGM_FI_DEV_POWER_USAGE", "", two, 400},
			{"DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION", "counter", one, 5e6 + 300e3*s}, // mJ
			{"DCGM_FI_DEV_GPU_UTIL", "gauge", one, 80},
			{"DCGM_FI_DEV_FB_USED", "gauge", one, 1000}, // MiB
			{"DCGM_FI_DEV_SM_CLOCK", "gauge", one, 1980},
			{"DCGM_FI_DEV_SM_CLOCK", "", two, float64(clock)},
			{"DCGM_FI_DEV_CLOCK_THROTTLE_REASONS", "gauge", one, 1},
			{"DCGM_FI_DEV_CLOCK_THROTTLE_REASONS", "", two, float64(bits)},
		} {
			if m.kind != "" {
				fmt.Fprintf(w, "# TYPE %s %s\n", m.name, m.kind)
			}
			fmt.Fprintf(w, "%s%s %g\n", m.name, m.labels, m.v)
		}
	})
	if len(gpus) != 2 {
		t.Fatalf("%d GPUs", len(gpus))
	}
	a, b := gpus[0], gpus[1]
	if a.UUID != "GPU-a" || a.Model != "NVIDIA H200" || a.Host != "node" || a.Index != "0" || a.Vendor != "nvidia" {
		t.Errorf("a is %+v", a)
	}
	// Ten seconds from the measurement's beginning to the last answer.
	if math.Abs(a.Joules-3000) > 1e-6 || !a.Counted || math.Abs(b.Joules-4000) > 1e-6 || b.Counted || a.Seconds != 10 {
		t.Errorf("%g J (counted %t) and %g J (counted %t) in %g s, want 3000 counted and 4000", a.Joules, a.Counted, b.Joules, b.Counted, a.Seconds)
	}
	if m := a.Levels["memory"].Avg; math.Abs(m-1.048576) > 1e-9 || a.Levels["utilization"].Avg != 80 {
		t.Errorf("levels %+v", a.Levels)
	}
	// Samples at 1 to 8 s and at 8.1, where the load ends: 6, 7, 8 and 8.1 are hot.
	if a.Throttled != 0 || math.Abs(b.Throttled-4./9) > 1e-9 || b.PowerCapped != 1 || cmp.Diff([]string{"power cap", "hardware thermal slowdown"}, b.Reasons) != "" {
		t.Errorf("throttled %g and %g, capped %g by %q", a.Throttled, b.Throttled, b.PowerCapped, b.Reasons)
	}
}

// TestAMDsExporter has a GPU of 500 W with an energy counter in µJ.
func TestAMDsExporter(t *testing.T) {
	for _, prefix := range []string{"", "amd_"} {
		gpus := measuredGPUs(t, func(w http.ResponseWriter, s float64) {
			labels := `{gpu_id="3",card_model="MI300X",hostname="node",serial_number="s1"}`
			for name, v := range map[string]float64{
				"gpu_package_power": 500, "gpu_energy_consumed": 1e12 + 500e6*s, "gpu_gfx_activity": 90, "gpu_used_vram": 2000,
				"gpu_junction_temperature": 70, "gpu_violation_socket_thermal_residency_percentage": 5,
			} {
				fmt.Fprintf(w, "# TYPE %s%s gauge\n%s%s%s %g\n", prefix, name, prefix, name, labels, v)
			}
			fmt.Fprintf(w, "# TYPE %sgpu_clock gauge\n", prefix)
			for i, kind := range []string{"MEMORY", "SYSTEM", "SYSTEM"} {
				fmt.Fprintf(w, "%sgpu_clock{gpu_id=\"3\",card_model=\"MI300X\",hostname=\"node\",serial_number=\"s1\",clock_index=\"%d\",clock_type=\"GPU_CLOCK_TYPE_%s\"} %d\n", prefix, i, kind, 1300+100*i)
			}
		})
		if len(gpus) != 1 {
			t.Fatalf("%d GPUs", len(gpus))
		}
		g := gpus[0]
		if g.Vendor != "amd" || g.Index != "3" || g.Model != "MI300X" || math.Abs(g.Joules-5000) > 1e-3 || g.Levels["memory"].Avg != 2 || g.Levels["temperature"].Avg != 70 || g.Throttled != 1 || g.Levels["power"].Avg != 500 || g.Levels["utilization"].Avg != 90 || g.Levels["clock"].Avg != 1400 {
			t.Errorf("%+v", g)
		}
	}
}

// TestTheGPUsOfThisMachine has a program of that name in the PATH, which does not
// know the newest name of one field.
func TestTheGPUsOfThisMachine(t *testing.T) {
	dir := t.TempDir()
	script := `#!/bin/sh
case "$1" in *clocks_event_reasons*) echo "Field \"clocks_event_reasons.active\" is not a valid field to query."; exit 2;; esac
[ "$2" = "--format=csv,noheader,nounits" ] || exit 3
echo "0, GPU-x, NVIDIA L4, 00000000:00:04.0, 71.50, 97, 40, 20480, 66, 1500, 6250, 0x0000000000000024"
echo "1, GPU-y, NVIDIA L4, 00000000:00:05.0, [N/A], 5, 0, 512, 40, [Not Supported], 6250, 0x0000000000000001"
`
	if err := os.WriteFile(filepath.Join(dir, "nvidia-smi"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	s := localGPUs(t)
	if s == nil || len(s.GPUs) != 2 || s.Sources[0].Failed > 0 {
		t.Fatalf("%+v", s)
	}
	x, y := s.GPUs[0], s.GPUs[1]
	if x.UUID != "GPU-x" || x.Model != "NVIDIA L4" || x.Levels["power"].Avg != 71.5 || x.Levels["clock"].Avg != 1500 || x.Throttled != 1 || !strings.Contains(strings.Join(x.Reasons, ","), "software thermal slowdown") {
		t.Errorf("%+v", x)
	}
	if _, ok := y.Levels["power"]; ok || y.Throttled != 0 {
		t.Errorf("%+v", y)
	}
}

// TestAMachineWithoutGPUs has no such program.
func TestAMachineWithoutGPUs(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	if s := localGPUs(t); s != nil {
		t.Errorf("%+v", s)
	}
}

// localGPUs asks this machine for half a second, in real time.
func localGPUs(t *testing.T) *loadgen.Server {
	t.Helper()
	o, err := observe.Start(t.Context(), observe.Config{Targets: []observe.Target{{GPU: true}}, Interval: 100 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	o.Mark(observe.Profiling)
	time.Sleep(500 * time.Millisecond)
	return o.Stop(t.Context()).Server()
}
