package fleet

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"time"

	"loadgen"
)

// A leaving is what a worker that is gone has left in its spool.
type leaving struct {
	file   *os.File
	issued int       // requests of the measurement that it had sent
	start  int64     // where its records begin: what was in front of it is home
	since  time.Time // what starts are told from, by its clock
	dir    string    // where the run is gathered
	size   int64     // of the records, the last of which may be cut off
}

// errNothingLeft is a spool of a worker that was killed before its head was whole:
// there is no record behind it.
var errNothingLeft = errors.New("it holds nothing")

func openLeft(path string) (*leaving, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	head := make([]byte, spoolHead)
	switch _, err := io.ReadFull(f, head); {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		f.Close()
		return nil, errNothingLeft
	case err != nil:
		f.Close()
		return nil, err
	case string(head[:len(spoolMagic)]) != spoolMagic:
		f.Close()
		return nil, fmt.Errorf("%s is no spool of this version of loadgen", path)
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, err
	}
	dir, _, _ := bytes.Cut(head[spoolDir:], []byte{0})
	number := func(at int64) int64 { return int64(binary.LittleEndian.Uint64(head[at:])) }
	return &leaving{
		file: f, issued: int(number(spoolIssued)), since: time.Unix(0, number(spoolSince)), start: number(spoolFrom),
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
// order of their ends. A record is used again for the next. An error is that of
// one worker's file, the rest of which is left out; those of others follow.
func Left(dir string) iter.Seq2[*loadgen.Record, error] {
	return func(yield func(*loadgen.Record, error) bool) {
		paths, _ := filepath.Glob(filepath.Join(dir, "worker-*.spool"))
		for _, path := range paths {
			err := leftIn(path, yield)
			if errors.Is(err, errEnough) || err != nil && !yield(nil, err) {
				return
			}
		}
	}
}

func leftIn(path string, yield func(*loadgen.Record, error) bool) error {
	left, err := openLeft(path)
	if errors.Is(err, errNothingLeft) {
		return nil
	}
	if err != nil {
		return err
	}
	defer left.file.Close()
	var rec loadgen.Record
	var records cutter
	return left.from(left.start, func(b []byte) error {
		return records.cut(b, func(record []byte) error {
			if err := readRecord(record, &rec, left.since); err != nil {
				return fmt.Errorf("%s: %w", path, err)
			}
			if rec.By = workerOf(path) + 1; !yield(&rec, nil) {
				return errEnough
			}
			return nil
		})
	})
}
