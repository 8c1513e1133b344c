package fleet

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"loadgen"
)

const (
	spoolMagic = "loadgen spool 2\n"
	spoolHead  = 4096 // bytes in front of the records: see writeHead
	spoolDir   = int64(len(spoolMagic)) + 8 + 8
	flushSize  = 64 << 10
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

// spoolHeader is what stands in front of the records: how many requests were sent
// and since when starts are told, which are written later, and the directory.
func spoolHeader(dir string) []byte {
	b := append(make([]byte, 0, spoolHead), spoolMagic...)
	b = append(b, make([]byte, 8+8)...)
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
	if s.failed == nil {
		_, s.failed = s.file.WriteAt(binary.LittleEndian.AppendUint64(nil, uint64(since.UnixNano())), spoolDir-8)
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
	if s.failed == nil {
		_, s.failed = s.file.WriteAt(binary.LittleEndian.AppendUint64(nil, uint64(issued)), int64(len(spoolMagic)))
	}
}

func (s *spool) write() {
	if waiting := s.size - s.acked; s.failed == nil && waiting+int64(len(s.buffer)) > spoolLimit {
		s.failed = fmt.Errorf("%d MiB of its records wait to be taken in by the coordinator, and no more may", waiting>>20)
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

// ack notes that the coordinator has taken in so many bytes.
func (s *spool) ack(n int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.acked = max(s.acked, n)
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

// A leaving is what a worker that is gone has left in its spool.
type leaving struct {
	file   *os.File
	issued int       // requests of the measurement that it had sent
	since  time.Time // what starts are told from, by its clock
	dir    string    // where the run is gathered
	size   int64     // of the records, the last of which may be cut off
}

func openLeft(path string) (*leaving, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	head := make([]byte, spoolHead)
	if _, err := io.ReadFull(f, head); err != nil || string(head[:len(spoolMagic)]) != spoolMagic {
		f.Close()
		return nil, fmt.Errorf("%s is no spool of this version: %w", path, err)
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, err
	}
	dir, _, _ := bytes.Cut(head[spoolDir:], []byte{0})
	head = head[len(spoolMagic):]
	return &leaving{
		file: f, issued: int(binary.LittleEndian.Uint64(head)), since: time.Unix(0, int64(binary.LittleEndian.Uint64(head[8:]))),
		dir: string(dir), size: info.Size() - spoolHead,
	}, nil
}

// from passes on the bytes of the records from a place on.
func (l *leaving) from(at int64, take func([]byte) error) error {
	in := io.NewSectionReader(l.file, spoolHead+at, max(l.size-at, 0))
	b := make([]byte, flushSize)
	for {
		n, err := in.Read(b)
		if n > 0 {
			if err := take(b[:n]); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// errEnough ends a walk that its caller does not want to the end.
var errEnough = errors.New("enough")

// Left yields the records that workers have left in a directory, of each in the
// order of their ends. A record is used again for the next.
func Left(dir string) iter.Seq2[*loadgen.Record, error] {
	return func(yield func(*loadgen.Record, error) bool) {
		paths, err := filepath.Glob(filepath.Join(dir, "worker-*.spool"))
		for _, path := range paths {
			if err == nil {
				err = leftIn(path, yield)
			}
		}
		if err != nil && !errors.Is(err, errEnough) {
			yield(nil, err)
		}
	}
}

func leftIn(path string, yield func(*loadgen.Record, error) bool) error {
	left, err := openLeft(path)
	if err != nil {
		return err
	}
	defer left.file.Close()
	var rec loadgen.Record
	var records cutter
	return left.from(0, func(b []byte) error {
		return records.cut(b, func(record []byte) error {
			if err := readRecord(record, &rec, left.since); err != nil {
				return err
			}
			if rec.By = workerOf(path) + 1; !yield(&rec, nil) {
				return errEnough
			}
			return nil
		})
	})
}
