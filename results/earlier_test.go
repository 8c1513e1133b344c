package results_test

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"loadgen"
	"loadgen/results"
)

// TestRunsOfEarlierVersionsAreRead has a list for a command, and no word for
// what became of the run.
func TestRunsOfEarlierVersionsAreRead(t *testing.T) {
	for _, row := range []struct {
		code, cancelled string
		want            loadgen.Status
	}{
		{"0", "false", loadgen.Completed},
		{"0", "true", loadgen.Interrupted},
		{"1", "false", loadgen.Failed},
	} {
		_, dir, _ := write(t)
		edit(t, filepath.Join(dir, results.MetadataName), `"command": "[^"]*"`, `"command": ["loadgen", "--config-file", "chat.yaml"]`)
		edit(t, filepath.Join(dir, results.ProcessName), `"status": "[^"]*",`, ``)
		edit(t, filepath.Join(dir, results.ProcessName), `"returncode": \d+`, `"returncode": `+row.code)
		edit(t, filepath.Join(dir, results.ProcessName), `"was_cancelled": \w+`, `"was_cancelled": `+row.cancelled)
		run, err := results.Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		if run.Status != row.want {
			t.Errorf("returncode %s, was_cancelled %s: read as %s, want %s", row.code, row.cancelled, run.Status, row.want)
		}
	}
}

// edit replaces what there is once in a file.
func edit(t *testing.T, path, what, with string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	find := regexp.MustCompile(what)
	if n := len(find.FindAll(text, -1)); n != 1 {
		t.Fatalf("%s: %d places like %s", path, n, what)
	}
	if err := os.WriteFile(path, find.ReplaceAll(text, []byte(with)), 0o666); err != nil {
		t.Fatal(err)
	}
}
