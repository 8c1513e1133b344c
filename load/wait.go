package load

import (
	"context"
	"time"
)

// A Wait blocks until a moment, or until ctx is done, whose error it then
// returns.
type Wait func(ctx context.Context, until time.Time) error

// TimerWait waits with a timer of the runtime: real time, or simulated time in
// a test's bubble.
func TimerWait(ctx context.Context, until time.Time) error {
	left := time.Until(until)
	if left <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(left)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Rest waits for a time, or until ctx is done, whose error it then returns.
func Rest(ctx context.Context, d time.Duration) error {
	return TimerWait(ctx, time.Now().Add(d))
}
