package main

import (
	"bytes"
	"encoding/base64"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// dresses are ways in which a server repeats what it was told.
var dresses = []func(string) string{
	func(s string) string { return s },
	strings.ToUpper,
	url.QueryEscape,
	url.PathEscape,
	func(s string) string { return base64.StdEncoding.EncodeToString([]byte("key:" + s)) },
	func(s string) string { return base64.URLEncoding.EncodeToString([]byte(s)) },
	func(s string) string { return hex.EncodeToString([]byte(s)) },
	html.EscapeString,
	func(s string) string { return url.QueryEscape(html.EscapeString(s)) },
	func(s string) string {
		b, _ := json.Marshal(s)
		return string(b)
	},
	func(s string) string { // over lines
		var b strings.Builder
		for i, r := range []rune(s) {
			if i%5 == 4 {
				b.WriteString("\n  ")
			}
			b.WriteRune(r)
		}
		return b.String()
	},
}

// places are where a server puts what it repeats: each answers a request.
var places = []func(w http.ResponseWriter, said string){
	func(w http.ResponseWriter, said string) {
		fail(w, 401, map[string]any{"message": "no access for " + said})
	},
	func(w http.ResponseWriter, said string) { fail(w, 400, said) },
	func(w http.ResponseWriter, said string) {
		fail(w, 429, map[string]any{"type": said, "code": said, "param": said})
	},
	func(w http.ResponseWriter, said string) {
		w.WriteHeader(500)
		fmt.Fprintf(w, "no access for <b>%s</b>", said)
	},
	func(w http.ResponseWriter, said string) {
		w.Header().Set("Location", "http://elsewhere/?key="+oneLine(said))
		w.WriteHeader(302)
	},
	func(w http.ResponseWriter, said string) {
		w.Header().Set("Allow", oneLine(said))
		w.WriteHeader(405)
	},
	func(w http.ResponseWriter, said string) {
		w.Header().Set("Content-Encoding", oneLine(said))
		events(w, map[string]any{"choices": []any{}})
	},
	func(w http.ResponseWriter, said string) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, said)
	},
	func(w http.ResponseWriter, said string) {
		w.Header().Set("Content-Type", "text/event-stream")
		fmt.Fprintf(w, "event: %s\ndata: %s\n\n", oneLine(said), oneLine(said))
	},
	func(w http.ResponseWriter, said string) {
		events(w, piece("an answer", nil, "m"), map[string]any{"error": map[string]any{"message": "lost " + said}})
	},
	func(w http.ResponseWriter, said string) { events(w, piece("an answer", said, said)) },
	func(w http.ResponseWriter, said string) { // an answer that holds it, cut over chunks
		parts := []any{piece("it is ", nil, "m")}
		for _, r := range said {
			parts = append(parts, piece(string(r), nil, "m"))
		}
		events(w, append(parts, piece(" or so", "stop", "m"))...)
	},
	func(w http.ResponseWriter, said string) {
		call := map[string]any{"function": map[string]any{"name": said, "arguments": said}}
		events(w, map[string]any{"model": "m", "choices": []any{map[string]any{
			"delta": map[string]any{"tool_calls": []any{call}}, "finish_reason": "tool_calls",
		}}})
	},
	func(w http.ResponseWriter, said string) { broken(w, "HTTP/1.1 "+said+"\r\n\r\n") },
	func(w http.ResponseWriter, said string) { broken(w, "HTTP/1.1 200 OK\r\n"+oneLine(said)+"\r\n\r\n") },
	func(w http.ResponseWriter, said string) {
		broken(w, "HTTP/1.1 200 OK\r\nContent-Length: "+oneLine(said)+"\r\n\r\n")
	},
	func(w http.ResponseWriter, said string) {
		broken(w, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"+oneLine(said)+"\r\n")
	},
}

// requests is how many it takes to see each dress in each place.
func requests() int { return len(dresses) * len(places) }

// oneLine is a text as a header can carry it.
func oneLine(s string) string { return strings.Join(strings.Fields(s), "") }

func fail(w http.ResponseWriter, status int, what any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"error": what})
}

func piece(text string, finish any, model string) map[string]any {
	return map[string]any{"model": model, "choices": []any{map[string]any{"delta": map[string]any{"content": text}, "finish_reason": finish}}}
}

