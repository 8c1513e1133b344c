package metrics_test

import (
	"strings"
	"testing"
	"time"

	"loadgen"
	"loadgen/metrics"
)

// hung is a closed loop of four users, 20 s long, whose endpoint stops for good
// after 1.4 s: 65 ms a request until then, and four that the grace period cut off.
func hung(how loadgen.FailureKind) []*loadgen.Record {
	records := closed(4, 21, 65*ms, 0)
	for range 4 {
		records = append(records, failed(21*65*ms, 21*time.Second, how))
	}
	return records
}

// refusedAfter is an open loop of 12 requests/s whose endpoint is dead from the
// 33rd on.
func refusedAfter(kind loadgen.FailureKind) []*loadgen.Record {
	var records []*loadgen.Record
	for i := range 236 {
		sent := time.Duration(i) * time.Second / 12
		if i < 33 {
			records = append(records, with(streamed(sent, evenly(100*ms, 5)...), 5))
		} else {
			records = append(records, failed(sent, time.Second, kind))
		}
	}
	return records
}

func TestARunThatEndsBadlyIsNotValid(t *testing.T) {
	closedLoop := metrics.Facts{Load: loadgen.Load{Users: 4}}
	openLoop := metrics.Facts{Load: loadgen.Load{Mode: loadgen.OpenLoop, Rate: 12}}
	twenty := loadgen.Outcome{StoppedAt: 20 * time.Second}
	for _, row := range []struct {
		name    string
		facts   metrics.Facts
		outcome loadgen.Outcome
		records []*loadgen.Record
		want    metrics.Verdict
		reason  string // among the reasons
	}{
		{"nothing was sent", openLoop, loadgen.Outcome{StoppedAt: time.Second}, nil, metrics.Invalid, "nothing_measured"},
		{"nothing was sent before the user ended it", closedLoop, loadgen.Outcome{Cancelled: true}, nil, metrics.Invalid, "nothing_measured"},
		{"nothing succeeded", closedLoop, twenty, []*loadgen.Record{failed(0, ms, loadgen.FailHTTP5xx)}, metrics.Invalid, "nothing_measured"},
		{"nothing finished", closedLoop, twenty, []*loadgen.Record{failed(0, ms, loadgen.FailCancelled)}, metrics.Invalid, "nothing_measured"},
		{"nothing was kept", closedLoop, loadgen.Outcome{Issued: 9}, nil, metrics.Invalid, "lost"},
		{"an endpoint that hangs, until the grace period is over", closedLoop, twenty, hung(loadgen.FailCancelled), metrics.Invalid, "overstated_rate"},
		{"an endpoint that hangs, until requests time out", closedLoop, twenty, hung(loadgen.FailTimeout), metrics.Invalid, "overstated_rate"},
		{"an endpoint that dies under an open loop", openLoop, twenty, refusedAfter(loadgen.FailConnect), metrics.Invalid, "failed"},
		{"an endpoint that hangs under an open loop", openLoop, twenty, refusedAfter(loadgen.FailCancelled), metrics.Invalid, "cancelled"},
		{
			"one in ten fails",
			metrics.Facts{Load: loadgen.Load{Users: 10}},
			loadgen.Outcome{},
			steadyRun(func(i int, r *loadgen.Record) {
				if i%10 == 0 {
					r.Failure = &loadgen.Failure{Kind: loadgen.FailHTTP5xx}
				}
			}), metrics.Degraded, "failed",
		},
		{
			"a disk that is full",
			metrics.Facts{Load: loadgen.Load{Users: 10}},
			loadgen.Outcome{Cut: "no space left"},
			steadyRun(nil), metrics.Degraded, "cut_short",
		},
		{
			"descriptors of this process ran out",
			metrics.Facts{Load: loadgen.Load{Users: 10}},
			loadgen.Outcome{},
			steadyRun(func(i int, r *loadgen.Record) {
				if i%5 == 0 {
					r.Failure = &loadgen.Failure{Kind: loadgen.FailLocal}
				}
			}), metrics.Invalid, "local_failures",
		},
	} {
		v := judged(t, row.facts, row.outcome, healthy(), loadgen.Transport{}, row.records...).Validity
		if v.Verdict != row.want || !has(v, row.reason) {
			t.Errorf("%s: %s by %v, want %s by %s", row.name, v.Verdict, names(v.Reasons), row.want, row.reason)
		}
	}
}

func names(signs []metrics.Sign) []string {
	var names []string
	for _, s := range signs {
		names = append(names, s.Name)
	}
	return names
}

func has(v metrics.Validity, reason string) bool {
	for _, s := range v.Reasons {
		if s.Name == reason {
			return true
		}
	}
	return false
}

// 84 requests in 1.365 s, and none in the 18.635 s after.
func TestAHeadlineThatTheRunContradictsStandsBesideTheRunsOwn(t *testing.T) {
	s := judged(t, metrics.Facts{Load: loadgen.Load{Users: 4}}, loadgen.Outcome{StoppedAt: 20 * time.Second}, healthy(), loadgen.Transport{}, hung(loadgen.FailCancelled)...)
	if got := value(t, s, "request_throughput"); !near(got, 84/1.365) {
		t.Errorf("AIPerf's rule gives %g, want %g", got, 84/1.365)
	}
	if got := s.Loaded.RequestThroughput; !near(got, 4.2) {
		t.Errorf("%g requests/s under load, want 4.2", got)
	}
	for _, r := range s.Validity.Reasons {
		if r.Name == "overstated_rate" && !strings.Contains(r.Text, "61.5 requests/s") {
			t.Errorf("reason: %s", r.Text)
		}
	}
}

func TestFewFailuresAreANote(t *testing.T) {
	s := collect(t, metrics.Facts{Load: loadgen.Load{Users: 10}}, steadyRun(func(i int, r *loadgen.Record) {
		if i == 250 {
			r.Failure = &loadgen.Failure{Kind: loadgen.FailHTTP5xx}
		}
	})...)
	if s.Validity.Verdict != metrics.Valid || len(s.Validity.Notes) != 1 || s.Validity.Notes[0] != "1 of 500 requests failed" {
		t.Errorf("%s, notes %q", s.Validity.Verdict, s.Validity.Notes)
	}
}
