package results

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// deepest is how many levels below a batch's directory a run's may lie.
const deepest = 4

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

// RunDirs returns the directories of the runs in a batch's directory, itself
// where it is the only run, in the order of their names. Runs that were set
// aside are left out, and so are those of batches below it.
func RunDirs(batch string) ([]string, error) {
	var dirs []string
	err := filepath.WalkDir(batch, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if !d.IsDir() {
			return nil
		}
		below, err := filepath.Rel(batch, path)
		switch {
		case err != nil:
			return err
		case IsAside(d.Name()):
			return fs.SkipDir
		case path != batch && isBatch(path):
			return fs.SkipDir
		case IsRun(path):
			dirs = append(dirs, path)
			return fs.SkipDir
		case strings.Count(filepath.ToSlash(below), "/") >= deepest-1:
			return fs.SkipDir
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("looking for runs: %w", err)
	}
	return dirs, nil
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

// maxDepth is how deep the runs of a batch may lie in its directory.
const maxDepth = 6

// PublishedDirs returns the directories of runs in and under a directory, sorted:
// of one batch or of many, in loadgen's layout or in AIPerf's. Those that were
// set aside are left out.
func PublishedDirs(root string) ([]string, error) {
	var dirs []string
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if !d.IsDir() {
			return nil
		}
		below, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		if below != "." && (strings.HasPrefix(d.Name(), ".") || IsAside(d.Name()) || strings.Count(below, string(filepath.Separator)) >= maxDepth) {
			return filepath.SkipDir
		}
		if IsPublished(path) {
			dirs = append(dirs, path)
		}
		return nil
	})
	return dirs, err
}

// BatchesIn returns the batches at or below a directory, sorted, and with them the
// runs that lie in none: AIPerf's, or one that was moved. A directory without a
// batch of loadgen's is one itself.
func BatchesIn(root string) ([]string, error) {
	var dirs []string
	batches := 0
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if !d.IsDir() {
			return nil
		}
		below, err := filepath.Rel(root, path)
		switch {
		case err != nil:
			return err
		case below != "." && (strings.HasPrefix(d.Name(), ".") || IsAside(d.Name()) || strings.Count(below, string(filepath.Separator)) >= maxDepth):
			return filepath.SkipDir
		case isBatch(path):
			batches++
			dirs = append(dirs, path)
			return filepath.SkipDir
		case IsPublished(path):
			dirs = append(dirs, path)
			return filepath.SkipDir
		}
		return nil
	})
	if err != nil || batches == 0 {
		return []string{root}, err
	}
	return dirs, nil
}
