package sweep_test

import (
	"strings"
	"testing"

	"loadgen/metrics"
	"loadgen/sweep"
)

const atARate = `batch_name: b
output_base_dir: o
base_config: {model: m, url: 'mock://', streaming: true, warmup_request_count: 0, benchmark_duration: 60, prompt_input_tokens_mean: 20}
search: {over: request_rate, slos: {ttft.p95: 500}}
`

// Little: an endpoint that answers in 0.2 s answers five a second one by one.
func TestArrivalsGrowByWhatAnIdleEndpointTells(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		e          bearing
		first      string // loads
	}{
		{"to half of what it answers one by one, then doubled", atARate, bearing{ttft: 100, s: 0.01, took: 0.2}, "1 2.5 5 10 20 40"},
		{"four times at most", atARate, bearing{ttft: 1000, s: 0.01, took: 0.01}, "1 4 16 50 100 200"},
		// At 2 the TTFT is (2/3.5)² of its limit: 3.06 times as long is still within.
		{"no further than latency has room", strings.Replace(atARate, "over:", "from: 2, over:", 1), bearing{ttft: 3.5, s: 0.01, took: 0.01}, "2 6.125"},
		{"a slow endpoint is only asked for twice as much", atARate, bearing{ttft: 100, s: 0.01, took: 10}, "1 2 4 8"},
		{"and one that nobody knows the latency of", atARate, bearing{ttft: 100, s: 0.01}, "1 2 4 8"},
		{"from what is written", strings.Replace(atARate, "over:", "from: 0.1, over:", 1), bearing{ttft: 100, s: 0.01, took: 1}, "0.1 0.4 0.8 1.6"},
		{"up to what is written", strings.Replace(atARate, "over:", "to: 2.2, over:", 1), bearing{ttft: 100, s: 0.01, took: 0.1}, "1 2.2"},
		{
			"what arrives at one rate is doubled", strings.NewReplacer("over: request_rate", "over: prompt_output_tokens_mean, from: 16", "benchmark_duration: 60", "benchmark_duration: 60, request_rate: 1").Replace(atARate),
			bearing{ttft: 100, s: 0.01, took: 0.001},
			"16 32 64",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			asked, _ := sought(t, tt.text, tt.e)
			if got := strings.Join(asked, " "); got != tt.first && !strings.HasPrefix(got, tt.first+" ") {
				t.Errorf("asked for %s, want %s first", got, tt.first)
			}
		})
	}
}

// A guess that was wrong costs what lies between: the first answers were faster than all
// that came after.
func TestAFastBeginningMisleadsNoSearch(t *testing.T) {
	first := true
	runs, tier := searchedBy(t, atARate, func(ask sweep.Ask) *sweep.Run {
		e := bearing{ttft: 1.3, s: 0.01, took: 5}
		if first {
			e, first = bearing{ttft: 500, s: 0.01, took: 0.001}, false
		}
		return e.probe(ask)
	})
	if got := float64(tier.Fit.Capacity); got < 1.2 || got > 1.4 || len(runs) > 20 {
		t.Errorf("found %g after %d runs, want about 1.3", got, len(runs))
	}
}

func TestAProbeOfArrivalsEnds(t *testing.T) {
	margins := func(n int, y float64) []metrics.Margin {
		return []metrics.Margin{
			{Limit: metrics.Limit{Name: "time_to_first_token.p95", Bound: 500}, N: n, Y: y, S: 0.05},
			{Limit: metrics.Limit{Name: "error_rate", Bound: 0.01}, N: n, Y: -1, S: 0.5},
		}
	}
	lone, full := metrics.Queue{InFlight: 0.2}, metrics.Queue{InFlight: 5}
	for _, tt := range []struct {
		name    string
		runs    int // that are over
		margins []metrics.Margin
		queue   metrics.Queue
		look    int // at which it ends
	}{
		{"after a quarter where nothing waits and the limit is twice as far", 0, margins(8, -1), lone, 0},
		{"not where the limit is nearer, by few requests", 0, margins(8, -0.5), lone, 3},
		{"not by few of many in flight", 0, margins(8, -1), full, 3},
		{"nor by few where nobody knows", 0, margins(8, -1), metrics.Queue{}, 3},
		{"after half where thirty are a quarter within", 0, margins(30, -0.5), full, 1},
		{"not while those sent later take longer", 0, margins(30, -0.5), metrics.Queue{InFlight: 5, Grows: true}, 6},
		{"at once with those that take longer and break the limit", 0, margins(30, 0.5), metrics.Queue{InFlight: 5, Grows: true}, 3},
		// 1, 2.5 and 5 pass, and 10 fails: what is next lies between.
		{"below a failure only after all of it", 4, margins(30, -0.5), full, 2},
		{"by few requests below a failure not at all", 4, margins(8, -1), lone, 3},
	} {
		t.Run(tt.name, func(t *testing.T) {
			batch := parse(t, atARate)
			var done []*sweep.Run
			for {
				ask, _ := batch.Plan().Next(done)
				if len(done) < tt.runs {
					done = append(done, bearing{ttft: 7, s: 0.01, took: 0.2}.probe(ask))
					continue
				}
				p, look := ask.Cell.Probe, 0
				for look < len(p.Looks) && !p.Sure(look, tt.margins, tt.queue) {
					look++
				}
				if look != tt.look {
					t.Errorf("%s ends at look %d, want %d", ask.Name(), look, tt.look)
				}
				return
			}
		})
	}
}

// fewBelow3 is an endpoint of whose probes below a rate of 3 no request counts.
func fewBelow3(capacity float64) func(sweep.Ask) *sweep.Run {
	return func(ask sweep.Ask) *sweep.Run {
		run := bearing{ttft: capacity, s: 0.01, took: 0.2}.probe(ask)
		if ask.Cell.Probe.Load < 3 {
			run.Margins = nil
		}
		return run
	}
}

// What was answered was answered at once, and more tell more.
func TestTooFewArrivalsMakeTheRateGreater(t *testing.T) {
	runs, tier := searchedBy(t, atARate, fewBelow3(20))
	if first, second := runs[0].Cell.Probe.Load, runs[1].Cell.Probe.Load; first != 1 || second != 4 {
		t.Errorf("asked for %g and %g first, want 1 and 4", first, second)
	}
	if got := float64(tier.Fit.Capacity); tier.Status != sweep.CapacityFound || got < 19 || got > 21 {
		t.Errorf("%s, %g", tier.Status, got)
	}
}

// Where more than that is too much the search goes down, and comes to an end.
func TestTooFewArrivalsAboveACapacityEnd(t *testing.T) {
	if runs, _ := searchedBy(t, atARate, fewBelow3(1.5)); len(runs) > 20 {
		t.Errorf("%d runs", len(runs))
	}
}
