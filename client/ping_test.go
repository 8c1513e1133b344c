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
		"the model is known by its name":   {model: "team/alias", status: 200, body: list},
		"no model is asked for":            {status: 200, body: list},
		"a health page lists no models":    {model: "m", path: "/health", status: 200, body: "OK"},
		"the model is not listed":          {"m-2", "", 200, list, client.ErrUnknownModel, "org/m-1, llama:latest"},
		"the service serves nothing":       {"m-2", "", 200, `{"data":[]}`, client.ErrUnknownModel, "no model at all: is a model loaded?"},
		"an error with status 200":         {"m", "", 200, `{"error":{"message":"no backend"}}`, client.ErrUnhealthy, "answers with an error: no backend"},
		"an error that is none":            {model: "m", status: 200, body: `{"error":null,"data":[{"id":"m"}]}`},
		"the key is wrong":                 {"m", "", 401, `{"error":"no"}`, client.ErrRefused, "api_key_env_var"},
		"the key is not enough":            {"m", "", 403, ``, client.ErrRefused, "403"},
		"the path is wrong":                {"m", "", 404, ``, client.ErrUnhealthy, "health_check_endpoint"},
		"the server is still starting":     {"m", "", 503, `loading`, client.ErrUnhealthy, "loading"},
		"a redirect is no healthy service": {"m", "", 302, ``, client.ErrUnhealthy, "302: is the"},
		"the path takes no GET":            {"m", "", 405, `{"detail":"no"}`, client.ErrUnhealthy, "405: is the url right? A service without this path"},
		"a bad request keeps its words":    {"m", "", 400, `{"error":{"message":"no tenant"}}`, client.ErrUnhealthy, "status 400: no tenant: is"},
		"nothing is said":                  {"m", "", 503, ` `, client.ErrUnhealthy, "status 503: is the server still loading"},
		"ids with the collection":          {model: "gem-1", status: 200, body: `{"data":[{"id":"models/gem-1"}]}`},
		"a model with the collection":      {model: "models/gem-1", status: 200, body: `{"data":[{"id":"gem-1"}]}`},
		"another collection is none":       {"gem-1", "", 200, `{"data":[{"id":"tuned/gem-1"}]}`, client.ErrUnknownModel, "tuned/gem-1"},
		"pages that cannot be turned":      {model: "m", status: 200, body: `{"data":[{"id":"a"}],"has_more":true}`},
	} {
		t.Run(name, func(t *testing.T) {
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
				want := c.path
				if want == "" {
					want = "/v1/models"
				}
				switch q.URL.Path {
				case want + "/team/alias": // known by its name, and not listed
					fmt.Fprint(w, `{"id":"team/alias","object":"model"}`)
					return
				case want + "/" + c.model: // any other is not
					http.NotFound(w, q)
					return
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

func TestPingFollowsThePages(t *testing.T) {
	pages := map[string]string{
		"":  `{"data":[{"id":"a"},{"id":"b"}],"has_more":true,"last_id":"b"}`,
		"b": `{"data":[{"id":"c"},{"id":"d"}],"has_more":true}`,
		"d": `{"data":[{"id":"e"}],"has_more":false}`,
	}
	for _, parameter := range []string{"after", "after_id"} {
		asked := 0
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
			if q.URL.Path != "/v1/models" { // for one model by its name
				http.NotFound(w, q)
				return
			}
			asked++
			fmt.Fprint(w, pages[q.URL.Query().Get(parameter)])
		}))
		for model, want := range map[string]struct {
			err   error
			pages int
		}{"a": {nil, 1}, "d": {nil, 2}, "e": {nil, 3}, "f": {client.ErrUnknownModel, 3}} {
			asked = 0
			err := newClient(t, client.Config{URL: srv.URL, Model: model}).Ping(t.Context())
			if !errors.Is(err, want.err) || asked != want.pages {
				t.Errorf("%s, %s: %v after %d pages, want %v after %d", parameter, model, err, asked, want.err, want.pages)
			}
			if err != nil && !strings.Contains(err.Error(), "a, b, c, d, e") {
				t.Errorf("%v does not name all models", err)
			}
		}
		srv.Close()
	}
}

func TestPingTellsWhereARedirectLeads(t *testing.T) {
	srv := httptest.NewServer(http.RedirectHandler("https://llm.example/v1/models", http.StatusMovedPermanently))
	defer srv.Close()
	err := newClient(t, client.Config{URL: srv.URL}).Ping(t.Context())
	if want := "redirects to https://llm.example/v1/models: set url to where it leads"; err == nil || !strings.HasSuffix(err.Error(), want) {
		t.Errorf("%v, want %q", err, want)
	}
}

func TestPingTellsHowLongToWait(t *testing.T) {
	for after, want := range map[string]string{
		"":   "answers status 429: slow down: start later, or with --no-check",
		"30": "answers status 429: slow down (Retry-After: 30): start later, or with --no-check",
	} {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			if after != "" {
				w.Header().Set("Retry-After", after)
			}
			w.WriteHeader(http.StatusTooManyRequests)
			fmt.Fprint(w, `{"error":{"message":"slow down"}}`)
		}))
		err := newClient(t, client.Config{URL: srv.URL}).Ping(t.Context())
		srv.Close()
		if err == nil || !strings.HasSuffix(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}
