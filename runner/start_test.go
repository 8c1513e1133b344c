package runner_test

import (
	"fmt"
	"math"
	"testing"
	"time"
)

const ms = time.Millisecond

// TestAClosedLoopGoesOnFromItsWarmUp has four users at the known endpoint, whose
// answers take 200 ms. The first is alone for one answer, the others start 50 ms
// apart at 250, 300 and 350 ms; the warm-up's eight requests are sent at 0, 200,
// 250, 300, 350, 400, 450 and 500 ms, and the clock starts with the ninth, at
// 550 ms.
func TestAClosedLoopGoesOnFromItsWarmUp(t *testing.T) {
	settings := []string{"base_config.concurrency=4", "base_config.request_count=40", "base_config.warmup_request_count=8"}
	inVirtualTime(t, settings, func(t *testing.T, m *measured) {
		if m.Err != nil {
			t.Fatal(m.Err)
		}
		if o := m.Outcome; o.Issued != 40 || o.MaxFlight != 4 || o.Crossing != 3 || o.FirstWave != 0 || o.Elapsed != 2150*ms {
			t.Errorf("outcome %+v; want 40 issued, 4 in flight, 3 crossing, no first wave, over at 2.15s", o)
		}
		for i, r := range m.records {
			if want := time.Duration(i) * 50 * ms; r.Sent != want || r.Due != want || r.Ramp || r.First || r.Crossing {
				t.Errorf("request %d was due %v and sent %v, want %v, of no ramp", i, r.Due, r.Sent, want)
			}
		}
		crossing := ""
		for _, r := range m.warmup {
			if r.Crossing {
				crossing += fmt.Sprintf("%v–%v ", r.Sent, r.Ended)
			}
		}
		if crossing != "-150ms–50ms -100ms–100ms -50ms–150ms " || len(m.warmup) != 8 {
			t.Errorf("%d of the warm-up, of which crossed %s", len(m.warmup), crossing)
		}
		m.agreesWithStamps(t)
		want{"time_to_first_token.max": 100, "request_latency.max": 200}.check(t, m.Summary)
		if m.Transport.Opened != 4 || m.Health.Wall > 2150*ms {
			t.Errorf("%d connections, watched for %v; want 4, not the warm-up", m.Transport.Opened, m.Health.Wall)
		}
	})
}

// TestAScheduleGoesOnFromItsWarmUp sends every 125 ms: five warm-up requests up
// to 500 ms, of which the last ends at 700 ms, and the measured from 625 ms on.
func TestAScheduleGoesOnFromItsWarmUp(t *testing.T) {
	settings := []string{"base_config.request_rate=8", "base_config.request_count=20", "base_config.warmup_request_count=5"}
	inVirtualTime(t, settings, func(t *testing.T, m *measured) {
		if o := m.Outcome; m.Err != nil || o.Issued != 20 || o.Crossing != 1 || o.Missed != 0 || len(m.warmup) != 5 {
			t.Fatalf("%v, outcome %+v, %d warm-up requests; want 20 issued, 1 crossing, after 5", m.Err, o, len(m.warmup))
		}
		for i, r := range m.records {
			if want := time.Duration(i) * 125 * ms; r.Sent != want || r.Due != want {
				t.Errorf("request %d was due %v and sent %v, want %v", i, r.Due, r.Sent, want)
			}
		}
		if r := m.warmup[4]; !r.Crossing || r.Sent != -125*ms || r.Ended != 75*ms {
			t.Errorf("the last of the warm-up was sent at %v and ended at %v, want -125ms and 75ms", r.Sent, r.Ended)
		}
	})
}

