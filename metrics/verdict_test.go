package metrics_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"loadgen"
	"loadgen/metrics"
)

// closedWith is a closed loop of ten users with a TTFT of a tenth of the
// latency, changed by f.
func closedWith(latency time.Duration, f func(i int, r *loadgen.Record)) []*loadgen.Record {
	records := closed(10, 50, latency, 0)
	for i, r := range records {
		r.Timing, r.Reads, r.Over = loadgen.Kernel, len(r.Chunks), r.Took
		r.FirstDelay, r.MeanDelay, r.ReaderDelay = 50*time.Microsecond, 50*time.Microsecond, 50*time.Microsecond
		if f != nil {
			f(i, r)
		}
	}
	return records
}

// steadyRun is a closed loop of ten users with a TTFT of 20 ms and a latency
// of 200 ms, changed by f.
func steadyRun(f func(i int, r *loadgen.Record)) []*loadgen.Record { return closedWith(200*ms, f) }

// shift moves all of a reply.
func shift(r *loadgen.Record, by time.Duration) {
	for i := range r.Chunks {
		r.Chunks[i].At += by
	}
	r.Took, r.Over = r.Took+by, r.Over+by
}

func TestVerdicts(t *testing.T) {
	closedLoop := metrics.Facts{Load: loadgen.Load{Users: 10}}
	openLoop := metrics.Facts{Load: loadgen.Load{Mode: loadgen.OpenLoop, Ceiling: 10, Rate: 50}}
	delayed := func(d time.Duration) func(int, *loadgen.Record) {
		return func(_ int, r *loadgen.Record) { r.FirstDelay, r.MeanDelay, r.ReaderDelay = d, d, d }
	}
	lax := map[string]float64{"lag_p50": 1000, "lag_p99": 1000}
	inThrees := func(late time.Duration) func(int, *loadgen.Record) {
		return func(_ int, r *loadgen.Record) {
			r.Reads, r.MeanDelay = 4, late
			for i := range r.Chunks {
				r.Chunks[i].Merged = i%3 > 0
			}
		}
	}
	cancelled := func(every int) func(int, *loadgen.Record) {
		return func(i int, r *loadgen.Record) {
			if i%every == 0 {
				r.Failure = &loadgen.Failure{Kind: loadgen.FailCancelled}
			}
		}
	}
	lagging := func(lag, held time.Duration) func(int, *loadgen.Record) {
		return func(_ int, r *loadgen.Record) { r.Due, r.Held = r.Sent-lag, held }
	}
	for _, row := range []struct {
		name    string
		facts   metrics.Facts
		records []*loadgen.Record
		health  func(*loadgen.Health)
		outcome loadgen.Outcome
		dials   loadgen.Transport
		want    metrics.Verdict
		reason  string // name of the first
	}{
		{name: "a quiet machine", facts: closedLoop, records: steadyRun(nil), want: metrics.Valid},
		{
			name: "a healthy generator on a busy machine of two CPUs", facts: closedLoop, records: steadyRun(delayed(4 * ms)),
			health: func(h *loadgen.Health) {
				h.MachineBusy, h.ProcessCPU, h.SchedLatency.P99, h.GCPause.P99 = 1, 14*time.Second, 8e-3, 5e-3
			}, want: metrics.Valid,
		},
		{
			name: "GOMAXPROCS=1 and no CPU to spare", facts: closedLoop, records: steadyRun(delayed(15 * ms)),
			health: func(h *loadgen.Health) { h.GOMAXPROCS, h.ProcessCPU = 1, 9900*ms }, want: metrics.Invalid, reason: "process_cpu",
		},
		{
			name: "a quota of a tenth of a CPU", facts: closedLoop, records: steadyRun(delayed(85 * ms)),
			health: func(h *loadgen.Health) { h.CPUQuota, h.ProcessCPU, h.Throttled = 0.1, time.Second, 8*time.Second },
			want:   metrics.Invalid, reason: "reader_delay_p50",
		},
		{name: "first tokens read later than a quarter of the TTFT", facts: closedLoop, records: steadyRun(delayed(8 * ms)), want: metrics.Degraded, reason: "reader_delay_p50"},
		{
			name: "one late read in a stream", facts: closedLoop,
			records: steadyRun(func(_ int, r *loadgen.Record) { r.ReaderDelay, r.MeanDelay = 60*ms, 3*ms }), want: metrics.Valid,
		},
		{
			name: "a little more than the noise, on a server that is quick", facts: closedLoop,
			records: closedWith(10*ms, delayed(2100*time.Microsecond)), want: metrics.Valid,
		},
		{name: "too few requests to condemn", facts: closedLoop, records: steadyRun(delayed(85 * ms))[:9], want: metrics.Degraded, reason: "reader_delay_p50"},
		{name: "too few requests for a tail", facts: closedLoop, records: steadyRun(func(i int, r *loadgen.Record) {
			if i < 2 {
				r.FirstDelay = 90 * ms
			}
		})[:99], want: metrics.Degraded, reason: "reader_delay_p99"},
		{name: "sent late by more than half of the TTFT", facts: openLoop, records: steadyRun(lagging(13*ms, 0)), want: metrics.Invalid, reason: "lag_p50"},
		{
			name: "written late by a fifth of the TTFT", facts: closedLoop,
			records: steadyRun(func(_ int, r *loadgen.Record) { r.Conn.Wrote, r.Head = 4*ms, 18*ms }),
			want:    metrics.Degraded, reason: "send_delay_p50",
		},
		{
			name: "written late because it connected first", facts: closedLoop,
			records: steadyRun(func(_ int, r *loadgen.Record) { r.Conn.Dial, r.Conn.Wrote, r.Head = 4*ms, 4*ms, 18*ms }),
			want:    metrics.Degraded, reason: "send_delay_p50",
		},
		{
			// 2 of 100: the p99 of 20 ms is 4 ms above the 16 of all others.
			name: "one in fifty that connected first", facts: closedLoop,
			records: steadyRun(func(i int, r *loadgen.Record) {
				if i%50 == 0 {
					r.Conn.Dial, r.Conn.TLS, r.Conn.Wrote = 2*ms, 2*ms, 4*ms
				} else {
					shift(r, -4*ms)
				}
			}), want: metrics.Degraded, reason: "send_delay_p99",
		},
		{
			name: "one in fifty that connected first, and was quick then", facts: closedLoop,
			records: steadyRun(func(i int, r *loadgen.Record) {
				if i%50 == 0 {
					r.Conn.Dial, r.Conn.Wrote = 4*ms, 4*ms
				}
			}), want: metrics.Valid,
		},
		{
			// Five of 100 replies in one read: 20 ms become 200, the nine gaps of
			// 20 ms later.
			name: "one in twenty whose first output waited for the rest", facts: closedLoop,
			records: steadyRun(func(i int, r *loadgen.Record) {
				if i%20 == 0 {
					r.Reads, r.MergedReads, r.FirstDelay = 1, 1, 15*ms
					for k := range r.Chunks {
						r.Chunks[k] = loadgen.Chunk{At: r.Took, Merged: k > 0}
					}
				}
			}), want: metrics.Degraded, reason: "ttft_excess_p99",
		},
		{
			name: "one in twenty that the server sent at once", facts: closedLoop,
			records: steadyRun(func(i int, r *loadgen.Record) {
				if i%20 == 0 {
					r.Reads, r.MergedReads = 1, 1
					for k := range r.Chunks {
						r.Chunks[k] = loadgen.Chunk{At: r.Took, Merged: k > 0}
					}
				}
			}), want: metrics.Valid,
		},
		{name: "late, but within the noise", facts: openLoop, records: steadyRun(lagging(2*ms, 0)), want: metrics.Valid},
		{name: "late because of the ceiling", facts: openLoop, records: steadyRun(lagging(500*ms, 499*ms)), want: metrics.Valid},
		{name: "late because of both", facts: openLoop, records: steadyRun(lagging(500*ms, 400*ms)), want: metrics.Invalid, reason: "lag_p50"},
		{name: "a tenth of the schedule missed", facts: metrics.Facts{Load: loadgen.Load{Mode: loadgen.OpenLoop, Rate: 50}}, records: steadyRun(lagging(0, 0)), outcome: loadgen.Outcome{Missed: 100}, want: metrics.Invalid, reason: "missed"},
		{
			name: "a stopped world", facts: closedLoop, records: steadyRun(nil),
			health: func(h *loadgen.Health) { h.GCPause.P99 = 0.15 }, want: metrics.Invalid, reason: "gc_pause_p99",
		},
		{
			name: "threads that come late", facts: closedLoop, records: steadyRun(nil),
			health: func(h *loadgen.Health) { h.SchedLatency.P99 = 0.05 }, want: metrics.Degraded, reason: "sched_latency_p99",
		},
		{
			name: "half of the users never in flight", facts: metrics.Facts{Load: loadgen.Load{Users: 20}}, records: steadyRun(nil),
			want: metrics.Invalid, reason: "in_flight_shortfall",
		},
		{
			name: "users that pause are not always in flight", facts: metrics.Facts{Load: loadgen.Load{Users: 20}, Paused: true}, records: steadyRun(nil),
			want: metrics.Valid,
		},
		{
			name: "bodies that were not ready", facts: openLoop, records: steadyRun(lagging(0, 0)),
			health: func(h *loadgen.Health) { h.Starved = 50 }, want: metrics.Invalid, reason: "starved",
		},
		{
			name: "answers that the server broke off", facts: closedLoop,
			records: steadyRun(func(i int, r *loadgen.Record) {
				if i%10 == 0 {
					r.FinishReason = ""
				}
			}),
			want: metrics.Degraded, reason: "unfinished",
		},
		{name: "dials that this machine could not make", facts: closedLoop, records: steadyRun(nil), dials: loadgen.Transport{DialErrors: 50, LocalDials: 50}, want: metrics.Degraded, reason: "dial_errors"},
		{name: "dials that the endpoint refused", facts: closedLoop, records: steadyRun(nil), dials: loadgen.Transport{DialErrors: 50}, want: metrics.Valid},
		{name: "a request without a record", facts: closedLoop, records: steadyRun(nil), outcome: loadgen.Outcome{Issued: 510}, want: metrics.Invalid, reason: "lost"},
		{
			name: "beyond what calibration could measure", facts: metrics.Facts{Load: loadgen.Load{Users: 10}, Ceiling: metrics.Ceiling{Chunks: 400}}, records: steadyRun(nil),
			want: metrics.Invalid, reason: "ceiling_chunks",
		},
		{
			name: "a calibration that went no further", facts: metrics.Facts{Load: loadgen.Load{Users: 10}, Ceiling: metrics.Ceiling{Streams: 5, StreamsOpen: true}}, records: steadyRun(nil),
			outcome: loadgen.Outcome{MaxFlight: 10}, want: metrics.Degraded, reason: "ceiling_streams",
		},
		{name: "chunks that came three at a time to a late reader", facts: closedLoop, records: steadyRun(inThrees(5 * ms)), want: metrics.Degraded, reason: "merged_chunks"},
		{name: "chunks that were sent three at a time", facts: closedLoop, records: steadyRun(inThrees(ms)), want: metrics.Valid},
		{
			// Every ten chunks of 2 ms each, half a chunk late by the newest of them.
			name: "a reader that comes once in ten chunks", facts: closedLoop,
			records: closedWith(20*ms, func(_ int, r *loadgen.Record) {
				r.Reads, r.MeanDelay = 2, ms
				for i := range r.Chunks {
					r.Chunks[i].Merged = i != 0 && i != 9
				}
			}), want: metrics.Degraded, reason: "merged_chunks",
		},
		{
			name: "tokens that queue up before the reader", facts: closedLoop,
			records: steadyRun(func(_ int, r *loadgen.Record) { r.MeanDelay = 23 * ms }), want: metrics.Invalid, reason: "reader_delay_itl", // tokens come each 20 ms
		},
		{
			name: "stamps by a reader that is late", facts: closedLoop, records: steadyRun(func(_ int, r *loadgen.Record) { r.Timing = loadgen.Reader }),
			health: func(h *loadgen.Health) { h.SchedLatency.P99 = 0.01 }, want: metrics.Degraded, reason: "sched_latency_ttft",
		},
		{
			name: "stamps by a reader that is later than the tokens", facts: closedLoop, records: steadyRun(func(_ int, r *loadgen.Record) { r.Timing = loadgen.Reader }),
			health: func(h *loadgen.Health) { h.SchedLatency.P99 = 0.05 }, want: metrics.Invalid, reason: "sched_latency_ttft",
		},
		{
			name: "users kept from sending for a fifth of the time", facts: closedLoop,
			records: steadyRun(func(_ int, r *loadgen.Record) { r.Over, r.Ended = r.Took, r.Sent+r.Took*5/4 }), want: metrics.Degraded, reason: "turnaround",
		},
		{
			name: "users kept from sending for more than half of the time", facts: closedLoop,
			records: steadyRun(func(_ int, r *loadgen.Record) { r.Over = r.Took * 9 / 20 }), want: metrics.Invalid, reason: "turnaround",
		},
		{
			name: "users that rest anyway", facts: metrics.Facts{Load: loadgen.Load{Users: 10}, Paused: true},
			records: steadyRun(func(_ int, r *loadgen.Record) { r.Over = r.Took / 2 }), want: metrics.Valid,
		},
		{
			name: "a trace below its ceiling", facts: metrics.Facts{Load: loadgen.Load{Mode: loadgen.FixedSchedule, Ceiling: 100}},
			records: steadyRun(lagging(0, 0)), want: metrics.Valid,
		},
		{
			name: "a trace of which slots were missed", facts: metrics.Facts{Load: loadgen.Load{Mode: loadgen.FixedSchedule}},
			records: steadyRun(lagging(0, 0)), outcome: loadgen.Outcome{Missed: 100}, want: metrics.Invalid, reason: "missed",
		},
		{
			name: "a schedule that took a fifth longer", facts: metrics.Facts{Load: loadgen.Load{Mode: loadgen.OpenLoop, Rate: 50}, Limits: lax},
			records: steadyRun(func(_ int, r *loadgen.Record) { r.Due = r.Sent * 5 / 6 }), want: metrics.Invalid, reason: "rate_shortfall",
		},
		{
			// A schedule of 117 ms, sent in 140: more than the tenth for INVALID, and too short for it.
			name: "a schedule that took a fifth longer, but is short", facts: metrics.Facts{Load: loadgen.Load{Mode: loadgen.FixedSchedule}, Limits: lax},
			records: closedWith(20*ms, func(_ int, r *loadgen.Record) { r.Due = r.Sent * 5 / 6 })[:80], want: metrics.Degraded, reason: "rate_shortfall",
		},
		{
			// 2.3 ms late at the end.
			name: "a schedule that ended a little late", facts: metrics.Facts{Load: loadgen.Load{Mode: loadgen.FixedSchedule}, Limits: lax},
			records: closedWith(20*ms, func(_ int, r *loadgen.Record) { r.Due = r.Sent * 59 / 60 })[:80], want: metrics.Valid,
		},
		{
			name: "a sixth of the conversations missed", facts: metrics.Facts{Load: loadgen.Load{Mode: loadgen.OpenLoop, Rate: 10}, Limits: lax},
			records: steadyRun(func(i int, r *loadgen.Record) { r.Due, r.Request = r.Sent, &loadgen.Request{Turn: i % 5} }),
			outcome: loadgen.Outcome{Missed: 20}, want: metrics.Invalid, reason: "missed",
		},
		{
			name: "too few requests to blame their turnaround", facts: closedLoop,
			records: steadyRun(func(_ int, r *loadgen.Record) { r.Over = r.Took * 9 / 20 })[:9], want: metrics.Degraded, reason: "turnaround",
		},
		{
			name: "a late reader, whose clock stamped next to nothing", facts: closedLoop,
			records: steadyRun(func(i int, r *loadgen.Record) {
				if i == 0 {
					r.Timing = loadgen.Reader
				}
			}), health: func(h *loadgen.Health) { h.SchedLatency.P99 = 0.05 }, want: metrics.Degraded, reason: "sched_latency_p99",
		},
		{
			name: "answers that were sent at once", facts: closedLoop,
			records: steadyRun(func(_ int, r *loadgen.Record) {
				r.Reads, r.MergedReads = 1, 1
				for i := range r.Chunks {
					r.Chunks[i] = loadgen.Chunk{At: r.Took, Merged: i > 0}
				}
			}), want: metrics.Valid,
		},
		{
			name: "chunks of few reads, below what calibration could measure", facts: metrics.Facts{Load: loadgen.Load{Users: 10}, Ceiling: metrics.Ceiling{Chunks: 400}},
			records: steadyRun(inThrees(ms)), want: metrics.Valid, // 500 chunks/s in 200 reads/s
		},
		{
			name: "chunks beyond a calibration that went no further", facts: metrics.Facts{Load: loadgen.Load{Users: 10}, Ceiling: metrics.Ceiling{Chunks: 400, StreamsOpen: true}},
			records: steadyRun(nil), want: metrics.Degraded, reason: "ceiling_chunks",
		},
		{
			name: "requests beyond what calibration could measure", facts: metrics.Facts{Load: loadgen.Load{Users: 10}, Ceiling: metrics.Ceiling{Requests: 40, StreamsOpen: true}},
			records: steadyRun(nil), want: metrics.Invalid, reason: "ceiling_requests",
		},
		{
			name: "requests beyond a calibration that went no further", facts: metrics.Facts{Load: loadgen.Load{Users: 10}, Ceiling: metrics.Ceiling{Requests: 40, RequestsOpen: true}},
			records: steadyRun(nil), want: metrics.Degraded, reason: "ceiling_requests",
		},
		{name: "answers that nobody waited for", facts: closedLoop, records: steadyRun(cancelled(1)), want: metrics.Invalid, reason: "nothing_measured"},
		{name: "a tenth cut off", facts: closedLoop, records: steadyRun(cancelled(10)), want: metrics.Degraded, reason: "cancelled"},
		{name: "a tenth cut off by the user", facts: closedLoop, records: steadyRun(cancelled(10)), outcome: loadgen.Outcome{Cancelled: true}, want: metrics.Valid},
		{
			name: "a short run that is mostly its beginning", facts: closedLoop, records: steadyRun(nil),
			health: func(h *loadgen.Health) { h.Wall, h.ProcessCPU = 100*ms, 199*ms }, want: metrics.Degraded, reason: "process_cpu",
		},
		{
			name: "a clock that stepped under kernel stamps", facts: closedLoop, records: steadyRun(nil),
			health: func(h *loadgen.Health) { h.ClockSteps = 1 }, want: metrics.Degraded, reason: "clock_steps",
		},
		{
			name: "an override that forgives", facts: metrics.Facts{Load: loadgen.Load{Users: 10}, Limits: map[string]float64{"reader_delay_p50": 100, "reader_delay_p99": 100, "reader_delay_itl": 100}},
			records: steadyRun(delayed(85 * ms)), want: metrics.Valid,
		},
		{
			name: "an override that does not", facts: metrics.Facts{Load: loadgen.Load{Users: 10}, Limits: map[string]float64{"noise_floor": 0, "reader_delay_p50": 0.001}},
			records: steadyRun(nil), want: metrics.Invalid, reason: "reader_delay_p50",
		},
		{name: "nothing but failures measures nothing", facts: closedLoop, records: []*loadgen.Record{failed(0, ms, loadgen.FailHTTP5xx)}, want: metrics.Invalid, reason: "nothing_measured"},
	} {
		t.Run(row.name, func(t *testing.T) {
			h := healthy()
			if row.health != nil {
				row.health(&h)
			}
			v := judged(t, row.facts, row.outcome, h, row.dials, row.records...).Validity
			if v.Verdict != row.want {
				t.Fatalf("%s, want %s: %+v", v.Verdict, row.want, v.Reasons)
			}
			if row.reason != "" && v.Reasons[0].Name != row.reason {
				t.Errorf("first reason %s, want %s", v.Reasons[0].Name, row.reason)
			}
		})
	}
}

