package runner_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"loadgen"
	"loadgen/load"
	"loadgen/metrics"
)

func TestKnownTimingInExactFiguresOut(t *testing.T) {
	for name, c := range map[string]struct {
		settings []string
		issued   int
		elapsed  time.Duration
		flight   int
		due      func(i int) time.Duration // of the i-th request
		sent     func(i int) time.Duration // as due where nil
		figures  want
	}{
		"a closed loop of four users": {
			// 200 ms each for two seconds: ten rounds of four.
			settings: []string{"base_config.concurrency=4", "base_config.benchmark_duration=2", "base_config.start=together"},
			issued:   40, elapsed: 2 * time.Second, flight: 4,
			due: func(i int) time.Duration { return time.Duration(i/4) * 200 * time.Millisecond },
			figures: want{
				"request_throughput": 20, "output_token_throughput": 220, "benchmark_duration": 2,
				"effective_concurrency.avg": 4, "output_token_throughput_per_user.avg": 100,
			},
		},
		"a constant rate": {
			// The last is due at 4.9 s and takes 200 ms. Each begins when another
			// ends, so that two or three are in flight.
			settings: []string{"base_config.request_rate=10", "base_config.benchmark_duration=5"},
			issued:   50, elapsed: 5100 * time.Millisecond, flight: -1,
			due: func(i int) time.Duration { return time.Duration(i) * 100 * time.Millisecond },
			figures: want{
				"request_throughput": 50 / 5.1, "output_token_throughput": 550 / 5.1, "benchmark_duration": 5.1,
				"effective_concurrency.avg": 10 / 5.1,
			},
		},
		"less than one request a second": {
			settings: []string{"base_config.request_rate=0.25", "base_config.benchmark_duration=20"},
			issued:   5, elapsed: 16200 * time.Millisecond, flight: 1,
			due:     func(i int) time.Duration { return time.Duration(i) * 4 * time.Second },
			figures: want{"request_throughput": 5 / 16.2, "benchmark_duration": 16.2},
		},
		"Poisson arrivals": {
			settings: []string{"base_config.request_rate=20", "base_config.request_rate_mode=poisson", "base_config.request_count=100"},
			issued:   100, elapsed: -1, flight: -1,
		},
		"a ceiling that binds": {
			// Ten a second are due, the ceiling lets five through: the i-th is
			// due at i·100 ms and sent at i·200 ms.
			settings: []string{"base_config.request_rate=10", "base_config.concurrency=1", "base_config.benchmark_duration=4"},
			issued:   20, elapsed: 4 * time.Second, flight: 1,
			due:  func(i int) time.Duration { return time.Duration(i) * 100 * time.Millisecond },
			sent: func(i int) time.Duration { return time.Duration(i) * 200 * time.Millisecond },
			figures: want{
				"request_throughput": 5, "benchmark_duration": 4, "effective_concurrency.avg": 1,
				"time_to_first_token_from_due.avg": 100 + 950, "time_to_first_token_from_due.max": 100 + 1900,
				"effective_latency.avg": 200 + 950, "credit_to_start_latency.avg": 950, "credit_to_start_latency.max": 1900,
			},
		},
		"twelve hundred users at once": {
			settings: []string{"base_config.concurrency=1200", "base_config.request_count=1200", "base_config.start=together"},
			issued:   1200, elapsed: 200 * time.Millisecond, flight: 1200,
			due:     func(int) time.Duration { return 0 },
			figures: want{"request_throughput": 6000, "effective_concurrency.avg": 1200},
		},
	} {
		t.Run(name, func(t *testing.T) {
			inVirtualTime(t, c.settings, func(t *testing.T, m *measured) {
				if m.Err != nil {
					t.Fatal(m.Err)
				}
				o := m.Outcome
				if o.Issued != c.issued || len(m.records) != c.issued || m.Summary.Counts.OK != c.issued {
					t.Fatalf("%d issued, %d records, %d ok; want %d of each", o.Issued, len(m.records), m.Summary.Counts.OK, c.issued)
				}
				if c.elapsed >= 0 && o.Elapsed != c.elapsed || c.flight >= 0 && (o.MaxFlight != c.flight || m.stats.InFlightMax != c.flight) {
					t.Errorf("took %v with %d in flight (the endpoint saw %d), want %v and %d",
						o.Elapsed, o.MaxFlight, m.stats.InFlightMax, c.elapsed, c.flight)
				}
				due, sent := c.due, c.sent
				if due == nil { // Poisson
					at := scheduled(m.Cell.Seed, 20, c.issued)
					due = func(i int) time.Duration { return at[i] }
				}
				if sent == nil {
					sent = due
				}
				for i, r := range m.records {
					if r.Due != due(i) || r.Sent != sent(i) || r.Lag() != sent(i)-due(i) {
						t.Fatalf("request %d was due %v and sent %v, want %v and %v", i, r.Due, r.Sent, due(i), sent(i))
					}
					if own := r.Lag() - r.Held; own != 0 {
						t.Fatalf("request %d: %v of its lag is the generator's, want none", i, own)
					}
				}
				if m.stats.DistinctPrompts != c.issued {
					t.Errorf("%d different prompts in %d requests", m.stats.DistinctPrompts, c.issued)
				}
				m.agreesWithStamps(t)
				want{
					"time_to_first_token.min": 100, "time_to_first_token.max": 100,
					"inter_token_latency.min": 10, "inter_token_latency.max": 10,
					"inter_chunk_latency.min": 10, "inter_chunk_latency.max": 10,
					"request_latency.min": 200, "request_latency.max": 200,
					"output_sequence_length.avg": 11,
				}.check(t, m.Summary)
				if c.sent == nil {
					want{"credit_to_start_latency.max": 0, "time_to_first_token_from_due.max": 100, "effective_latency.max": 200}.check(t, m.Summary)
				}
				c.figures.check(t, m.Summary)
			})
		})
	}
}

