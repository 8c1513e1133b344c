package tokenizer_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"loadgen/tokenizer"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// tiny is a whole tokenizer.json: the letters of "hi there" and two merges.
const tiny = `{
	"added_tokens": [{"id": 9, "content": "<end>", "special": true}],
	"normalizer": null,
	"pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false},
	"post_processor": {"type": "TemplateProcessing", "single": [{"Sequence": {"id": "A"}}, {"SpecialToken": {"id": "<end>"}}], "special_tokens": {"<end>": {"ids": [9]}}},
	"decoder": {"type": "ByteLevel"},
	"model": {"type": "BPE", "vocab": {"h": 0, "i": 1, "Ġ": 2, "t": 3, "e": 4, "r": 5, "hi": 6, "Ġt": 7, "\"": 8}, "merges": ["h i", "Ġ t"]}
}`

var tinyHi = []int{6, 7, 0, 4, 5, 4}

func isolate(t *testing.T) (cache string) {
	t.Helper()
	cache = t.TempDir()
	for name, value := range map[string]string{"HF_HOME": cache, "HF_HUB_CACHE": "", "HF_ENDPOINT": "http://127.0.0.1:1", "HF_TOKEN": "", "HF_HUB_OFFLINE": ""} {
		t.Setenv(name, value)
	}
	return filepath.Join(cache, "hub")
}

func TestLoadLooksInOrder(t *testing.T) {
	cache := isolate(t)
	dir := t.TempDir()
	write(t, filepath.Join(dir, "tokenizer.json"), tiny)
	write(t, filepath.Join(dir, "other.json"), tiny)
	snapshot := filepath.Join(cache, "models--acme--small", "snapshots", "0123abcd")
	write(t, filepath.Join(cache, "models--acme--small", "refs", "main"), "0123abcd")
	write(t, filepath.Join(snapshot, "tokenizer.json"), tiny)
	for name, want := range map[string]tokenizer.Source{
		"o200k_base":                     {Kind: "built-in"},
		"gpt-4o-mini":                    {Kind: "built-in"},
		dir:                              {Kind: "file", Path: filepath.Join(dir, "tokenizer.json")},
		filepath.Join(dir, "other.json"): {Kind: "file", Path: filepath.Join(dir, "other.json")},
		"acme/small":                     {Kind: "cache", Path: filepath.Join(snapshot, "tokenizer.json")},
	} {
		tok, source, err := tokenizer.Load(t.Context(), name, tokenizer.Options{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if source != want {
			t.Errorf("%s: source %+v, want %+v", name, source, want)
		}
		if n := tok.Count("hi there"); want.Kind != "built-in" && n != len(tinyHi) {
			t.Errorf("%s: Count = %d, want %d", name, n, len(tinyHi))
		}
	}
}

func TestTinyFileByHand(t *testing.T) {
	tok, err := tokenizer.Read("tiny", []byte(tiny))
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(tok.Encode("hi there<end>")); got != fmt.Sprint(append(tinyHi, 9)) {
		t.Errorf("Encode = %v, want %v", got, append(tinyHi, 9))
	}
	if got := tok.Decode(append(tinyHi, 9, 77, -1)); got != "hi there<end>" {
		t.Errorf("Decode = %q, want %q", got, "hi there<end>")
	}
	if before, after := tok.Around(); len(before) != 0 || fmt.Sprint(after) != "[9]" {
		t.Errorf("Around = %v, %v; want [], [9]", before, after)
	}
	if size := tok.VocabSize(); size != 10 {
		t.Errorf("VocabSize = %d, want 10", size)
	}
	for id, want := range map[int]string{7: " t", 6: "hi", 8: `"`} {
		if got, ok := tok.Token(id); string(got) != want || !ok {
			t.Errorf("Token(%d) = %q, %v; want %q", id, got, ok, want)
		}
	}
	for _, id := range []int{9, 10, -1} {
		if got, ok := tok.Token(id); ok {
			t.Errorf("Token(%d) = %q, want none", id, got)
		}
	}
}

func TestLoadDownloadsOnceAndKeepsTheAnswer(t *testing.T) {
	isolate(t)
	t.Setenv("HF_TOKEN", "secret")
	asked := map[string]int{}
	store := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, tiny)
	}))
	defer store.Close()
	hub := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked[r.URL.Path]++
		if r.Header.Get("Authorization") != "Bearer secret" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		w.Header().Set("X-Repo-Commit", "feed1234")
		switch r.URL.Path {
		case "/acme/small/resolve/main/tokenizer.json":
			http.Redirect(w, r, store.URL+"/blob", http.StatusFound)
		case "/acme/small/resolve/main/tokenizer_config.json":
			fmt.Fprint(w, `{"chat_template":"{{ messages[0].content }}!"}`)
		default:
			w.WriteHeader(http.StatusNotFound)
		}
	}))
	defer hub.Close()
	t.Setenv("HF_ENDPOINT", hub.URL)
	for _, kind := range []string{"hub", "cache"} {
		tok, source, err := tokenizer.Load(t.Context(), "acme/small", tokenizer.Options{Download: true})
		if err != nil {
			t.Fatal(err)
		}
		if source.Kind != kind || filepath.Base(source.Dir()) != "feed1234" {
			t.Errorf("source %v, want %s and commit feed1234", source, kind)
		}
		template, err := tokenizer.LoadTemplate(source.Dir(), tok)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := template.Render([]tokenizer.Message{{Content: "hi"}}); got != "hi!" {
			t.Errorf("rendered %q, %v; want %q", got, err, "hi!")
		}
	}
	if n := asked["/acme/small/resolve/main/tokenizer.json"]; n != 1 {
		t.Errorf("the hub was asked %d times, want once", n)
	}
}

