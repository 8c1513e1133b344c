package results

import (
	"bytes"
	"cmp"
	"errors"
	"os"
	"path/filepath"
	"sync"

	"loadgen/internal/secret"
)

// A growing file takes whole entries while a run goes on: lines, or sessions.
// One goroutine adds to it while others may flush and sync it.
//
// What was added is in the file after flush, where it outlives the process, and
// on the disk after sync, where it outlives a power cut. The tail follows the
// last entry at all times, so that the file is whole. After an error it ends
// with its last whole entry and takes no more.
type growing struct {
	path    string
	f       *os.File
	tail    string
	secrets *secret.Set

	mu    sync.Mutex
	buf   []byte // entries that are not in the file yet
	end   int64  // of the last entry in the file
	dirty bool   // flushed, but not synced
	err   error

	syncing sync.Mutex
	listed  bool // its name is on the disk
}

// flushBytes is how much gathers before it is flushed by the one who adds it.
const flushBytes = 256 << 10

// grow makes a file whose entries follow a head. It refuses one that exists, and
// leaves none without its head.
func grow(path, head, tail string, secrets *secret.Set) (*growing, error) {
	f, err := makeFile(path)
	if err != nil {
		return nil, failed(path, err)
	}
	g := &growing{path: path, f: f, tail: tail, secrets: secrets, buf: make([]byte, 0, flushBytes+flushBytes/4)}
	g.buf = append(g.buf, head...)
	if err := g.flush(); err != nil {
		discard(f)
		return nil, err
	}
	return g, nil
}

// begin returns the buffer to append an entry to, for add.
func (g *growing) begin() []byte {
	g.mu.Lock()
	return g.buf
}

// add takes the buffer back with one more entry.
func (g *growing) add(buf []byte) error {
	defer g.mu.Unlock()
	g.buf = buf
	if len(buf) < flushBytes {
		return g.err
	}
	return g.write()
}

// flush puts what was added into the file.
func (g *growing) flush() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.write()
}

func (g *growing) write() error {
	if g.err == nil && len(g.buf) > 0 {
		g.err = g.writeEntries()
	}
	g.buf = g.buf[:0]
	return g.err
}

func (g *growing) writeEntries() error {
	if err := withoutSecrets(g.buf, g.secrets); err != nil {
		return failed(g.path, err)
	}
	entries := len(g.buf)
	g.buf = append(g.buf, g.tail...)
	g.dirty = true
	n, err := writeAt(g.f, g.buf, g.end)
	if err == nil {
		g.end += int64(entries)
		return nil
	}
	if g.tail == "" { // lines: those that are whole stay
		g.end += int64(bytes.LastIndexByte(g.buf[:n], '\n') + 1)
	}
	return errors.Join(failed(g.path, err), failed(g.path, g.cut(g.end)))
}

// cut ends the file behind an entry. The tail comes first: where the disk is
// full it takes room that the file has already.
func (g *growing) cut(end int64) error {
	_, err := writeAt(g.f, []byte(g.tail), end)
	return errors.Join(err, truncate(g.f, end+int64(len(g.tail))))
}

// sync puts what was added on the disk. Others may add meanwhile.
func (g *growing) sync() error {
	g.syncing.Lock()
	defer g.syncing.Unlock()
	g.mu.Lock()
	err, dirty := g.write(), g.dirty
	g.dirty = false
	g.mu.Unlock()
	if !dirty {
		return err
	}
	if err := g.settle(); err != nil {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.err = cmp.Or(g.err, failed(g.path, err))
		return g.err
	}
	return err
}

func (g *growing) settle() error {
	if err := syncFile(g.f); err != nil || g.listed {
		return err
	}
	g.listed = true
	return syncDir(filepath.Dir(g.path))
}

// length is where the file ends without its tail, with all that was added.
func (g *growing) length() int64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.end + int64(len(g.buf))
}

// close ends the file behind the entry that ends there, puts it on the disk and
// closes it.
func (g *growing) close(end int64) error {
	err := g.flush()
	if end < g.end {
		g.dirty, g.end = true, end
		err = cmp.Or(err, failed(g.path, g.cut(end)))
	}
	err = cmp.Or(err, g.sync())
	return cmp.Or(err, failed(g.path, g.f.Close()))
}
