package observe

import (
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// timed does something and returns the CPU time that it took this thread.
func timed(do func()) time.Duration {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	before := cpuTime()
	do()
	return cpuTime() - before
}

// cpuTime is what this thread has used of the CPU; only differences mean anything.
func cpuTime() time.Duration {
	var u unix.Rusage
	if unix.Getrusage(unix.RUSAGE_THREAD, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
