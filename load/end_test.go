package load_test

import (
	"context"
	"errors"
	"io"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"loadgen"
	"loadgen/load"
)

func TestStopLetsRequestsFinish(t *testing.T) {
	for _, tt := range []struct {
		name string
		plan load.Plan
	}{
		{"closed loop", load.Plan{Concurrency: 2, Grace: time.Minute}},
		{"open loop", load.Plan{Schedule: load.Arrival{Rate: 1}.Schedule(), Grace: time.Minute}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				stop, cancel := context.WithCancel(t.Context())
				k := &kept{}
				d := &load.Driver{Sender: &service{takes: 10 * time.Second}, Emit: k.emit, Stop: stop}
				go func() {
					time.Sleep(1500 * time.Millisecond)
					cancel()
				}()
				out, err := d.Run(t.Context(), tt.plan, endless(t, 1, 0))
				if err != nil || !out.Cancelled || out.Issued != 2 || out.StoppedAt != 1500*time.Millisecond {
					t.Errorf("got %+v, %v; want 2 issued, cancelled, stopped at 1.5 s", out, err)
				}
				for _, r := range k.records {
					if !r.OK() {
						t.Errorf("request %d failed with %q, want it finished", r.Index, r.Failure.Kind)
					}
				}
				if len(k.records) != 2 {
					t.Errorf("%d records, want 2", len(k.records))
				}
			})
		})
	}
}

// told is a context that is done already; whoever waits for it hears of that later.
type told struct{ context.Context }

func (told) Err() error { return context.Canceled }

// TestNothingStartsAfterAStop stops a phase before its first request.
func TestNothingStartsAfterAStop(t *testing.T) {
	for _, tt := range []struct {
		name string
		plan load.Plan
	}{
		{"closed loop", load.Plan{Concurrency: 50}},
		{"users with a pace", load.Plan{Concurrency: 50, UserGap: time.Minute}},
		{"open loop", load.Plan{Schedule: load.Arrival{Rate: 1000}.Schedule()}},
		{"open loop under a ceiling", load.Plan{Schedule: load.Arrival{Rate: 1000}.Schedule(), Concurrency: 8}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				stop, cancel := context.WithTimeout(t.Context(), time.Millisecond)
				defer cancel()
				sessions := endless(t, 1, 0)
				svc := &service{takes: time.Second}
				d := &load.Driver{Sender: svc, Emit: (&kept{}).emit, Stop: told{stop}}
				out, err := d.Run(t.Context(), tt.plan, sessions)
				if err != nil || !out.Cancelled || out.Issued != 0 || svc.sent.Load() != 0 || out.Elapsed > time.Millisecond {
					t.Errorf("got %+v, %v, %d sent; want none sent, over when all have heard", out, err, svc.sent.Load())
				}
			})
		})
	}
}

// TestTheLoadFallsWhereNoMoreIsStarted has one request, the last but one, that
// takes a minute.
func TestTheLoadFallsWhereNoMoreIsStarted(t *testing.T) {
	turns := func(n int) *loadgen.Session {
		s := &loadgen.Session{}
		for i := range n {
			s.Turns = append(s.Turns, &loadgen.Request{Turn: i, Delay: time.Duration(min(i, 1)) * 10 * time.Second})
		}
		return s
	}
	single := func(n int) (list []*loadgen.Session) {
		for range n {
			list = append(list, turns(1))
		}
		return list
	}
	for _, tt := range []struct {
		name     string
		plan     load.Plan
		sessions []*loadgen.Session
		takes    []time.Duration // each request, in order
		want     time.Duration
	}{
		{
			"at the end of its time",
			load.Plan{Concurrency: 2, Duration: 5 * time.Second, Grace: time.Hour},
			single(9),
			[]time.Duration{time.Second, 3 * time.Second, time.Hour, time.Minute},
			5 * time.Second,
		},
		{
			// Started at 0, 0, 1 and 3 s; the last one ends at 4 s.
			"when a request ends after the last one was started",
			load.Plan{Concurrency: 2, Requests: 4},
			single(9),
			[]time.Duration{time.Second, 3 * time.Second, time.Minute, time.Second},
			4 * time.Second,
		},
		{
			"likewise where there are no more sessions than requests",
			load.Plan{Concurrency: 2, Requests: 4},
			single(4),
			[]time.Duration{time.Second, 3 * time.Second, time.Minute, time.Second},
			4 * time.Second,
		},
		{
			// The first user sends at 0 and 1 s, the second at 10 s, and for the
			// third there is nothing left; the second request ends at 61 s.
			"when a request ends after the last one of a ramp was started",
			load.Plan{Concurrency: 3, ConcurrencyRamp: 30 * time.Second, Requests: 3},
			single(3),
			[]time.Duration{time.Second, time.Minute, time.Minute},
			61 * time.Second,
		},
		{
			"when a burst has its first answer",
			load.Plan{Concurrency: 3, Requests: 3},
			single(3),
			[]time.Duration{time.Minute, 2 * time.Second, time.Minute},
			2 * time.Second,
		},
		{
			// Due at 0, 1, 2 and 3 s; the last one ends at 3.5 s.
			"when a request ends behind the last slot of a trace",
			load.Plan{Schedule: load.Replay([]time.Duration{0, time.Second, 2 * time.Second, 3 * time.Second})},
			single(4),
			[]time.Duration{500 * time.Millisecond, 500 * time.Millisecond, time.Minute, 500 * time.Millisecond},
			3500 * time.Millisecond,
		},
		{
			// Four users and eight sessions: at 2 s nobody finds one.
			"when a user finds no further session",
			load.Plan{Concurrency: 4},
			single(8),
			[]time.Duration{time.Second, time.Second, time.Second, time.Second, time.Second, time.Second, time.Second, time.Minute},
			2 * time.Second,
		},
		{
			// The last session ends at 5 s; the second turn of the first is
			// started at 1 + 10 s and ends at 12 s.
			"behind the last turn of a trace",
			load.Plan{Schedule: load.Replay([]time.Duration{0, time.Second, 2 * time.Second})},
			[]*loadgen.Session{turns(2), turns(1), turns(1)},
			[]time.Duration{time.Second, time.Minute, 3 * time.Second, time.Second},
			12 * time.Second,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				next := 0
				sessions := feed(t, 64, func() (*loadgen.Session, error) {
					if next == len(tt.sessions) {
						return nil, io.EOF
					}
					s := tt.sessions[next]
					s.Index = next
					next++
					return s, nil
				})
				drained := []time.Duration{}
				d := &load.Driver{Sender: &each{takes: tt.takes}, Emit: (&kept{}).emit}
				d.Drain = func() { drained = append(drained, d.Elapsed()) }
				out, err := d.Run(t.Context(), tt.plan, sessions)
				if err != nil || out.StoppedAt != tt.want || len(drained) != 1 || drained[0] != tt.want || out.Elapsed < time.Minute {
					t.Errorf("got %+v, %v, told at %v; want it once, at %v", out, err, drained, tt.want)
				}
			})
		})
	}
}

