package load_test

import (
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"loadgen/load"
)

func TestWatchSeesWhatHappened(t *testing.T) {
	began := time.Now()
	w := load.StartWatch()
	for range 3 {
		runtime.GC()
	}
	time.Sleep(10 * time.Millisecond)
	h := w.Stop()
	if h.Wall < 10*time.Millisecond || h.GCCycles < 3 || h.GCPause.Max <= 0 || h.Goroutines < 2 || h.HeapPeak == 0 {
		t.Errorf("got %+v, want at least 10 ms, 3 collections with pauses, goroutines and a heap", h)
	}
	if h.GOMAXPROCS != runtime.GOMAXPROCS(0) || h.CPUs != runtime.NumCPU() {
		t.Errorf("got %d of %d processors", h.GOMAXPROCS, h.CPUs)
	}
	// A machine may set its clock at any time, and then there is a step to see.
	now := time.Now()
	if moved := now.Round(0).Sub(began.Round(0)) - now.Sub(began); moved.Abs() < time.Millisecond && h.ClockSteps != 0 {
		t.Errorf("%d steps of the clock, which moved by %v", h.ClockSteps, moved)
	}
}

// TestCPUIsCountedUntilTheLoadFalls waits for three seconds under load and for
// five in the drain.
func TestCPUIsCountedUntilTheLoadFalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := load.StartWatch()
		time.Sleep(3 * time.Second)
		w.Drain()
		time.Sleep(5 * time.Second)
		if h := w.Stop(); h.Wall != 3*time.Second {
			t.Errorf("counted for %v, want 3s", h.Wall)
		}
		w = load.StartWatch()
		time.Sleep(2 * time.Second)
		if h := w.Stop(); h.Wall != 2*time.Second {
			t.Errorf("counted for %v without a drain, want 2s", h.Wall)
		}
	})
}
