package archive

import (
	"fmt"
	"os"

	"loadgen/results"
)

// A PathKind is what a path to analyse is.
type PathKind int

const (
	TracePath  PathKind = iota // a file of a trace
	RunPath                    // the directory of a run
	BatchPath                  // that of a batch
	NightsPath                 // one of batches
)

// KindOf tells what a path is.
func KindOf(path string) (PathKind, error) {
	info, err := os.Stat(path)
	if err != nil {
		return 0, fmt.Errorf("analysing: %w", err)
	}
	if !info.IsDir() {
		return TracePath, nil
	}
	if results.IsRun(path) {
		return RunPath, nil
	}
	if cells, err := results.RunDirs(path); err != nil || len(cells) > 0 {
		return BatchPath, err
	}
	if nights, err := results.BatchDirs(path); err != nil || len(nights) > 0 {
		return NightsPath, err
	}
	return 0, fmt.Errorf("%s is no directory of a run or a batch: it has no %s, and no directory below it does", path, results.MetadataName)
}
