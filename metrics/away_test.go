package metrics_test

import (
	"strings"
	"testing"
	"time"

	"loadgen"
	"loadgen/metrics"
)

// Four users whose requests take 200 ms. Two of them are refused each
// time, and stay away for the 1.8 s that they are asked to: for 90 % of their time,
// or 45 % of that of all.
func refused(duration time.Duration, refuse bool) []*loadgen.Record {
	var records []*loadgen.Record
	for user := range 4 {
		for at := time.Duration(0); at < duration; {
			r := with(streamed(at, 100*ms, 200*ms), 2)
			if at += 200 * ms; user < 2 && refuse {
				r = failed(r.Sent, 200*ms, loadgen.FailRateLimited)
				r.Failure.RetryAfter = 1800 * ms
			}
			if user < 2 {
				at += 1800 * ms
			}
			r.Worker, r.Index = user, len(records)
			records = append(records, r)
		}
	}
	return records
}

func TestUsersWhoStayAwayAsToldAreNotMissing(t *testing.T) {
	for _, row := range []struct {
		name    string
		refuse  bool
		lack    float64
		noted   bool
		verdict metrics.Verdict // of the sign
	}{
		{name: "refused with a Retry-After", refuse: true, lack: 0, noted: true, verdict: metrics.Valid},
		{name: "away for no reason", lack: 0.45, verdict: metrics.Invalid},
	} {
		const duration = 20 * time.Second
		records := refused(duration, row.refuse)
		facts := metrics.Facts{Load: loadgen.Load{Users: 4}}
		v := judged(t, facts, loadgen.Outcome{StoppedAt: duration, MaxFlight: 4}, healthy(), loadgen.Transport{}, records...).Validity
		for _, s := range v.Signs {
			if s.Name == "in_flight_shortfall" && (s.Verdict != row.verdict || s.Value < row.lack-0.02 || s.Value > row.lack+0.02) {
				t.Errorf("%s: a lack of %.3f, %s; want %g", row.name, s.Value, s.Verdict, row.lack)
			}
		}
		notes := strings.Join(v.Notes, "\n")
		if strings.Contains(notes, "users stayed away for 45 % of their time after failures") != row.noted || strings.Contains(notes, "of 4 no more than 2.2 ") != row.noted {
			t.Errorf("%s: notes %q", row.name, v.Notes)
		}
	}
}

// A user that failed in the warm-up, whose clock is another, is away from the epoch
// on until its first measured request, and one that never comes back until the
// end: of ten seconds and two users four and five.
func TestUsersMayBeAwayFromTheBeginningAndUntilTheEnd(t *testing.T) {
	warm := failed(3*time.Second, 100*ms, loadgen.FailHTTP5xx)
	warm.Phase = loadgen.Warmup
	records := []*loadgen.Record{warm}
	add := func(user int, r *loadgen.Record) {
		r.Worker = user
		records = append(records, r)
	}
	for at := 4 * time.Second; at < 10*time.Second; at += time.Second {
		add(0, with(streamed(at, 500*ms, time.Second), 2))
	}
	for at := time.Duration(0); at < 5*time.Second; at += time.Second {
		if at < 4*time.Second {
			add(1, with(streamed(at, 500*ms, time.Second), 2))
		} else {
			add(1, failed(at, time.Second, loadgen.FailHTTP5xx))
		}
	}
	facts := metrics.Facts{Load: loadgen.Load{Users: 2}}
	v := judged(t, facts, loadgen.Outcome{StoppedAt: 10 * time.Second, MaxFlight: 2}, healthy(), loadgen.Transport{}, records...).Validity
	if want := "users stayed away for 45 % of their time"; !strings.Contains(strings.Join(v.Notes, "\n"), want) {
		t.Errorf("notes %q, want %q", v.Notes, want)
	}
}
