package results

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"loadgen/metrics"
)

// An Ending is how a run ended, as process_result.json says. That file is a
// run's last: with it, the run is finished.
type Ending struct {
	Failed    bool
	Error     string // why it failed
	Cancelled bool   // the user ended it before its time
	Verdict   metrics.Verdict
}

// ReadEnding returns how the run of a directory ended; nil for one that did
// not, whose process was killed.
func ReadEnding(dir string) (*Ending, error) {
	var file struct {
		ReturnCode int             `json:"returncode"`
		Error      string          `json:"error"`
		Cancelled  bool            `json:"was_cancelled"`
		Verdict    metrics.Verdict `json:"verdict"`
	}
	switch err := readJSON(filepath.Join(dir, ProcessName), &file); {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("run %s: %w", dir, err)
	}
	return &Ending{Failed: file.ReturnCode != 0, Error: file.Error, Cancelled: file.Cancelled, Verdict: file.Verdict}, nil
}
