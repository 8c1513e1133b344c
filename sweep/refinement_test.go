package sweep_test

import (
	"fmt"
	"strings"
	"testing"

	"loadgen/sweep"
)

// Of two neighbouring loads around the limit that one is run again whose answer is open.
func TestTheOpenSideIsRefined(t *testing.T) {
	for _, tt := range []struct {
		name string
		y    map[float64]float64 // of the loads around the limit
		want string
	}{
		{"what is below is open", map[float64]float64{8: -0.02, 9: 0.3}, "8"},
		{"what is above is open", map[float64]float64{8: -0.3, 9: 0.02}, "9"},
		{"both are, and take turns", map[float64]float64{8: -0.04, 9: 0.04}, "8 9"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			batch := parse(t, searching)
			plan := batch.Plan()
			var done []*sweep.Run
			refined := map[string]bool{}
			for len(done) < 100 {
				ask, ok := plan.Next(done)
				if !ok {
					break
				}
				run := bearing{ttft: 8.5, s: 0.08}.probe(ask)
				load := ask.Cell.Probe.Load
				if y, ok := tt.y[load]; ok {
					run.Margins[0].Y = y
				}
				done = append(done, run)
			}
			for _, p := range batch.Capacities(done)[0].Probes {
				if p.Purpose == "refine" {
					refined[fmt.Sprintf("%g", p.Load)] = true
				}
			}
			var got []string
			for _, load := range []string{"7", "8", "9", "10"} {
				if refined[load] {
					got = append(got, load)
				}
			}
			if strings.Join(got, " ") != tt.want {
				t.Errorf("refined at %v, want %s", got, tt.want)
			}
		})
	}
}
