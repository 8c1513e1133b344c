package load_test

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"loadgen/load"
)

func TestConnectionsAreOpenedManyAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		n := load.Connect(t.Context(), 130, func(context.Context) bool {
			time.Sleep(time.Second)
			return true
		})
		// 64 at once: three rounds.
		if took := time.Since(began); n != 130 || took != 3*time.Second {
			t.Errorf("%d opened in %v, want 130 in 3s", n, took)
		}
	})
}

func TestNoMoreConnectionsAreOpenedAfterAFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var tried atomic.Int64
		n := load.Connect(t.Context(), 1000, func(ctx context.Context) bool {
			if tried.Add(1) == 3 {
				return false
			}
			select {
			case <-time.After(time.Hour):
			case <-ctx.Done():
			}
			return ctx.Err() == nil
		})
		if n != 0 || tried.Load() > 64 {
			t.Errorf("%d opened after %d tries, want none after the 64 that were begun", n, tried.Load())
		}
	})
}
