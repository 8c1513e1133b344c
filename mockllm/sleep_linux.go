package mockllm

import (
	"time"

	"golang.org/x/sys/unix"
)

const canSleepPrecisely = true

// sharpenTimers lowers the slack that the kernel adds to this thread's sleeps,
// by default 50 µs. A refusal costs only that.
func sharpenTimers() { unix.Prctl(unix.PR_SET_TIMERSLACK, 1, 0, 0, 0) }

// sleepPrecisely blocks the thread; a signal may end it early, and the engine
// then sleeps again.
func sleepPrecisely(d time.Duration) {
	ts := unix.NsecToTimespec(int64(d))
	unix.ClockNanosleep(unix.CLOCK_MONOTONIC, 0, &ts, nil)
}
