package load_test

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"loadgen"
	"loadgen/load"
)

const ms = time.Millisecond

// crossed runs a warm-up and a measurement without a gap, and returns what was
// sent in each, in milliseconds of the measurement, in order: user@sent.
func crossed(t *testing.T, d *load.Driver, warm, measured load.Plan) (out loadgen.Outcome, before, after string) {
	t.Helper()
	k := &kept{}
	d.Emit = k.emit
	warm.Phase = loadgen.Warmup
	out, err := d.RunOn(t.Context(), load.Stage{Plan: warm, Feed: endless(t, 1, 0)}, load.Stage{Plan: measured, Feed: endless(t, 1, 0)})
	if err != nil {
		t.Fatal(err)
	}
	slices.SortStableFunc(k.records, func(a, b loadgen.Record) int {
		return cmp.Or(cmp.Compare(a.Sent, b.Sent), cmp.Compare(a.Worker, b.Worker))
	})
	var crossing, sent []string
	for _, r := range k.records {
		text := fmt.Sprintf("%d@%d", r.Worker, r.Sent.Milliseconds())
		switch {
		case r.Crossing:
			crossing = append(crossing, fmt.Sprintf("%s–%d", text, r.Ended.Milliseconds()))
		case r.Phase == loadgen.Profiling:
			sent = append(sent, text)
			if r.Lag() != r.Held {
				t.Errorf("request %s was due at %v: %v of its lag is not the ceiling's", text, r.Due, r.Lag()-r.Held)
			}
		}
	}
	if len(crossing) != out.Crossing {
		t.Errorf("%d requests crossed, the outcome says %d", len(crossing), out.Crossing)
	}
	return out, strings.Join(crossing, " "), strings.Join(sent, " ")
}

// TestTheMeasurementGoesOnFromTheWarmUp has four users who start 100 ms apart at
// an endpoint that takes 310 ms: they send at 0, 100, 200, 300, 310, 410, 510,
// 610, 620 … ms. The clock starts when the sixth request is wanted, or by time.
func TestTheMeasurementGoesOnFromTheWarmUp(t *testing.T) {
	for _, row := range []struct {
		name           string
		warm           load.Plan
		crossing, sent string
		elapsed        time.Duration
	}{
		{"after so many requests", load.Plan{Requests: 5}, "2@-210–100 3@-110–200 0@-100–210", "1@0 2@100 3@200 0@210 1@310", 620 * ms},
		{"after so long", load.Plan{Duration: 450 * ms}, "2@-250–60 3@-150–160 0@-140–170 1@-40–270", "2@60 3@160 0@170 1@270 2@370", 680 * ms},
		{"whatever comes first", load.Plan{Duration: time.Hour, Requests: 5}, "2@-210–100 3@-110–200 0@-100–210", "1@0 2@100 3@200 0@210 1@310", 620 * ms},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				row.warm.Concurrency, row.warm.ConcurrencyRamp = 4, 400*ms
				measured := load.Plan{Concurrency: 4, ConcurrencyRamp: 400 * ms, Duration: 400 * ms, Grace: time.Minute}
				out, crossing, sent := crossed(t, &load.Driver{Sender: &service{takes: 310 * ms}}, row.warm, measured)
				if crossing != row.crossing || sent != row.sent {
					t.Errorf("crossing %s, sent %s; want %s, %s", crossing, sent, row.crossing, row.sent)
				}
				if out.Issued != 5 || out.MaxFlight != 4 || out.FirstWave != 0 || out.Elapsed != row.elapsed || out.StoppedAt != 400*ms {
					t.Errorf("got %+v; want 5 issued, 4 in flight, none new, over at %v", out, row.elapsed)
				}
			})
		})
	}
}

