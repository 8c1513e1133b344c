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
		aside := filepath.Join(b.Dir, fmt.Sprintf("%s%d", asidePrefix, n))
		to := filepath.Join(aside, filepath.FromSlash(dir))
		if there(to) && (dir != "" || !b.halfMoved(to)) {
			continue
		}
		if dir == "" {
			return to, failed(to, b.moveOwn(to))
		}
		from := filepath.Join(b.Dir, filepath.FromSlash(dir))
		err := makeDirs(b.Dir, filepath.Dir(to))
		if err == nil {
			err = renameFile(from, to)
		}
		if err == nil {
			err = errors.Join(syncDir(filepath.Dir(to)), syncDir(filepath.Dir(from)))
		}
		return to, failed(to, err)
	}
	return "", fmt.Errorf("%s was set aside %d times already", filepath.Join(b.Dir, dir), maxAside)
}

// maxAside bounds how often a run is set aside.
const maxAside = 1000

func there(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// halfMoved reports whether moveOwn was broken off.
func (b *Batch) halfMoved(to string) bool {
	return there(filepath.Join(to, RecordsName)) && !there(filepath.Join(b.Dir, RecordsName)) && !there(filepath.Join(to, MetadataName))
}

// moveOwn moves the only run of a batch, whose files lie among the batch's own:
// its records first, and last what makes them a run's, so that it is seen where
// a move was broken off.
func (b *Batch) moveOwn(to string) error {
	if err := makeDirs(b.Dir, to); err != nil {
		return err
	}
	entries, err := os.ReadDir(b.Dir)
	if err != nil {
		return err
	}
	names := []string{RecordsName}
	for _, e := range entries {
		name := e.Name()
		other := slices.Contains([]string{ManifestName, SourceName, BatchJSONName, BatchCSVName, RecordsName, MetadataName, reserveName}, name)
		if !other && !IsAside(name) {
			names = append(names, name)
		}
	}
	names = append(names, MetadataName)
	for _, name := range names {
		if name == MetadataName { // the others are there before it
			if err := errors.Join(syncDir(to), syncDir(b.Dir)); err != nil {
				return err
			}
		}
		err := renameFile(filepath.Join(b.Dir, name), filepath.Join(to, name))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return errors.Join(syncDir(to), syncDir(b.Dir))
}