func events(w http.ResponseWriter, objects ...any) {
	w.Header().Set("Content-Type", "text/event-stream")
	for _, o := range objects {
		data, _ := json.Marshal(o)
		fmt.Fprintf(w, "data: %s\n\n", data)
	}
	fmt.Fprint(w, "data: [DONE]\n\n")
}

// broken answers with bytes that are no HTTP.
func broken(w http.ResponseWriter, reply string) {
	conn, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		panic(err)
	}
	_, _ = conn.Write([]byte(reply))
	conn.Close()
}

var caseNumber = regexp.MustCompile(`case (\d+)`)

// echo serves an endpoint that repeats a text of each request, in the dress and
// the place that the number in its prompt says. It lists the model m.
func echo(t *testing.T, told func(*http.Request) string) string {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		if q.Method == http.MethodGet {
			fmt.Fprint(w, `{"data": [{"id": "m"}]}`)
			return
		}
		var body bytes.Buffer
		_, _ = body.ReadFrom(q.Body)
		m := caseNumber.FindStringSubmatch(body.String())
		n := 0 // of the warm-up, whose prompts are others
		if m != nil {
			n, _ = strconv.Atoi(m[1])
		}
		places[n%len(places)](w, dresses[n/len(places)%len(dresses)](told(q)))
	}))
	t.Cleanup(srv.Close)
	return srv.URL
}

// numbered writes a dataset of numbered prompts and returns its path.
func numbered(t *testing.T, dir string) string {
	t.Helper()
	var b strings.Builder
	for i := range requests() {
		fmt.Fprintf(&b, "{\"text\": \"case %d\"}\n", i)
	}
	path := filepath.Join(dir, "cases.jsonl")
	if err := os.WriteFile(path, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// minimal is a batch file of a few requests, whose last lines are of its base.
func minimal(model, url string) string {
	return fmt.Sprintf(`batch_name: b
output_base_dir: out
base_config:
  url: %s
  streaming: true
  warmup_request_count: 0
  request_count: 3
  concurrency: 1
  prompt_input_tokens_mean: 10
  prompt_output_tokens_mean: 3
  model: %s
`, url, model)
}

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// mute serves with a handler and returns the URL.
func mute(t *testing.T, h http.Handler) string {
	t.Helper()
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	return srv.URL
}

// quoteYAML writes a text as YAML reads it back.
func quoteYAML(s string) string {
	quoted, _ := json.Marshal(s)
	return string(quoted)
}

// A product is all that a command wrote, by the names of files; standard output
// and error among them.
type product map[string]string

// invoke runs the program in a directory and returns all it wrote there.
func invoke(t *testing.T, dir string, env []string, args ...string) (wrote product, status int) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "loadgen", args...)
	cmd.Dir = dir
	cmd.Env = append(append(os.Environ(), "HF_HUB_OFFLINE=1", "HOME="+dir), env...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	wrote = product{"stdout": out.String(), "stderr": errs.String()}
	root := filepath.Join(dir, "out")
	_ = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			t.Error(err)
		}
		name, _ := filepath.Rel(root, path)
		wrote[stamped.ReplaceAllString(name, "TIME")] = string(text)
		return nil
	})
	return wrote, cmd.ProcessState.ExitCode()
}

var stamped = regexp.MustCompile(`\d{8}_\d{6}`)

// checkSound fails where a file is not what its name says.
func (p product) checkSound(t *testing.T) {
	t.Helper()
	for name, text := range p {
		var err error
		switch filepath.Ext(name) {
		case ".json":
			var v any
			err = json.Unmarshal([]byte(text), &v)
		case ".jsonl":
			for line := range strings.Lines(text) {
				var v any
				err = errors.Join(err, json.Unmarshal([]byte(line), &v))
			}
		case ".csv":
			rows := csv.NewReader(strings.NewReader(text))
			rows.FieldsPerRecord = -1
			_, err = rows.ReadAll()
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// file returns the text of the file of a name, in whatever directory.
func (p product) file(t *testing.T, name string) string {
	t.Helper()
	for path, text := range p {
		if filepath.Base(path) == name {
			return text
		}
	}
	t.Fatalf("there is no %s", name)
	return ""
}
