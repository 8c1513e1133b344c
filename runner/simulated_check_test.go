package runner_test

import (
	"fmt"
	"math"
	"testing"
)

// TestTheSimulationIsTheProgram holds the figures of the simulation that the
// rates are made with against those of the whole program in virtual time: the
// 95th percentiles of a closed and of an open loop differ by a few per cent at
// most, which is what two runs of either differ by.
func TestTheSimulationIsTheProgram(t *testing.T) {
	for _, tt := range []struct{ name, load, near string }{ // of a limit that is near, so that no run ends early
		{"decode, jitter 0.1", "24", "slos={itl.p95: 16}"},
		{"open, constant, decode", "50", "slos={itl.p95: 18}"},
	} {
		for _, e := range endpoints {
			if e.name != tt.name {
				continue
			}
			one := []string{
				"search.over=" + e.over, "search." + tt.near, "search.from=" + tt.load, "search.to=" + tt.load, "search.time_limit=1s", "base_config.benchmark_duration=5",
				fmt.Sprintf("mock={%s, prefill_base: 5ms, prefill_per_token: 0s}", e.mock),
			}
			batch, runs := search(t, sought, one...)
			ask, _ := batch.Plan().Next(nil)
			program, simulated := runs[0].Margins[0], simulate(t, batch, ask).Margins[0]
			if d := math.Abs(program.Y - simulated.Y); d > 0.05 {
				t.Errorf("%s at %s: %.4g of %d in the program, %.4g of %d in the simulation", e.name, tt.load, program.Observed, program.N, simulated.Observed, simulated.N)
			}
		}
	}
}
