//go:build !linux

package observe

import "time"

// timed does something and returns how long that took: at least the CPU time.
func timed(do func()) time.Duration {
	began := time.Now()
	do()
	return time.Since(began)
}
