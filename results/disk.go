package results

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// All changes of the disk go through the functions below, so that a test can
// note them in their order, and try what a power cut would leave of each.

// A change is something that a file system was told.
type change struct {
	op   string // create, write, truncate, sync, rename, remove, mkdir, syncdir
	path string
	to   string // of a rename
	data []byte // written
	at   int64  // where data was written, or the length that was cut to
}

// note is told of every change before it is made, and may refuse it; nil
// outside of tests.
var note func(change) error

func noted(c change) error {
	if note == nil {
		return nil
	}
	return note(c)
}

// makeFile makes a file that is not there yet. Who may read it is up to the
// umask.
func makeFile(path string) (*os.File, error) {
	if err := noted(change{op: "create", path: path}); err != nil {
		return nil, err
	}
	return os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o666)
}

// writeAt returns how much of the data was written, which File.WriteAt does not
// know of a write that failed.
func writeAt(f *os.File, data []byte, at int64) (int, error) {
	if err := noted(change{op: "write", path: f.Name(), data: data, at: at}); err != nil {
		return 0, err
	}
	if _, err := f.Seek(at, io.SeekStart); err != nil {
		return 0, err
	}
	return f.Write(data)
}

func truncate(f *os.File, length int64) error {
	if err := noted(change{op: "truncate", path: f.Name(), at: length}); err != nil {
		return err
	}
	return f.Truncate(length)
}

func syncFile(f *os.File) error {
	if err := noted(change{op: "sync", path: f.Name()}); err != nil {
		return err
	}
	return f.Sync()
}

func renameFile(from, to string) error {
	if err := noted(change{op: "rename", path: from, to: to}); err != nil {
		return err
	}
	return os.Rename(from, to)
}

// makeDir makes a directory that is not there yet.
func makeDir(dir string) error {
	if err := noted(change{op: "mkdir", path: dir}); err != nil {
		return err
	}
	return os.Mkdir(dir, 0o777)
}

// makeDirs makes a directory and those above it, down from one that is there,
// and puts their names on the disk.
func makeDirs(from, dir string) error {
	above := filepath.Dir(dir)
	if dir == from || dir == above {
		return nil
	}
	if err := makeDirs(from, above); err != nil {
		return err
	}
	err := makeDir(dir)
	if errors.Is(err, fs.ErrExist) {
		err = isDir(dir)
	}
	if err != nil {
		return err
	}
	return syncDir(above)
}

// makeParents makes a directory and those above it that are not there, and puts
// their names on the disk. Unlike makeDirs it follows symbolic links: where the
// results lie is up to the user.
func makeParents(dir string) error {
	if info, err := os.Stat(dir); err == nil && info.IsDir() {
		return nil
	}
	if above := filepath.Dir(dir); above != dir {
		if err := makeParents(above); err != nil {
			return err
		}
	}
	if err := makeDir(dir); err != nil {
		if info, serr := os.Stat(dir); serr == nil && info.IsDir() {
			return nil // another process was faster
		}
		return err
	}
	return syncDir(filepath.Dir(dir))
}

// isDir fails where a name is not that of a directory itself: what is written
// must not end up elsewhere.
func isDir(dir string) error {
	info, err := os.Lstat(dir)
	switch {
	case err != nil:
		return err
	case info.Mode()&fs.ModeSymlink != 0:
		return errors.New("it is a symbolic link, which is not followed here")
	case !info.IsDir():
		return errors.New("there is a file of that name")
	}
	return nil
}

// syncDir puts the names in a directory on the disk.
func syncDir(dir string) error {
	if err := noted(change{op: "syncdir", path: dir}); err != nil {
		return err
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	err = d.Sync()
	// Some file systems of other machines have no such thing.
	if errors.Is(err, fs.ErrInvalid) {
		err = nil
	}
	return errors.Join(err, d.Close())
}
