package load_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"loadgen"
	"loadgen/load"
)

// sends returns when each user sent, in milliseconds.
func (k *kept) sends() string {
	sent := map[int][]int64{}
	for _, r := range k.records {
		sent[r.Worker] = append(sent[r.Worker], r.Sent.Milliseconds())
	}
	return fmt.Sprint(sent)
}

// TestUsersStartOneAfterAnother has answers that take 900 ms. The first user is
// alone until one has come; the others follow 900·2/3 ms apart where the start
// is measured, and 900/3 in a warm-up. Either way their requests are then evenly
// apart, 300 ms.
func TestUsersStartOneAfterAnother(t *testing.T) {
	plan := load.Plan{Concurrency: 3, Stagger: true, Duration: 3500 * ms, Grace: time.Minute}
	synctest.Test(t, func(t *testing.T) {
		k := &kept{}
		d := &load.Driver{Sender: &service{takes: 900 * ms}, Emit: k.emit}
		out, _ := d.Run(t.Context(), plan, endless(t, 1, 0))
		if got, want := k.sends(), "map[0:[0 900 1800 2700] 1:[1500 2400 3300] 2:[2100 3000]]"; got != want || out.FirstWave != 3 {
			t.Errorf("sent %s, %d of the first wave; want %s and 3", got, out.FirstWave, want)
		}
		for _, r := range k.records {
			if first := r.Sent == 0 || r.Sent == 1500*ms || r.Sent == 2100*ms; r.First != first || r.Ramp != (r.Sent <= 2100*ms) || r.Lag() != 0 {
				t.Errorf("request at %v: first %t, ramp %t, lag %v", r.Sent, r.First, r.Ramp, r.Lag())
			}
		}
		// The next phase of the driver knows how long an answer takes.
		k.records = nil
		d.Run(t.Context(), plan, endless(t, 1, 0))
		if got, want := k.sends(), "map[0:[0 900 1800 2700] 1:[600 1500 2400 3300] 2:[1200 2100 3000]]"; got != want {
			t.Errorf("sent %s, want %s", got, want)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		warm := load.Plan{Concurrency: 3, Stagger: true, Duration: 2950 * ms}
		out, crossing, sent := crossed(t, &load.Driver{Sender: &service{takes: 900 * ms}}, warm, plan)
		// They start at 0, 1200 and 1500 ms.
		if want := "1@-850–50 2@-550–350 0@-250–650"; crossing != want || out.FirstWave != 0 {
			t.Errorf("crossing %s, %d of the first wave; want %s and none", crossing, out.FirstWave, want)
		}
		if want := "1@50 2@350 0@650 1@950 2@1250 0@1550 1@1850 2@2150 0@2450 1@2750 2@3050 0@3350"; sent != want {
			t.Errorf("sent %s, want %s", sent, want)
		}
	})
}

// TestUsersDoNotWaitForAnAnswerForEver has answers that take longer than any
// start: of four users one comes every 7.5 s.
func TestUsersDoNotWaitForAnAnswerForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := &kept{}
		d := &load.Driver{Sender: &service{takes: time.Hour}, Emit: k.emit}
		d.Run(t.Context(), load.Plan{Concurrency: 4, Stagger: true, Duration: time.Minute}, endless(t, 1, 0))
		if got, want := k.sends(), "map[0:[0] 1:[7500] 2:[15000] 3:[22500]]"; got != want {
			t.Errorf("sent %s, want %s", got, want)
		}
	})
}

// growing answers the first request in 300 ms and every other in 900.
type growing struct{ service }

func (g *growing) Send(_ context.Context, rec *loadgen.Record) {
	if g.sent.Add(1) == 1 {
		time.Sleep(300 * ms)
		return
	}
	time.Sleep(900 * ms)
}

// TestUsersFindTheirDistance has users who were spread over 300 ms, the latency
// of the first answer, when an answer takes 900: their second requests would be
// sent at 1200, 1300 and 1400 ms, and all later ones likewise close together.
// Those of one conversation rest for 300 ms before each turn.
func TestUsersFindTheirDistance(t *testing.T) {
	for name, c := range map[string]struct {
		turns int
		lasts time.Duration
		want  string
	}{
		// 0.9 · 900 / 3 = 270 ms apart from then on.
		"sessions of one request": {1, 2700 * ms, "map[0:[0 300 1200 2100] 1:[400 1470 2370] 2:[500 1740 2640]]"},
		// The mean rest grows towards 300 ms with each turn after the first request of
		// the last user, which had none: 150, 200, 225, 240, 250. So they come, from
		// 1600 ms on, 0.9 · (900 + 150) / 3 = 315 ms apart, 330, 337.5, 342 and 345.
		"one long conversation": {100, 3600 * ms, "map[0:[0 600 2245 3487] 1:[400 1600 2800] 2:[500 1915 3142]]"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				k := &kept{}
				d := &load.Driver{Sender: &growing{}, Emit: k.emit}
				_, err := d.RunOn(t.Context(),
					load.Stage{Plan: load.Plan{Concurrency: 3, Stagger: true, Duration: c.lasts, Phase: loadgen.Warmup}, Feed: endless(t, c.turns, 300*ms)},
					load.Stage{Plan: load.Plan{Concurrency: 3, Stagger: true, Requests: 1}, Feed: endless(t, 1, 0)})
				if err != nil {
					t.Fatal(err)
				}
				sent := map[int][]int64{}
				for _, r := range k.records {
					if r.Phase == loadgen.Warmup {
						at := r.Sent
						if r.Crossing {
							at += c.lasts
						}
						sent[r.Worker] = append(sent[r.Worker], at.Milliseconds())
					}
				}
				if got := fmt.Sprint(sent); got != c.want {
					t.Errorf("sent %s, want %s", got, c.want)
				}
			})
		})
	}
}

