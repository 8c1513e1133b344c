package metrics_test

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"loadgen"
	"loadgen/metrics"
)

// closed is a closed loop of users with a fixed time of service, whose users
// start so far apart. Every request yields 10 tokens, evenly over its time.
func closed(users, each int, service, apart time.Duration) []*loadgen.Record {
	var records []*loadgen.Record
	for u := range users {
		for i := range each {
			r := streamed(time.Duration(u)*apart+time.Duration(i)*service, evenly(service, 10)...)
			r.Ramp = i == 0 && u > 0 && apart > 0
			records = append(records, with(r, 10))
		}
	}
	slices.SortStableFunc(records, func(a, b *loadgen.Record) int { return int(a.Ended - b.Ended) })
	return records
}

func evenly(took time.Duration, n int) []time.Duration {
	at := make([]time.Duration, n)
	for i := range at {
		at[i] = took * time.Duration(i+1) / time.Duration(n)
	}
	return at
}

// Eight users, 0.2 s of service, 80 requests: 2.0 s, 40 requests/s and never
// more than 8 in flight.
func TestAClosedLoopOfEight(t *testing.T) {
	s := collect(t, metrics.Facts{Load: loadgen.Load{Users: 8}}, closed(8, 10, 200*ms, 0)...)
	if got := value(t, s, "request_throughput"); !near(got, 40) {
		t.Errorf("request throughput %g, want 40", got)
	}
	if got := s.Metric("effective_concurrency").Stats; got.Max != 8 || !near(got.Avg, 8) {
		t.Errorf("concurrency %+v, want 8 throughout", *got)
	}
	if got := s.Whole; !near(got.InFlight, 8) || !near(got.Little.RateTimesFlight, 8) || !near(got.Little.Ratio, 1) {
		t.Errorf("Little's law: %+v", *got.Little)
	}
	if s.Steady == nil {
		t.Fatalf("no steady state: %s", s.NoSteady)
	}
	// The last requests are sent at 1.8 s: that is where the window ends, just
	// before each user's 90th token.
	if want := 8 * 89 / 1.8; s.Steady.From != 0 || !near(s.Steady.To, 1.8) || !near(*s.Steady.TokenThroughput, want) || !near(s.Steady.InFlight, 8) {
		t.Errorf("steady state %+v with %g tokens/s, want 0 to 1.8 s with %g", *s.Steady, *s.Steady.TokenThroughput, want)
	}
}

// Ten users that start 0.5 s apart, each with 30 requests of 1 s: from 4.5 s,
// when the last has started, until 29 s, when the first sends its last, ten are
// in flight and yield 100 tokens/s. The whole run, ramp and drain included, has
// less. Tokens of requests that reach over the edge count by when they came.
func TestThroughputDoesNotChangeWhenRampAndDrainAreTrimmed(t *testing.T) {
	s := collect(t, metrics.Facts{Load: loadgen.Load{Users: 10}}, closed(10, 30, time.Second, 500*ms)...)
	if s.Steady == nil {
		t.Fatalf("no steady state: %s", s.NoSteady)
	}
	if s.Steady.From != 4.5 || s.Steady.To < 29 {
		t.Errorf("steady from %g to %g s, want 4.5 to at least 29", s.Steady.From, s.Steady.To)
	}
	if got := *s.Steady.TokenThroughput; math.Abs(got-100) > 2 {
		t.Errorf("%g tokens/s in the steady state, want 100", got)
	}
	if got := *s.Whole.TokenThroughput; !near(got, 3000/34.5) {
		t.Errorf("%g tokens/s in the whole run, want %g", got, 3000/34.5)
	}
	if got := s.Steady.Little.Ratio; math.Abs(got-1) > 0.05 {
		t.Errorf("Little's ratio %g", got)
	}
	if len(s.Means) == 0 || s.Means[0].Tag != "request_latency" || !near(s.Means[0].Mean, 1000) {
		t.Errorf("means %+v", s.Means)
	}
}

func TestARunWithoutSteadyStateSaysWhy(t *testing.T) {
	var overloaded []*loadgen.Record // latency grows with every request
	for i := range 200 {
		overloaded = append(overloaded, with(streamed(time.Duration(i)*20*ms, evenly(100*ms+time.Duration(i)*10*ms, 5)...), 5))
	}
	for _, row := range []struct {
		name    string
		records []*loadgen.Record
		want    string
	}{
		{"nothing ended", nil, "no request ended"},
		{"all sent at once", closed(8, 1, 200*ms, 0), "no new requests"},
		{"too few", closed(1, 5, 200*ms, 0), "only 3 requests"},
		{"long requests", closed(50, 2, 10*time.Second, 100*ms), "less than two request latencies"},
		{"a queue that grows", overloaded, "request latency grew"},
	} {
		s := collect(t, metrics.Facts{}, row.records...)
		if s.Steady != nil || !strings.Contains(s.NoSteady, row.want) {
			t.Errorf("%s: %+v, %q; want %q", row.name, s.Steady, s.NoSteady, row.want)
		}
	}
}

// An open loop of 10/s: while the server is empty requests wait for 20 ms, from the
// twentieth on for 300 and 500 in turn. Of all sixty the median waits for 300 ms,
// of those in the steady state for what lies between.
func TestTheFirstSecondsOfAnEmptyServerAreTold(t *testing.T) {
	var records []*loadgen.Record
	for i := range 60 {
		wait := 20 * ms
		if i >= 20 {
			wait = time.Duration(300+200*(i%2)) * ms
		}
		records = append(records, with(streamed(time.Duration(i)*100*ms, wait, wait+80*ms), 2))
	}
	for name, row := range map[string]struct {
		load loadgen.Load
		told bool
	}{
		"an open loop": {loadgen.Load{Mode: loadgen.OpenLoop, Rate: 10}, true},
		"a trace":      {loadgen.Load{Mode: loadgen.FixedSchedule}, true},
		"users":        {loadgen.Load{Users: 6}, false},
	} {
		s := collect(t, metrics.Facts{Load: row.load}, records...)
		told := slices.ContainsFunc(s.Validity.Notes, func(n string) bool {
			return strings.HasPrefix(n, "the first 2.3") && strings.Contains(n, "p50 and p99 of TTFT are 300 and 500 ms, and ")
		})
		if told != row.told {
			t.Errorf("%s: notes %q, steady %+v", name, s.Validity.Notes, s.Steady)
		}
	}
}

// A run of ten minutes outgrows the bins of 10 ms several times over; what they
// hold stays the same.
func TestALongRunKeepsItsFigures(t *testing.T) {
	s := collect(t, metrics.Facts{Load: loadgen.Load{Users: 4}}, closed(4, 600, time.Second, 0)...)
	if s.Steady == nil {
		t.Fatalf("no steady state: %s", s.NoSteady)
	}
	if !near(s.Whole.InFlight, 4) || !near(*s.Whole.TokenThroughput, 40) || math.Abs(*s.Steady.TokenThroughput-40) > 0.1 {
		t.Errorf("in flight %g, %g and %g tokens/s; want 4, 40, 40", s.Whole.InFlight, *s.Whole.TokenThroughput, *s.Steady.TokenThroughput)
	}
}
