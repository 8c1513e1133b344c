package results

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// isLeftover reports whether a name is that of a file that was not finished:
// .NAME.PID-N.
func isLeftover(name string) bool {
	at := strings.LastIndexByte(name, '.')
	return at > 0 && name[0] == '.' && at+1 < len(name) && strings.Trim(name[at+1:], "0123456789-") == ""
}

// SweepUp removes what a killed process left half written in the directory of a
// batch or of one of its runs.
func SweepUp(dir string) error {
	var errs []error
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() && isLeftover(d.Name()) {
			errs = append(errs, os.Remove(path))
		}
		return err
	})
	if err = errors.Join(append(errs, err)...); err != nil {
		return fmt.Errorf("removing what was left half written: %w", err)
	}
	return nil
}

// SetAside moves a run, given by its directory below the batch's, out of the
// way, so that it can be made again, and returns where it is now: readable as
// ever, and counted no more.
func (b *Batch) SetAside(dir string) (string, error) {
	for n := 1; n <= maxAside; n++ {
		to := filepath.Join(b.Dir, fmt.Sprintf("%s%d", asidePrefix, n), filepath.FromSlash(dir))
		if _, err := os.Lstat(to); err == nil {
			continue
		}
		if err := os.MkdirAll(filepath.Dir(to), 0o777); err != nil {
			return "", failed(to, err)
		}
		if dir == "" {
			return to, b.moveOwn(to)
		}
		if err := os.Rename(filepath.Join(b.Dir, filepath.FromSlash(dir)), to); err != nil {
			return "", failed(to, err)
		}
		return to, syncDir(filepath.Dir(to))
	}
	return "", fmt.Errorf("%s was set aside %d times already", filepath.Join(b.Dir, dir), maxAside)
}

// maxAside bounds how often a run is set aside.
const maxAside = 1000

// moveOwn moves the only run of a batch, whose files lie among the batch's own.
func (b *Batch) moveOwn(to string) error {
	if err := os.MkdirAll(to, 0o777); err != nil {
		return failed(to, err)
	}
	entries, err := os.ReadDir(b.Dir)
	if err != nil {
		return failed(b.Dir, err)
	}
	for _, e := range entries {
		own := slices.Contains([]string{ManifestName, SourceName, BatchJSONName, BatchCSVName}, e.Name())
		if aside, _ := filepath.Match(asidePrefix+"*", e.Name()); own || aside {
			continue
		}
		if err := os.Rename(filepath.Join(b.Dir, e.Name()), filepath.Join(to, e.Name())); err != nil {
			return failed(to, err)
		}
	}
	return syncDir(b.Dir)
}