func TestAWarmUpMayHaveALoadOfItsOwn(t *testing.T) {
	for name, c := range map[string]struct {
		settings []string
		warmup   int
		sent     []time.Duration // of the measurement, the first ones
	}{
		"so long": {
			// One user sends every 200 ms; at 500 ms its third is in flight until 600.
			[]string{"base_config.concurrency=1", "base_config.warmup_duration=0.5"},
			3,
			[]time.Duration{100 * ms, 300 * ms, 500 * ms},
		},
		"of other users": {
			// Two users, the second from 300 ms on: 0, 200, 300, 400, 500. At 600 one
			// of them is free and goes on; it is the only one of the measurement.
			[]string{"base_config.concurrency=1", "base_config.warmup_request_count=5", "base_config.warmup_concurrency=2"},
			5,
			[]time.Duration{0, 200 * ms, 400 * ms},
		},
		"of a rate, before users": {
			// At 0, 125 and 250 ms; the clock starts when the fourth would be due.
			[]string{"base_config.concurrency=1", "base_config.warmup_request_count=3", "base_config.warmup_request_rate=8"},
			3,
			[]time.Duration{0, 200 * ms, 400 * ms},
		},
		"of users, before a rate": {
			[]string{"base_config.request_rate=10", "base_config.warmup_request_count=3", "base_config.warmup_concurrency=1"},
			3,
			[]time.Duration{0, 100 * ms, 200 * ms},
		},
		"of another rate": {
			[]string{"base_config.request_rate=10", "base_config.warmup_request_count=3", "base_config.warmup_request_rate=4"},
			3,
			[]time.Duration{0, 100 * ms, 200 * ms},
		},
		"drained": {
			[]string{"base_config.concurrency=1", "base_config.warmup_request_count=3", "base_config.warmup_handover=drain"},
			3,
			[]time.Duration{0, 200 * ms, 400 * ms},
		},
	} {
		t.Run(name, func(t *testing.T) {
			inVirtualTime(t, append(c.settings, "base_config.request_count=20"), func(t *testing.T, m *measured) {
				if m.Err != nil || len(m.warmup) != c.warmup || m.Outcome.Issued != 20 {
					t.Fatalf("%v, %d warm-up requests, outcome %+v; want %d and 20 issued", m.Err, len(m.warmup), m.Outcome, c.warmup)
				}
				for i, want := range c.sent {
					if got := m.records[i].Sent; got != want {
						t.Errorf("request %d was sent at %v, want %v", i, got, want)
					}
				}
			})
		})
	}
}

// TestAFirstWaveIsNotTheSteadyState holds the ways to begin against each other,
// at an endpoint that computes one prompt after another, each in 40 ms, and makes
// a token for every other answer in between, in up to 14.4 ms. An answer of 200
// tokens takes 1.7 s for one user and 6.3 s for 64, who send ten a second: apart
// from each other they find no more than one prompt before theirs.
func TestAFirstWaveIsNotTheSteadyState(t *testing.T) {
	const (
		step = 40*ms + 14400*time.Microsecond
		one  = 3 * step     // the step under way, another prompt, and the own
		wave = 64 * 40 * ms // the last of a first wave waits at least so long
		half = wave / 4     // of users who start 3.4 s apart, twice as fast as they should
	)
	for name, c := range map[string]struct {
		settings       []string
		wave, crossing int
		bunched        bool          // the median waits for more than one other
		least, most    time.Duration // p99
	}{
		"before: a drain, and all at once": {
			[]string{"base_config.warmup_request_count=128", "base_config.warmup_handover=drain", "base_config.start=together"},
			64, 0, true, wave, time.Minute,
		},
		"before: no warm-up":                {[]string{"base_config.warmup_request_count=0", "base_config.start=together"}, 64, 0, true, wave, time.Minute},
		"between: no gap, but all at once":  {[]string{"base_config.warmup_request_count=128", "base_config.start=together"}, 0, 63, true, 0, 6 * step},
		"after: no gap":                     {[]string{"base_config.warmup_request_count=128"}, 0, 60, false, 0, one},
		"after: a drain":                    {[]string{"base_config.warmup_request_count=128", "base_config.warmup_handover=drain"}, 64, 0, false, 0, one},
		"after: likewise without a warm-up": {[]string{"base_config.warmup_request_count=0"}, 64, 0, false, 0, half},
	} {
		t.Run(name, func(t *testing.T) {
			settings := append([]string{
				"base_config.concurrency=64", "base_config.benchmark_duration=20",
				"base_config.prompt_input_tokens_mean=1000", "base_config.prompt_output_tokens_mean=200", "mock={timing: batching}",
			}, c.settings...)
			inVirtualTime(t, settings, func(t *testing.T, m *measured) {
				if m.Outcome.FirstWave != c.wave || m.Outcome.Crossing < c.crossing || c.crossing == 0 && m.Outcome.Crossing > 0 {
					t.Errorf("%d of a first wave, %d crossing; want %d and %d or some more", m.Outcome.FirstWave, m.Outcome.Crossing, c.wave, c.crossing)
				}
				stats := m.Summary.Metric("time_to_first_token").Stats
				median, p99 := time.Duration(stats.P50*1e6), time.Duration(stats.P99*1e6)
				if (median > one) != c.bunched || p99 < c.least || p99 > c.most {
					t.Errorf("TTFT is %v in the median and %v in p99; bunched: %t, and p99 from %v to %v", median, p99, c.bunched, c.least, c.most)
				}
			})
		})
	}
}

