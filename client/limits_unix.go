//go:build unix

package client

import (
	"math"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// raiseFileLimit raises the soft limit of open files to the hard one. Where
// the system refuses, Preflight judges by the limit as it is.
func raiseFileLimit() {
	var limit unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_NOFILE, &limit) == nil && limit.Cur < limit.Max {
		limit.Cur = limit.Max
		unix.Setrlimit(unix.RLIMIT_NOFILE, &limit)
	}
}

func openFiles() int {
	var limit unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_NOFILE, &limit) != nil || uint64(limit.Cur) > math.MaxInt32 {
		return math.MaxInt
	}
	return int(limit.Cur)
}

// ephemeralPorts reads Linux's range; other systems do not say.
func ephemeralPorts() int {
	b, err := os.ReadFile("/proc/sys/net/ipv4/ip_local_port_range")
	if err != nil {
		return math.MaxInt
	}
	return portsIn(string(b))
}

func portsIn(portRange string) int {
	f := strings.Fields(portRange)
	if len(f) != 2 {
		return math.MaxInt
	}
	low, err1 := strconv.Atoi(f[0])
	high, err2 := strconv.Atoi(f[1])
	if err1 != nil || err2 != nil || high < low {
		return math.MaxInt
	}
	return high - low + 1
}
