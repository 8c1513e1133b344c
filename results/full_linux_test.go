package results_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"loadgen"
	"loadgen/results"
)

// A file system that takes no more is played by a child process that may not
// make a file longer than a few kilobytes.
func TestAFullDiskKeepsWholeLines(t *testing.T) {
	if dir := os.Getenv("LOADGEN_TEST_FULL"); dir != "" {
		fillUp(dir)
		os.Exit(0) // a coverage profile would not fit either
	}
	dir := t.TempDir()
	child := exec.Command(os.Args[0], "-test.run=TestAFullDiskKeepsWholeLines")
	child.Env = append(os.Environ(), "LOADGEN_TEST_FULL="+dir)
	out, err := child.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if !strings.Contains(string(out), "write "+dir) || !strings.Contains(string(out), "file too large") {
		t.Errorf("the child said %s", out)
	}
	runs, _ := filepath.Glob(filepath.Join(dir, "full", "*"))
	if len(runs) != 1 {
		t.Fatalf("directories %q", runs)
	}
	rec, err := results.Open(runs[0])
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, err := range rec.Records() {
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
	if n == 0 || len(rec.Truncated()) > 0 {
		t.Errorf("%d records, truncated %q", n, rec.Truncated())
	}
	if _, err := os.Stat(filepath.Join(runs[0], results.JSONName)); err == nil {
		t.Errorf("%s is there, though it cannot be whole", results.JSONName)
	}
	if n := len(readInputs(t, filepath.Join(runs[0], results.InputsName))); n != 1 {
		t.Errorf("%d sessions, want the one that there was room for", n)
	}
}

func fillUp(dir string) {
	b, err := results.CreateBatch(dir, "full", time.Unix(0, epoch))
	if err != nil {
		panic(err)
	}
	run, err := b.Begin(results.Metadata{})
	if err != nil {
		panic(err)
	}
	in, err := run.Inputs()
	if err != nil {
		panic(err)
	}
	signal.Ignore(syscall.SIGXFSZ)
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: 4096, Max: 4096}); err != nil {
		panic(err)
	}
	for range 10 { // of which a few fit
		r := handmade()[1]
		if err := run.Record(r, measured(r)); err != nil {
			fmt.Println(err)
		}
	}
	fmt.Println(run.Flush())
	for _, id := range []string{"small", strings.Repeat("s", 8000)} {
		if err := errors.Join(in.Add(&loadgen.Session{ID: id}), run.Flush()); err != nil {
			fmt.Println(err)
		}
	}
	fmt.Println(in.Close(2))
	fmt.Println(run.Finish(&results.Result{
		Config: results.InputConfig{Endpoint: results.InputEndpoint{Path: strings.Repeat("u", 8000)}},
	}))
}