func TestLoadFailsInWordsAndWithoutTheToken(t *testing.T) {
	cache := isolate(t)
	t.Setenv("HF_TOKEN", "secret")
	write(t, filepath.Join(cache, "models--acme--escape", "refs", "main"), "../../../etc")
	hub := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.Contains(r.URL.Path, "private"):
			w.WriteHeader(http.StatusForbidden)
		case strings.Contains(r.URL.Path, "broken"):
			w.Header().Set("Content-Length", "1000")
			fmt.Fprint(w, `{"model":`)
		case strings.Contains(r.URL.Path, "slow"):
			<-r.Context().Done()
		case strings.Contains(r.URL.Path, "loop"):
			http.Redirect(w, r, r.URL.Path, http.StatusFound)
		default:
			w.WriteHeader(http.StatusNotFound)
		}
	}))
	defer hub.Close()
	empty := t.TempDir()
	for name, c := range map[string]struct {
		tokenizer, want string
		options         tokenizer.Options
	}{
		"not allowed to ask":      {"acme/none", "allow the download", tokenizer.Options{}},
		"unknown to the hub":      {"acme/none", "no tokenizer.json", tokenizer.Options{Download: true, Endpoint: hub.URL}},
		"not for this user":       {"acme/private", "set HF_TOKEN", tokenizer.Options{Download: true, Endpoint: hub.URL}},
		"cut off on the way":      {"acme/broken", "unexpected EOF", tokenizer.Options{Download: true, Endpoint: hub.URL}},
		"no answer in time":       {"acme/slow", "deadline exceeded", tokenizer.Options{Download: true, Endpoint: hub.URL, Timeout: 50 * time.Millisecond}},
		"sent in circles":         {"acme/loop", "redirected too often", tokenizer.Options{Download: true, Endpoint: hub.URL}},
		"nobody there":            {"acme/none", "connection refused", tokenizer.Options{Download: true}},
		"a cache that points out": {"acme/escape", "allow the download", tokenizer.Options{}},
		"a path as a name":        {"../secret", "no model can be called that", tokenizer.Options{Download: true}},
		"an empty name":           {"", "no model can be called that", tokenizer.Options{Download: true}},
		"an empty directory":      {empty, "does not hold a tokenizer.json", tokenizer.Options{}},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := tokenizer.Load(t.Context(), c.tokenizer, c.options)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("error %v, want one with %q", err, c.want)
			}
			if strings.Contains(err.Error(), "secret") && c.tokenizer != "../secret" {
				t.Errorf("error %v tells the token", err)
			}
		})
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := tokenizer.Load(ctx, "acme/slow", tokenizer.Options{Download: true, Endpoint: hub.URL}); err == nil {
		t.Error("a cancelled context gave no error")
	}
	if left, _ := filepath.Glob(filepath.Join(cache, "*", "snapshots", "*", "*")); len(left) > 0 {
		t.Errorf("failed downloads left %v", left)
	}
	if _, err := os.Stat(filepath.Join(cache, "models--acme--broken", "refs", "main")); err == nil {
		t.Error("a failed download is in the cache")
	}
}
