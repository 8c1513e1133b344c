package load_test

import (
	"testing"
	"testing/synctest"
	"time"

	"loadgen/load"
)

// TestALookThatIsEnoughEndsThePhase ends it as its Duration would have: nothing
// is cancelled, nothing counts as missed.
func TestALookThatIsEnoughEndsThePhase(t *testing.T) {
	looks := []time.Duration{2 * time.Second, 4 * time.Second}
	for _, tt := range []struct {
		name   string
		plan   load.Plan
		enough int // the look at which it is
		issued int
		ends   time.Duration // when the load falls
	}{
		// Two users of a second each; the rate of ten a second from 0 on.
		{"the first look of a closed loop", load.Plan{Concurrency: 2}, 1, 4, 2 * time.Second},
		{"the second look", load.Plan{Concurrency: 2}, 2, 8, 4 * time.Second},
		{"none", load.Plan{Concurrency: 2}, 9, 16, 8 * time.Second},
		{"an open loop", load.Plan{Schedule: load.Arrival{Rate: 10}.Schedule()}, 1, 20, 2 * time.Second},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k, looked := &kept{}, 0
				d := &load.Driver{Sender: &service{takes: time.Second}, Emit: k.emit, Enough: func() bool {
					looked++
					return looked == tt.enough
				}}
				tt.plan.Looks, tt.plan.Duration, tt.plan.Grace = looks, 8*time.Second, time.Minute
				out, err := d.Run(t.Context(), tt.plan, endless(t, 1, 0))
				if err != nil || out.Cancelled || out.Missed != 0 || out.StoppedAt != tt.ends {
					t.Errorf("%+v, %v; want the load to fall at %v, nothing cancelled or missed", out, err, tt.ends)
				}
				// At the very time of a look a request may or may not have begun.
				if out.Issued < tt.issued || out.Issued > tt.issued+2 || len(k.records) != out.Issued {
					t.Errorf("%d issued, %d records; want %d, or what began just then", out.Issued, len(k.records), tt.issued)
				}
			})
		})
	}
}
