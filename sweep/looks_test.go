package sweep_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"loadgen/metrics"
	"loadgen/sweep"
)

// A probe far within its limit ends before benchmark_duration has gone by; a failure and
// a proof do not.
func TestAProbeFarWithinItsLimitEndsEarly(t *testing.T) {
	batch := parse(t, searching)
	plan := batch.Plan()
	var done []*sweep.Run
	var told []string
	for range 20 {
		ask, ok := plan.Next(done)
		if !ok {
			break
		}
		run := bearing{ttft: 10.5, s: 0.01}.probe(ask)
		p := ask.Cell.Probe
		ends := slices.IndexFunc([]bool{p.Sure(0, run.Margins, run.Queue), p.Sure(3, run.Margins, run.Queue)}, func(sure bool) bool { return sure })
		told = append(told, fmt.Sprintf("%g %v", p.Load, []time.Duration{p.Looks[0], p.Looks[3]}[ends]))
		done = append(done, run)
	}
	// The TTFT is a quarter within its limit up to a load of 9.4. What fails, fails late.
	if d := cmp.Diff("1 15s, 4 15s, 16 1m0s, 11 1m0s, 10 1m0s, 10 1m0s, 11 1m0s", strings.Join(told, ", ")); d != "" {
		t.Errorf("probes end (-want +got):\n%s", d)
	}
}

// The proof of a capacity ends where its run keeps the limits, however sure that is;
// the one above it goes on for as long as it may tell more.
func TestAProofEndsWhereItKeepsTheLimits(t *testing.T) {
	batch := parse(t, searching)
	var done []*sweep.Run
	near := []metrics.Margin{
		{Limit: metrics.Limit{Name: "time_to_first_token.p95", Bound: 500}, N: 100, Y: -0.05, S: 0.06},
		{Limit: metrics.Limit{Name: "error_rate", Bound: 0.01}, N: 100, Y: -1, S: 0.5},
	}
	for {
		ask, ok := batch.Plan().Next(done)
		if !ok {
			t.Fatal("there is no proof above the capacity")
		}
		p := ask.Cell.Probe
		proof := ask.Number > 1
		if early, full := p.Sure(2, near, metrics.Queue{}), p.Sure(3, near, metrics.Queue{}); early || full != (proof && p.Load == 10) {
			t.Errorf("at %s: enough after three quarters: %v, after all of it: %v", ask.Name(), early, full)
		}
		if proof && p.Load == 11 {
			return
		}
		done = append(done, bearing{ttft: 10.5, s: 0.01}.probe(ask))
	}
}

// A load that by the latencies of the last two is a little beyond the limit is tried
// next, where there is room for less than twice the latency.
func TestTheNextLoadIsALittleBeyondTheLimit(t *testing.T) {
	text := strings.Replace(searching, "to: 1024", "from: 8", 1)
	asked, _ := sought(t, text, bearing{ttft: 40, s: 0.01})
	// At 8 the TTFT is (8/40)² = 0.04 of its limit, at 32 it is 0.64: 0.025 for each user,
	// of which 14.4 more make the limit, and a tenth is 51.
	if got := strings.Join(asked[:3], " "); got != "8 32 51" {
		t.Errorf("asked for %s, want 8 32 51", strings.Join(asked, " "))
	}
}

// An answer whose interval is wider than the precision has no certificate.
func TestAWideIntervalIsNoCertificate(t *testing.T) {
	batch := parse(t, strings.Replace(searching, "to: 1024", "from: 64", 1))
	var done []*sweep.Run
	for range 60 {
		ask, ok := batch.Plan().Next(done)
		if !ok {
			break
		}
		run := bearing{ttft: 100, s: 0.8}.probe(ask)
		if load := ask.Cell.Probe.Load; load > 100 {
			run.Margins[0].Y += 1.5 // sure above, and never below
		}
		done = append(done, run)
	}
	tier := batch.Capacities(done)[0].Tiers[0]
	if wide := float64(tier.Upper-tier.Lower) > 11; !wide || tier.Certified {
		t.Errorf("%g to %g, certified %v; want wide and not", tier.Lower, tier.Upper, tier.Certified)
	}
}
