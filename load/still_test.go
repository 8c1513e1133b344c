package load_test

import (
	"testing"
	"time"

	"loadgen/load"
)

func TestAStopOfAnyLengthIsStandingStill(t *testing.T) {
	for _, row := range []struct {
		name    string
		late    []time.Duration
		resumed []int64 // times until the look
		want    time.Duration
	}{
		{"on time", []time.Duration{0, 0}, []int64{0, 0}, 0},
		{"a busy scheduler", []time.Duration{140 * ms, 0, 140 * ms}, []int64{0, 0, 0}, 0},
		{"later than that", []time.Duration{160 * ms, -60 * ms}, []int64{0, 0}, 160 * ms},
		{"stopped for 0.4 s, 50 ms before a look", []time.Duration{350 * ms, 0}, []int64{1, 1}, 400 * ms},
		{"told so behind it", []time.Duration{100 * ms, 0}, []int64{0, 1}, 150 * ms},
		{"told so behind a look that is known to be late", []time.Duration{350 * ms, 0}, []int64{0, 1}, 350 * ms},
		{"two short stops", []time.Duration{50 * ms, 0, 50 * ms}, []int64{1, 1, 2}, 200 * ms},
		{"told to go on, but not stopped", []time.Duration{0, 0}, []int64{1, 1}, 0},
	} {
		if got := load.Stood(row.late, row.resumed); got != row.want {
			t.Errorf("%s: %v, want %v", row.name, got, row.want)
		}
	}
}
