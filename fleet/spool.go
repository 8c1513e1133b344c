package fleet

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"sync"
	"time"

	"loadgen"
)

const (
	spoolMagic = "loadgen spool 1\n"
	spoolHead  = int64(len(spoolMagic)) + 8 + 8 // then how many requests were sent, and since when starts are told
	spoolLimit = 4 << 30
	flushSize  = 64 << 10
)

// errSpoolFull is a spool that grew as large as it may: nobody takes in what it
// holds.
var errSpoolFull = fmt.Errorf("%d GiB of records wait to be taken in by the coordinator", spoolLimit>>30)

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

// newSpool makes a spool; a file that is there is of another run.
func newSpool(path string) (*spool, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, fmt.Errorf("making a place for records: %w", err)
	}
	s := &spool{file: f}
	if _, err := f.Write(make([]byte, spoolHead)); err != nil {
		return nil, errors.Join(fmt.Errorf("writing records: %w", err), f.Close())
	}
	if _, err := f.WriteAt([]byte(spoolMagic), 0); err != nil {
		return nil, errors.Join(fmt.Errorf("writing records: %w", err), f.Close())
	}
	return s, nil
}

// begin says since when the starts of records are told.
func (s *spool) begin(since time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.since = since
	if s.failed == nil {
		_, s.failed = s.file.WriteAt(binary.LittleEndian.AppendUint64(nil, uint64(since.UnixNano())), spoolHead-8)
	}
}

// add takes in a record.
func (s *spool) add(r *loadgen.Record) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.buffer = appendRecord(s.buffer, r, s.since)
	if len(s.buffer) >= flushSize {
		s.write()
	}
	return s.failed
}

// flush puts what was added into the file, where it outlives this process, with
// how many requests of the measurement have been sent.
func (s *spool) flush(issued int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.buffer) > 0 {
		s.write()
	}
	if s.failed == nil {
		_, s.failed = s.file.WriteAt(binary.LittleEndian.AppendUint64(nil, uint64(issued)), int64(len(spoolMagic)))
	}
	return s.failed
}

func (s *spool) write() {
	if s.failed == nil && s.size-s.acked+int64(len(s.buffer)) > spoolLimit {
		s.failed = errSpoolFull
	}
	if s.failed == nil {
		_, s.failed = s.file.WriteAt(s.buffer, spoolHead+s.size)
	}
	if s.failed == nil {
		s.size += int64(len(s.buffer))
	}
	s.buffer = s.buffer[:0]
}

// length is how many bytes of records can be read.
func (s *spool) length() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.size
}

// ack notes that the coordinator has taken in so many bytes.
func (s *spool) ack(n int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.acked = max(s.acked, n)
}

// read returns whole records from a place in the spool, about so many bytes; none
// at its end.
func (s *spool) read(at int64, about int) ([]byte, error) {
	return readSpool(s.file, at, min(int64(about), s.length()-at))
}

// close closes the file, and removes it where all has been taken in.
func (s *spool) close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	err := s.file.Close()
	if s.acked == s.size && len(s.buffer) == 0 {
		if gone := os.Remove(s.file.Name()); !errors.Is(gone, fs.ErrNotExist) {
			err = errors.Join(err, gone)
		}
	}
	return err
}

// readSpool reads whole records, about so many bytes, or one that is longer.
func readSpool(f *os.File, at, about int64) ([]byte, error) {
	if about <= 0 {
		return nil, nil
	}
	b := make([]byte, max(about, frame))
	n, err := f.ReadAt(b, spoolHead+at)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	if b = b[:n]; whole(b) == 0 && n >= frame {
		if long := frame + int64(binary.LittleEndian.Uint32(b)); long > about {
			return readSpool(f, at, long)
		}
	}
	return b[:whole(b)], nil
}

// leftBehind reads what a worker that is gone has left in its spool: the records
// from a place on, how many requests it had sent, and since when starts are told,
// by its clock. A record that was cut off is none.
func leftBehind(path string, from int64, take func([]byte, time.Time) error) (issued int, err error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	head := make([]byte, spoolHead)
	if _, err := io.ReadFull(f, head); err != nil || string(head[:len(spoolMagic)]) != spoolMagic {
		return 0, fmt.Errorf("%s is no spool of this version: %w", path, err)
	}
	head = head[len(spoolMagic):]
	issued = int(binary.LittleEndian.Uint64(head))
	since := time.Unix(0, int64(binary.LittleEndian.Uint64(head[8:])))
	info, err := f.Stat()
	if err != nil {
		return issued, err
	}
	for end := info.Size() - spoolHead; from < end; {
		b, err := readSpool(f, from, min(end-from, flushSize))
		if err != nil || len(b) == 0 {
			return issued, err
		}
		if err := take(b, since); err != nil {
			return issued, err
		}
		from += int64(len(b))
	}
	return issued, nil
}

// errEnough ends a walk that its caller does not want to the end.
var errEnough = errors.New("enough")

// Left yields the records that workers have left in a directory, of each in the
// order of their ends. A record is used again for the next.
func Left(dir string) iter.Seq2[*loadgen.Record, error] {
	return func(yield func(*loadgen.Record, error) bool) {
		paths, err := filepath.Glob(filepath.Join(dir, "worker-*.spool"))
		var rec loadgen.Record
		for _, path := range paths {
			if err == nil {
				_, err = leftBehind(path, 0, func(b []byte, since time.Time) error {
					for len(b) > 0 {
						record, rest := next(b)
						if err := readRecord(record, &rec, since); err != nil {
							return err
						}
						if rec.By = workerOf(path) + 1; !yield(&rec, nil) {
							return errEnough
						}
						b = rest
					}
					return nil
				})
			}
		}
		if err != nil && !errors.Is(err, errEnough) {
			yield(nil, err)
		}
	}
}
