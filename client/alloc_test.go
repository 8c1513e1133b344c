package client_test

import (
	"testing"
	"time"

	"loadgen"
	"loadgen/client"
)

// TestRawEngineHardlyAllocates holds the raw engine to its bars: nothing per
// chunk, ten allocations per request at most. The race detector empties pools
// at random, hence not an exact zero.
func TestRawEngineHardlyAllocates(t *testing.T) {
	perRequest := func(chunks int) float64 {
		c := newClient(t, client.Config{
			URL: cheapServer(t, streamAnswer(chunks)), Engine: client.Raw, Streaming: true, RequestTimeout: time.Minute,
		})
		rec := &loadgen.Record{}
		req := &loadgen.Request{ID: "request-1", Session: "session-1", Body: []byte(`{"messages":[]}`)}
		return testing.AllocsPerRun(100, func() {
			rec.Reset()
			rec.Request, rec.Start = req, time.Now()
			c.Send(t.Context(), rec)
			if rec.Failure != nil {
				t.Fatal(rec.Failure)
			}
		})
	}
	few, many := perRequest(10), perRequest(1000)
	if few > 10 || many-few > 10 {
		t.Errorf("%v allocations with 10 chunks, %v with 1000", few, many)
	}
}
