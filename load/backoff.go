package load

import (
	"time"

	"loadgen"
)

// A user that got an error stays away for a while: an endpoint that fails is not
// hammered by a loop without any wait in it.
const (
	firstPause = 50 * time.Millisecond
	longPause  = 5 * time.Second
	maxRetry   = time.Minute // the most that a Retry-After is obeyed
)

// pause returns how long a worker stays away after a request: twice as long with
// every failure in a row, the last half of it by chance, and as long as the
// endpoint asks for if that is more. A success sets it back.
func (w *worker) pause(failure *loadgen.Failure) time.Duration {
	if failure == nil {
		w.failures = 0
		return 0
	}
	if failure.Kind == loadgen.FailCancelled {
		return 0
	}
	longest := longPause
	if w.failures < 7 {
		longest = min(firstPause<<w.failures, longPause)
	}
	rng := w.jitter.At(w.id<<32 | w.failures)
	w.failures++
	away := longest/2 + time.Duration(rng.Uint64()%uint64(longest/2+1))
	return max(away, min(failure.RetryAfter, maxRetry))
}
