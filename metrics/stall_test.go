package metrics_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"loadgen"
	"loadgen/metrics"
)

func TestStallsAreFound(t *testing.T) {
	quick := loop{users: 8, itl: ms, tokens: 11, duration: 15 * time.Second}
	long := loop{users: 8, prefill: 20 * ms, itl: 30 * ms, tokens: 200, spread: 0.3, duration: 60 * time.Second}
	still := func(l loop, from, to time.Duration) loop {
		l.still = [2]time.Duration{from, to}
		return l
	}
	unstreamed := still(quick, 5*time.Second, 7*time.Second)
	unstreamed.whole = true
	alone := still(quick, 5*time.Second, 7*time.Second)
	alone.users = 1
	for _, row := range []struct {
		name    string
		loop    loop
		from    float64
		length  float64 // 0 for no stall
		verdict metrics.Verdict
	}{
		{"two seconds of fifteen", still(quick, 5*time.Second, 7*time.Second), 5, 2, metrics.Degraded},
		{"likewise, not streamed", unstreamed, 5, 2, metrics.Degraded},
		{"likewise, a single user", alone, 5, 2, metrics.Degraded},
		{"a short one in a long run is a note", still(loop{users: 8, itl: ms, tokens: 11, duration: 100 * time.Second}, 5*time.Second, 5400*ms), 5, 0.4, metrics.Valid},
		{"within answers that take longer than it", still(long, 20*time.Second, 22*time.Second), 20, 2, metrics.Degraded},
		{"a machine that is busy for a moment", still(quick, 5*time.Second, 5200*ms), 0, 0, metrics.Valid},
		{"none", quick, 0, 0, metrics.Valid},
	} {
		s := run(t, row.loop)
		if s.Validity.Verdict != row.verdict {
			t.Errorf("%s: %s %v, want %s", row.name, s.Validity.Verdict, names(s.Validity.Reasons), row.verdict)
		}
		switch {
		case row.length == 0 && s.Stalls != nil:
			t.Errorf("%s: found %+v", row.name, *s.Stalls)
		case row.length == 0:
		case s.Stalls == nil:
			t.Errorf("%s: not found", row.name)
		// The last token before and the first after it are a gap between tokens
		// away at most.
		case s.Stalls.Count != 1 || math.Abs(s.Stalls.From-row.from) > 0.031 || math.Abs(s.Stalls.Seconds-row.length) > 0.031:
			t.Errorf("%s: %+v, want %g s from %g on", row.name, *s.Stalls, row.length, row.from)
		case row.verdict == metrics.Valid && !strings.HasPrefix(s.Validity.Notes[0], "nothing came from the endpoint for 0.4"):
			t.Errorf("%s: notes %q", row.name, s.Validity.Notes)
		}
	}
}

// Eight users of 10 ms see 13 s of service: 10,400 requests, one each 11.5 ms per
// user, of which eight take 2 s. wrk2 adds 173 for each of these, spread evenly
// over the two seconds: 8 · 174 of 11,784 lie there. One in a hundred, 118, are
// the upper 118 / (8 · 174) of the two seconds: p99 is 2 s · (1 − 0.0847).
func TestAScheduleWouldHaveSeenTheStall(t *testing.T) {
	s := run(t, loop{users: 8, itl: ms, tokens: 11, duration: 15 * time.Second, still: [2]time.Duration{5 * time.Second, 7 * time.Second}})
	if s.Stalls == nil {
		t.Fatal("no stall")
	}
	if got := s.Stalls.LatencyP99; math.Abs(got-1831) > 12 { // one step of 11.5 ms
		t.Errorf("p99 estimate %g ms, want 1831", got)
	}
	if got := s.Metric("request_latency").Stats.P99; got > 11 {
		t.Errorf("p99 of the closed loop is %g ms, want its own 10", got)
	}
}

func TestWhatIsNoStallOfTheEndpoint(t *testing.T) {
	facts := metrics.Facts{Load: loadgen.Load{Users: 4}}
	paused := closed(4, 100, 10*ms, 0) // this process stood still for 2 s in the middle
	for _, r := range paused {
		if r.Over = r.Took; r.Sent >= 500*ms {
			r.Sent, r.Due, r.Ended = r.Sent+2*time.Second, r.Due+2*time.Second, r.Ended+2*time.Second
		} else if r.Ended == 500*ms {
			r.Ended += 2 * time.Second
		}
		r.Timing = loadgen.Kernel
	}
	refused := closed(4, 50, 10*ms, 0) // refused at once for 2 s
	for i := range 80 {
		refused = append(refused, failed(500*ms+time.Duration(i/4)*100*ms, ms, loadgen.FailHTTP5xx))
	}
	for _, r := range closed(4, 50, 10*ms, 0) {
		r.Sent, r.Due, r.Ended = r.Sent+2500*ms, r.Due+2500*ms, r.Ended+2500*ms
		refused = append(refused, r)
	}
	for name, records := range map[string][]*loadgen.Record{"a pause of this process": paused, "refusals": refused} {
		if s := collect(t, facts, records...); s.Stalls != nil {
			t.Errorf("%s: %+v", name, *s.Stalls)
		}
	}
}

func TestAHangIsAStallUntilTheEnd(t *testing.T) {
	for _, how := range []loadgen.FailureKind{loadgen.FailCancelled, loadgen.FailTimeout} {
		s := judged(t, metrics.Facts{Load: loadgen.Load{Users: 4}}, loadgen.Outcome{StoppedAt: 20 * time.Second}, healthy(), loadgen.Transport{}, hung(how)...)
		if s.Stalls == nil || !near(s.Stalls.From, 1.365) || !near(s.Stalls.To, 20) || !has(s.Validity, "stall") {
			t.Errorf("%s: %+v", how, s.Stalls)
		}
	}
}
