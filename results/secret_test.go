package results_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"loadgen"
	"loadgen/internal/secret"
	"loadgen/metrics"
	"loadgen/results"
)

// TestAFileThatWouldHoldASecretIsNotWritten gives the writer values that should
// have come without the key: it mends nothing, and says so.
func TestAFileThatWouldHoldASecretIsNotWritten(t *testing.T) {
	const key = "sk-alpha-0123456789"
	for name, try := range map[string]func(b *results.Batch) error{
		"metadata": func(b *results.Batch) error {
			_, err := b.Begin(results.Metadata{Command: []string{"loadgen", key}})
			return err
		},
		"a record": func(b *results.Batch) error {
			r := begin(t, b)
			rec := &loadgen.Record{Model: key, Usage: loadgen.NoUsage}
			if err := r.Record(rec, &metrics.Measurement{}); err != nil {
				return err
			}
			return r.Flush()
		},
		"a prompt": func(b *results.Batch) error {
			in, err := begin(t, b).Inputs()
			if err != nil {
				t.Fatal(err)
			}
			if err := in.Add(&loadgen.Session{ID: "s", Turns: []*loadgen.Request{{Body: []byte(`{"user":"` + key + `"}`)}}}); err != nil {
				return err
			}
			return in.Close(1)
		},
		"the log": func(b *results.Batch) error {
			return begin(t, b).GiveUp(&results.Result{Stderr: "the key is " + key})
		},
		"the export": func(b *results.Batch) error {
			return begin(t, b).Finish(&results.Result{Config: results.InputConfig{Endpoint: results.InputEndpoint{Path: "/v1?k=" + key}}})
		},
		"the batch": func(b *results.Batch) error {
			return b.Finish([]results.Row{{Err: "wrong key " + key}})
		},
	} {
		t.Run(name, func(t *testing.T) {
			b, err := results.CreateBatch(t.TempDir(), "b", time.Unix(0, epoch))
			if err != nil {
				t.Fatal(err)
			}
			b.Secrets = &secret.Set{}
			b.Secrets.AddKey(key)
			if err := try(b); err == nil || !strings.Contains(err.Error(), "is not written") || strings.Contains(err.Error(), key) {
				t.Errorf("got %v", err)
			}
			for _, file := range glob(t, b.Dir) {
				if text, err := os.ReadFile(file); err != nil || strings.Contains(string(text), key) {
					t.Errorf("%s holds the key: %v", file, err)
				}
			}
		})
	}
}

func begin(t *testing.T, b *results.Batch) *results.Run {
	t.Helper()
	r, err := b.Begin(results.Metadata{})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// glob returns the files of a batch without sweeps.
func glob(t *testing.T, dir string) []string {
	t.Helper()
	var files []string
	for _, pattern := range []string{"*", ".*"} {
		found, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, found...)
	}
	return files
}
