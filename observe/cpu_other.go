//go:build !linux

package observe

import "time"

// timed does something and returns how long that took: at least the CPU time.
func timed(do func()) time.Duration {
	before := cpuTime()
	do()
	return cpuTime() - before
}

var began = time.Now()

// cpuTime is at least what was used of the CPU; only differences mean anything.
func cpuTime() time.Duration { return time.Since(began) }
