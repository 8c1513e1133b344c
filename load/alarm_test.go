package load_test

import (
	"testing"
	"testing/synctest"
	"time"

	"loadgen/load"
)

func TestAnAlarmThatIsPutOffRingsLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began, rang := time.Now(), []time.Duration{}
		alarm := load.StartAlarm(time.Second, func() { rang = append(rang, time.Since(began)) })
		time.Sleep(700 * time.Millisecond)
		alarm.PutOff()
		time.Sleep(5 * time.Second)
		synctest.Wait()
		if len(rang) != 1 || rang[0] != 1700*time.Millisecond {
			t.Errorf("rang at %v, want once at 1.7s", rang)
		}
	})
}

func TestAStoppedAlarmDoesNotRing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		alarm := load.StartAlarm(time.Second, func() { t.Error("it rang") })
		alarm.Stop()
		alarm.PutOff()
		time.Sleep(5 * time.Second)
		var none *load.Alarm
		none.PutOff()
		none.Stop()
	})
}
