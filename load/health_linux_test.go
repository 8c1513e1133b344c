package load_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"loadgen/load"
)

func TestQuotasOfControlGroups(t *testing.T) {
	for name, c := range map[string]struct {
		groups    string            // /proc/self/cgroup
		files     map[string]string // below /sys/fs/cgroup
		quota     float64
		throttled time.Duration
	}{
		"the unified hierarchy": {
			"0::/job\n",
			map[string]string{"job/cpu.max": "150000 100000\n", "job/cpu.stat": "usage_usec 7\nthrottled_usec 2500\n"},
			1.5, 2500 * time.Microsecond,
		},
		"the unified hierarchy without a limit": {"0::/job\n", map[string]string{"job/cpu.max": "max 100000\n"}, 0, 0},
		"a controller of its own": {
			"9:name=systemd:/\n1:cpu:/job\n0::/\n",
			map[string]string{
				"cpu/job/cpu.cfs_quota_us": "10000\n", "cpu/job/cpu.cfs_period_us": "100000\n",
				"cpu/job/cpu.stat": "nr_periods 3\nnr_throttled 2\nthrottled_time 4000000\n",
			},
			0.1, 4 * time.Millisecond,
		},
		"controllers that are mounted together": {
			"4:cpu,cpuacct:/job\n",
			map[string]string{"cpu,cpuacct/job/cpu.cfs_quota_us": "400000\n", "cpu,cpuacct/job/cpu.cfs_period_us": "100000\n"},
			4, 0,
		},
		"a controller without a limit": {
			"1:cpu:/\n", map[string]string{"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"}, 0, 0,
		},
		"cpusets are no quota": {"2:cpuset:/job\n", map[string]string{"cpuset/job/cpu.cfs_quota_us": "1\n"}, 0, 0},
		"no control groups":    {"", nil, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			write := func(path, text string) string {
				path = filepath.Join(root, path)
				if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
				return path
			}
			for path, text := range c.files {
				write(path, text)
			}
			if quota, held := load.CgroupOf(write("self", c.groups), root); quota != c.quota || held != c.throttled {
				t.Errorf("%g CPUs, held for %v; want %g, %v", quota, held, c.quota, c.throttled)
			}
		})
	}
}

// TestWorkOfTheDrainIsNotCounted burns CPU once no more requests are started.
func TestWorkOfTheDrainIsNotCounted(t *testing.T) {
	used := func() time.Duration {
		var u unix.Rusage
		if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
			t.Fatal(err)
		}
		return time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	before := used()
	w := load.StartWatch()
	w.Drain()
	until := used()
	for used() < until+50*time.Millisecond {
	}
	if h := w.Stop(); h.ProcessCPU > until-before {
		t.Errorf("%v of CPU, want no more than the %v until the drain", h.ProcessCPU, until-before)
	}
}