// scripted fails as often as there are failures, and then succeeds.
type scripted struct {
	failures []loadgen.Failure
	sent     []time.Time
}

func (s *scripted) Send(_ context.Context, rec *loadgen.Record) {
	n := len(s.sent)
	s.sent = append(s.sent, rec.Start)
	if n < len(s.failures) && s.failures[n].Kind != "" {
		rec.Failure = &s.failures[n]
	}
}

// TestAUserStaysAwayFromWhatFails has one user, and answers that take no time.
func TestAUserStaysAwayFromWhatFails(t *testing.T) {
	const secs = time.Second
	fails := func(n int) (list []loadgen.Failure) {
		for range n {
			list = append(list, loadgen.Failure{Kind: loadgen.FailHTTP5xx})
		}
		return list
	}
	asks := func(d time.Duration) []loadgen.Failure {
		return []loadgen.Failure{{Kind: loadgen.FailRateLimited, RetryAfter: d}}
	}
	for _, row := range []struct {
		name     string
		failures []loadgen.Failure
		longest  []time.Duration // pauses, each at least half of it
		exactly  bool
	}{
		{"twice as long with every failure, up to 5 s", fails(9), []time.Duration{50 * ms, 100 * ms, 200 * ms, 400 * ms, 800 * ms, 1600 * ms, 3200 * ms, 5 * secs, 5 * secs}, false},
		{"a success sets it back", append(append(fails(3), loadgen.Failure{}), fails(1)...), []time.Duration{50 * ms, 100 * ms, 200 * ms, 0, 50 * ms}, false},
		{"as long as the endpoint asks", asks(7 * secs), []time.Duration{7 * secs}, true},
		{"but a minute at most", asks(time.Hour), []time.Duration{time.Minute}, true},
		{"not shorter where it asks for less", asks(ms), []time.Duration{50 * ms}, false},
		{"not after what loadgen ended", []loadgen.Failure{{Kind: loadgen.FailCancelled}}, []time.Duration{0}, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			var first []time.Duration
			for range 2 { // alike with the same seed
				synctest.Test(t, func(t *testing.T) {
					s := &scripted{failures: row.failures}
					d := &load.Driver{Sender: s, Emit: (&kept{}).emit}
					d.Run(t.Context(), load.Plan{Concurrency: 1, Requests: len(row.longest) + 1, Seed: 7}, endless(t, 1, 0))
					var pauses []time.Duration
					for i, longest := range row.longest {
						pause := s.sent[i+1].Sub(s.sent[i])
						pauses = append(pauses, pause)
						if pause > longest || pause < longest/2 || row.exactly && pause != longest {
							t.Errorf("pause %d was %v, want up to %v", i, pause, longest)
						}
					}
					if first != nil && fmt.Sprint(first) != fmt.Sprint(pauses) {
						t.Errorf("paused %v, and with the same seed %v", first, pauses)
					}
					first = pauses
				})
			}
		})
	}
}

func TestUsersStayAwayForDifferentTimes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := &kept{}
		d := &load.Driver{Sender: refusing{}, Emit: k.emit}
		d.Run(t.Context(), load.Plan{Concurrency: 16, Requests: 32}, endless(t, 1, 0))
		at := map[time.Duration]bool{}
		for _, r := range k.records {
			at[r.Sent] = true
		}
		if len(at) < 16 { // 0, and a time of its own for nearly all of the others
			t.Errorf("16 users came back at %d different times", len(at)-1)
		}
	})
}

func TestAnOpenLoopKeepsItsScheduleWhateverFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := &kept{}
		d := &load.Driver{Sender: refusing{}, Emit: k.emit}
		out, _ := d.Run(t.Context(), load.Plan{Schedule: load.Arrival{Rate: 10}.Schedule(), Duration: time.Second}, endless(t, 1, 0))
		if out.Issued != 10 || out.Missed != 0 {
			t.Errorf("got %+v, want all ten sent", out)
		}
	})
}
