package fleet

import (
	"context"
	"encoding/binary"
	"log/slog"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
)

// coordinated returns a coordinator of so many workers, none of which has come.
func coordinated(t *testing.T, workers int) *Coordinator {
	t.Helper()
	s, err := StartServer(ServerConfig{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Stop)
	k, err := Coordinate(Config{Server: s, Workers: workers, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(k.Close)
	for _, m := range k.members {
		m.Key = newKey()
	}
	return k
}

// TestEveryWorkersClockIsItsOwn reads the clocks of three workers, which are
// hours apart, and of one that does not answer.
func TestEveryWorkersClockIsItsOwn(t *testing.T) {
	k := coordinated(t, 4)
	for i := range 3 {
		ahead := time.Duration(i) * time.Hour
		_, err := k.conn.Subscribe(k.seat(i).subject(toClock), func(msg *nats.Msg) {
			_ = msg.Respond(binary.LittleEndian.AppendUint64(nil, uint64(time.Now().Add(ahead).UnixNano())))
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for i := range 3 {
		c, err := k.clockOf(t.Context(), i)
		if err != nil {
			t.Fatalf("worker %d: %v", i, err)
		}
		want := time.Duration(i) * time.Hour
		if off := (c.offset - want).Abs(); off > c.bound+time.Millisecond {
			t.Errorf("worker %d is %v ahead, give or take %v; want %v", i, c.offset, c.bound, want)
		}
	}
	if c, err := k.clockOf(t.Context(), 3); err == nil {
		t.Errorf("worker 3 tells no time, and yet its clock is %v ahead", c.offset)
	}
}

// TestAMomentIsHeardAsItWasTold, by the monotonic clock alone.
func TestAMomentIsHeardAsItWasTold(t *testing.T) {
	began := time.Now()
	s := steady{began}
	later := began.Add(time.Minute)
	if told := s.tell(later); told != began.UnixNano()+int64(time.Minute) || !s.hear(told).Equal(later) {
		t.Errorf("a minute later is told as %v, and heard as %v", time.Duration(told-began.UnixNano()), s.hear(told))
	}
}

// TestAWorkerWithoutAClockIsLost: it would begin at some moment of its own.
func TestAWorkerWithoutAClockIsLost(t *testing.T) {
	k := coordinated(t, 1)
	h := &hand{ready: [2]bool{true, true}}
	m := &making{Coordinator: k, crew: []*hand{h}}
	if err := m.advance(context.Background()); err != nil {
		t.Fatal(err)
	}
	if m.begun || !m.ending || h.gone == "" || m.cut == "" {
		t.Errorf("begun %v, ending %v, gone %q, cut %q", m.begun, m.ending, h.gone, m.cut)
	}
}

// TestALossIsTimedOnTheClockOfTheMeasurement, which a warm-up is no part of.
func TestALossIsTimedOnTheClockOfTheMeasurement(t *testing.T) {
	now := time.Now()
	m := &making{epoch: now.Add(-time.Hour), measured: now.Add(-time.Minute)}
	if got := m.since(); got < time.Minute || got > 2*time.Minute {
		t.Errorf("%v after the measurement began, want a minute", got)
	}
	m.measured = time.Time{}
	if got := m.since(); got != 0 {
		t.Errorf("%v before it began, want 0", got)
	}
}