// TestAScheduleGoesOnFromTheWarmUp sends every 100 ms what takes 240 ms.
func TestAScheduleGoesOnFromTheWarmUp(t *testing.T) {
	for _, row := range []struct {
		name           string
		warm           load.Plan
		crossing, sent string
	}{
		// The sixth is due at 500 ms: the clock starts then.
		{"after so many requests", load.Plan{Requests: 5}, "-200–40 -100–140", "0 100 200 300 400"},
		{"after so long", load.Plan{Duration: 450 * ms}, "-150–90 -50–190", "50 150 250 350 450"},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				row.warm.Schedule = load.Arrival{Rate: 10}.Schedule()
				measured := load.Plan{Schedule: row.warm.Schedule, Resume: true, Duration: 460 * ms, Grace: time.Minute}
				out, crossing, sent := crossed(t, &load.Driver{Sender: &service{takes: 240 * ms}}, row.warm, measured)
				bare := func(text string) string { // without who it was
					var words []string
					for _, w := range strings.Fields(text) {
						_, at, _ := strings.Cut(w, "@")
						words = append(words, at)
					}
					return strings.Join(words, " ")
				}
				if crossing, sent = bare(crossing), bare(sent); crossing != row.crossing || sent != row.sent || out.Missed != 0 {
					t.Errorf("crossing %s, sent %s, %d missed; want %s, %s", crossing, sent, out.Missed, row.crossing, row.sent)
				}
			})
		})
	}
}

// TestWhatCrossesCountsUnderTheCeiling has three users whose requests take a
// second, and half a second later a schedule of ten a second for 600 ms.
func TestWhatCrossesCountsUnderTheCeiling(t *testing.T) {
	for _, row := range []struct {
		name    string
		ceiling int
		sent    string
		missed  int
	}{
		// One may be sent at once; the next three when the users' are over.
		{"with room for one more", 4, "0@0 0@500 1@500 2@500", 2},
		// Two of the three give their place.
		{"with fewer places than there are", 2, "0@500 1@500", 4},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				warm := load.Plan{Concurrency: 3, Duration: 500 * ms}
				measured := load.Plan{
					Schedule: load.Arrival{Rate: 10}.Schedule(), Concurrency: row.ceiling, Duration: 600 * ms, Grace: time.Minute,
				}
				out, crossing, sent := crossed(t, &load.Driver{Sender: &service{takes: time.Second}}, warm, measured)
				when := func(text string) (at []string) {
					for _, w := range strings.Fields(text) {
						_, ms, _ := strings.Cut(w, "@")
						at = append(at, ms)
					}
					return at
				}
				if crossing != "0@-500–500 1@-500–500 2@-500–500" || !slices.Equal(when(sent), when(row.sent)) || out.Missed != row.missed {
					t.Errorf("crossing %s, sent %s, %d missed; want sent %s, %d missed", crossing, sent, out.Missed, row.sent, row.missed)
				}
				if out.MaxFlight != max(row.ceiling, 3) {
					t.Errorf("%d in flight, want %d", out.MaxFlight, max(row.ceiling, 3))
				}
			})
		})
	}
}

// TestTheMeasurementMayHaveOtherUsers has requests that take 300 ms and a clock
// that starts 200 ms after the users of the warm-up.
func TestTheMeasurementMayHaveOtherUsers(t *testing.T) {
	for _, row := range []struct {
		name           string
		warm, measured int
		sent           string
		wave           int
	}{
		{"more", 1, 3, "1@0 2@0 0@100 1@300 2@300", 2},
		{"fewer", 3, 1, "0@100", 0},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				warm := load.Plan{Concurrency: row.warm, Duration: 200 * ms}
				measured := load.Plan{Concurrency: row.measured, Duration: 350 * ms, Grace: time.Minute}
				out, _, sent := crossed(t, &load.Driver{Sender: &service{takes: 300 * ms}}, warm, measured)
				if sent != row.sent || out.FirstWave != row.wave {
					t.Errorf("sent %s, %d of a first wave; want %s, %d", sent, out.FirstWave, row.sent, row.wave)
				}
			})
		})
	}
}

func TestUsersKeepTheirPaceIntoTheMeasurement(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		// They send at 0, 0.5, 1 … s, and the clock starts at 1.5 s.
		warm := load.Plan{Concurrency: 2, UserGap: time.Second, Stagger: true, Duration: 1500 * ms}
		measured := load.Plan{Concurrency: 2, UserGap: time.Second, Stagger: true, Duration: 1200 * ms, Grace: time.Minute}
		_, _, sent := crossed(t, &load.Driver{Sender: &service{takes: 10 * ms}}, warm, measured)
		if want := "1@0 0@500 1@1000"; sent != want {
			t.Errorf("sent %s, want %s", sent, want)
		}
	})
}

