package archive_test

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"loadgen"
	"loadgen/archive"
	"loadgen/results"
)

// TestAKilledRunIsReadAsFarAsItGoes cuts every file that a killed run can leave
// at several points, and asks that what is there is analysed and what misses is
// told. The same cut in a run that ended is an error.
func TestAKilledRunIsReadAsFarAsItGoes(t *testing.T) {
	_, dir := made(t, strings.Fields("base_config.concurrency=2 base_config.request_count=12 base_config.warmup_request_count=4"), 0, 0)
	grown := []string{results.InputsName, results.RecordsName, results.WarmupName}
	killed := t.TempDir()
	for _, name := range append(grown, results.MetadataName) {
		copied(t, filepath.Join(dir, name), filepath.Join(killed, name))
	}
	for _, name := range grown {
		path := filepath.Join(killed, name)
		whole, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, keep := range []int{0, 1, 12, len(whole) / 3, len(whole) - 3, len(whole) - 1, -1} {
			if keep < 0 {
				err = os.Remove(path)
			} else {
				err = os.WriteFile(path, whole[:keep], 0o600)
			}
			if err != nil {
				t.Fatal(err)
			}
			r, err := archive.Read(killed)
			if err != nil {
				t.Errorf("%s cut to %d of %d bytes: %v", name, keep, len(whole), err)
				continue
			}
			if r.Status != loadgen.Incomplete {
				t.Errorf("%s cut to %d bytes: status %s", name, keep, r.Status)
			}
			if told := strings.Join(r.Trace.Missing, "\n"); keep == len(whole)/3 && !strings.Contains(told, name) {
				t.Errorf("%s cut to %d bytes: what misses is %q", name, keep, told)
			}
		}
		if err := os.WriteFile(path, whole, 0o600); err != nil {
			t.Fatal(err)
		}

		if err := os.Truncate(filepath.Join(dir, name), int64(len(whole)/3)); err != nil {
			t.Fatal(err)
		}
		if _, err := archive.Read(dir); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%s of a run that ended, cut: %v", name, err)
		}
		copied(t, path, filepath.Join(dir, name))
	}
}

func copied(t *testing.T, from, to string) {
	t.Helper()
	data, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, data, 0o600); err != nil {
		t.Fatal(err)
	}
}
