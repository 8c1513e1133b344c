package client_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"loadgen"
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
		var records [2]*loadgen.Record
		for i, engine := range engines {
			s := newStage(t, client.Config{Engine: engine, Streaming: stream}, true)
			records[i] = s.answer(t, pieces...)
			s.close()
		}
		raw, std := records[0], records[1]
		if std.Failure != nil {
			return
		}
		if diff := cmp.Diff(saidBy(std, ""), saidBy(raw, "")); diff != "" {
			t.Errorf("std −, raw +\n%s\n%+v", diff, raw.Failure)
		}
	})
}
