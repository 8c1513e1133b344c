package fleet

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"loadgen"
)

// TestASpoolOutlivesItsWorker writes records, and reads them from where the
// coordinator had got to: all that were flushed, none that was cut off.
func TestASpoolOutlivesItsWorker(t *testing.T) {
	dir := t.TempDir()
	path := spoolName(dir, 3)
	s, err := newSpool(path)
	if err != nil {
		t.Fatal(err)
	}
	since := time.Unix(1700000000, 0)
	s.begin(since)
	var ends []int64
	for i := range 100 {
		rec := loadgen.Record{
			Index: i, Start: since.Add(time.Duration(i) * time.Second), Usage: loadgen.NoUsage,
			Request: &loadgen.Request{ID: "id", Session: "session_000001"}, Chunks: make([]loadgen.Chunk, i*200),
		}
		if err := s.add(&rec); err != nil {
			t.Fatal(err)
		}
		if err := s.flush(i + 5); err != nil {
			t.Fatal(err)
		}
		ends = append(ends, s.length())
	}
	// The worker was killed while it wrote one more.
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write([]byte{200, 0, 0, 0, 1, 2, 3}); err != nil {
		t.Fatal(err)
	}
	f.Close()

	var rec loadgen.Record
	at := 40
	issued, err := leftBehind(path, ends[at-1], func(b []byte, told time.Time) error {
		for len(b) > 0 {
			record, rest := next(b)
			if err := readRecord(record, &rec, told); err != nil {
				return err
			}
			if rec.Index != at || !rec.Start.Equal(since.Add(time.Duration(at)*time.Second)) || len(rec.Chunks) != at*200 {
				t.Fatalf("record %d is number %d of %v with %d chunks", at, rec.Index, rec.Start, len(rec.Chunks))
			}
			at++
			b = rest
		}
		return nil
	})
	if err != nil || at != 100 || issued != 104 {
		t.Fatalf("%d records and %d sent, %v; want 100 and 104", at, issued, err)
	}
	n := 0
	for rec, err := range Left(dir) {
		if err != nil {
			t.Fatal(err)
		}
		if rec.By != 4 {
			t.Fatalf("a record is by %d, want 4: worker 3", rec.By)
		}
		n++
	}
	if n != 100 {
		t.Errorf("%d records are left, want 100", n)
	}
}

// A spool whose records have all been taken in is removed, and any other kept.
func TestASpoolIsKeptUntilItIsTakenIn(t *testing.T) {
	for name, acked := range map[string]bool{"taken in": true, "not taken in": false} {
		path := filepath.Join(t.TempDir(), "worker-0.spool")
		s, err := newSpool(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.add(&loadgen.Record{}); err != nil {
			t.Fatal(err)
		}
		if err := s.flush(1); err != nil {
			t.Fatal(err)
		}
		if acked {
			s.ack(s.length())
		}
		if err := s.close(); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(path); (err == nil) == acked {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestWhatIsNoSpoolIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "worker-0.spool")
	if err := os.WriteFile(path, []byte("something else that is long enough for a head"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, err := range Left(filepath.Dir(path)) {
		if err == nil {
			t.Error("a record was read of it")
		}
	}
}
