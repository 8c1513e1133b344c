package metrics_test

import (
	"fmt"
	"math"
	"testing"
	"time"

	"loadgen"
	"loadgen/metrics"
)

func run(t *testing.T, l loop) metrics.Summary {
	t.Helper()
	records := l.records()
	return judged(t, l.facts(), l.outcome(records), healthy(), loadgen.Transport{}, records...)
}

// Users whose requests take a second of ten tokens: one request and ten tokens
// per second and user, however short the run is and wherever it is cut.
func TestRatesUnderLoadAreUnbiased(t *testing.T) {
	for _, users := range []int{1, 4, 16, 64} {
		for _, seconds := range []float64{3, 3.3, 4.75, 10} {
			for _, together := range []bool{false, true} {
				l := loop{users: users, itl: 100 * ms, tokens: 11, duration: time.Duration(seconds * 1e9), together: together}
				name := fmt.Sprintf("%d users, %g s, together %t", users, seconds, together)
				s := run(t, l)
				if s.Loaded == nil || s.Loaded.From != 0 || s.Loaded.To != seconds {
					t.Fatalf("%s: under load %+v", name, s.Loaded)
				}
				for what, row := range map[string][3]float64{
					"requests/s":     {s.Loaded.RequestThroughput, float64(users), 0.001},
					"in flight":      {s.Loaded.InFlight, float64(users), 0.001},
					"Little's ratio": {s.Loaded.Little.Ratio, 1, 0.001},
					// The first token comes at once: 11 in the first second of a
					// wave, and as many as come in the part of the last.
					"tokens/s": {*s.Loaded.TokenThroughput, 11 * float64(users), 0.11},
				} {
					if math.Abs(row[0]-row[1]) > row[2]*row[1] {
						t.Errorf("%s: %g %s, want %g", name, row[0], what, row[1])
					}
				}
			}
		}
	}
}

// One user, prompts of 100 tokens that are read in 0.4 s, answers in 1 s. The
// request in flight at the epoch was sent 0.25 s before: its prompt is read to
// 3/8 in the run, and it is three quarters of a request. Another is cut by the end
// of the load at 1.25 s, after half of its time, when its prompt has been read.
func TestRequestsThatCrossTheEndsCountByTheirShare(t *testing.T) {
	at := []time.Duration{400 * ms, 600 * ms, 800 * ms, time.Second}
	var records []*loadgen.Record
	for _, sent := range []time.Duration{-250 * ms, 750 * ms} {
		r := with(streamed(sent, at...), 8) // two tokens a chunk
		r.Request.InputTokens = 100
		r.Crossing = sent < 0
		if r.Crossing {
			r.Phase = loadgen.Warmup
		}
		records = append(records, r)
	}
	s := judged(t, metrics.Facts{Load: loadgen.Load{Users: 1}}, loadgen.Outcome{StoppedAt: 1250 * ms, Issued: 1}, healthy(), loadgen.Transport{}, records...)
	w := s.Loaded
	const length = 1.25
	for what, row := range map[string][2]float64{
		"requests/s":      {w.RequestThroughput, 1.25 / length},
		"tokens/s":        {*w.TokenThroughput, (8 + 2) / length}, // the second's first chunk at 1.15 s
		"input tokens/s":  {*w.InputThroughput, (100*0.375 + 100) / length},
		"in flight":       {w.InFlight, 1},
		"sent":            {float64(w.Sent), 1},
		"whole: requests": {s.Whole.RequestThroughput * s.Whole.To, 1.75},
	} {
		if !near(row[0], row[1]) {
			t.Errorf("%s: %g, want %g", what, row[0], row[1])
		}
	}
	if s.Counts.Issued != 1 || s.Counts.Warmup != 1 || s.Metric("request_latency").Stats.Count != 1 {
		t.Errorf("a request of the warm-up became a result: %+v", s.Counts)
	}
	if c := s.Metric("effective_concurrency").Stats; !near(c.Avg, 1) || c.Max != 1 {
		t.Errorf("concurrency %+v, want 1 from the epoch on", *c)
	}
}

// Ramps are no part of the time under load.
func TestTheLoadBeginsWhenAllUsersHaveStarted(t *testing.T) {
	s := collect(t, metrics.Facts{Load: loadgen.Load{Users: 10}}, closed(10, 30, time.Second, 500*ms)...)
	if s.Loaded.From != 4.5 {
		t.Errorf("under load from %g s, want 4.5", s.Loaded.From)
	}
}
