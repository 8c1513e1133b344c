package results

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"

	"loadgen"
	"loadgen/internal/secret"
	"loadgen/metrics"
)

// AddRecords adds to the lines of a run that was broken off those records that it
// does not have, told by their request's id, and returns how many there were. An
// error among the records leaves out that one alone.
func AddRecords(dir string, records iter.Seq2[*loadgen.Record, error], secrets *secret.Set) (added int, err error) {
	run, err := Open(dir)
	if err != nil {
		return 0, err
	}
	has := map[string]bool{}
	for rec, err := range run.Records() {
		if err != nil {
			return 0, err
		}
		has[rec.Request.ID] = true
	}
	m := metrics.Measurement{ServerInput: run.Meta.Facts.ServerInput}
	var lines lineWriter
	var more [2][]byte // by phase
	var errs []error
	for rec, err := range records {
		if err != nil {
			errs = append(errs, err)
			continue
		}
		if rec.Request == nil || has[rec.Request.ID] {
			continue
		}
		has[rec.Request.ID] = true
		metrics.Measure(rec, &m)
		more[rec.Phase] = lines.append(more[rec.Phase], rec, &m)
		added++
	}
	for phase, name := range map[loadgen.Phase]string{loadgen.Profiling: RecordsName, loadgen.Warmup: WarmupName} {
		if len(more[phase]) > 0 {
			errs = append(errs, addLines(filepath.Join(dir, name), more[phase], secrets))
		}
	}
	return added, errors.Join(errs...)
}

// addLines appends lines to a file, in place of a last one that was cut off.
func addLines(path string, lines []byte, secrets *secret.Set) error {
	if err := withoutSecrets(lines, secrets); err != nil {
		return failed(path, err)
	}
	text, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("adding to %s: %w", path, err)
	}
	whole := text[:bytes.LastIndexByte(text, '\n')+1]
	return WriteFile(path, append(whole[:len(whole):len(whole)], lines...))
}
