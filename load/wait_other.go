//go:build !linux

package load

// PreciseWait waits as well as the runtime's timers can: to the millisecond.
func PreciseWait() Wait { return TimerWait }
