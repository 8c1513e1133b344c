package archive

import (
	"sync"
	"time"

	"loadgen/results"
)

// flushEvery is how often what a run recorded leaves this process, so that one
// that is killed loses no more than that, whether or not another record follows.
const flushEvery = 500 * time.Millisecond

// keepSafe flushes a run's files until stop is called, which waits for the last
// time, and syncs them one flush after the other. A disk that is slow to sync
// delays neither the flushes nor the run. Errors are for whoever records next.
func keepSafe(dir *results.Run) (stop func()) {
	done, flushed := make(chan struct{}), make(chan struct{}, 1)
	var wait sync.WaitGroup
	wait.Go(func() {
		defer close(flushed)
		tick := time.NewTicker(flushEvery)
		defer tick.Stop()
		for {
			select {
			case <-done:
				return
			case <-tick.C:
			}
			_ = dir.Flush()
			select {
			case flushed <- struct{}{}:
			default: // the last sync is not over
			}
		}
	})
	wait.Go(func() {
		for range flushed {
			_ = dir.Sync()
		}
	})
	return func() {
		close(done)
		wait.Wait()
	}
}
