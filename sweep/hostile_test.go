package sweep_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"loadgen/sweep"
)

// bomb expands to 4^levels values.
func bomb(levels int) string {
	var b strings.Builder
	b.WriteString(minimal + "  extra_inputs:\n    a: &a [x, x, x, x]\n")
	for i := range levels {
		name := 'b' + i
		fmt.Fprintf(&b, "    %c: &%c [*%c, *%c, *%c, *%c]\n", name, name, name-1, name-1, name-1, name-1)
	}
	return b.String()
}

// numbers lists 1 to n.
func numbers(n int) string {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprint(i + 1)
	}
	return strings.Join(list, ", ")
}

func TestForeignTextIsRefusedInOneSentence(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"empty file", "", "f.yaml: is empty"},
		{"only comments", "# nothing\n", "f.yaml: is empty"},
		{"an unfinished list", "a: [1,\nb: 2\n", "f.yaml:1:4: not valid YAML"},
		{"not YAML", "{\"a\": }}", "not valid YAML"},
		{"a list", "- a\n", "f.yaml:1:1: a batch file is a map of keys, not a list"},
		{"a word", "hello\n", "a batch file is a map of keys, not the text \"hello\""},
		{"several documents", "a: 1\n---\nb: 2\n", "holds several YAML documents"},
		{"a tab as indentation", "base_config:\n\tmodel: m\n", "indent with spaces, not with tabs"},
		{"Latin-1", "batch_name: caf\xe9\n", "is not UTF-8: byte 0xe9 at offset 15, line 1"},
		{"UTF-16", "\xff\xfeb\x00", "is UTF-16"},
		{"a binary", "\x7fELF\x00\x01", "is not text: byte 0x00 at offset 4"},
		{"a control character", "a: \x01\n", "is not text"},
		{"an alias bomb", bomb(12), "holds more than 50000 values, aliases expanded"},
		{"an alias that contains itself", minimal + "  extra_inputs: &a {x: [*a]}\n", "does an alias contain itself?"},
		{"flow nesting without end", strings.Repeat("[", 100_000), "exceeded max depth"},
		{"block nesting without end", strings.Repeat("- ", 100_000), "exceeded max depth"},
		{"an unknown anchor", "a: *nobody\n", "an unknown anchor is referenced"},
		{"too large", strings.Repeat("# comment\n", 30_000), "is larger than 256 KiB"},
		{
			"many cells of many values",
			minimal + "  extra_inputs: {a: [" + strings.Repeat("1,", 40_000) + "1]}\nsweeps: {random_seed: [" + numbers(100) + "]}\n",
			"make 100 cells of 40016 values each: more than 1000000 in all",
		},
		{"too many values", "a: [" + strings.Repeat("1,", 60_000) + "1]\n", "holds more than 50000 values"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := sweep.Parse("f.yaml", []byte(tt.text), sweep.Options{})
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("got %v, want %q in it", err, tt.want)
			}
			if len(err.Error()) > 600 {
				t.Errorf("the message is %d bytes long:\n%s", len(err.Error()), err)
			}
			if !strings.HasSuffix(err.Error(), "1 fault in the batch file") {
				t.Errorf("more than one fault:\n%s", err)
			}
		})
	}
}

func TestFilesThatCannotBeRead(t *testing.T) {
	dir := t.TempDir()
	tests := []struct{ name, path, want string }{
		{"missing", filepath.Join(dir, "none.yaml"), "no such file"},
		{"a directory", dir, "is a directory, not a batch file"},
		{"a device without end", "/dev/zero", "is larger than 256 KiB"},
		{"empty standard input", "-", "standard input: is empty"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := sweep.Load(tt.path, sweep.Options{})
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q in it", err, tt.want)
			}
		})
	}
	_, err := sweep.Load("-", sweep.Options{Stdin: iotest.ErrReader(errors.New("pipe burst"))})
	if err == nil || !strings.Contains(err.Error(), "standard input: cannot be read: pipe burst") {
		t.Errorf("a broken pipe: got %v", err)
	}
}

// allocated returns how many bytes a call allocates in all.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

func TestLargeFilesAreReadOnlyToTheLimit(t *testing.T) {
	path := filepath.Join(t.TempDir(), "large.yaml")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, 100<<20); err != nil {
		t.Fatal(err)
	}
	used := allocated(func() {
		if _, err := sweep.Load(path, sweep.Options{}); err == nil {
			t.Error("no fault")
		}
	})
	if used > 4<<20 {
		t.Errorf("reading a file of 100 MiB took %d bytes", used)
	}
}

func TestAliasBombsStayBounded(t *testing.T) {
	text := []byte(bomb(20))
	used := allocated(func() {
		if _, err := sweep.Parse("f.yaml", text, sweep.Options{}); err == nil {
			t.Error("no fault")
		}
	})
	if used > 64<<20 {
		t.Errorf("an alias bomb took %d bytes", used)
	}
}

func TestFaultsAreSafeToPrint(t *testing.T) {
	_, err := sweep.Parse("f.yaml", []byte(minimal+"  \"\\e[31m"+strings.Repeat("x", 5000)+"\": 1\n"), sweep.Options{})
	if err == nil || strings.Contains(err.Error(), "\x1b") || len(err.Error()) > 6000 {
		t.Errorf("got %q", err)
	}
}

func TestManyFaultsAreCounted(t *testing.T) {
	var b bytes.Buffer
	b.WriteString(minimal)
	for i := range 80 {
		fmt.Fprintf(&b, "  unknown_%d: 1\n", i)
	}
	_, err := sweep.Parse("f.yaml", b.Bytes(), sweep.Options{})
	if err == nil || !strings.HasSuffix(err.Error(), "80 faults in the batch file, the first 50 shown") {
		t.Errorf("got %v", err)
	}
}

func BenchmarkTenThousandCells(b *testing.B) {
	text := []byte("max_cells: 10000\n" + minimal + "sweeps: {concurrency: [" + numbers(100) + "], prompt_input_tokens_mean: [" + numbers(100) + "]}\n")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := sweep.Parse("b.yaml", text, sweep.Options{}); err != nil {
			b.Fatal(err)
		}
	}
}
