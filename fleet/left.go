package fleet

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/nats-io/nats.go"

	"loadgen/internal/outside"
)

// A piece is a part of a spool that a worker has kept of a batch that was broken
// off, for the batch that goes on.
type piece struct {
	Run    string `json:"run"`    // its directory, below that of the batch
	Worker int    `json:"worker"` // that made the records
	At     int64  `json:"at"`
	Data   []byte `json:"data"`
	Last   bool   `json:"last,omitempty"`
}

const pieceSize = 256 << 10

// bringLeft brings home what is here of the runs of a batch that goes on. What
// goes wrong is a warning: such a run is made again.
func (w *worker) bringLeft(stopping context.Context, batch string) {
	if batch == "" {
		return
	}
	ctx, cancel := w.while(patient)
	defer cancel()
	defer context.AfterFunc(stopping, cancel)()
	paths, _ := filepath.Glob(filepath.Join(w.Spools, "worker-*.spool"))
	for _, path := range paths {
		if err := w.bringSpool(ctx, path, batch); err != nil {
			w.Log.Warn(fmt.Sprintf("Bringing home what is kept in %s: %v", path, err))
		}
	}
}

func (w *worker) bringSpool(ctx context.Context, path, batch string) error {
	left, err := openLeft(path)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, errNothingLeft) {
		return nil // another worker of this machine has brought it, or is about to begin it
	}
	if err != nil {
		return err
	}
	defer left.file.Close()
	run, ours := below(left.dir, batch)
	if !ours {
		return nil
	}
	p, room := piece{Run: run, Worker: workerOf(path)}, make([]byte, pieceSize)
	for size := left.size + spoolHead; p.At < size; p.At += int64(len(p.Data)) {
		most := int64(pieceSize)
		switch p.At {
		case 0:
			most = spoolHead
		case spoolHead:
			p.At += left.start // there is nothing in between
		}
		n, err := left.file.ReadAt(room[:most], p.At)
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		p.Data = room[:n]
		p.Last = p.At+int64(n) >= size
		a, err := ask[reply](ctx, w.conn, w.subject(toLeft), p)
		if err == nil && a.Error != "" {
			err = errors.New(outside.Line(a.Error))
		}
		if err != nil {
			return err
		}
	}
	return os.Remove(path)
}

// below returns what a directory is called below another.
func below(dir, root string) (name string, ok bool) {
	if dir == root {
		return ".", true
	}
	return strings.CutPrefix(dir, strings.TrimSuffix(root, "/")+"/")
}

// takeLeft writes a piece of what a worker has kept where the run that was broken
// off has its lines.
func (k *Coordinator) takeLeft(msg *nats.Msg) {
	var p piece
	if _, ok := k.sender(msg.Subject); !ok || json.Unmarshal(msg.Data, &p) != nil {
		return
	}
	var a reply
	if err := k.write(p); err != nil {
		a.Error = err.Error()
	}
	_ = msg.Respond(encode(a))
}

func (k *Coordinator) write(p piece) error {
	k.mu.Lock()
	late := k.mustered
	k.mu.Unlock()
	if k.Resumed == "" || late || p.Worker < 0 || p.At < 0 {
		return errors.New("the batch has gone on without it")
	}
	root, err := os.OpenRoot(k.Resumed) // what a worker names lies in there
	if err != nil {
		return err
	}
	defer root.Close()
	run, err := root.OpenRoot(filepath.FromSlash(p.Run))
	if err != nil {
		return err
	}
	defer run.Close()
	if err := run.Mkdir(SpoolDir, 0o777); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	name := spoolName(SpoolDir, p.Worker)
	how := os.O_WRONLY
	if p.At == 0 {
		how |= os.O_CREATE | os.O_TRUNC
	}
	f, err := run.OpenFile(name+".part", how, 0o666)
	if _, there := run.Stat(name); errors.Is(err, fs.ErrNotExist) && there == nil {
		return nil // the worker did not hear that all of it is there
	}
	if err != nil {
		return err
	}
	_, err = f.WriteAt(p.Data, p.At)
	if err = errors.Join(err, f.Close()); err != nil || !p.Last {
		return err
	}
	return run.Rename(name+".part", name)
}