func TestACeilingThatBindsIsNamed(t *testing.T) {
	s := collect(t, metrics.Facts{Load: loadgen.Load{Mode: loadgen.OpenLoop, Ceiling: 10, Rate: 50}}, steadyRun(func(_ int, r *loadgen.Record) {
		r.Due, r.Held = r.Sent-500*ms, 499*ms
	})...)
	if !s.Rate.CeilingBound || len(s.Validity.Notes) == 0 || !strings.HasPrefix(s.Validity.Notes[0], "ceiling bound: not an open loop") {
		t.Errorf("rate %+v, notes %q", *s.Rate, s.Validity.Notes)
	}
	if s.Lag.P50 != 500 || s.OwnLag.P50 != 1 {
		t.Errorf("lag %g ms, own %g ms; want 500 and 1", s.Lag.P50, s.OwnLag.P50)
	}
}

func TestWhatTheServerSendsTogetherIsANote(t *testing.T) {
	s := collect(t, metrics.Facts{Load: loadgen.Load{Users: 10}}, steadyRun(func(_ int, r *loadgen.Record) {
		for i := range r.Chunks {
			r.Chunks[i].Merged = i%2 > 0
		}
	})...)
	want := "the server sends several events at once: 50 % of the chunks came with the one before, and the gaps between them are no times between tokens"
	if !slices.Contains(s.Validity.Notes, want) {
		t.Errorf("notes %q lack %q", s.Validity.Notes, want)
	}
}

