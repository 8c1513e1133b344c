package results

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// deepest is how many levels below a directory a run's may lie: those of a batch
// below its own, and that below a directory of nights.
const deepest = 6

// asidePrefix begins the name of a directory that holds runs which were set
// aside to be made again.
const asidePrefix = "aborted_"

// IsAside reports whether the runs in a directory of that name were set aside.
func IsAside(name string) bool { return strings.HasPrefix(name, asidePrefix) }

// IsRun reports whether a directory is a run's.
func IsRun(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, MetadataName))
	return err == nil
}

// isBatch reports whether a directory is a batch's.
func isBatch(dir string) bool {
	for _, name := range []string{ManifestName, BatchJSONName} {
		if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
			return true
		}
	}
	return false
}

// below shows a directory, and those below it in the order of their names, to look,
// which says whether to go on into them. Hidden ones and runs that were set aside
// are left out, but for the directory that was asked for.
func below(root string, look func(dir string) (into bool)) error {
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return err
		}
		name, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		level := strings.Count(name, string(filepath.Separator)) + 1
		if name != "." && (level > deepest || strings.HasPrefix(d.Name(), ".") || IsAside(d.Name())) || !look(path) {
			return fs.SkipDir
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("looking for runs: %w", err)
	}
	return nil
}

// RunDirs returns the directories of the runs in a batch's directory, itself
// where it is the only run, in the order of their names. Runs that were set
// aside are left out, and so are those of batches below it.
func RunDirs(batch string) (dirs []string, err error) {
	err = below(batch, func(dir string) bool {
		switch {
		case dir != batch && isBatch(dir):
			return false
		case IsRun(dir):
			dirs = append(dirs, dir)
			return false
		}
		return true
	})
	return dirs, err
}

// BatchDirs returns the directories of the batches in a directory, such as the
// nights of one batch file, in the order of their names: their times. Those
// without a run are left out.
func BatchDirs(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("looking for batches: %w", err)
	}
	var dirs []string
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		if info, err := os.Stat(path); err != nil || !info.IsDir() || !isBatch(path) {
			continue
		}
		if runs, err := RunDirs(path); err == nil && len(runs) > 0 {
			dirs = append(dirs, path)
		}
	}
	return dirs, nil
}

// PublishedDirs returns the directories of runs in and under a directory, sorted:
// of one batch or of many, in loadgen's layout or in AIPerf's. Those that were
// set aside are left out.
func PublishedDirs(root string) (dirs []string, err error) {
	err = below(root, func(dir string) bool {
		if IsPublished(dir) {
			dirs = append(dirs, dir)
		}
		return true
	})
	return dirs, err
}

// BatchesIn returns the batches at or below a directory, sorted, and with them the
// runs that lie in none: AIPerf's, or one that was moved. A directory without a
// batch of loadgen's is one itself.
func BatchesIn(root string) ([]string, error) {
	var dirs []string
	batches := 0
	err := below(root, func(dir string) bool {
		batch := isBatch(dir)
		if batch {
			batches++
		}
		if !batch && !IsPublished(dir) {
			return true
		}
		dirs = append(dirs, dir)
		return false
	})
	if err != nil || batches == 0 {
		return []string{root}, err
	}
	return dirs, nil
}

// SearchedBatch returns the directory of the batch whose search a run belongs to, by
// where it lies; false for a run of no search.
func SearchedBatch(run string) (string, bool) {
	for dir := filepath.Dir(filepath.Clean(run)); ; {
		parent := filepath.Dir(dir)
		if filepath.Base(dir) == "search" && isBatch(parent) {
			return parent, true
		}
		if parent == dir {
			return "", false
		}
		dir = parent
	}
}
