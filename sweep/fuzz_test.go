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
	f.Add([]byte(runnerFile))
	f.Add([]byte(minimal + "  tokenizer: ${KEY}\n  request_count: ${LOADGEN_TEST_KEY:-8}\n  headers: {A: \"$${x} ${B:-c}\"}\n  streaming: yes\nsweeps: {concurency: [], slos: [1]}\n"))
	f.Add([]byte(minimal + "  concurrency: {a: *a}\n  cache_bust_salt: 1e5\nsweeps: {concurrency: [\"4\", 1_0, 8.0]}\n"))
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

// FuzzPick asks of any --only and --skip that they are refused in words or leave
// cells of the batch, as they are.
func FuzzPick(f *testing.F) {
	f.Add("concurrency=4,8 model=c d", "slos.request_latency=100")
	f.Add("concurrency=", ";;=")
	f.Fuzz(func(t *testing.T, only, skip string) {
		batch, err := sweep.Parse("f.yaml", []byte(pickFrom), sweep.Options{Only: []string{only}, Skip: []string{skip}})
		if err != nil {
			if list := (&sweep.Faults{}); !errors.As(err, &list) || len(list.List) == 0 {
				t.Fatalf("the error is a %T: %v", err, err)
			}
			return
		}
		last := -1
		for _, cell := range batch.Cells() {
			if cell.Index <= last || cell.Index >= 12 {
				t.Errorf("cell %d behind cell %d", cell.Index, last)
			}
			last = cell.Index
		}
		if last < 0 {
			t.Error("no fault and no cell")
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
