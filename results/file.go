package results

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// WriteFile puts data into a file that appears whole or not at all, even if
// the machine loses power: it is written under a temporary name beside it,
// synced and renamed. A file of that name is replaced.
func WriteFile(path string, data []byte) error {
	f, err := create(path)
	if err != nil {
		return err
	}
	if _, err := writeAt(f, data, 0); err != nil {
		discard(f)
		return failed(path, err)
	}
	return publish(f, path)
}

// DeriveFile is WriteFile for what can be made again from other files: it
// appears whole or not at all as long as the machine runs, and is not waited
// for until it is on the disk. Each wait takes milliseconds, between the runs
// of a batch.
func DeriveFile(path string, data []byte) error {
	return derive(path, func(f *os.File) error {
		_, err := f.Write(data)
		return err
	})
}

// DeriveJSON is WriteJSON in the way of DeriveFile.
func DeriveJSON(path string, v any) error {
	data, err := marshal(v)
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return DeriveFile(path, data)
}

// DeriveCompactJSON is DeriveJSON without indents, for long lists.
func DeriveCompactJSON(path string, v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return DeriveFile(path, append(data, '\n'))
}

func derive(path string, write func(*os.File) error) error {
	f, err := create(path)
	if err != nil {
		return err
	}
	if err := write(f); err != nil {
		discard(f)
		return failed(path, err)
	}
	return rename(f, path)
}

// WriteJSON marshals v with an indent of two and puts it into a file as
// WriteFile does.
func WriteJSON(path string, v any) error {
	data, err := marshal(v)
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return WriteFile(path, data)
}

// marshal leaves <, > and & as they are: the files are no web pages.
func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// create opens the temporary file that publish turns into path.
func create(path string) (*os.File, error) {
	const most = 1000 // that a crash may have left behind
	var err error
	for n := range most {
		name := filepath.Join(filepath.Dir(path), fmt.Sprintf(".%s.%d-%d", filepath.Base(path), os.Getpid(), n))
		var f *os.File
		if f, err = makeFile(name); !errors.Is(err, fs.ErrExist) {
			if err != nil {
				return nil, failed(path, err)
			}
			return f, nil
		}
	}
	return nil, failed(path, err)
}

func publish(f *os.File, path string) error {
	if err := syncFile(f); err != nil {
		discard(f)
		return failed(path, err)
	}
	if err := rename(f, path); err != nil {
		return err
	}
	return failed(path, syncDir(filepath.Dir(path)))
}

// rename closes a temporary file and gives it its name.
func rename(f *os.File, path string) error {
	err := f.Close()
	if err == nil {
		err = renameFile(f.Name(), path)
	}
	if err != nil {
		os.Remove(f.Name())
	}
	return failed(path, err)
}

func discard(f *os.File) {
	f.Close()
	os.Remove(f.Name())
}

// notWritten is an error of a file that could not be written.
type notWritten struct{ error }

func (n notWritten) Unwrap() error { return n.error }

// NotWritten reports whether an error is that of a file of a run that could not
// be written: the machine's fault, and not the endpoint's.
func NotWritten(err error) bool {
	var n notWritten
	return errors.As(err, &n)
}

// failed says which file could not be written, and what to do about it; nil
// for nil.
func failed(path string, err error) error {
	if err == nil {
		return nil
	}
	// The system's error names the file again, or a temporary one.
	if inner := (*fs.PathError)(nil); errors.As(err, &inner) {
		err = inner.Err
	}
	switch {
	case NoRoom(err):
		return notWritten{fmt.Errorf("write %s: %w; free some space or choose another output_base_dir", path, err)}
	case errors.Is(err, os.ErrPermission), errors.Is(err, syscall.EROFS):
		return notWritten{fmt.Errorf("write %s: %w; choose an output_base_dir that can be written to", path, err)}
	}
	return notWritten{fmt.Errorf("write %s: %w", path, err)}
}
