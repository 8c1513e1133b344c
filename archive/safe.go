package archive

import (
	"sync"
	"time"

	"loadgen/results"
)

// flushEvery is how often what a run recorded leaves this process, so that one
// that is killed loses no more than that, whether or not another record follows:
// on a machine that is too busy to keep the time, less than a second. What was
// flushed is synced every syncAfter times.
const (
	flushEvery = 100 * time.Millisecond
	syncAfter  = 5
)

// keepSafe flushes and syncs a run's files until stop is called, which waits for
// the last time. A disk that is slow to sync
// delays neither the flushes nor the run. Errors are for whoever records next.
func keepSafe(dir *results.Run) (stop func()) {
	done, flushed := make(chan struct{}), make(chan struct{}, 1)
	var wait sync.WaitGroup
	wait.Go(func() {
		defer close(flushed)
		tick := time.NewTicker(flushEvery)
		defer tick.Stop()
		for n := 1; ; n++ {
			select {
			case <-done:
				return
			case <-tick.C:
			}
			_ = dir.Flush()
			if n%syncAfter != 0 {
				continue
			}
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