func TestAWarmUpThatIsStoppedMeasuresNothing(t *testing.T) {
	for name, plan := range map[string]load.Plan{
		"a closed loop": {Concurrency: 2, Requests: 100, Grace: time.Minute},
		"an open loop":  {Schedule: load.Arrival{Rate: 2}.Schedule(), Requests: 100, Grace: time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				stop, cancel := context.WithTimeout(t.Context(), 1200*ms)
				defer cancel()
				began := time.Now()
				out, _, sent := crossed(t, &load.Driver{Sender: &service{takes: time.Second}, Stop: stop}, plan, load.Plan{Concurrency: 2, Requests: 100})
				if !out.Cancelled || out.Issued != 0 || sent != "" || time.Since(began) > 2100*ms {
					t.Errorf("got %+v, sent %q after %v; want it cancelled and none measured", out, sent, time.Since(began))
				}
			})
		})
	}
}

// TestAWarmUpWhoseSessionsEndHandsOver has three sessions for two users.
func TestAWarmUpWhoseSessionsEndHandsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		made := 0
		three := feed(t, 8, func() (*loadgen.Session, error) {
			if made++; made > 3 {
				return nil, io.EOF
			}
			return &loadgen.Session{Index: made - 1, Turns: []*loadgen.Request{{}}}, nil
		})
		d := &load.Driver{Sender: &service{takes: time.Second}, Emit: (&kept{}).emit}
		out, err := d.RunOn(t.Context(),
			load.Stage{Plan: load.Plan{Phase: loadgen.Warmup, Concurrency: 2, Requests: 100}, Feed: three},
			load.Stage{Plan: load.Plan{Concurrency: 2, Requests: 4}, Feed: endless(t, 1, 0)})
		// At 1 s one user takes the third, the other goes on to the measurement.
		if err != nil || out.Issued != 4 || out.Crossing != 1 || out.Elapsed != 3*time.Second {
			t.Errorf("got %+v, %v; want 4 issued, 1 crossing, in 3 s", out, err)
		}
	})
}

func TestStagesAreTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var told []string
		d := &load.Driver{Sender: &service{takes: time.Second}, Emit: (&kept{}).emit}
		tell := func(name string) func() {
			return func() { told = append(told, fmt.Sprintf("%s after %v, %d issued", name, d.Elapsed(), d.Issued())) }
		}
		_, err := d.RunOn(t.Context(),
			load.Stage{Plan: load.Plan{Concurrency: 1, Requests: 2}, Feed: endless(t, 1, 0), Begin: tell("warm-up")},
			load.Stage{Plan: load.Plan{Concurrency: 1, Requests: 2}, Feed: endless(t, 1, 0), Begin: tell("profiling")})
		if got := strings.Join(told, "; "); err != nil || !strings.HasPrefix(got, "warm-up after 0s, 0 issued; profiling after 0s") {
			t.Errorf("told %s, %v", got, err)
		}
	})
}

// TestAWarmUpThatEndsInTheMidstOfAConversationHandsOver has conversations of
// three turns, with half a second of thought, and four requests to warm up with.
func TestAWarmUpThatEndsInTheMidstOfAConversationHandsOver(t *testing.T) {
	for name, schedule := range map[string]load.Schedule{"a closed loop": nil, "an open loop": load.Arrival{Rate: 0.2}.Schedule()} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k := &kept{}
				d := &load.Driver{Sender: &service{takes: time.Second}, Emit: k.emit}
				plan := load.Plan{Schedule: schedule, Resume: schedule != nil, Concurrency: 1, Requests: 4}
				warm := plan
				warm.Phase, warm.Resume = loadgen.Warmup, false
				out, err := d.RunOn(t.Context(),
					load.Stage{Plan: warm, Feed: endless(t, 3, 500*ms)},
					load.Stage{Plan: plan, Feed: endless(t, 3, 500*ms)})
				if err != nil || out.Issued != 4 || len(k.records) != 8 || k.records[4].Request.Turn != 0 {
					t.Errorf("got %+v, %v, %d records; want 4 of each, the measured from a first turn on", out, err, len(k.records))
				}
			})
		})
	}
}