// each answers every request after a time of its own.
type each struct {
	takes []time.Duration
	sent  atomic.Int64
}

func (e *each) Send(_ context.Context, rec *loadgen.Record) {
	time.Sleep(e.takes[e.sent.Add(1)-1])
}

func TestContextCancelsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		k := &kept{}
		d := &load.Driver{Sender: &service{takes: time.Hour}, Emit: k.emit}
		out, err := d.Run(ctx, load.Plan{Concurrency: 5, Grace: time.Hour}, endless(t, 1, 0))
		if err != nil || !out.Cancelled || out.Elapsed != time.Second || len(k.records) != 5 {
			t.Errorf("got %+v, %v, %d records; want 5 records at 1 s", out, err, len(k.records))
		}
	})
}

func TestEmitErrorEndsTheRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		full := errors.New("disk full")
		n := 0
		d := &load.Driver{Sender: &service{takes: 10 * time.Millisecond}, Emit: func(*loadgen.Record) error {
			if n++; n == 3 {
				return full
			}
			return nil
		}}
		_, err := d.Run(t.Context(), load.Plan{Concurrency: 4, Requests: 10000}, endless(t, 1, 0))
		if !errors.Is(err, full) || n != 3 {
			t.Errorf("got %v after %d records, want the error of the third", err, n)
		}
	})
}

func TestSessionsRunOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		left := 3
		sessions := feed(t, 8, func() (*loadgen.Session, error) {
			if left == 0 {
				return nil, io.EOF
			}
			left--
			return &loadgen.Session{Index: 2 - left, Turns: []*loadgen.Request{{}}}, nil
		})
		d := &load.Driver{Sender: &service{takes: time.Second}, Emit: (&kept{}).emit}
		out, err := d.Run(t.Context(), load.Plan{Concurrency: 8, Duration: time.Hour}, sessions)
		if err != nil || out.Issued != 3 || out.Elapsed != time.Second {
			t.Errorf("got %+v, %v; want 3 requests in 1 s", out, err)
		}
	})
}

// TestAStopThatComesTooLate comes when all that was to be sent has been.
func TestAStopThatComesTooLate(t *testing.T) {
	for _, tt := range []struct {
		name  string
		takes time.Duration
		grace time.Duration
		plan  load.Plan
		want  bool // cancelled
	}{
		{"and everything was answered", 5 * time.Second, time.Minute, load.Plan{Concurrency: 4, Requests: 4}, false},
		{"likewise at the end of its time", 5 * time.Second, time.Minute, load.Plan{Concurrency: 4, Duration: 2 * time.Second}, false},
		{"likewise of a schedule", 5 * time.Second, time.Minute, load.Plan{Schedule: load.Replay([]time.Duration{0, time.Second})}, false},
		{"but cuts answers short", time.Hour, time.Second, load.Plan{Concurrency: 4, Requests: 4}, true},
		{"for some of it", 5 * time.Second, time.Minute, load.Plan{Concurrency: 4, Requests: 5}, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				stop, cancel := context.WithTimeout(t.Context(), 3*time.Second)
				defer cancel()
				d := &load.Driver{Sender: &service{takes: tt.takes}, Emit: (&kept{}).emit, Stop: stop}
				tt.plan.Grace = tt.grace
				if out, err := d.Run(t.Context(), tt.plan, endless(t, 1, 0)); err != nil || out.Cancelled != tt.want {
					t.Errorf("got %+v, %v; want cancelled: %t", out, err, tt.want)
				}
			})
		})
	}
}
