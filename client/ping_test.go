package client_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"loadgen/client"
)

func TestPing(t *testing.T) {
	const list = `{"object":"list","data":[{"id":"org/m-1"},{"id":"llama:latest"}]}`
	for name, c := range map[string]struct {
		model, path string
		status      int
		body        string
		want        error
		says        string
	}{
		"the model is listed":              {model: "org/m-1", status: 200, body: list},
		"a tag may be left out":            {model: "llama", status: 200, body: list},
		"no model is asked for":            {status: 200, body: list},
		"a health page lists no models":    {model: "m", path: "/health", status: 200, body: "OK"},
		"the model is not listed":          {"m-2", "", 200, list, client.ErrUnknownModel, "org/m-1, llama:latest"},
		"the service serves nothing":       {"m-2", "", 200, `{"data":[]}`, client.ErrUnknownModel, "no model at all"},
		"the key is wrong":                 {"m", "", 401, `{"error":"no"}`, client.ErrRefused, "api_key_env_var"},
		"the key is not enough":            {"m", "", 403, ``, client.ErrRefused, "403"},
		"the path is wrong":                {"m", "", 404, ``, client.ErrUnhealthy, "health_check_endpoint"},
		"the server is still starting":     {"m", "", 503, `loading`, client.ErrUnhealthy, "loading"},
		"a redirect is no healthy service": {"m", "", 302, ``, client.ErrUnhealthy, "302"},
	} {
		t.Run(name, func(t *testing.T) {
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
				want := c.path
				if want == "" {
					want = "/v1/models"
				}
				if q.Method != "GET" || q.URL.Path != want || q.Header.Get("Authorization") != "Bearer key-1234" {
					t.Errorf("%s %s %s", q.Method, q.URL.Path, q.Header.Get("Authorization"))
				}
				w.WriteHeader(c.status)
				fmt.Fprint(w, c.body)
			}))
			defer srv.Close()
			cl := newClient(t, client.Config{URL: srv.URL + "/v1", Model: c.model, Health: c.path, APIKey: "key-1234"})
			if c.path != "" { // a path of its own is meant from the root of the URL
				cl = newClient(t, client.Config{URL: srv.URL, Model: c.model, Health: c.path, APIKey: "key-1234"})
			}
			err := cl.Ping(t.Context())
			if !errors.Is(err, c.want) {
				t.Fatalf("got %v, want %v", err, c.want)
			}
			var ping *client.PingError
			if err != nil && (!errors.As(err, &ping) || ping.Hint == "" || !strings.Contains(err.Error(), c.says)) {
				t.Errorf("%v does not say %q", err, c.says)
			}
		})
	}
}

func TestPingWithoutServer(t *testing.T) {
	srv := httptest.NewServer(nil)
	srv.Close()
	c := newClient(t, client.Config{URL: srv.URL})
	if err := c.Ping(t.Context()); !errors.Is(err, client.ErrUnreachable) || !strings.Contains(err.Error(), srv.URL) {
		t.Errorf("got %v", err)
	}
}