func TestTheCeilingIsOfOneEngine(t *testing.T) {
	facts := metrics.Facts{Load: loadgen.Load{Users: 10}, Ceiling: metrics.Ceiling{Streams: 5}}
	for _, tr := range []loadgen.Transport{{Engine: "raw", TLS: true}, {Engine: "std"}} {
		v := judged(t, facts, loadgen.Outcome{MaxFlight: 10}, healthy(), tr, steadyRun(nil)...).Validity
		if v.Verdict != metrics.Valid || len(v.Notes) != 1 {
			t.Errorf("%+v: %s, notes %q; want VALID and a note", tr, v.Verdict, v.Notes)
		}
	}
}

// Ten sessions of three turns at 2/s, behind a ramp of two others: neither these
// nor the later turns are part of the rate.
func TestTheRateIsThatOfSessions(t *testing.T) {
	var records []*loadgen.Record
	for i := range 12 {
		begins := time.Duration(i) * 500 * ms
		if i >= 2 {
			begins += 3 * time.Second
		}
		for turn := range 3 {
			r := with(streamed(begins+time.Duration(turn)*100*ms, 10*ms, 20*ms), 2)
			r.Due, r.Ramp, r.Request = r.Sent, i < 2, &loadgen.Request{Turn: turn}
			records = append(records, r)
		}
	}
	s := collect(t, metrics.Facts{Load: loadgen.Load{Mode: loadgen.OpenLoop, Rate: 2}}, records...)
	if s.Rate == nil || s.Rate.Asked != 2 || s.Rate.Achieved != 2 {
		t.Errorf("rate %+v, want 2 of 2", s.Rate)
	}
}

