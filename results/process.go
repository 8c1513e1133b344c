package results

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"loadgen"
	"loadgen/metrics"
)

// An Ending is how a run ended, as process_result.json says. That file is a
// run's last: with it, the run is finished.
type Ending struct {
	Status  loadgen.Status
	Error   string // why it failed
	NotKept bool   // because its files could not be written
	Verdict metrics.Verdict
	Missed  []string // stated limits, a sentence each
}

// ReadEnding returns how the run of a directory ended; nil for one that did
// not, whose process was killed.
func ReadEnding(dir string) (*Ending, error) {
	var file processFile
	switch err := readJSON(filepath.Join(dir, ProcessName), &file); {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("run %s: %w", dir, err)
	}
	if file.Status == "" { // of an earlier version
		file.Status = loadgen.Completed
		switch {
		case file.ReturnCode != 0:
			file.Status = loadgen.Failed
		case file.Cancelled:
			file.Status = loadgen.Interrupted
		}
	}
	return &Ending{Status: file.Status, Error: file.Error, NotKept: file.NotKept, Verdict: file.Verdict, Missed: file.Missed}, nil
}

// processFile is process_result.json: the keys of the runner's subprocess,
// then loadgen's own. There is no subprocess: args is loadgen's command line.
type processFile struct {
	Args       []string        `json:"args"`
	ReturnCode int             `json:"returncode"`
	Stdout     string          `json:"stdout"`
	Stderr     string          `json:"stderr"`
	Started    string          `json:"started"`
	Ended      string          `json:"ended"`
	Duration   float64         `json:"duration_sec"`
	Counts     metrics.Counts  `json:"counts"`
	Status     loadgen.Status  `json:"status"`
	Error      string          `json:"error,omitempty"`
	NotKept    bool            `json:"not_kept,omitempty"`
	Cancelled  bool            `json:"was_cancelled"`
	Verdict    metrics.Verdict `json:"verdict,omitempty"`
	Reasons    []string        `json:"reasons,omitempty"`
	Missed     []string        `json:"limits_missed,omitempty"`
}

// returnCode is what a process of its own would have returned for the run.
func returnCode(s loadgen.Status) int {
	switch s {
	case loadgen.Completed:
		return 0
	case loadgen.Interrupted:
		return 130
	}
	return 1
}

func (r *Run) processResult(res *Result) processFile {
	p := processFile{
		Args: r.meta.Command, ReturnCode: returnCode(res.Status), Stdout: res.Stdout, Stderr: res.Stderr,
		Started: localTime(res.Started), Ended: localTime(res.Ended), Duration: res.Ended.Sub(res.Started).Seconds(),
		Counts: res.Summary.Counts, Verdict: res.Summary.Validity.Verdict,
		Status: res.Status, Error: res.Error, NotKept: res.NotKept, Cancelled: res.Status == loadgen.Interrupted, Missed: res.Missed,
	}
	p.Reasons = reasons(&res.Summary)
	return p
}
