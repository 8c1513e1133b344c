package main

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// aKey has no six characters in a row that a file could hold by chance, and
// most of what escapes change.
const aKey = `Zq9-"Xv7\wK/+J4%zU&8f<Yp3>jQ=6'Gh`

// A way brings a key in, and the server reads it back from where it came.
type way struct {
	file string   // lines of base_config
	args []string // of the command
	env  []string
	told func(*http.Request) string
}

func bearer(q *http.Request) string {
	return strings.TrimPrefix(q.Header.Get("Authorization"), "Bearer ")
}
func tenant(q *http.Request) string { return q.Header.Get("X-Tenant") }
func query(q *http.Request) string  { return q.URL.Query().Get("k") }

// waysIn returns the ways in which a key comes in.
func waysIn(key string) map[string]way {
	quoted := "'" + strings.ReplaceAll(key, "'", "''") + "'"
	escaped := url.QueryEscape(key)
	return map[string]way{
		"the variable of the key":  {file: "api_key_env_var: K", env: []string{"K= " + key + " "}, told: bearer},
		"a header's variable":      {file: `headers: {X-Tenant: "${K}"}`, env: []string{"K=" + key}, told: tenant},
		"a header's value":         {file: "headers: {X-Tenant: " + quoted + "}", told: tenant},
		"an overridden header":     {args: []string{"--set", "base_config.headers.X-Tenant=" + quoted}, told: tenant},
		"an override in one":       {args: []string{"--set=base_config.headers.X-Tenant=" + quoted}, told: tenant},
		"the variable of --set":    {env: []string{"LOADGEN_SET=base_config.headers.X-Tenant=" + quoted}, told: tenant},
		"the query of an endpoint": {file: "endpoint: /v1/chat/completions?k=" + escaped, told: query},
		"an overridden endpoint":   {args: []string{"--set", "base_config.endpoint=/v1/chat/completions?k=" + escaped}, told: query},
	}
}

// runEcho runs a batch against the endpoint that repeats the key.
func runEcho(t *testing.T, w way, more ...string) (product, int) {
	t.Helper()
	dir := t.TempDir()
	numbered(t, dir)
	text := fmt.Sprintf(`batch_name: echo
output_base_dir: out
base_config:
  model: m
  url: %s
  streaming: true
  warmup_request_count: 2
  request_count: %d
  request_rate: 250
  input_file: cases.jsonl
  custom_dataset_type: single_turn
  prompt_output_tokens_mean: 5
  %s
profiler: {prefix_span_analysis: {enable: true}, prediction_trie: {enable: true}}
`, echo(t, w.told), requests(), w.file)
	if err := os.WriteFile(filepath.Join(dir, "echo.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	args := append([]string{"--config-file", "echo.yaml", "--ui", "plain", "--verbose", "--offline", "--allow-invalid"}, w.args...)
	return invoke(t, dir, w.env, append(args, more...)...)
}

// checkFree fails where anything holds six characters of a key, or what encodes
// as many.
func (p product) checkFree(t *testing.T, key string) {
	t.Helper()
	for _, w := range []struct {
		worn string
		size int
	}{
		{key, 6},
		{url.QueryEscape(key), 8},
		{hex.EncodeToString([]byte(key)), 12},
		{base64.RawStdEncoding.EncodeToString([]byte(key)), 8},
		{base64.RawStdEncoding.EncodeToString([]byte("key:" + key))[6:], 8},
	} {
		worn := strings.ToLower(w.worn)
		for name, text := range p {
			if filepath.Ext(name) == ".png" {
				continue
			}
			text = strings.ToLower(strings.Join(strings.Fields(text), ""))
			for i := 0; i+w.size <= len(worn); i++ {
				if at := strings.Index(text, worn[i:i+w.size]); at >= 0 {
					t.Errorf("%s holds %q of %q: …%s…", name, worn[i:i+w.size], worn, text[max(0, at-60):min(len(text), at+60)])
					break
				}
			}
		}
	}
}

// TestASecretIsNowhere brings a key in by every way and has the server repeat it
// in every dress and at every place: nothing that is written holds a part of it.
func TestASecretIsNowhere(t *testing.T) {
	for name, w := range waysIn(aKey) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			wrote, status := runEcho(t, w)
			if status != 0 {
				t.Fatalf("status %d: %s", status, wrote["stderr"])
			}
			wrote.checkSound(t)
			wrote.checkFree(t, aKey)
			if lines := strings.Count(wrote.file(t, "profile_export.jsonl"), "\n"); lines != requests() {
				t.Errorf("%d of %d requests left a record", lines, requests())
			}
			if masked := strings.Count(wrote.file(t, "profile_export.jsonl"), "<redacted>"); masked < requests()/2 {
				t.Errorf("%d texts are masked: does the server still repeat the key?", masked)
			}
		})
	}
	t.Run("over net/http", func(t *testing.T) {
		t.Parallel()
		wrote, status := runEcho(t, waysIn(aKey)["the variable of the key"], "--set", "base_config.transport=std")
		if status != 0 {
			t.Fatalf("status %d: %s", status, wrote["stderr"])
		}
		wrote.checkSound(t)
		wrote.checkFree(t, aKey)
	})
	t.Run("in a dry run", func(t *testing.T) {
		t.Parallel()
		for _, w := range waysIn(aKey) {
			wrote, status := runEcho(t, w, "--dry-run")
			if status != 0 {
				t.Fatalf("status %d: %s", status, wrote["stderr"])
			}
			wrote.checkFree(t, aKey)
		}
	})
}

