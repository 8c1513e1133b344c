package load_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"loadgen"
	"loadgen/load"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// service answers every request after the same time, or when it is cancelled.
type service struct {
	takes     time.Duration
	fail      func(n int64) bool
	sent      atomic.Int64
	now, most atomic.Int64
}

func (s *service) Send(ctx context.Context, rec *loadgen.Record) {
	n := s.sent.Add(1)
	now := s.now.Add(1)
	defer s.now.Add(-1)
	for most := s.most.Load(); now > most && !s.most.CompareAndSwap(most, now); most = s.most.Load() {
	}
	timer := time.NewTimer(s.takes)
	defer timer.Stop()
	select {
	case <-timer.C:
		if s.fail != nil && s.fail(n) {
			rec.Failure = &loadgen.Failure{Kind: loadgen.FailHTTP5xx, Status: 500}
		}
	case <-ctx.Done():
		rec.Failure = &loadgen.Failure{Kind: loadgen.FailCancelled}
	}
	rec.Took = time.Since(rec.Start)
}

// endless feeds sessions of so many turns until the test is over.
func endless(t *testing.T, turns int, delay time.Duration) *load.Feed {
	i := 0
	return feed(t, 64, func() (*loadgen.Session, error) {
		s := &loadgen.Session{ID: fmt.Sprintf("session_%06d", i), Index: i}
		i++
		for k := range turns {
			r := &loadgen.Request{Session: s.ID, Turn: k}
			if k > 0 {
				r.Delay = delay
			}
			s.Turns = append(s.Turns, r)
		}
		return s, nil
	})
}

// feed starts a feed that ends with the test, and waits until it is full.
func feed(t *testing.T, ahead int, next func() (*loadgen.Session, error)) *load.Feed {
	f := load.StartFeed(t.Context(), next, ahead)
	t.Cleanup(func() { _ = f.Stop() })
	if err := f.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	return f
}

// kept collects copies of the records.
type kept struct {
	mu      sync.Mutex
	records []loadgen.Record
}

func (k *kept) emit(r *loadgen.Record) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.records = append(k.records, *r)
	return nil
}

func TestClosedLoop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		svc, k := &service{takes: 200 * time.Millisecond}, &kept{}
		d := &load.Driver{Sender: svc, Emit: k.emit}
		out, err := d.Run(t.Context(), load.Plan{Concurrency: 8, Requests: 80}, endless(t, 1, 0))
		if err != nil {
			t.Fatal(err)
		}
		// 80 requests by 8 users at 0.2 s each: ten rounds, two seconds.
		if out.Elapsed != 2*time.Second || out.Issued != 80 || out.MaxFlight != 8 || svc.most.Load() != 8 {
			t.Errorf("got %+v, most at the service %d; want 2 s, 80 requests, never more than 8", out, svc.most.Load())
		}
		perRound := map[time.Duration]int{}
		for _, r := range k.records {
			perRound[r.Sent]++
			if r.Lag() != 0 || r.Ended-r.Sent != 200*time.Millisecond {
				t.Errorf("request %d: lag %v, took %v; want 0 and 200ms", r.Index, r.Lag(), r.Ended-r.Sent)
			}
		}
		for i := range 10 {
			if at := time.Duration(i) * 200 * time.Millisecond; perRound[at] != 8 {
				t.Errorf("%d requests sent at %v, want 8 at once", perRound[at], at)
			}
		}
	})
}

func TestDurationEndsClosedLoop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		svc, k := &service{takes: 300 * time.Millisecond}, &kept{}
		d := &load.Driver{Sender: svc, Emit: k.emit}
		out, _ := d.Run(t.Context(), load.Plan{Concurrency: 2, Duration: time.Second, Grace: time.Second}, endless(t, 1, 0))
		// Each user starts at 0, 0.3, 0.6 and 0.9 s; the last ones end in the grace period.
		if out.Issued != 8 || out.Elapsed != 1200*time.Millisecond || out.StoppedAt != time.Second || out.Cancelled {
			t.Errorf("got %+v, want 8 requests, over at 1.2 s, stopped at 1 s, not cancelled", out)
		}
		for _, r := range k.records {
			if !r.OK() {
				t.Errorf("request sent at %v failed with %q, want it finished in the grace period", r.Sent, r.Failure.Kind)
			}
		}
	})
}

func TestGraceCancels(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		svc, k := &service{takes: time.Hour}, &kept{}
		d := &load.Driver{Sender: svc, Emit: k.emit}
		out, _ := d.Run(t.Context(), load.Plan{Concurrency: 3, Duration: time.Second, Grace: 2 * time.Second}, endless(t, 1, 0))
		if out.Issued != 3 || out.Elapsed != 3*time.Second || len(k.records) != 3 {
			t.Fatalf("got %+v and %d records, want 3 requests cancelled at 3 s and kept", out, len(k.records))
		}
		for _, r := range k.records {
			if !r.Cancelled() {
				t.Errorf("request %d is not marked cancelled", r.Index)
			}
		}
	})
}

func TestConstantRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		svc, k := &service{takes: 2950 * time.Millisecond}, &kept{}
		d := &load.Driver{Sender: svc, Emit: k.emit}
		plan := load.Plan{Schedule: load.Arrival{Rate: 10}.Schedule(), Duration: 5 * time.Second, Grace: 10 * time.Second}
		out, _ := d.Run(t.Context(), plan, endless(t, 1, 0))
		// 50 requests, the last due at 4.9 s; at 2.95 s each there are 30 in flight.
		if out.Issued != 50 || out.Missed != 0 || out.MaxFlight != 30 || out.Elapsed != 7850*time.Millisecond {
			t.Errorf("got %+v, want 50 issued, none missed, 30 in flight, over at 7.85 s", out)
		}
		for _, r := range k.records {
			if want := time.Duration(r.Index) * 100 * time.Millisecond; r.Due != want || r.Sent != want {
				t.Errorf("request %d due %v, sent %v, want both at %v", r.Index, r.Due, r.Sent, want)
			}
		}
	})
}

// TestASlotThatWaitsForItsSessionPastTheEndIsMissed has a feed run dry after
// five sessions; the sixth takes ten seconds to make.
func TestASlotThatWaitsForItsSessionPastTheEndIsMissed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		made := 0
		sessions := feed(t, 4, func() (*loadgen.Session, error) {
			if made++; made > 5 {
				time.Sleep(10 * time.Second)
			}
			return &loadgen.Session{Index: made - 1, Turns: []*loadgen.Request{{}}}, nil
		})
		k := &kept{}
		d := &load.Driver{Sender: &service{takes: 10 * time.Millisecond}, Emit: k.emit}
		plan := load.Plan{Schedule: load.Arrival{Rate: 10}.Schedule(), Duration: time.Second, Grace: time.Minute}
		out, err := d.Run(t.Context(), plan, sessions)
		// Due at 0, 0.1, … 0.9 s; the sessions of the first five are there.
		if err != nil || out.Issued != 5 || out.Missed != 5 || out.Elapsed != time.Second {
			t.Errorf("got %+v, %v; want 5 issued and 5 missed in 1 s", out, err)
		}
		for _, r := range k.records {
			if r.Sent > 400*time.Millisecond {
				t.Errorf("request %d was sent at %v, want none after 0.4 s", r.Index, r.Sent)
			}
		}
	})
}

func TestPoissonIsSentAsScheduled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		schedule := load.Arrival{Rate: 50, Smoothness: 1, Rand: func() *rand.Rand { return loadgen.Seed(7).Rand("arrivals") }}.Schedule()
		k := &kept{}
		d := &load.Driver{Sender: &service{takes: time.Millisecond}, Emit: k.emit}
		out, _ := d.Run(t.Context(), load.Plan{Schedule: schedule, Requests: 200}, endless(t, 1, 0))
		if out.Issued != 200 || len(k.records) != 200 {
			t.Fatalf("issued %d, kept %d, want 200", out.Issued, len(k.records))
		}
		due := make([]time.Duration, 0, 200)
		for at := range schedule {
			if due = append(due, at); len(due) == 200 {
				break
			}
		}
		for _, r := range k.records {
			if r.Due != due[r.Index] || r.Sent != r.Due {
				t.Errorf("request %d due %v, sent %v, want %v", r.Index, r.Due, r.Sent, due[r.Index])
			}
		}
	})
}

func TestBindingCeilingShowsAsLag(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		svc, k := &service{takes: time.Second}, &kept{}
		d := &load.Driver{Sender: svc, Emit: k.emit}
		// Two requests a second are due and the ceiling lets one through.
		plan := load.Plan{Schedule: load.Arrival{Rate: 2}.Schedule(), Concurrency: 1, Duration: 4 * time.Second, Grace: 5 * time.Second}
		out, _ := d.Run(t.Context(), plan, endless(t, 1, 0))
		// Due at 0, 0.5, … 3.5 s; sent at 0, 1, 2, 3 s; the slots of 2, 2.5, 3 and 3.5 s never come.
		if out.Issued != 4 || out.Missed != 4 || out.MaxFlight != 1 || svc.most.Load() != 1 {
			t.Errorf("got %+v, want 4 issued, 4 missed, 1 in flight", out)
		}
		for _, r := range k.records {
			due, sent := time.Duration(r.Index)*500*time.Millisecond, time.Duration(r.Index)*time.Second
			if r.Due != due || r.Sent != sent {
				t.Errorf("request %d due %v, sent %v, want %v and %v", r.Index, r.Due, r.Sent, due, sent)
			}
			if r.Held != r.Lag() {
				t.Errorf("request %d was held for %v by the ceiling, want all of its lag, %v", r.Index, r.Held, r.Lag())
			}
		}
	})
}

func TestUserRampStartsUsersOneByOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := &kept{}
		d := &load.Driver{Sender: &service{takes: time.Hour}, Emit: k.emit}
		plan := load.Plan{Concurrency: 4, ConcurrencyRamp: 2 * time.Second, Ramp: 2 * time.Second, Duration: 5 * time.Second}
		d.Run(t.Context(), plan, endless(t, 1, 0))
		for i, r := range k.records {
			want := time.Duration(r.Worker) * 500 * time.Millisecond
			if r.Sent != want || r.Due != want || !r.Ramp {
				t.Errorf("record %d of user %d sent at %v (ramp %v), want %v in the ramp", i, r.Worker, r.Sent, r.Ramp, want)
			}
		}
		if len(k.records) != 4 {
			t.Errorf("%d records, want 4", len(k.records))
		}
	})
}

// TestUsersThatAreNearlyLateKeepTheirPace has each request end half a
// millisecond before the next one of its user is due.
func TestUsersThatAreNearlyLateKeepTheirPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := &kept{}
		d := &load.Driver{Sender: &service{takes: 9500 * time.Microsecond}, Emit: k.emit}
		plan := load.Plan{Concurrency: 1, UserGap: 10 * time.Millisecond, Requests: 4}
		d.Run(t.Context(), plan, endless(t, 1, 0))
		for i, r := range k.records {
			if want := time.Duration(i) * 10 * time.Millisecond; r.Sent != want || r.Due != want {
				t.Errorf("request %d due %v, sent %v, want %v", i, r.Due, r.Sent, want)
			}
		}
		if len(k.records) != 4 {
			t.Errorf("%d records, want 4", len(k.records))
		}
	})
}

func TestUsersKeepTheirPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := &kept{}
		d := &load.Driver{Sender: &service{takes: 300 * time.Millisecond}, Emit: k.emit}
		plan := load.Plan{Concurrency: 2, UserGap: time.Second, Stagger: true, Duration: 2 * time.Second, Grace: time.Second}
		d.Run(t.Context(), plan, endless(t, 1, 0))
		sent := map[int][]time.Duration{}
		for _, r := range k.records {
			sent[r.Worker] = append(sent[r.Worker], r.Sent)
		}
		want := "map[0:[0s 1s] 1:[500ms 1.5s]]"
		if got := fmt.Sprint(sent); got != want {
			t.Errorf("sent %s, want %s", got, want)
		}
	})
}

func TestSessionsKeepOrderAndThinkTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := &kept{}
		var followed []string
		d := &load.Driver{
			Sender: &service{takes: 100 * time.Millisecond},
			Emit:   k.emit,
			Follow: func(prev *loadgen.Record, next *loadgen.Request) {
				followed = append(followed, fmt.Sprintf("%s %d→%d", next.Session, prev.Request.Turn, next.Turn))
			},
		}
		d.Run(t.Context(), load.Plan{Concurrency: 1, Requests: 3}, endless(t, 3, time.Second))
		if got, want := fmt.Sprint(followed), "[session_000000 0→1 session_000000 1→2]"; got != want {
			t.Errorf("followed %s, want %s", got, want)
		}
		for i, r := range k.records {
			want := time.Duration(i) * 1100 * time.Millisecond
			if r.Request.Turn != i || r.Sent != want || r.Due != want {
				t.Errorf("turn %d sent at %v, due %v, want turn %d at %v", r.Request.Turn, r.Sent, r.Due, i, want)
			}
		}
	})
}

// refusing is an endpoint to which no connection can be made.
type refusing struct{}

func (refusing) Send(_ context.Context, rec *loadgen.Record) {
	rec.Failure = &loadgen.Failure{Kind: loadgen.FailConnect}
}

func TestFailureEndsItsSessionOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := &kept{}
		d := &load.Driver{Sender: &service{takes: time.Second, fail: func(n int64) bool { return n == 2 }}, Emit: k.emit}
		d.Run(t.Context(), load.Plan{Concurrency: 1, Requests: 4}, endless(t, 3, 0))
		got := ""
		for _, r := range k.records {
			got += fmt.Sprintf("%s/%d ", r.Request.Session[8:], r.Request.Turn)
		}
		if want := "000000/0 000000/1 000001/0 000001/1 "; got != want {
			t.Errorf("sent %s, want %s", got, want)
		}
	})
}
