package sweep_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"loadgen/sweep"
)

// FuzzParse asks of any text that it is either refused with faults or gives
// cells that differ in name and value and that can be written down.
func FuzzParse(f *testing.F) {
	f.Add([]byte(seedExample))
	f.Add([]byte(minimal + "sweeps: {concurrency: [1, 2], model: [a/b, a_b]}\n"))
	f.Add([]byte(bomb(3)))
	files, err := filepath.Glob("testdata/*.yaml")
	if err != nil {
		f.Fatal(err)
	}
	for _, path := range files {
		text, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		batch, err := sweep.Parse("f.yaml", text, sweep.Options{LookupEnv: environment})
		if err != nil {
			list := &sweep.Faults{}
			if !errors.As(err, &list) || len(list.List) == 0 || list.Error() == "" {
				t.Fatalf("the error is a %T: %v", err, err)
			}
			for _, fault := range list.List {
				if fault.Width < 1 || fault.Caret < 0 || strings.ContainsAny(fault.Source, "\n\r\x1b") {
					t.Errorf("an odd fault: %+v", fault)
				}
			}
			return
		}
		if len(batch.Cells()) == 0 {
			t.Fatal("no fault and no cell")
		}
		seen := map[string]bool{}
		for _, cell := range batch.Cells() {
			if seen[strings.ToLower(cell.Dir)] || strings.ContainsAny(cell.Dir, `/\`) || len(cell.Dir) > 255 {
				t.Errorf("the directory name %q", cell.Dir)
			}
			seen[strings.ToLower(cell.Dir)] = true
			if _, err := cell.Config.Effective().MarshalJSON(); err != nil {
				t.Error(err)
			}
			_ = cell.Pacing.String()
		}
	})
}

func BenchmarkParse(b *testing.B) {
	text := []byte(seedExample + "sweeps:\n  concurrency: [1, 2, 4, 8, 16]\n  prompt_input_tokens_mean: [100, 500, 1000]\n")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := sweep.Parse("b.yaml", text, sweep.Options{}); err != nil {
			b.Fatal(err)
		}
	}
}
