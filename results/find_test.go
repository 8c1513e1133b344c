package results_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"loadgen/results"
)

// empty makes empty files and returns the directory of them all.
func empty(t *testing.T, files ...string) string {
	t.Helper()
	root := t.TempDir()
	for _, name := range files {
		path := filepath.Join(root, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func TestRunsAreFoundWhereTheyLie(t *testing.T) {
	root := empty(t,
		"night/batch.json", "night/a/run_metadata.json", "night/search/a/b/probe_0001/run_metadata.json",
		"night/aborted_1/a/run_metadata.json", "night/.hidden/run_metadata.json",
		"night/other/batch.json", "night/other/b/run_metadata.json",
		"alone/run_metadata.json", "1/2/3/4/5/6/7/run_metadata.json", "1/2/3/4/5/6/x/8/run_metadata.json")
	for _, tt := range []struct {
		name, dir string
		want      []string
	}{
		{"those of a batch, but for what was set aside, hidden, or is another batch's", "night", []string{"night/a", "night/search/a/b/probe_0001"}},
		{"those that were set aside, where they are asked for", "night/aborted_1", []string{"night/aborted_1/a"}},
		{"a hidden one that is asked for", "night/.hidden", []string{"night/.hidden"}},
		{"the only run", "alone", []string{"alone"}},
		{"no deeper than six levels", "1", []string{"1/2/3/4/5/6/7"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			found, err := results.RunDirs(filepath.Join(root, filepath.FromSlash(tt.dir)))
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, dir := range found {
				name, err := filepath.Rel(root, dir)
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, filepath.ToSlash(name))
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	if _, err := results.RunDirs(filepath.Join(root, "nowhere")); err == nil {
		t.Error("a directory that is not there has runs")
	}
}
