package client_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"loadgen/client"
)

// FuzzEngines has both engines read the same bytes, cut in two: what net/http
// can read the raw engine reads, and to the same record. It passes over some
// header lines that net/http takes offence at, so that the reverse is not
// asked.
func FuzzEngines(f *testing.F) {
	for _, c := range readCases(f) {
		if len(c.wire) < 4096 {
			f.Add(c.wire, uint16(len(c.wire)/2), c.Streaming)
		}
	}
	f.Fuzz(func(t *testing.T, wire []byte, cut uint16, stream bool) {
		i := min(int(cut), len(wire))
		pieces := slices.DeleteFunc([][]byte{wire[:i], wire[i:]}, func(p []byte) bool { return len(p) == 0 })
		raw := answers(t, client.Raw, stream, true, pieces...)
		std := answers(t, client.Std, stream, true, pieces...)
		if std.Failure != nil {
			return
		}
		if diff := cmp.Diff(saidBy(std, ""), saidBy(raw, "")); diff != "" {
			t.Errorf("std −, raw +\n%s\n%+v", diff, raw.Failure)
		}
	})
}
