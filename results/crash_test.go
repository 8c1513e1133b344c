package results_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"loadgen"
	"loadgen/metrics"
	"loadgen/results"
)

// crashes are the ways in which a file system is left.
var crashes = []struct {
	name string
	left func(inode) []byte // of a file
	// names says that the names of files are on the disk at once, not only
	// when their directory was synced.
	names bool
}{
	{"a kill", func(f inode) []byte { return f.data }, true},
	{"a power cut that takes whatever was not synced", func(f inode) []byte { return f.synced }, false},
	{"a power cut that leaves the names of files", func(f inode) []byte { return f.synced }, true},
	{"a power cut in the midst of the last write", func(f inode) []byte { return f.torn }, true},
}

// TestWhateverACrashLeavesIsReadable plays the changes of the disk that a small
// batch makes back to every point between two of them, and reads what would be
// found there.
func TestWhateverACrashLeavesIsReadable(t *testing.T) {
	changes, written := smallBatch(t)
	for _, crash := range crashes {
		t.Run(crash.name, func(t *testing.T) {
			finished := 0
			for n := range len(changes) + 1 {
				d := replay(written.base, changes[:n])
				base := t.TempDir()
				d.restore(t, base, crash.names, crash.left)
				if examine(t, base, written) {
					finished++
				}
				if t.Failed() {
					t.Fatalf("after %d of %d changes, the last %+v", n, len(changes), changes[max(n-1, 0)])
				}
			}
			if finished == 0 {
				t.Error("the finished run was never found")
			}
		})
	}
}

// written is what a batch wrote, to hold against what was found.
type writtenBatch struct {
	base             string
	warmup, measured []string // ids
	sessions         []string
	summary          metrics.Summary
}

// smallBatch notes what a batch tells the disk.
func smallBatch(t *testing.T) ([]results.Change, writtenBatch) {
	t.Helper()
	var changes []results.Change
	defer results.Note(func(c results.Change) error {
		changes = append(changes, c)
		return nil
	})()
	w, err := attempt(t)
	if err != nil {
		t.Fatal(err)
	}
	return changes, w
}

// attempt makes a batch of one run, whose files are flushed and synced now and
// then. After an error it goes on as far as it can.
func attempt(t *testing.T) (w writtenBatch, failure error) {
	t.Helper()
	w.base = t.TempDir()
	var errs []error
	defer func() { failure = errors.Join(errs...) }()
	check := func(err error) bool {
		errs = append(errs, err)
		return err == nil
	}
	batch, err := results.CreateBatch(w.base, "crash", time.Unix(0, epoch))
	if !check(err) {
		return
	}
	defer batch.Close()
	run, err := batch.Begin(metadata())
	if !check(err) {
		return
	}
	defer run.Close()
	in, err := run.Inputs()
	if !check(err) {
		return
	}
	c, err := metrics.NewCollector(facts())
	check(err)
	for i, r := range handmade() {
		s := &loadgen.Session{ID: r.Request.Session + r.Request.ID, Turns: []*loadgen.Request{r.Request}}
		check(in.Add(s))
		w.sessions = append(w.sessions, s.ID)
		check(run.Record(r, c.Add(r)))
		if r.Phase == loadgen.Warmup {
			w.warmup = append(w.warmup, r.Request.ID)
		} else {
			w.measured = append(w.measured, r.Request.ID)
		}
		if i%2 == 0 {
			check(run.Flush())
		} else {
			check(run.Sync())
		}
	}
	w.summary = c.Summary(theOutcome(), theHealth(), theTransport())
	res := result(w.summary)
	if err := errors.Join(in.Close(len(w.sessions)), run.Close()); !check(err) {
		res.Status, res.Error, res.NotKept = loadgen.Failed, err.Error(), results.NotWritten(err)
	}
	check(run.Finish(res))
	check(batch.Finish([]results.Row{{Cell: metadata().Cell, Dir: "concurrency2", Status: res.Status, Summary: &w.summary}}))
	return
}

// TestADiskThatFailsAtAnyPointLosesNothingOfBefore has the disk fill up, break for
// good, or fail once, at every point of a small batch.
func TestADiskThatFailsAtAnyPointLosesNothingOfBefore(t *testing.T) {
	changes, _ := smallBatch(t)
	for _, disk := range []struct {
		name string
		errs syscall.Errno
		ops  string // that fail
		once bool
		says string
	}{
		{"full", syscall.ENOSPC, "write create mkdir", false, "free some space"},
		{"broken", syscall.EIO, "write create mkdir truncate sync syncdir rename", false, "input/output error"},
		{"broken for a moment", syscall.EIO, "write create mkdir truncate sync syncdir rename", true, "input/output error"},
		{"read-only", syscall.EROFS, "write create mkdir truncate rename", false, "can be written to"},
	} {
		t.Run(disk.name, func(t *testing.T) {
			for n := range changes {
				if !strings.Contains(disk.ops, changes[n].Op) {
					continue
				}
				made := 0
				done := results.Note(func(c results.Change) error {
					made++
					if fails := made > n && strings.Contains(disk.ops, c.Op) && (made == n+1 || !disk.once); fails {
						return &fs.PathError{Op: c.Op, Path: c.Path, Err: disk.errs}
					}
					return nil
				})
				w, err := attempt(t)
				done()
				if !errors.Is(err, disk.errs) || !strings.Contains(err.Error(), disk.says) || !strings.Contains(err.Error(), w.base) {
					t.Errorf("%v", err)
				}
				if w.measured != nil {
					nothingIsLost(t, w)
				}
				if t.Failed() {
					t.Fatalf("at %d of %d changes, %s of %s", n, len(changes), changes[n].Op, changes[n].Path)
				}
			}
		})
	}
}

