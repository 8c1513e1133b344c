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
	before := threadCPU()
	do()
	return threadCPU() - before
}

func threadCPU() time.Duration {
	var u unix.Rusage
	if unix.Getrusage(unix.RUSAGE_THREAD, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
