package load

import (
	"context"
	"time"

	"golang.org/x/sys/unix"
)

// fine is how long before the due time the coarse timer hands over to the
// kernel's. The runtime's timers are rounded to the millisecond of epoll_wait.
const fine = 2 * time.Millisecond

// PreciseWait waits until the given moment to within some ten microseconds on
// an idle machine, or until ctx is done. It is made for one goroutine that does
// nothing but wait and hand over.
//
// It sleeps in the kernel and so cannot be used where time is simulated: see
// TimerWait.
func PreciseWait() Wait {
	return func(ctx context.Context, until time.Time) error {
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
			// The kernel otherwise rounds a thread's sleeps by 50 µs. Which thread
			// this is may change from one sleep to the next.
			_ = unix.Prctl(unix.PR_SET_TIMERSLACK, 1, 0, 0, 0)
			ts := unix.NsecToTimespec(int64(left))
			_ = unix.Nanosleep(&ts, nil) // an interrupted sleep is measured again
		}
	}
}