// scheduled is when Poisson arrivals of a cell are due.
func scheduled(seed loadgen.Seed, rate float64, n int) []time.Duration {
	at := make([]time.Duration, 0, n)
	arrivals := load.Arrival{Rate: rate, Smoothness: 1, Rand: func() *rand.Rand { return seed.Rand("arrivals") }}
	for due := range arrivals.Schedule() {
		if at = append(at, due); len(at) == n {
			break
		}
	}
	return at
}

func TestABindingCeilingIsNoOpenLoop(t *testing.T) {
	settings := []string{"base_config.request_rate=10", "base_config.concurrency=1", "base_config.benchmark_duration=4"}
	inVirtualTime(t, settings, func(t *testing.T, m *measured) {
		// Forty were due before the end, and twenty could be sent.
		if r := m.Summary.Rate; !r.CeilingBound || r.Asked != 10 || m.Outcome.Missed != 20 {
			t.Errorf("rate %+v, %d missed; want one of 10 that the ceiling bound, 20 missed", *r, m.Outcome.Missed)
		}
		if notes := strings.Join(m.Summary.Validity.Notes, "; "); !strings.Contains(notes, "not an open loop") {
			t.Errorf("the verdict does not say so: %q", notes)
		}
		if m.Summary.OwnLag.Max != 0 || m.Summary.Lag.Max != 1900 {
			t.Errorf("lag %g ms, of it the generator's %g; want 1900 and 0", m.Summary.Lag.Max, m.Summary.OwnLag.Max)
		}
	})
}

// TestAServerThatRefusesHalf proves that failures, which take no time, make
// nothing look faster.
func TestAServerThatRefusesHalf(t *testing.T) {
	whole := func(faults string) (w metrics.Window, good, rate float64) {
		settings := []string{
			"base_config.request_rate=10", "base_config.benchmark_duration=10",
			"base_config.slos.time_to_first_token=150", "mock.faults=" + faults,
		}
		inVirtualTime(t, settings, func(t *testing.T, m *measured) {
			if c := m.Summary.Counts; c.Issued != 100 || c.OK+c.Failed != 100 {
				t.Errorf("counts %+v, want 100 issued and accounted for", c)
			}
			want{"time_to_first_token.max": 100, "request_latency.max": 200}.check(t, m.Summary)
			w, good, rate = *m.Summary.Whole, *m.Summary.Metric("goodput").Value, *m.Summary.Metric("request_throughput").Value
			if e := m.Summary.Metric("request_error_rate"); faults != "[]" && *e.Value != 50 {
				t.Errorf("error rate %g %%, want 50", *e.Value)
			}
		})
		return w, good, rate
	}
	all, allGood, allRate := whole("[]")
	half, halfGood, halfRate := whole("[{kind: status, status: 503, every: 2}]")
	for name, pair := range map[string][2]float64{
		"goodput of the whole run":    {*all.Goodput, *half.Goodput},
		"throughput of the whole run": {all.RequestThroughput, half.RequestThroughput},
		"goodput":                     {allGood, halfGood},
		"request throughput":          {allRate, halfRate},
	} {
		if ratio := pair[1] / pair[0]; math.Abs(ratio-0.5) > 0.02 {
			t.Errorf("%s: %g with half refused, %g without: want half", name, pair[1], pair[0])
		}
	}
}

