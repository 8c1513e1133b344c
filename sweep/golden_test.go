package sweep_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"loadgen/sweep"
)

var update = flag.Bool("update", false, "write the golden files")

// environment is what the files in testdata find set.
func environment(name string) (string, bool) {
	return map[string]string{"LOADGEN_TEST_KEY": "a key"}[name], name == "LOADGEN_TEST_KEY"
}

// TestGoldenFaults compares what is said about the faulty files of testdata. A
// file's override comes from its first line, behind "# --set ".
func TestGoldenFaults(t *testing.T) {
	files, err := filepath.Glob("testdata/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no files: %v", err)
	}
	for _, path := range files {
		name := filepath.Base(path)
		t.Run(name, func(t *testing.T) {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			o := sweep.Options{LookupEnv: environment}
			first, _, _ := strings.Cut(string(text), "\n")
			if override, ok := strings.CutPrefix(first, "# --set "); ok {
				o.Overrides = []string{override}
			}
			_, err = sweep.Parse(name, text, o)
			if err == nil {
				t.Fatal("no fault was found")
			}
			golden := strings.TrimSuffix(path, ".yaml") + ".golden"
			if *update {
				if err := os.WriteFile(golden, []byte(err.Error()+"\n"), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, readErr := os.ReadFile(golden)
			if readErr != nil {
				t.Fatal(readErr)
			}
			if diff := cmp.Diff(string(want), err.Error()+"\n"); diff != "" {
				t.Errorf("faults (-want +got):\n%s", diff)
			}
			for _, secret := range []string{"sk-", "nvapi-", "hunter"} {
				if strings.Contains(err.Error(), secret) {
					t.Errorf("the secret %s… is shown", secret)
				}
			}
		})
	}
}
