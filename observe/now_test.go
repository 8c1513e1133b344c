package observe_test

import (
	"testing"
	"time"

	"loadgen/observe"
)

// TestTheLatestLevelsAreThoseOfTheRecording has engines of several processes: 4 and
// 3 are running, 1 and 2 wait, and the fuller cache is at three quarters.
func TestTheLatestLevelsAreThoseOfTheRecording(t *testing.T) {
	observed(t, observe.Config{}, twoStates(t, "sglang-ranks.txt"), func(o *observe.Observer) {
		o.Mark(observe.Profiling)
		time.Sleep(3500 * time.Millisecond)
		now := o.Now()
		for noun, want := range map[string]float64{"running": 7, "waiting": 3, "inside": 10, "kv_usage": 0.75} {
			if now[noun] != want {
				t.Errorf("%s is %g, want %g", noun, now[noun], want)
			}
		}
	})
}
