package results_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"loadgen"
	"loadgen/results"
)

// TestTheRoomThatIsKeptIsForTheLastFiles plays a disk that is full as long as the
// reserve stands on it, from different moments on.
func TestTheRoomThatIsKeptIsForTheLastFiles(t *testing.T) {
	const reserve = ".reserve"
	last := []string{results.CSVName, results.JSONName, results.ProcessName, results.BatchJSONName, results.BatchCSVName}
	for _, c := range []struct {
		name, from string         // the file whose first write finds the disk full
		status     loadgen.Status // of the run
	}{
		{"full behind the records", results.CSVName, loadgen.Completed},
		{"full before the end", results.ProcessName, loadgen.Completed},
		{"full with the records", results.RecordsName, loadgen.Failed},
	} {
		t.Run(c.name, func(t *testing.T) {
			full := false
			done := results.Note(func(change results.Change) error {
				full = full || change.Op == "write" && strings.Contains(change.Path, c.from)
				batch, _, _ := strings.Cut(change.Path, "concurrency2")
				if full && change.Op == "write" && (there(batch, reserve) || there(filepath.Dir(batch), reserve)) {
					return &fs.PathError{Op: "write", Path: change.Path, Err: syscall.ENOSPC}
				}
				return nil
			})
			w, err := attempt(t)
			done()
			dir := filepath.Join(w.base, "crash", "20231114_221320")
			run := filepath.Join(dir, "concurrency2")
			for _, name := range last {
				at := run
				if slices.Contains(last[3:], name) {
					at = dir
				}
				if !there(at, name) {
					t.Errorf("%s is lost: %v", name, err)
				}
			}
			ending, readErr := results.ReadEnding(run)
			if readErr != nil || ending == nil || ending.Status != c.status {
				t.Errorf("the run: %+v, %v", ending, readErr)
			}
			if c.status == loadgen.Completed && err != nil || c.status == loadgen.Failed && !errors.Is(err, syscall.ENOSPC) {
				t.Errorf("error %v", err)
			}
			if !full {
				t.Error("the disk was never full")
			}
			if there(dir, reserve) {
				t.Error("the room is kept though the batch is closed")
			}
		})
	}
}

// TestNoRunBeginsWithoutTheRoomForItsEnd has a disk with no room for the reserve.
func TestNoRunBeginsWithoutTheRoomForItsEnd(t *testing.T) {
	b, err := results.CreateBatch(t.TempDir(), "full", time.Unix(0, epoch))
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	defer results.Note(func(c results.Change) error {
		if strings.HasSuffix(c.Path, ".reserve") {
			return &fs.PathError{Op: c.Op, Path: c.Path, Err: syscall.ENOSPC}
		}
		return nil
	})()
	_, err = b.Begin(metadata())
	if !results.NoRoom(err) || !strings.Contains(err.Error(), "free some space") {
		t.Errorf("error %v", err)
	}
	if there(b.Dir, "concurrency2") {
		t.Error("the run has a directory")
	}
}

// TestTheRoomGrowsWithTheBatch makes runs whose summaries are larger each time.
func TestTheRoomGrowsWithTheBatch(t *testing.T) {
	b, err := results.CreateBatch(t.TempDir(), "grows", time.Unix(0, epoch))
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	begin := func(dir string) int64 {
		t.Helper()
		meta := metadata()
		meta.Dir = dir
		run, err := b.Begin(meta)
		if err != nil {
			t.Fatal(err)
		}
		if err := run.Close(); err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(filepath.Join(b.Dir, ".reserve"))
		if err != nil {
			t.Fatal(err)
		}
		return info.Size()
	}
	if got := begin("a"); got != 256<<10 {
		t.Errorf("%d bytes for the first run", got)
	}
	if err := b.WriteText("batch_report.txt", make([]byte, 1<<20)); err != nil {
		t.Fatal(err)
	}
	if got := begin("b"); got < 2<<20 {
		t.Errorf("%d bytes behind a report of 1 MiB", got)
	}
	if b.Tight() {
		t.Error("it is tight with all of its room")
	}
	if b.Release(); !b.Tight() {
		t.Error("it is not tight without its room")
	}
}

func there(parts ...string) bool {
	_, err := os.Stat(filepath.Join(parts...))
	return err == nil
}