// TestUsersAreApartAlthoughTheLatencyGrows looks at the same users one by one:
// they start over the latency of one, and are evenly apart by the end of the
// warm-up all the same.
func TestUsersAreApartAlthoughTheLatencyGrows(t *testing.T) {
	settings := []string{
		"base_config.concurrency=64", "base_config.benchmark_duration=20", "base_config.warmup_request_count=128",
		"base_config.prompt_input_tokens_mean=1000", "base_config.prompt_output_tokens_mean=200", "mock={timing: batching}",
	}
	inVirtualTime(t, settings, func(t *testing.T, m *measured) {
		var perSecond [18]int
		for _, r := range m.records {
			if s := int(r.Sent / time.Second); s < len(perSecond) {
				perSecond[s]++
			}
		}
		for s, n := range perSecond {
			if n < 5 || n > 15 {
				t.Errorf("%d requests were sent in second %d, want about ten: %v", n, s, perSecond)
				break
			}
		}
	})
}

// TestShortRunsHaveTheirRate has the same users, who send ten a second when all
// are there, for three latencies.
func TestShortRunsHaveTheirRate(t *testing.T) {
	for name, setting := range map[string]string{
		"seamless":          "warmup_request_count=128",
		"drained":           "warmup_handover=drain",
		"without a warm-up": "warmup_request_count=0",
	} {
		t.Run(name, func(t *testing.T) {
			settings := []string{
				"base_config.concurrency=64", "base_config.benchmark_duration=20", "base_config." + setting, "mock={timing: batching}",
				"base_config.prompt_input_tokens_mean=1000", "base_config.prompt_output_tokens_mean=200",
			}
			if name == "drained" {
				settings = append(settings, "base_config.warmup_request_count=128")
			}
			inVirtualTime(t, settings, func(t *testing.T, m *measured) {
				if w := m.Summary.Loaded; w == nil || math.Abs(w.RequestThroughput-10) > 0.8 || w.To-w.From < 10 {
					t.Errorf("under load %+v, want about 10 requests/s for most of the run", w)
				}
			})
		})
	}
}

// TestConversationsAreApart has users with several turns, who have begun no
// second conversation when the warm-up ends: their turns are spaced all the same.
func TestConversationsAreApart(t *testing.T) {
	settings := []string{
		"base_config.concurrency=64", "base_config.benchmark_duration=30", "base_config.warmup_request_count=128",
		"base_config.prompt_input_tokens_mean=1000", "base_config.prompt_output_tokens_mean=200",
		"base_config.session_turns_mean=4", "mock={timing: batching}",
	}
	inVirtualTime(t, settings, func(t *testing.T, m *measured) {
		const alone = 2 * (40 + 14.4 + 10) // of two steps, each with the tokens of the turns before
		if ttft := m.Summary.Metric("time_to_first_token").Stats; ttft.P50 > alone {
			t.Errorf("TTFT is %.1f ms in the median, want at most %g", ttft.P50, alone)
		}
	})
}

// TestTheRateOfAnAutomaticRunIsFromAllOfItsWarmUp has two users at the known
// endpoint: 2 / 0.2 s.
func TestTheRateOfAnAutomaticRunIsFromAllOfItsWarmUp(t *testing.T) {
	settings := []string{
		"base_config.concurrency=2", "base_config.request_rate=auto", "base_config.warmup_request_count=6", "base_config.request_count=20",
	}
	inVirtualTime(t, settings, func(t *testing.T, m *measured) {
		if m.Err != nil || m.Facts.Load.Rate != 10 || m.Summary.Load != m.Facts.Load || len(m.warmup) != 6 {
			t.Errorf("%v, facts %+v after %d requests; want a rate of 10 after 6", m.Err, m.Facts.Load, len(m.warmup))
		}
		if r := m.records[19]; r.Due != 1900*ms || m.Outcome.Crossing != 0 {
			t.Errorf("the last was due at %v, want 1.9s", r.Due)
		}
	})
}

func TestConnectionsAreOpenedBeforeTheFirstRequest(t *testing.T) {
	for name, c := range map[string]struct {
		settings []string
		opened   int
		reused   int
	}{
		"users":           {[]string{"base_config.concurrency=8", "base_config.start=together"}, 8, 16},
		"a ceiling":       {[]string{"base_config.request_rate=10", "base_config.concurrency=4"}, 4, 16},
		"cold ones":       {[]string{"base_config.concurrency=8", "base_config.start=together", "base_config.preconnect=false"}, 8, 8},
		"as many as come": {[]string{"base_config.request_rate=100"}, -1, -1},
	} {
		t.Run(name, func(t *testing.T) {
			inVirtualTime(t, append(c.settings, "base_config.request_count=16"), func(t *testing.T, m *measured) {
				if tr := m.Transport; m.Err != nil || c.opened >= 0 && (tr.Opened != c.opened || tr.Reused != c.reused) {
					t.Errorf("%v, transport %+v; want %d opened, %d reused", m.Err, m.Transport, c.opened, c.reused)
				}
			})
		})
	}
}
