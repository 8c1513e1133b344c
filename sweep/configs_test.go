package sweep_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"loadgen/sweep"
)

func TestSampleConfigs(t *testing.T) {
	cells := map[string]int{
		"quickstart.yaml":         3,
		"single_concurrency.yaml": 1,
		"sweep_concurrency.yaml":  7,
		"sweep_tokens.yaml":       20,
		"sweep_request_rate.yaml": 10,
		"nightly_capacity.yaml":   3,
		"search_capacity.yaml":    1,
	}
	files, err := filepath.Glob("../configs/*.yaml")
	if err != nil || len(files) < len(cells) {
		t.Fatalf("found %q: %v", files, err)
	}
	for _, path := range files {
		name := filepath.Base(path)
		t.Run(name, func(t *testing.T) {
			batch, err := sweep.Load(path, sweep.Options{LookupEnv: environment})
			if err != nil {
				t.Fatal(err)
			}
			if got := len(batch.Cells()); got != cells[name] {
				t.Errorf("%d cells, want %d", got, cells[name])
			}
			if len(batch.Notes) > 0 {
				t.Errorf("a sample should need no notes: %q", batch.Notes)
			}
			if want := strings.TrimSuffix(name, ".yaml"); batch.BatchName != want {
				t.Errorf("batch_name is %q, want that of the file", batch.BatchName)
			}
		})
	}
}

func TestQuickstartTakesLessThanAMinute(t *testing.T) {
	batch, err := sweep.Load("../configs/quickstart.yaml", sweep.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var total time.Duration
	for _, cell := range batch.Cells() {
		if !cell.Config.Mock() {
			t.Errorf("%s runs against %s", cell.Dir, cell.Config.URL)
		}
		total += cell.Config.BenchmarkDuration
	}
	if total > 40*time.Second {
		t.Errorf("the cells take %v, without the warm-ups", total)
	}
}

// TestDocumentedExamplesLoad runs the YAML blocks of the documentation: a block
// with batch_name is a file, any other is put behind the required keys.
func TestDocumentedExamplesLoad(t *testing.T) {
	text, err := os.ReadFile("../docs/batch-file.md")
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(string(text), "```yaml\n")
	if len(parts) < 3 {
		t.Fatal("docs/batch-file.md holds no examples")
	}
	for _, part := range parts[1:] {
		block, _, closed := strings.Cut(part, "```")
		if !closed {
			t.Fatalf("a block is not closed: %s", part)
		}
		if !strings.Contains(block, "batch_name:") {
			block = minimal + block
		}
		if _, err := sweep.Parse("docs/batch-file.md", []byte(block), sweep.Options{}); err != nil {
			t.Errorf("%v\nin\n%s", err, block)
		}
	}
}

// TestEveryKeyIsDocumented keeps docs/batch-file.md complete.
func TestEveryKeyIsDocumented(t *testing.T) {
	text, err := os.ReadFile("../docs/batch-file.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range sweep.Keys() {
		if !strings.Contains(string(text), "`"+key+"`") {
			t.Errorf("`%s` is not in docs/batch-file.md", key)
		}
	}
}
