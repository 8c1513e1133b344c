package fleet

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"loadgen"
)

const (
	spoolMagic  = "loadgen spool 3\n"
	spoolHead   = 4096 // bytes in front of the records: see spoolHeader
	spoolIssued = int64(len(spoolMagic))
	spoolSince  = spoolIssued + 8
	spoolFrom   = spoolSince + 8
	spoolDir    = spoolFrom + 8
	flushSize   = 64 << 10
)

// spoolLimit is how many bytes of records may wait: who is to take them in is
// not there, or much too slow.
var spoolLimit int64 = 4 << 30

// A spool holds the finished records of a worker's run in a file, from which they
// are sent. Its methods may be called by several goroutines.
type spool struct {
	mu     sync.Mutex
	file   *os.File
	buffer []byte // not written yet
	size   int64  // of the records written
	acked  int64  // of these, taken in by the coordinator
	failed error
	since  time.Time // what starts are told from
	shed   shedding
}

// spoolName is the file of a worker's records of a run, where its directory is that
// of the run.
func spoolName(dir string, worker int) string {
	return filepath.Join(dir, fmt.Sprintf("worker-%d.spool", worker))
}

// spoolOf is the file of who has a seat, in a directory for many runs: nobody else
// writes there.
func (s seat) spoolOf(dir string, run int) string {
	return filepath.Join(dir, fmt.Sprintf("worker-%d-%s-%d.spool", s.index, s.key, run))
}

// workerOf is the worker whose spool a file is.
func workerOf(path string) (worker int) {
	_, _ = fmt.Sscanf(filepath.Base(path), "worker-%d", &worker)
	return worker
}

// writable makes a directory, and sure that files can be made in it: a worker that
// cannot keep records is of no use to a batch.
func writable(dir string) error {
	err := os.MkdirAll(dir, 0o700)
	var f *os.File
	if err == nil {
		f, err = os.CreateTemp(dir, "try-*")
	}
	if err != nil {
		return fmt.Errorf("making a place for records: %w; choose another with --spools", err)
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

// newSpool makes a spool for the run that is gathered in a directory; a file that
// is there is of another run.
func newSpool(path, dir string) (*spool, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, fmt.Errorf("making a place for records: %w", err)
	}
	if _, err := f.Write(spoolHeader(dir)); err != nil {
		return nil, errors.Join(fmt.Errorf("making a place for records: %w", err), f.Close())
	}
	return &spool{file: f}, nil
}

// spoolHeader is what stands in front of the records: how many requests were sent,
// since when starts are told and from where on records are there, which are written
// later, and the directory.
func spoolHeader(dir string) []byte {
	b := append(make([]byte, 0, spoolHead), spoolMagic...)
	b = append(b, make([]byte, spoolDir-spoolIssued)...)
	if len(dir) < spoolHead-len(b) { // else nobody will ask for it
		b = append(b, dir...)
	}
	return b[:spoolHead]
}

// begin says since when the starts of records are told.
func (s *spool) begin(since time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.since = since
	s.head(spoolSince, since.UnixNano())
}

// head writes a number into the head of the file.
func (s *spool) head(at, n int64) {
	if s.failed == nil {
		_, s.failed = s.file.WriteAt(binary.LittleEndian.AppendUint64(nil, uint64(n)), at)
	}
}

// add takes in a record, and reports whether there is room for more. What the file
// has no room for is kept in memory.
func (s *spool) add(r *loadgen.Record) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.buffer = appendRecord(s.buffer, r, s.since)
	if len(s.buffer) >= flushSize {
		s.write()
	}
	return s.failed == nil
}

// flush puts what was added into the file, where it outlives this process, with
// how many requests of the measurement have been sent.
func (s *spool) flush(issued int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.buffer) > 0 {
		s.write()
	}
	s.head(spoolIssued, int64(issued))
}

func (s *spool) write() {
	if waiting := s.size - s.acked; s.failed == nil && waiting+int64(len(s.buffer)) > spoolLimit {
		s.failed = fmt.Errorf("%d MiB of its records wait to be taken in, and no more may: the coordinator, or the network to it, is too slow", waiting>>20)
	}
	if s.failed != nil {
		return
	}
	n, err := s.file.WriteAt(s.buffer, spoolHead+s.size)
	if err != nil {
		s.failed = fmt.Errorf("it cannot write its records down: %w", err)
		n = whole(s.buffer[:n])
	}
	s.size += int64(n)
	s.shed.wrote(s.size, time.Now())
	s.buffer = append(s.buffer[:0], s.buffer[n:]...)
}

// full says why there is no room for more; nil where there is.
func (s *spool) full() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.failed
}

// length is how many bytes of records can be read: those in the file, and those
// that found no room there.
func (s *spool) length() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.size + s.spilled()
}

func (s *spool) spilled() int64 {
	if s.failed == nil {
		return 0
	}
	return int64(len(s.buffer))
}

// left is how many bytes of records were not taken in.
func (s *spool) left() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.size + int64(len(s.buffer)) - s.acked
}

// ack notes that the coordinator has taken in so many bytes, and lets go what it
// needs no more. Who adds records does not wait for the disk to do so.
func (s *spool) ack(n int64) {
	if from, to := s.taken(n); to > from {
		punch(s.file, spoolHead+from, to-from)
	}
}

// taken returns the part of the records that may go, which the file says first;
// empty for none.
func (s *spool) taken(n int64) (from, to int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.acked = max(s.acked, n)
	if from, to = s.shed.took(s.acked, time.Now()); to > from {
		s.head(spoolFrom, to)
	}
	if s.failed != nil {
		return from, from
	}
	return from, to
}

// read returns up to so many bytes of records from a place in the spool; none at
// its end.
func (s *spool) read(at int64, most int) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if at >= s.size {
		rest := s.buffer[:s.spilled()]
		rest = rest[min(at-s.size, int64(len(rest))):]
		return slices.Clone(rest[:min(most, len(rest))]), nil
	}
	b := make([]byte, min(int64(most), s.size-at))
	_, err := s.file.ReadAt(b, spoolHead+at)
	return b, err
}

// close closes the file, and removes it where all has been taken in.
func (s *spool) close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	err := s.file.Close()
	if s.acked >= s.size+int64(len(s.buffer)) {
		if gone := os.Remove(s.file.Name()); !errors.Is(gone, fs.ErrNotExist) {
			err = errors.Join(err, gone)
		}
	}
	return err
}
