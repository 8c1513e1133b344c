package fleet

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"loadgen"
)

// TestASpoolOutlivesItsWorker writes records, and reads them from where the
// coordinator had got to: all that were flushed, none that was cut off.
func TestASpoolOutlivesItsWorker(t *testing.T) {
	dir := t.TempDir()
	path := spoolName(dir, 3)
	s, err := newSpool(path, "/out/t/run")
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
		if !s.add(&rec) {
			t.Fatal(s.full())
		}
		s.flush(i + 5)
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

	left, err := openLeft(path)
	if err != nil {
		t.Fatal(err)
	}
	defer left.file.Close()
	var rec loadgen.Record
	var records cutter
	at := 40
	err = left.from(ends[at-1], func(b []byte) error {
		return records.cut(b, func(record []byte) error {
			if err := readRecord(record, &rec, left.since); err != nil {
				return err
			}
			if rec.Index != at || !rec.Start.Equal(since.Add(time.Duration(at)*time.Second)) || len(rec.Chunks) != at*200 {
				t.Fatalf("record %d is number %d of %v with %d chunks", at, rec.Index, rec.Start, len(rec.Chunks))
			}
			at++
			return nil
		})
	})
	if err != nil || at != 100 || left.issued != 104 || left.dir != "/out/t/run" {
		t.Fatalf("%d records and %d sent, of %s, %v; want 100 and 104", at, left.issued, left.dir, err)
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
		s, err := newSpool(path, "/out/t/run")
		if err != nil {
			t.Fatal(err)
		}
		if !s.add(&loadgen.Record{}) {
			t.Fatal(s.full())
		}
		s.flush(1)
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

// TestAFullSpoolLosesNothing fills a spool that may hold little: who adds to it is
// told, and what it has no room for can be read all the same.
func TestAFullSpoolLosesNothing(t *testing.T) {
	limit := spoolLimit
	defer func() { spoolLimit = limit }()
	spoolLimit = 100_000
	s, err := newSpool(filepath.Join(t.TempDir(), "worker-0.spool"), "")
	if err != nil {
		t.Fatal(err)
	}
	n, room := 0, true
	for added := 0; added < 100; n++ { // a hundred end when nothing new is sent any more
		if room = s.add(&loadgen.Record{Index: n, Chunks: make([]loadgen.Chunk, 1000), Request: &loadgen.Request{ID: "id"}}); !room {
			added++
		}
	}
	s.flush(n)
	if s.full() == nil || s.size > spoolLimit || s.size == 0 {
		t.Fatalf("%d bytes are in the file, of which %d may be; full: %v", s.size, spoolLimit, s.full())
	}
	var records cutter
	var rec loadgen.Record
	read := 0
	for at := int64(0); at < s.length(); {
		b, err := s.read(at, 777)
		if err != nil || len(b) == 0 {
			t.Fatalf("%d bytes at %d: %v", len(b), at, err)
		}
		at += int64(len(b))
		if err := records.cut(b, func(record []byte) error {
			if err := readRecord(record, &rec, time.Time{}); err != nil || rec.Index != read {
				t.Fatalf("record %d is number %d: %v", read, rec.Index, err)
			}
			read++
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	if read != n {
		t.Errorf("%d records can be read of %d", read, n)
	}
	if s.left() != s.length() {
		t.Errorf("%d bytes are left, want all %d", s.left(), s.length())
	}
}

// TestASpoolThatIsCutCostsNoOther has a worker killed at any place of its spool, or a
// power cut leave zeros there: the records before that and those of others are read.
func TestASpoolThatIsCutCostsNoOther(t *testing.T) {
	spooled := func(dir string, worker, records int) (ends []int64) {
		s, err := newSpool(spoolName(dir, worker), "/out/t/run")
		if err != nil {
			t.Fatal(err)
		}
		for range records {
			if !s.add(&loadgen.Record{Usage: loadgen.NoUsage, Request: &loadgen.Request{ID: "id"}}) {
				t.Fatal(s.full())
			}
			s.flush(0)
			ends = append(ends, spoolHead+s.length())
		}
		if err := s.close(); err != nil {
			t.Fatal(err)
		}
		return ends
	}
	ends := spooled(t.TempDir(), 0, 3)
	for _, row := range []struct {
		name   string
		length int64
		zeros  int
		want   int // of its records
		fault  bool
	}{
		{"before its head", 0, 0, 0, false},
		{"within its head", 1, 0, 0, false},
		{"at the end of its head", spoolHead, 0, 0, false},
		{"within its second record", ends[0] + 3, 0, 1, false},
		{"a byte short", ends[2] - 1, 0, 2, false},
		{"not at all", ends[2], 0, 3, false},
		{"with zeros behind", ends[1], 64, 2, true},
	} {
		dir := t.TempDir()
		for worker, records := range []int{2, 3, 2} {
			spooled(dir, worker, records)
		}
		path := spoolName(dir, 1)
		if err := os.Truncate(path, row.length); err != nil {
			t.Fatal(err)
		}
		if err := os.Truncate(path, row.length+int64(row.zeros)); err != nil {
			t.Fatal(err)
		}
		read, faults := map[int]int{}, 0
		for rec, err := range Left(dir) {
			if err != nil {
				faults++
				continue
			}
			read[rec.By-1]++
		}
		if read[0] != 2 || read[1] != row.want || read[2] != 2 || faults > 0 != row.fault {
			t.Errorf("cut %s: %v records and %d faults, want 2, %d, 2 and faults: %t", row.name, read, faults, row.want, row.fault)
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

func TestAPlaceForRecordsIsTriedFirst(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "below", "spools")
	if err := writable(dir); err != nil {
		t.Fatal(err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("%v is left behind: %v", left, err)
	}
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := writable(file); err == nil || !strings.Contains(err.Error(), "--spools") {
		t.Errorf("a file is a place for records: %v", err)
	}
}
