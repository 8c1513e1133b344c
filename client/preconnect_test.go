package client_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"loadgen"
	"loadgen/client"
)

func TestARequestFindsTheConnectionThatWasOpenedForIt(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, `{"choices":[{"message":{"content":"hello"},"finish_reason":"stop"}]}`)
	}))
	defer server.Close()
	c := newClient(t, client.Config{URL: server.URL, Engine: client.Raw, RequestTimeout: time.Minute})
	for range 3 {
		if kept, err := c.Connect(t.Context()); !kept || err != nil {
			t.Fatalf("kept %t, %v; want a connection", kept, err)
		}
	}
	if tr := c.Transport(); tr.Opened != 3 || tr.Reused != 0 {
		t.Errorf("transport %+v, want 3 connections and no request yet", tr)
	}
	rec := &loadgen.Record{}
	rec.Reset()
	rec.Request, rec.Start = &loadgen.Request{ID: "request-1", Body: []byte(`{}`)}, time.Now()
	c.Send(t.Context(), rec)
	if tr := c.Transport(); rec.Failure != nil || rec.Conn.Dial != 0 || tr.Opened != 3 {
		t.Errorf("failure %v, dialled in %v, transport %+v; want no further connection", rec.Failure, rec.Conn.Dial, tr)
	}
}

func TestAConnectionThatCannotBeOpenedIsNoFailedRequest(t *testing.T) {
	c := newClient(t, client.Config{URL: "http://127.0.0.1:1", Engine: client.Raw, RequestTimeout: time.Minute})
	if kept, err := c.Connect(t.Context()); kept || err == nil {
		t.Errorf("kept %t, %v; want an error", kept, err)
	}
	std := newClient(t, client.Config{URL: "http://127.0.0.1:1", Engine: client.Std, RequestTimeout: time.Minute})
	if kept, err := std.Connect(t.Context()); kept || err != nil {
		t.Errorf("net/http: kept %t, %v; want that it does nothing", kept, err)
	}
}
