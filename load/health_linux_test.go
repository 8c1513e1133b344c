package load_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"loadgen/load"
)

// TestQuotasOfControlGroups lets ten seconds pass, in which groups hold their
// processes back.
func TestQuotasOfControlGroups(t *testing.T) {
	const (
		half    = "50000 100000\n"
		noLimit = "max 100000\n"
	)
	for name, c := range map[string]struct {
		groups string            // /proc/self/cgroup
		files  map[string]string // below /sys/fs/cgroup
		after  map[string]string // of these, what has changed when the time is over
		quota  float64
		held   time.Duration
	}{
		"the unified hierarchy": {
			// Two threads wanted a CPU each and had three quarters of it.
			groups: "0::/job\n",
			files:  map[string]string{"job/cpu.max": "150000 100000\n", "job/cpu.stat": "usage_usec 7\nthrottled_usec 2500\n"},
			after:  map[string]string{"job/cpu.stat": "usage_usec 15000007\nthrottled_usec 5002500\n"},
			quota:  1.5, held: 2500 * time.Millisecond,
		},
		"sixteen CPUs that are withheld together": {
			// For 1 % of the time, 0.1 s: what they had is 16 · 99 %.
			groups: "0::/job\n",
			files:  map[string]string{"job/cpu.max": "1584000 100000\n"},
			after:  map[string]string{"job/cpu.stat": "throttled_usec 1600000\n"},
			quota:  15.84, held: 100 * time.Millisecond,
		},
		"one thread in a short burst": {
			groups: "0::/job\n",
			files:  map[string]string{"job/cpu.max": "10000 100000\n"},
			after:  map[string]string{"job/cpu.stat": "throttled_usec 50000\n"},
			quota:  0.1, held: 50 * time.Millisecond,
		},
		"the unified hierarchy without a limit": {groups: "0::/job\n", files: map[string]string{"job/cpu.max": noLimit}},
		"a group around it that grants less": {
			groups: "0::/slice/pod/job\n",
			files:  map[string]string{"slice/cpu.max": "400000 100000\n", "slice/pod/cpu.max": half, "slice/pod/job/cpu.max": noLimit},
			after:  map[string]string{"slice/pod/cpu.stat": "throttled_usec 5000000\n"},
			quota:  0.5, held: 5 * time.Second,
		},
		"a group around it that grants more, to others as well": {
			// Sixteen threads, one of them ours, wanted a CPU each and had half.
			groups: "0::/pod/job\n",
			files:  map[string]string{"pod/cpu.max": "800000 100000\n", "pod/job/cpu.max": "400000 100000\n"},
			after:  map[string]string{"pod/cpu.stat": "throttled_usec 80000000\n"},
			quota:  4, held: 5 * time.Second,
		},
		"a namespace of its own, whose root has the limit": {
			groups: "0::/\n",
			files:  map[string]string{"cpu.max": half},
			after:  map[string]string{"cpu.stat": "throttled_usec 5000000\n"},
			quota:  0.5, held: 5 * time.Second,
		},
		"a group outside of its namespace": {groups: "0::/../../other\n", files: map[string]string{"cpu.max": half}, quota: 0.5},
		"a controller of its own": {
			groups: "9:name=systemd:/\n1:cpu:/job\n0::/\n",
			files: map[string]string{
				"cpu/job/cpu.cfs_quota_us": "10000\n", "cpu/job/cpu.cfs_period_us": "100000\n",
				"cpu/job/cpu.stat": "nr_periods 3\nnr_throttled 2\nthrottled_time 4000000\n",
			},
			after: map[string]string{"cpu/job/cpu.stat": "nr_periods 103\nnr_throttled 102\nthrottled_time 9004000000\n"},
			quota: 0.1, held: 9 * time.Second,
		},
		"a controller with a limit further up": {
			groups: "1:cpu:/pod/job\n",
			files: map[string]string{
				"cpu/pod/cpu.cfs_quota_us": "200000\n", "cpu/pod/cpu.cfs_period_us": "100000\n",
				"cpu/pod/job/cpu.cfs_quota_us": "-1\n", "cpu/pod/job/cpu.cfs_period_us": "100000\n",
			},
			quota: 2,
		},
		"controllers that are mounted together": {
			groups: "4:cpu,cpuacct:/job\n",
			files:  map[string]string{"cpu,cpuacct/job/cpu.cfs_quota_us": "400000\n", "cpu,cpuacct/job/cpu.cfs_period_us": "100000\n"},
			quota:  4,
		},
		"a controller without a limit": {
			groups: "1:cpu:/\n",
			files:  map[string]string{"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"},
		},
		"cpusets are no quota": {groups: "2:cpuset:/job\n", files: map[string]string{"cpuset/job/cpu.cfs_quota_us": "1\n"}},
		"no control groups":    {},
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
			quota, held := load.Limits(write("self", c.groups), root, 10*time.Second, func() {
				for path, text := range c.after {
					write(path, text)
				}
			})
			if quota != c.quota || (held-c.held).Abs() > time.Microsecond {
				t.Errorf("%g CPUs, held for %v; want %g, %v", quota, held, c.quota, c.held)
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