// TestThroughputIsThatOfTheServerWithoutRampAndDrain trims a run of users that
// join one by one and of answers that trail behind.
func TestThroughputIsThatOfTheServerWithoutRampAndDrain(t *testing.T) {
	// One user alone makes 11 tokens in 200 ms; with forty, 2200 tokens/s.
	settings := []string{"base_config.concurrency=40", "base_config.concurrency_ramp_duration=4", "base_config.benchmark_duration=20"}
	inVirtualTime(t, settings, func(t *testing.T, m *measured) {
		s := m.Summary.Steady
		if s == nil {
			t.Fatal("no steady state: " + m.Summary.NoSteady)
		}
		if math.Abs(*s.TokenThroughput-2200) > 22 || math.Abs(s.RequestThroughput-200) > 2 || math.Abs(s.InFlight-40) > 0.4 {
			t.Errorf("steady state %.1f tokens/s, %.1f requests/s, %.2f in flight; want 2200, 200, 40", *s.TokenThroughput, s.RequestThroughput, s.InFlight)
		}
		if *m.Summary.Whole.TokenThroughput > 2100 {
			t.Errorf("the whole run, ramp included, has %.1f tokens/s: the ramp is missing from it", *m.Summary.Whole.TokenThroughput)
		}
	})
}

func TestRequestsInFlightAtTheEndAreAccountedFor(t *testing.T) {
	settings := []string{
		"base_config.concurrency=8", "base_config.benchmark_duration=1", "base_config.grace_period=0.25",
		"mock.faults=[{kind: stall, after: 3, every: 4}]",
	}
	inVirtualTime(t, settings, func(t *testing.T, m *measured) {
		c := m.Summary.Counts
		if c.Issued != c.OK+c.Failed+c.Cancelled || c.Cancelled == 0 || c.Lost != 0 || len(m.records) != c.Issued {
			t.Errorf("counts %+v with %d records: want all accounted for, some of them cancelled", c, len(m.records))
		}
		for _, r := range m.records {
			if r.Cancelled() && r.Ended != 1250*time.Millisecond {
				t.Errorf("request %d was cancelled at %v, want at the end of the grace period, 1.25s", r.Index, r.Ended)
			}
		}
	})
}

// TestKeepAliveOfTheServerCostsNoRequest lets idle connections be closed by the
// server while the next request is on its way: at 0.2 requests/s each comes the
// very moment that the keep-alive of 5 s runs out.
func TestKeepAliveOfTheServerCostsNoRequest(t *testing.T) {
	for _, engine := range []string{"raw", "std"} {
		for rate, seconds := range map[float64]int{5: 20, 0.2: 100} {
			t.Run(fmt.Sprintf("%g requests/s over %s", rate, engine), func(t *testing.T) {
				settings := []string{
					fmt.Sprintf("base_config.request_rate=%g", rate), fmt.Sprintf("base_config.benchmark_duration=%d", seconds),
					"base_config.transport=" + engine, "mock.keep_alive=5s", "mock.ttft=0", "mock.itl=0",
				}
				inVirtualTime(t, settings, func(t *testing.T, m *measured) {
					if c := m.Summary.Counts; c.Issued != int(rate*float64(seconds)) || c.OK != c.Issued {
						t.Errorf("counts %+v, errors %+v; want no failure", c, m.Summary.Errors)
					}
				})
			})
		}
	}
}

func TestWarmUpIsMeasuredApart(t *testing.T) {
	settings := []string{
		"base_config.concurrency=2", "base_config.request_count=10", "base_config.warmup_request_count=6",
		"base_config.warmup_handover=drain", "base_config.start=together",
	}
	inVirtualTime(t, settings, func(t *testing.T, m *measured) {
		if len(m.warmup) != 6 || m.Summary.Counts.Warmup != 6 || m.Summary.Counts.Issued != 10 {
			t.Errorf("%d warm-up records, counts %+v; want 6 apart from 10", len(m.warmup), m.Summary.Counts)
		}
		// The clock of the run starts behind the warm-up.
		if m.records[0].Sent != 0 || m.Outcome.Elapsed != time.Second {
			t.Errorf("first sent at %v, over at %v; want 0 and 1s", m.records[0].Sent, m.Outcome.Elapsed)
		}
	})
}

func TestFiveThousandRequestsASecondAreSent(t *testing.T) {
	settings := []string{"base_config.request_rate=5000", "base_config.benchmark_duration=0.5", "base_config.prompt_output_tokens_mean=1"}
	inVirtualTime(t, settings, func(t *testing.T, m *measured) {
		if c := m.Summary.Counts; c.Issued != 2500 || c.OK != 2500 || c.Missed != 0 {
			t.Errorf("counts %+v, want 2500 sent and none missed", c)
		}
		if r := m.Summary.Rate; r.Asked != 5000 || math.Abs(r.Achieved-5000) > 5 || m.Summary.Lag.Max != 0 {
			t.Errorf("rate %+v, lag up to %g ms; want 5000 without lag", *r, m.Summary.Lag.Max)
		}
	})
}