// Ten users send 50 requests/s in the steady run.
func TestUsersWhoCannotKeepTheirPaceAreNamed(t *testing.T) {
	for asked, want := range map[float64]bool{50: false, 52: false, 60: true} {
		s := collect(t, metrics.Facts{Load: loadgen.Load{Mode: loadgen.UserPaced, Users: 10, Rate: asked}, Paused: true}, steadyRun(nil)...)
		named := slices.ContainsFunc(s.Validity.Notes, func(n string) bool { return strings.HasPrefix(n, "users could not keep their pace") })
		if s.Rate == nil || s.Rate.Asked != asked || named != want || s.Validity.Verdict != metrics.Valid {
			t.Errorf("%g requests/s asked: rate %+v, notes %q", asked, s.Rate, s.Validity.Notes)
		}
	}
}

func TestTheCeilingIsThatOfTheHonestSteps(t *testing.T) {
	got := metrics.CeilingOf([]metrics.Step{
		{Streams: 64, Chunks: 3000, Requests: 40, Honest: true},
		{Streams: 128, Chunks: 6000, Requests: 80},
		{Streams: 96, Chunks: 4500, Requests: 60, Honest: true},
		{Chunks: 500, Requests: 500, Honest: true},
		{Chunks: 1000, Requests: 1000, Honest: true},
	})
	want := metrics.Ceiling{Streams: 96, Chunks: 4500, Requests: 1000, RequestsOpen: true}
	if got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}

