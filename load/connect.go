package load

import (
	"context"
	"sync"
	"sync/atomic"
)

// dialers is how many connections are opened at once: fewer than a listener's
// backlog commonly holds.
const dialers = 64

// Connect calls open so many times, many at once, until it reports false or ctx
// is done. It returns how often it reported true.
func Connect(ctx context.Context, times int, open func(context.Context) bool) int {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var begun, opened atomic.Int64
	var group sync.WaitGroup
	for range min(times, dialers) {
		group.Go(func() {
			for ctx.Err() == nil && begun.Add(1) <= int64(times) {
				if !open(ctx) {
					stop()
					return
				}
				opened.Add(1)
			}
		})
	}
	group.Wait()
	return int(opened.Load())
}