// TestAKeyChangesNothingButItsPlaces runs with keys that stand in every file, or
// look like part of one, and compares what is written with a run whose key is
// harmless.
func TestAKeyChangesNothingButItsPlaces(t *testing.T) {
	const harmless = "harmless-0123456789"
	// The server repeats nothing: its words do not depend on the key.
	with := func(key string) way {
		w := waysIn(key)["the variable of the key"]
		w.told = func(*http.Request) string { return "somebody" }
		return w
	}
	want, status := runEcho(t, with(harmless))
	if status != 0 {
		t.Fatalf("status %d: %s", status, want["stderr"])
	}
	for _, key := range []string{
		"1", "e", "null", "token", "m", "stop", "status", `{"a":[1]}`, `^(a|b)+$`, strings.Repeat("4 KB", 1<<10),
	} {
		t.Run(fmt.Sprintf("%.20s", key), func(t *testing.T) {
			t.Parallel()
			got, status := runEcho(t, with(key))
			if status != 0 {
				t.Fatalf("status %d: %s", status, got["stderr"])
			}
			got.checkSound(t)
			for _, file := range []string{"run_metadata.json", "inputs.json"} {
				if diff := cmp.Diff(shape(t, want.file(t, file)), shape(t, got.file(t, file))); diff != "" {
					t.Errorf("%s differs:\n%s", file, diff)
				}
			}
			if diff := cmp.Diff(exported(t, want, "input_config"), exported(t, got, "input_config")); diff != "" {
				t.Errorf("the export differs:\n%s", diff)
			}
			before, after := records(t, want), records(t, got)
			for i := range min(len(before), len(after)) {
				if diff := cmp.Diff(before[i], after[i]); diff != "" {
					t.Fatalf("record %d differs:\n%s", i, diff)
				}
			}
			if len(before) != len(after) {
				t.Errorf("%d records, want %d", len(after), len(before))
			}
		})
	}
}

var digits = regexp.MustCompile(`[0-9]+`)

// shape returns a JSON text without what differs from run to run.
func shape(t *testing.T, text string) any {
	t.Helper()
	var v any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatal(err)
	}
	return blur(v)
}

func blur(v any) any {
	switch x := v.(type) {
	case map[string]any:
		for k := range x {
			x[k] = blur(x[k])
		}
	case []any:
		for i := range x {
			x[i] = blur(x[i])
		}
	case string:
		return digits.ReplaceAllString(x, "#")
	case float64:
		return "a number"
	}
	return v
}

// exported returns a part of the export, without what differs from run to run.
func exported(t *testing.T, p product, part string) any {
	t.Helper()
	var export map[string]json.RawMessage
	if err := json.Unmarshal([]byte(p.file(t, "profile_export_aiperf.json")), &export); err != nil {
		t.Fatal(err)
	}
	return shape(t, string(export[part]))
}

// records returns what each record says in words, but for those that tell of a
// status line: the numbers in it are the server's.
func records(t *testing.T, p product) []string {
	t.Helper()
	var lines []string
	for line := range strings.Lines(p.file(t, "profile_export.jsonl")) {
		var r struct {
			Metadata map[string]any `json:"metadata"`
			Own      map[string]any `json:"loadgen"`
			Error    map[string]any `json:"error"`
		}
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(line, "HTTP/") {
			continue
		}
		lines = append(lines, fmt.Sprint(r.Metadata["conversation_id"], len(r.Metadata), r.Error, r.Own["failure"], r.Own["model"], r.Own["finish_reason"]))
	}
	slices.Sort(lines)
	return lines
}
