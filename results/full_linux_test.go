package results_test

import (
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
	for _, name := range []string{results.JSONName, results.InputsName} {
		if _, err := os.Stat(filepath.Join(runs[0], name)); err == nil {
			t.Errorf("%s is there, though it cannot be whole", name)
		}
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
	for i := range 10 {
		r := handmade()[1]
		r.Ended += time.Duration(i) * time.Second // a flush for each
		if err := run.Record(r, measured(r)); err != nil {
			fmt.Println(err)
		}
	}
	if err := in.Add(&loadgen.Session{ID: strings.Repeat("s", 8000)}); err != nil {
		fmt.Println(err)
	}
	fmt.Println(in.Close(1))
	fmt.Println(run.Finish(&results.Result{
		Config: results.InputConfig{Endpoint: results.InputEndpoint{Path: strings.Repeat("u", 8000)}},
	}))
}
