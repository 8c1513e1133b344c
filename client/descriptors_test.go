//go:build unix

package client_test

import (
	"math"
	"testing"

	"golang.org/x/sys/unix"

	"loadgen"
	"loadgen/client"
)

// TestDescriptorsAreLeftForTheResults allows as many open files as are kept, and
// one more.
func TestDescriptorsAreLeftForTheResults(t *testing.T) {
	var before unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &before); err != nil {
		t.Skip(err)
	}
	limited := before
	limited.Cur = 65
	if before.Cur > math.MaxInt32 || unix.Setrlimit(unix.RLIMIT_NOFILE, &limited) != nil {
		t.Skip("the limit cannot be set")
	}
	defer unix.Setrlimit(unix.RLIMIT_NOFILE, &before)
	forEngines(t, func(t *testing.T, engine client.Engine) {
		c := newClient(t, client.Config{URL: cheapServer(t, wholeAnswer()), Engine: engine})
		const body = `{"messages":[]}`
		if rec := send(t.Context(), c, body); rec.Failure != nil {
			t.Fatalf("the first connection: %+v", rec.Failure)
		}
		if rec := send(t.Context(), c, body); rec.Failure != nil {
			t.Errorf("the same connection again: %+v", rec.Failure)
		}
		if !client.MayDial(c) {
			return
		}
		t.Errorf("a second connection is let through; want %s", loadgen.FailLocal)
	})
}
