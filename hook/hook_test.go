package hook_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"loadgen/hook"
)

func TestACommand(t *testing.T) {
	for name, c := range map[string]struct {
		command, said, fault string
		limit                time.Duration
	}{
		"that is well":                      {command: "echo $WHO did; echo it >&2", said: "me did\nit"},
		"that fails":                        {command: "echo why; exit 7", said: "why", fault: "exit status 7"},
		"that is none":                      {command: "/nowhere/at/all", fault: "exit status 127"},
		"that takes too long":               {command: "echo begun; sleep 60 & sleep 60", said: "begun", fault: "not done within 300ms", limit: 300 * time.Millisecond},
		"that leaves something behind":      {command: "sleep 3 & echo left", said: "left"},
		"that says more than is kept of it": {command: "i=0; while [ $i -lt 3000 ]; do echo line $i; i=$((i+1)); done", said: "line 2999"},
	} {
		t.Run(name, func(t *testing.T) {
			h := hook.Hook{Command: c.command, Timeout: 20 * time.Second}
			if c.limit > 0 {
				h.Timeout = c.limit
			}
			began := time.Now()
			said, _, err := h.Do(t.Context(), []string{"WHO=me"})
			if text := fmt.Sprint(err); (err != nil) != (c.fault != "") || !strings.Contains(text, c.fault) {
				t.Errorf("error %v, want %q", err, c.fault)
			}
			if !strings.HasSuffix(said, c.said) || len(said) > 8<<10 {
				t.Errorf("it said %d bytes, ending in %q; want %q", len(said), said[max(0, len(said)-100):], c.said)
			}
			if took := time.Since(began); took > 15*time.Second {
				t.Errorf("it took %v", took)
			}
		})
	}
}

// TestWhatACommandStartedEndsWithIt has one that would write a file later.
func TestWhatACommandStartedEndsWithIt(t *testing.T) {
	late := filepath.Join(t.TempDir(), "late")
	h := hook.Hook{Command: "(sleep 2; echo x > " + late + ") & sleep 60", Timeout: 200 * time.Millisecond}
	if _, _, err := h.Do(t.Context(), nil); err == nil {
		t.Fatal("no error")
	}
	time.Sleep(2500 * time.Millisecond)
	if _, err := os.Stat(late); err == nil {
		t.Error("it went on")
	}
}

func TestARequest(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		switch r.URL.Path {
		case "/echo":
			fmt.Fprintf(w, "%s %s %s %s", r.Method, r.Header.Get("X-Who"), r.Header.Get("Content-Type"), body)
		case "/hang":
			<-r.Context().Done()
		default:
			http.Error(w, "not here", http.StatusTeapot)
		}
	}))
	defer srv.Close()
	for path, want := range map[string]struct{ said, fault string }{
		"/echo": {said: `POST me application/json {"a":1}`},
		"/gone": {said: "not here", fault: "status 418"},
		"/hang": {fault: "not done within 300ms"},
	} {
		h := hook.Hook{Method: "POST", URL: srv.URL + path, Body: `{"a":1}`, Header: map[string]string{"X-Who": "me"}, Timeout: 300 * time.Millisecond}
		if path != "/hang" {
			h.Timeout = 20 * time.Second
		}
		said, _, err := h.Do(context.Background(), nil)
		if said != want.said || (err != nil) != (want.fault != "") || !strings.Contains(fmt.Sprint(err), want.fault) {
			t.Errorf("%s: %q, %v; want %q, %q", path, said, err, want.said, want.fault)
		}
	}
}
