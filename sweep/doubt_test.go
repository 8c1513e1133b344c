package sweep_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"loadgen/sweep"
)

// Of a load far beyond the capacity no probe may measure anything: half of it is tried.
func TestAFirstLoadThatCannotBeMeasured(t *testing.T) {
	from := func(load float64) string {
		return strings.Replace(searching, "to: 1024", fmt.Sprintf("from: %g", load), 1)
	}
	for _, tt := range []struct {
		name       string
		from, ttft float64
		above      float64 // nothing can be measured
		asked      string  // by the start of it
		status     string
	}{
		{"is halved until one can", 64, 10.5, 20, "64 64#2 32 32#2 16 8", sweep.CapacityFound},
		{"and further until one passes", 64, 3.5, 20, "64 64#2 32 32#2 16 8 4 2", sweep.CapacityFound},
		{"down to a 64th", 128, 10.5, 0, "128 128#2 64 64#2 32 32#2 16 16#2 8 8#2 4 4#2 2 2#2", sweep.CapacityOpen},
	} {
		t.Run(tt.name, func(t *testing.T) {
			asked, c := sought(t, from(tt.from), bearing{ttft: tt.ttft, s: 0.01, ruin: func(load float64, _ int) (string, error) {
				if load > tt.above {
					return "process_cpu", errFew
				}
				return "", nil
			}})
			if got := strings.Join(asked, " "); !strings.HasPrefix(got+" ", tt.asked+" ") || c.Tiers[0].Status != tt.status {
				t.Errorf("%s after %s; want %s after %s", c.Tiers[0].Status, got, tt.status, tt.asked)
			}
			if tt.status == sweep.CapacityFound && float64(c.Tiers[0].Fit.Capacity) != math.Floor(tt.ttft) {
				t.Errorf("carries %g, want %g", c.Tiers[0].Fit.Capacity, math.Floor(tt.ttft))
			}
		})
	}
}

// Rates below one are halved as often, and no more.
func TestASmallRateThatCannotBeMeasured(t *testing.T) {
	text := strings.Replace(searching, "over: concurrency, to: 1024", "over: request_rate, from: 0.5", 1)
	asked, c := sought(t, text, bearing{ttft: 10, s: 0.01, ruin: func(float64, int) (string, error) { return "process_cpu", errFew }})
	if len(asked) != 14 || c.Tiers[0].Status != sweep.CapacityOpen { // 0.5, and six halves of it, each twice
		t.Errorf("%s after %s, want open after 14 runs", c.Tiers[0].Status, strings.Join(asked, " "))
	}
}

func TestAnEndpointThatChangesIsTold(t *testing.T) {
	batch := parse(t, searching)
	ask := sweep.Ask{Cell: probeOf(t, batch, 16), Number: 1}
	for _, tt := range []struct {
		name string
		ttft float64 // at which the limit is reached in the second run
		told bool
	}{
		{"half as fast as before", 10, true},
		{"as before", 20, false},
		{"beyond the limit by what runs may differ", 15, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			again := ask
			again.Number = 2
			done := []*sweep.Run{bearing{ttft: 20, s: 0.01}.probe(ask), bearing{ttft: tt.ttft, s: 0.01}.probe(again)}
			notes := strings.Join(batch.Capacities(done)[0].Notes, "\n")
			if told := strings.Contains(notes, "at 16 one run kept the limits for sure and another broke them"); told != tt.told {
				t.Errorf("notes %q", notes)
			}
		})
	}
}
