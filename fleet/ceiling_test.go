package fleet

import (
	"testing"
	"time"

	"loadgen"
)

// TestASlotThatWasFreeElsewhere has requests meet a ceiling of two, one slot for
// each of two workers; times are in seconds.
func TestASlotThatWasFreeElsewhere(t *testing.T) {
	for name, c := range map[string]struct {
		requests [][3]int // due, sent, ended
		want     float64
	}{
		"none waited":                         {[][3]int{{0, 0, 4}, {1, 1, 5}}, 0},
		"both slots were taken":               {[][3]int{{0, 0, 4}, {0, 0, 6}, {1, 4, 8}}, 0},
		"the other was free all the time":     {[][3]int{{0, 0, 4}, {1, 4, 8}}, 1},
		"the other was free half of the time": {[][3]int{{0, 0, 8}, {0, 0, 6}, {4, 8, 9}}, 0.5},
		"two waited, for one of whom it was free after the other was sent": {[][3]int{{0, 0, 4}, {0, 0, 2}, {1, 4, 5}, {1, 2, 3}}, 0.25},
	} {
		t.Run(name, func(t *testing.T) {
			slots := ceiling{slots: 2}
			for _, r := range c.requests {
				s := func(n int) time.Duration { return time.Duration(n) * time.Second }
				slots.add(&loadgen.Record{Due: s(r[0]), Sent: s(r[1]), Held: s(r[1] - r[0]), Ended: s(r[2])})
			}
			if got := slots.free(); got != c.want {
				t.Errorf("free for %v of the time, want %v", got, c.want)
			}
		})
	}
}
