package client_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"loadgen"
	"loadgen/client"
)

// send performs one request and returns its record.
func send(ctx context.Context, c *client.Client, body string) *loadgen.Record {
	rec := newRecord(body)
	c.Send(ctx, rec)
	return rec
}

// newRecord returns the record of a request that starts now.
func newRecord(body string) *loadgen.Record {
	rec := &loadgen.Record{}
	rec.Reset()
	rec.Request = &loadgen.Request{ID: "request-1", Session: "session-1", Body: []byte(body)}
	rec.Start = time.Now()
	return rec
}

func TestSendStreams(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		io.Copy(io.Discard, q.Body)
		w.Header().Set("Content-Type", "text/event-stream")
		for i := range 3 {
			fmt.Fprintf(w, "data: {\"choices\":[{\"delta\":{\"content\":\"t%d \"}}]}\n\n", i)
			w.(http.Flusher).Flush()
		}
		fmt.Fprint(w, "data: [DONE]\n\n")
	}))
	defer srv.Close()
	c, err := client.New(client.Config{URL: srv.URL, Streaming: true})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for range 2 {
		rec := send(t.Context(), c, `{}`)
		if rec.Failure != nil {
			t.Fatalf("failed: %+v", *rec.Failure)
		}
		if string(rec.Text) != "t0 t1 t2 " || len(rec.Chunks) != 3 || !rec.Streamed {
			t.Errorf("record: %+v", rec)
		}
	}
	t.Logf("%+v", c.Transport())
}

func contextAfter(t *testing.T, d time.Duration) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(t.Context())
	timer := time.AfterFunc(d, cancel)
	return ctx, func() { timer.Stop(); cancel() }
}
