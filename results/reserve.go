package results

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"sync"
	"syscall"
)

// reserveName is the file that keeps the room. A killed batch leaves it behind,
// for whoever goes on with it.
const reserveName = ".reserve"

const (
	// leastReserve is the room for the last files of one run and those of its
	// batch: some 100 KiB, where a run has the usual figures.
	leastReserve = 256 << 10
	reserveBlock = 64 << 10
)

// A reserve keeps room on the disk for the files that tell what became of a
// batch: records and prompts fill a disk up to the last byte, and these files
// are written behind them. The zero value keeps none.
type reserve struct {
	mu    sync.Mutex
	path  string
	since int64 // bytes of such files since a run began
	most  int64 // of these, for any run
}

// take makes sure of the room before a run begins: twice what such files came to
// in any run so far, since those of the batch grow, and an old one gives its
// room back only when the new one is whole.
func (r *reserve) take() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.most, r.since = max(r.most, r.since), 0
	err := fill(r.path, max(leastReserve, 2*r.most))
	// How long a file may be says nothing of the room on the disk.
	if err != nil && !errors.Is(err, syscall.EFBIG) {
		return fmt.Errorf("keeping room for the files that end a batch: %w", failed(r.path, err))
	}
	return nil
}

// fill makes a file so long. What it has got so far stays after an error. The
// bytes are drawn by chance: a file system that packs its files would keep no
// room for zeros.
func fill(path string, length int64) (err error) {
	if err := noted(change{op: "create", path: path}); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o666)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	has, err := f.Seek(0, io.SeekEnd)
	if err != nil || has >= length {
		return err
	}
	chance := rand.NewChaCha8([32]byte{byte(has / reserveBlock)})
	block := make([]byte, reserveBlock)
	for ; has < length; has += reserveBlock {
		_, _ = chance.Read(block) // it never fails
		if _, err := f.Write(block); err != nil {
			return err
		}
	}
	return f.Sync() // some file systems find room only then
}

// give gives the room back, and reports whether there was any.
func (r *reserve) give() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.path != "" && os.Remove(r.path) == nil
}

// kept reports whether the room is there.
func (r *reserve) kept() bool {
	_, err := os.Stat(r.path)
	return !errors.Is(err, fs.ErrNotExist)
}

// wrote counts the bytes of a file that the room is for.
func (r *reserve) wrote(bytes int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.since += bytes
}

// NoRoom reports whether an error is that of a disk that is full.
func NoRoom(err error) bool { return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) }

// keepFile is writeFile for what tells what became of a batch: where the disk is
// full it takes the room that was kept for that.
func (b *Batch) keepFile(path string, data []byte) error {
	b.reserve.wrote(int64(len(data)))
	err := b.writeFile(path, data)
	if NoRoom(err) && b.reserve.give() {
		err = b.writeFile(path, data)
	}
	return err
}

// keepJSON is keepFile for a value.
func (b *Batch) keepJSON(path string, v any) error {
	data, err := marshal(v)
	if err != nil {
		return failed(path, err)
	}
	return b.keepFile(path, data)
}

// Tight reports whether the disk has filled up since the last run began, so that
// the room for the batch's files is in use: whatever can be made again is to
// wait.
func (b *Batch) Tight() bool { return !b.reserve.kept() }

// Release gives the room back that was kept for files which are all written.
func (b *Batch) Release() { b.reserve.give() }
