package load

import (
	"bytes"
	"os"
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

// cgroup is the folder of this process's control group in the unified
// hierarchy, empty where there is none.
func cgroup() string {
	data, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(data)) {
		if path, ok := strings.CutPrefix(strings.TrimSpace(line), "0::"); ok {
			return "/sys/fs/cgroup" + path
		}
	}
	return ""
}

// quota reads the CPUs that the control group grants: "max 100000" or
// "10000 100000", microseconds per period.
func quota() float64 {
	data, err := os.ReadFile(cgroup() + "/cpu.max")
	if err != nil {
		return 0
	}
	fields := strings.Fields(string(data))
	if len(fields) != 2 {
		return 0
	}
	granted, err1 := strconv.ParseFloat(fields[0], 64)
	period, err2 := strconv.ParseFloat(fields[1], 64)
	if err1 != nil || err2 != nil || period == 0 {
		return 0
	}
	return granted / period
}

// throttled reads how long the control group has held its processes back.
func throttled() time.Duration {
	data, err := os.ReadFile(cgroup() + "/cpu.stat")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(data)) {
		if v, ok := strings.CutPrefix(line, "throttled_usec "); ok {
			us, _ := strconv.ParseInt(strings.TrimSpace(v), 10, 64)
			return time.Duration(us) * time.Microsecond
		}
	}
	return 0
}
