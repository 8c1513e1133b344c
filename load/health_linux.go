package load

import (
	"bytes"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

func readProcess() processTimes {
	var u unix.Rusage
	if unix.Getrusage(unix.RUSAGE_SELF, &u) != nil {
		return processTimes{}
	}
	return processTimes{cpu: time.Duration(u.Utime.Nano() + u.Stime.Nano())}
}

// readMachine sums the first line of /proc/stat: user, nice, system, idle,
// iowait, irq, softirq, steal, in ticks.
func readMachine() machineTimes {
	data, err := os.ReadFile("/proc/stat")
	if err != nil {
		return machineTimes{}
	}
	line, _, _ := bytes.Cut(data, []byte("\n"))
	fields := strings.Fields(string(line))
	var m machineTimes
	for i, f := range fields[min(1, len(fields)):min(9, len(fields))] {
		v, _ := strconv.ParseFloat(f, 64)
		m.total += v
		if idle := i == 3 || i == 4; !idle {
			m.busy += v
		}
	}
	return m
}

// residentBytes reads the second field of /proc/self/statm: resident pages.
func residentBytes() uint64 {
	data, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	if fields := strings.Fields(string(data)); len(fields) > 1 {
		pages, _ := strconv.ParseUint(fields[1], 10, 64)
		return pages * uint64(os.Getpagesize())
	}
	return 0
}

// A cgroup is the folders of a process's control group that may say what CPU it
// gets: in the unified hierarchy, and in that of the cpu controller.
type cgroup struct{ unified, cpu string }

// cgroupOf reads the file of a process that names its groups, which are mounted
// below root.
func cgroupOf(file, root string) (g cgroup) {
	data, err := os.ReadFile(file)
	if err != nil {
		return g
	}
	// A line is hierarchy:controllers:path.
	for line := range strings.Lines(string(data)) {
		fields := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(fields) != 3 {
			continue
		}
		switch {
		case fields[0] == "0" && fields[1] == "":
			g.unified = root + fields[2]
		case slices.Contains(strings.Split(fields[1], ","), "cpu"):
			g.cpu = root + "/" + fields[1] + fields[2]
		}
	}
	return g
}

func ownCgroup() cgroup { return cgroupOf("/proc/self/cgroup", "/sys/fs/cgroup") }

func quota() float64 { return ownCgroup().quota() }

func throttled() time.Duration { return ownCgroup().throttled() }

// quota returns the CPUs that the group grants, 0 for no limit.
func (g cgroup) quota() float64 {
	granted := numbers(g.unified + "/cpu.max") // "max 100000", or "10000 100000" in microseconds
	if len(granted) == 0 {
		granted = slices.Concat(numbers(g.cpu+"/cpu.cfs_quota_us"), numbers(g.cpu+"/cpu.cfs_period_us")) // -1 for no limit
	}
	if len(granted) != 2 || granted[0] <= 0 || granted[1] <= 0 {
		return 0
	}
	return granted[0] / granted[1]
}

// numbers reads a file of numbers; what is none stands as 0. It is empty where
// there is no file.
func numbers(path string) []float64 {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil
	}
	var list []float64
	for _, f := range strings.Fields(string(data)) {
		v, _ := strconv.ParseFloat(f, 64)
		list = append(list, v)
	}
	return list
}

// throttled returns how long the group has held its processes back, over all
// CPUs.
func (g cgroup) throttled() time.Duration {
	for _, from := range []struct {
		path, key string
		unit      time.Duration
	}{
		{g.unified + "/cpu.stat", "throttled_usec ", time.Microsecond},
		{g.cpu + "/cpu.stat", "throttled_time ", time.Nanosecond},
	} {
		data, err := os.ReadFile(from.path)
		if err != nil {
			continue
		}
		for line := range strings.Lines(string(data)) {
			if v, ok := strings.CutPrefix(line, from.key); ok {
				n, _ := strconv.ParseInt(strings.TrimSpace(v), 10, 64)
				return time.Duration(n) * from.unit
			}
		}
	}
	return 0
}
