package load

import (
	"bytes"
	"os"
	"path"
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

// asleepTime is how long the machine was suspended since it was started: what
// the clock that goes on has over the one that does not.
func asleepTime() time.Duration {
	var on, off unix.Timespec
	if unix.ClockGettime(unix.CLOCK_BOOTTIME, &on) != nil || unix.ClockGettime(unix.CLOCK_MONOTONIC, &off) != nil {
		return 0
	}
	return time.Duration(on.Nano() - off.Nano())
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

func readLimits() []limit {
	return limitsOf(groupsOf("/proc/self/cgroup", "/sys/fs/cgroup"))
}

// groupsOf reads the file of a process that names its control groups, which are
// mounted below root, and returns the folders that may say what CPU it gets:
// those of its own group and of all around it, in the unified hierarchy and in
// that of the cpu controller.
func groupsOf(file, root string) (groups []string) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil
	}
	// A line is hierarchy:controllers:path.
	for line := range strings.Lines(string(data)) {
		fields := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(fields) != 3 {
			continue
		}
		mounted := root
		switch {
		case fields[0] == "0" && fields[1] == "":
		case slices.Contains(strings.Split(fields[1], ","), "cpu"):
			mounted += "/" + fields[1]
		default:
			continue
		}
		for group := path.Clean("/" + fields[2]); ; group = path.Dir(group) {
			groups = append(groups, mounted+group)
			if group == "/" {
				break
			}
		}
	}
	return groups
}

func limitsOf(groups []string) []limit {
	limits := make([]limit, len(groups))
	for i, group := range groups {
		limits[i] = limit{quotaOf(group), heldBy(group)}
	}
	return limits
}

// quotaOf returns the CPUs that a group grants, 0 for no limit.
func quotaOf(group string) float64 {
	granted := numbers(group + "/cpu.max") // "max 100000", or "10000 100000" in microseconds
	if len(granted) == 0 {
		granted = slices.Concat(numbers(group+"/cpu.cfs_quota_us"), numbers(group+"/cpu.cfs_period_us")) // -1 for no limit
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

// heldBy returns how long a group has held its processes back, summed over all
// CPUs.
func heldBy(group string) time.Duration {
	data, err := os.ReadFile(group + "/cpu.stat")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(data)) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		n, _ := strconv.ParseInt(value, 10, 64)
		switch key {
		case "throttled_usec": // unified
			return time.Duration(n) * time.Microsecond
		case "throttled_time":
			return time.Duration(n)
		}
	}
	return 0
}
