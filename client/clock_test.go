package client_test

import (
	"runtime"
	"sync"
	"testing"
	"time"

	"loadgen/client"
)

func TestKernelTimeSurvivesStepsOfTheWallClock(t *testing.T) {
	const hour, s, us = time.Hour, time.Second, time.Microsecond
	type read struct {
		mono, wall, stamp time.Duration // now by both clocks, and the kernel's
		age               time.Duration
		trusted           bool
	}
	for name, c := range map[string]struct {
		reads []read
		steps int
	}{
		"no step": {[]read{
			{1 * s, 1 * s, 1*s - 3*ms, 3 * ms, true},
			{2 * s, 2 * s, 2 * s, 0, true},
		}, 0},
		"a step back by an hour between the segment and the read": {[]read{
			{1 * s, 1 * s, 1*s - ms, ms, true},
			{2 * s, 2*s - hour, 2*s - ms, -hour + ms, false},
			{3 * s, 3*s - hour, 3*s - hour - ms, ms, true},
		}, 1},
		"a step ahead by an hour": {[]read{
			{1 * s, 1 * s, 1*s - ms, ms, true},
			{2 * s, 2*s + hour, 2*s - ms, hour + ms, false},
			{3 * s, 3*s + hour, 3*s + hour - ms, ms, true},
		}, 1},
		"a small step is seen too, and what came before it is not trusted": {[]read{
			{1 * s, 1 * s, 1*s - ms, ms, true},
			{1*s + 10*ms, 1*s + 30*ms, 1*s + 9*ms, 21 * ms, false},
			{1*s + 20*ms, 1*s + 40*ms, 1*s + 25*ms, 15 * ms, false},
			{1*s + 30*ms, 1*s + 50*ms, 1*s + 49*ms, ms, true},
		}, 1},
		"a slewed clock does not step": {[]read{
			{100 * s, 100*s + 50*ms, 100*s + 49*ms, ms, true},
			{200 * s, 200*s + 100*ms, 200*s + 99*ms, ms, true},
		}, 0},
		"a segment that has just come, by an offset within what readings are apart": {[]read{
			{1 * s, 1*s + 5*us, 1*s + 5*us, 0, true},
			{2 * s, 2*s + 20*us, 2*s + 20*us, 0, true},
			{3 * s, 3*s + 5*us, 3*s + 2*us, 0, true},
			{4 * s, 4*s - 5*us, 4*s - 8*us, 8 * us, true},
		}, 0},
		"a segment from the future": {[]read{
			{1 * s, 1 * s, 1*s + 21*us, -21 * us, false},
			{2 * s, 2 * s, 2*s + ms, -ms, false},
		}, 0},
		"two steps": {[]read{
			{1 * s, 1*s + hour, 1*s + hour, 0, false},
			{2 * s, 2 * s, 2 * s, 0, false},
			{3 * s, 3 * s, 3*s - ms, ms, true},
		}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			clock := client.NewClock()
			for i, r := range c.reads {
				age, ok := clock.Age(r.wall, r.mono, r.stamp, 0)
				if age != r.age || ok != r.trusted {
					t.Errorf("read %d: age %v, trusted %t; want %v, %t", i+1, age, ok, r.age, r.trusted)
				}
			}
			if clock.Steps() != c.steps {
				t.Errorf("%d steps, want %d", clock.Steps(), c.steps)
			}
		})
	}
}

func TestAThreadHeldBetweenTheClocksHasSeenNoStep(t *testing.T) {
	const s = time.Second
	clock := client.NewClock()
	for i, held := range []time.Duration{40 * ms, 0, 5 * ms, time.Minute, 0} {
		now := time.Duration(i+1) * s
		if age, ok := clock.Age(now, now, now-3*ms, held); age != 3*ms || !ok {
			t.Errorf("held for %v: age %v, trusted %t; want 3ms, true", held, age, ok)
		}
	}
	if clock.Steps() != 0 {
		t.Errorf("%d steps were seen, want none", clock.Steps())
	}
	// Where every look is torn, nothing is known.
	if _, ok := clock.AgeOfTorn(9*s, 9*s-ms, 40*ms); ok || clock.Steps() != 0 {
		t.Errorf("torn readings: trusted %t, %d steps; want false, 0", ok, clock.Steps())
	}
}

func TestABusyMachineHasNoClockSteps(t *testing.T) {
	clock := client.NewRealClock()
	var readers sync.WaitGroup
	for range 8 * runtime.NumCPU() {
		readers.Go(func() {
			for range 20_000 {
				clock.AgeNow()
			}
		})
	}
	readers.Wait()
	if clock.Steps() != 0 {
		t.Errorf("%d steps of the wall clock were seen, want none", clock.Steps())
	}
}
