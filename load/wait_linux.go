package load

import (
	"context"
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// fine is how long before the due time the coarse timer hands over to the
// kernel's. The runtime's timers are rounded to the millisecond of epoll_wait.
const fine = 2 * time.Millisecond

// PreciseWait waits until the given moment to within some ten microseconds on
// an idle machine, or until ctx is done. It is made for one goroutine that does
// nothing but wait and hand over, and ties that goroutine to a thread.
//
// It sleeps in the kernel and so cannot be used where time is simulated: see
// TimerWait.
func PreciseWait() Wait {
	pinned := false
	return func(ctx context.Context, until time.Time) error {
		if !pinned {
			runtime.LockOSThread()
			// The kernel otherwise rounds a thread's sleeps by 50 µs.
			_ = unix.Prctl(unix.PR_SET_TIMERSLACK, 1, 0, 0, 0)
			pinned = true
		}
		for {
			left := time.Until(until)
			if left <= 0 {
				return ctx.Err()
			}
			if left > fine {
				if err := TimerWait(ctx, until.Add(-fine)); err != nil {
					return err
				}
				continue
			}
			ts := unix.NsecToTimespec(int64(left))
			_ = unix.Nanosleep(&ts, nil) // an interrupted sleep is measured again
		}
	}
}
