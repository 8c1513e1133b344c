package client_test

import (
	"net/http"
	"net/http/httptest"
	"runtime"
	"testing"
	"time"

	"loadgen/client"
)

// TestTheKernelTellsTheRoundTrip has a server on this machine, which is near.
func TestTheKernelTellsTheRoundTrip(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux tells")
	}
	srv := httptest.NewServer(http.NotFoundHandler())
	defer srv.Close()
	c, err := client.New(client.Config{URL: srv.URL, Engine: client.Raw})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if trip := c.RoundTrip(); trip != 0 {
		t.Errorf("%v before there is a connection", trip)
	}
	if kept, err := c.Connect(t.Context()); err != nil || !kept {
		t.Fatal(kept, err)
	}
	if trip := c.RoundTrip(); trip <= 0 || trip > time.Second {
		t.Errorf("%v on this machine", trip)
	}
}
