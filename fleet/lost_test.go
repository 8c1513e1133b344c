package fleet

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"loadgen"
	"loadgen/internal/memnet"
	"loadgen/runner"
	"loadgen/sweep"
)

// A lostCrew loses a worker before any has sent a request.
type lostCrew struct{}

func (lostCrew) Size() int { return 2 }

func (lostCrew) Make(context.Context, context.Context, runner.Order, *runner.Home) (runner.Gathered, error) {
	return runner.Gathered{Outcome: loadgen.Outcome{Cut: "worker 1 was lost: it was killed"}}, nil
}

// TestWhatALostWorkerLeavesUnsentIsTold: no schedule is to blame for it.
func TestWhatALostWorkerLeavesUnsentIsTold(t *testing.T) {
	batch, err := sweep.Parse("virtual.yaml", []byte(known), sweep.Options{Overrides: []string{"base_config.concurrency=2", "base_config.request_count=9"}, Salt: "abc"})
	if err != nil {
		t.Fatal(err)
	}
	r := (&stage{batch: batch, network: memnet.Listen()}).runner(&keeper{}, t.Context())
	r.Crew = lostCrew{}
	runs, err := r.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := runs[0].Err; err == nil || !strings.Contains(err.Error(), "worker 1 was lost") {
		t.Errorf("the run failed with %v, want the worker that was lost", err)
	}
}

// TestAWorkerThatDiesBeforeARunIsNotWaitedFor: it will answer no order.
func TestAWorkerThatDiesBeforeARunIsNotWaitedFor(t *testing.T) {
	k := coordinated(t, 1)
	k.Patience = time.Hour
	k.members[0].here, k.members[0].arrived, k.members[0].seen = true, true, time.Now()
	died := time.AfterFunc(50*time.Millisecond, func() { k.died(0, "it was killed") })
	defer died.Stop()
	m := &making{Coordinator: k, crew: []*hand{{}}}
	if err := m.begin(t.Context()); err == nil || !strings.Contains(err.Error(), "it was killed") {
		t.Errorf("the run begins with %v, want why the worker is gone", err)
	}
}

// TestARunThatTheUserEndsBeforeItBeginsHasNotFailed: whoever goes on makes it
// again.
func TestARunThatTheUserEndsBeforeItBeginsHasNotFailed(t *testing.T) {
	t.Parallel()
	k := coordinated(t, 1)
	k.Patience, k.Log = time.Hour, slog.New(slog.DiscardHandler)
	k.members[0].here, k.members[0].arrived, k.members[0].seen = true, true, time.Now().Add(time.Hour) // and answers no order
	stopping, stop := context.WithCancel(t.Context())
	interrupt := time.AfterFunc(50*time.Millisecond, stop)
	defer interrupt.Stop()
	g, err := k.Make(t.Context(), stopping, runner.Order{Workers: 1}, &runner.Home{})
	k.lose(0, "its part is over")
	if err != nil || !g.Outcome.Cancelled || g.Outcome.Cut != "" {
		t.Errorf("cancelled %v, cut %q, failed with %v; want cancelled alone", g.Outcome.Cancelled, g.Outcome.Cut, err)
	}
}

// TestAwaitedAreThoseWhoMayComeBack decides for a run that is over for all others.
func TestAwaitedAreThoseWhoMayComeBack(t *testing.T) {
	lost := func(change func(*Coordinator, *hand)) bool {
		k := coordinated(t, 1)
		k.Log = slog.New(slog.DiscardHandler)
		k.members[0].quiet = true
		h := &hand{key: k.members[0].Key, gone: "nothing was heard of it"}
		change(k, h)
		return (&making{Coordinator: k, crew: []*hand{h}}).awaited()
	}
	for name, c := range map[string]struct {
		change func(*Coordinator, *hand)
		want   bool
	}{
		"who is silent":                {func(*Coordinator, *hand) {}, true},
		"who is heard again":           {func(k *Coordinator, _ *hand) { k.members[0].here, k.members[0].quiet = true, false }, true},
		"who has brought all home":     {func(_ *Coordinator, h *hand) { h.done = &result{} }, false},
		"who has been replaced":        {func(k *Coordinator, _ *hand) { k.members[0].Key = newKey() }, false},
		"who said that it leaves":      {func(k *Coordinator, _ *hand) { k.lose(0, toldToEnd) }, false},
		"whose records make no sense":  {func(_ *Coordinator, h *hand) { h.spoilt = true }, false},
		"who was started on this host": {func(k *Coordinator, _ *hand) { k.Spawn = func(int, func(string)) (func(), error) { return nil, nil } }, false},
		"who was never lost":           {func(_ *Coordinator, h *hand) { h.gone = "" }, false},
	} {
		if got := lost(c.change); got != c.want {
			t.Errorf("%s: awaited %v, want %v", name, got, c.want)
		}
	}
}