// nothingIsLost checks the run that a disk has kept which failed meanwhile.
func nothingIsLost(t *testing.T, w writtenBatch) {
	t.Helper()
	run, err := results.Open(filepath.Join(w.base, "crash", "20231114_221320", "concurrency2"))
	if err != nil {
		t.Error(err)
		return
	}
	lines := 0
	for _, err := range run.Records() {
		if err != nil {
			t.Error(err)
		}
		lines++
	}
	if len(run.Truncated()) > 0 {
		t.Errorf("cut lines in %q", run.Truncated())
	}
	if all := len(w.warmup) + len(w.measured); lines < all && run.Status == loadgen.Completed {
		t.Errorf("a completed run of %d of %d lines", lines, all)
	}
	if s := readInputs(t, filepath.Join(run.Dir, results.InputsName)); len(s) > len(w.sessions) {
		t.Errorf("%d sessions", len(s))
	}
}

// examine reads the run that a crash left, and reports whether it is finished.
func examine(t *testing.T, base string, w writtenBatch) (finished bool) {
	t.Helper()
	dirs, _ := filepath.Glob(filepath.Join(base, "crash", "*", "concurrency2"))
	if len(dirs) == 0 {
		return false
	}
	run, err := results.Open(dirs[0])
	if errors.Is(err, fs.ErrNotExist) && strings.Contains(err.Error(), results.MetadataName) {
		return false // nothing had begun
	}
	if err != nil {
		t.Error(err)
		return false
	}
	found := map[loadgen.Phase][]string{}
	for rec, err := range run.Records() {
		if err != nil {
			t.Error(err)
			return false
		}
		found[rec.Phase] = append(found[rec.Phase], rec.Request.ID)
	}
	isPrefix(t, "warm-up", found[loadgen.Warmup], w.warmup)
	isPrefix(t, "measured", found[loadgen.Profiling], w.measured)
	var sessions []string
	var broken error
	for s, err := range run.Inputs() {
		if broken = err; err == nil {
			sessions = append(sessions, s.ID)
		}
	}
	isPrefix(t, "sessions", sessions, w.sessions)
	s, err := run.Summary()
	if err != nil {
		t.Error(err)
		return false
	}
	if got := s.Counts.OK + s.Counts.Failed + s.Counts.Cancelled; got != len(found[loadgen.Profiling]) {
		t.Errorf("a summary of %d requests for %d lines", got, len(found[loadgen.Profiling]))
	}
	if run.Status == loadgen.Incomplete {
		return false
	}
	if len(found[loadgen.Profiling]) != len(w.measured) || len(found[loadgen.Warmup]) != len(w.warmup) || len(sessions) != len(w.sessions) || broken != nil {
		t.Errorf("a finished run of %v and sessions %q: %v", found, sessions, broken)
	}
	for _, name := range []string{results.CSVName, results.ProcessName} {
		if _, err := os.Stat(filepath.Join(run.Dir, name)); err != nil {
			t.Errorf("a finished run: %v", err)
		}
	}
	return true
}

func isPrefix(t *testing.T, what string, got, of []string) {
	t.Helper()
	if len(got) > len(of) || strings.Join(got, " ") != strings.Join(of[:len(got)], " ") {
		t.Errorf("%s: found %q where %q was written", what, got, of)
	}
}

// TestARunWithoutAllOfItsFilesHasFailed has a disk with room for small files
// only.
func TestARunWithoutAllOfItsFilesHasFailed(t *testing.T) {
	for _, name := range []string{results.CSVName, results.JSONName, results.RecordsName} {
		done := results.Note(func(c results.Change) error {
			if c.Op == "write" && strings.Contains(c.Path, name) {
				return &fs.PathError{Op: c.Op, Path: c.Path, Err: syscall.ENOSPC}
			}
			return nil
		})
		w, err := attempt(t)
		done()
		if !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("no room for %s: %v", name, err)
		}
		ending, err := results.ReadEnding(filepath.Join(w.base, "crash", "20231114_221320", "concurrency2"))
		if err != nil {
			t.Fatal(err)
		}
		if ending.Status != loadgen.Failed || !ending.NotKept || ending.Verdict == metrics.Valid || !strings.Contains(ending.Error, "no space left") {
			t.Errorf("no room for %s: %+v", name, ending)
		}
	}
}