func TestALimitMustNameAThreshold(t *testing.T) {
	for name, limit := range map[string]float64{"reader_delay": 1, "lag_p50": -1} {
		if _, err := metrics.NewCollector(metrics.Facts{Limits: map[string]float64{name: limit}}); err == nil {
			t.Errorf("%s: %g was accepted", name, limit)
		}
	}
}

// Of ten users three had been started when the run ended. Each of them sends
// three requests, or is still in flight from the warm-up.
func TestUsersWhoNeverStartedAreTold(t *testing.T) {
	for _, row := range []struct {
		started, crossing int
		users             int
		text              string
	}{
		{started: 3, users: 10, text: "only 3 of 10 users had started"},
		{started: 3, crossing: 5, users: 10, text: "only 8 of 10 users had started"},
		{started: 9, users: 10},
		{started: 1, crossing: 9, users: 10},
		{started: 3, users: 0}, // an open loop
	} {
		var records []*loadgen.Record
		for user := range row.started + row.crossing {
			for i := range 3 {
				r := with(streamed(time.Duration(i)*time.Second, 100*ms, time.Second), 2)
				if r.Worker = user; user >= row.started {
					r.Sent, r.Phase, r.Crossing = -time.Second/2, loadgen.Warmup, true
					r.Ended = r.Sent + r.Took
				}
				records = append(records, r)
			}
		}
		mode := loadgen.ClosedLoop
		if row.users == 0 {
			mode = loadgen.OpenLoop
		}
		facts := metrics.Facts{Paused: true, Load: loadgen.Load{Mode: mode, Users: row.users}}
		v := judged(t, facts, loadgen.Outcome{MaxFlight: 1}, healthy(), loadgen.Transport{}, records...).Validity
		text := ""
		for _, r := range v.Reasons {
			if r.Name == "unstarted" {
				text = r.Text
			}
		}
		if !strings.HasPrefix(text, row.text) || row.text == "" && text != "" {
			t.Errorf("%+v: %q", row, text)
		}
	}
}
