package load_test

import (
	"testing"
	"testing/synctest"
	"time"

	"loadgen/load"
)

// The alarm looks eight times while its time passes.
func TestWhenAnAlarmRings(t *testing.T) {
	always := func(time.Duration) bool { return true }
	for name, c := range map[string]struct {
		waits func(passed time.Duration) bool
		putBy time.Duration // at 700 ms, to so long
		want  time.Duration // 0 for never
	}{
		"nobody puts it off":                  {always, 0, 800 * ms},
		"it is put off":                       {always, 800 * ms, 1500 * ms},
		"it is put off for longer":            {always, 4 * time.Second, 4700 * ms},
		"nobody waits":                        {func(time.Duration) bool { return false }, 0, 0},
		"somebody waits from 250 ms on alone": {func(at time.Duration) bool { return at > 250*ms }, 0, 1000 * ms},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began, rang := time.Now(), []time.Duration{}
				alarm := load.StartAlarm(800*ms, func() bool { return c.waits(time.Since(began)) }, func(time.Duration) { rang = append(rang, time.Since(began)) })
				time.Sleep(700 * ms)
				if c.putBy > 0 {
					alarm.PutOff(time.Now(), c.putBy)
				}
				time.Sleep(10 * time.Second)
				alarm.Stop()
				synctest.Wait()
				if c.want == 0 && len(rang) > 0 || c.want > 0 && (len(rang) != 1 || rang[0] != c.want) {
					t.Errorf("rang at %v, want once at %v", rang, c.want)
				}
			})
		})
	}
}

func TestAStoppedAlarmDoesNotRing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		alarm := load.StartAlarm(time.Second, func() bool { return true }, func(time.Duration) { t.Error("it rang") })
		alarm.Stop()
		alarm.PutOff(time.Now(), time.Second)
		time.Sleep(5 * time.Second)
		var none *load.Alarm
		none.PutOff(time.Now(), time.Second)
		none.Stop()
	})
}
