package results

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"loadgen"
)

// The files that a batch begins with.
const (
	ManifestName = "batch.json"
	SourceName   = "batch.yaml"
)

// RecordFormat is the version of what a run's directory holds. A batch is only
// continued by a version that writes the same.
const RecordFormat = 2

// A Manifest says what a batch is to be: batch.json. It is written before the
// first run, so that a night that was broken off can be continued, and only
// grows by the times at which it was.
type Manifest struct {
	RecordFormat int            `json:"record_format"`
	Version      string         `json:"version"`
	BatchName    string         `json:"batch_name"`
	ConfigFile   string         `json:"config_file"`
	Started      time.Time      `json:"started"`
	Overrides    []string       `json:"overrides,omitempty"`
	Only         []string       `json:"only,omitempty"`
	Skip         []string       `json:"skip,omitempty"`
	Seed         uint64         `json:"seed"`
	Salt         string         `json:"cache_bust_salt,omitempty"`
	Endpoints    []string       `json:"endpoints"`
	Host         any            `json:"host,omitempty"`
	Repeats      int            `json:"repeats"`
	RepeatOrder  string         `json:"repeat_order"`
	VarySeed     bool           `json:"vary_seed"`
	Cells        []ManifestCell `json:"cells"`
	// Resumed are the times at which the batch was continued.
	Resumed []ManifestStart `json:"resumed,omitempty"`
}

// A ManifestCell is a cell of a batch. Its digest is that of its whole
// configuration: the same for the same measurement.
type ManifestCell struct {
	Index  int             `json:"index"`
	Dir    string          `json:"dir"`
	Params json.RawMessage `json:"sweep_params"`
	Seed   uint64          `json:"seed"`
	Digest string          `json:"config_sha256"`
}

// A ManifestStart is one of the times at which a batch was continued.
type ManifestStart struct {
	At time.Time `json:"at"`
	// Note says what differed and was accepted; empty for nothing.
	Note string `json:"note,omitempty"`
}

// NewManifestCell describes a cell.
func NewManifestCell(cell loadgen.Cell, digest string) (ManifestCell, error) {
	params, err := sweepParams(cell.Values)
	return ManifestCell{Index: cell.Index, Dir: cell.Dir, Params: params, Seed: uint64(cell.Seed), Digest: digest}, err
}

// Declare writes what a batch is to be, and the text of its batch file, which
// must hold no secret.
func (b *Batch) Declare(m *Manifest, text []byte) error {
	return errors.Join(
		b.keepFile(filepath.Join(b.Dir, SourceName), text),
		b.keepJSON(filepath.Join(b.Dir, ManifestName), m),
	)
}

// Amend writes down that a batch goes on.
func (b *Batch) Amend(m *Manifest) error { return b.keepJSON(filepath.Join(b.Dir, ManifestName), m) }

// NameOf returns the name of the batch in a directory; empty where it does not
// say.
func NameOf(dir string) string {
	var m struct {
		BatchName string `json:"batch_name"`
	}
	if readJSON(filepath.Join(dir, ManifestName), &m) != nil {
		return ""
	}
	return m.BatchName
}

// plannedCells are the cells that the batch in a directory was to make runs of; none
// where it does not say.
func plannedCells(dir string) ([]loadgen.Cell, error) {
	var m Manifest
	switch err := readJSON(filepath.Join(dir, ManifestName), &m); {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("read %s: %w", dir, err)
	}
	var cells []loadgen.Cell
	for _, c := range m.Cells {
		values, err := SweepValues(c.Params)
		if err != nil {
			return nil, fmt.Errorf("read %s: %s: sweep_params: %w", dir, ManifestName, err)
		}
		cells = append(cells, loadgen.Cell{Index: c.Index, Dir: c.Dir, Values: values, Seed: loadgen.Seed(c.Seed)})
	}
	return cells, nil
}

// Continue opens the directory of a batch that was broken off, which no other
// process may be at work in, and returns what it was to be and the text of its
// batch file. Close gives the directory back.
func Continue(dir string) (b *Batch, m *Manifest, text []byte, err error) {
	m = new(Manifest)
	switch err := readJSON(filepath.Join(dir, ManifestName), m); {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil, nil, fmt.Errorf("%s is no directory of a batch that can be continued: it has no %s", dir, ManifestName)
	case err != nil:
		return nil, nil, nil, fmt.Errorf("continue %s: %w", dir, err)
	}
	if text, err = os.ReadFile(filepath.Join(dir, SourceName)); err != nil {
		return nil, nil, nil, fmt.Errorf("continue %s: %w", dir, err)
	}
	place, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return nil, nil, nil, fmt.Errorf("continue %s: %w", dir, err)
	}
	b = &Batch{Dir: dir, Place: place, Name: m.BatchName, started: m.Started}
	b.reserve.path = filepath.Join(dir, reserveName)
	if summary, err := os.Stat(filepath.Join(dir, BatchJSONName)); err == nil {
		b.reserve.wrote(summary.Size())
	}
	if b.lock, err = lockDir(dir); err != nil {
		return nil, nil, nil, err
	}
	return b, m, text, nil
}

// Latest returns the directory of the newest batch of a name that can be
// continued.
func Latest(base, name string) (string, error) {
	parent := filepath.Join(base, name)
	entries, err := os.ReadDir(parent)
	if err != nil {
		return "", fmt.Errorf("looking for the latest batch: %w", err)
	}
	latest, at := "", time.Time{}
	for _, e := range entries {
		var m Manifest
		dir := filepath.Join(parent, e.Name())
		if readJSON(filepath.Join(dir, ManifestName), &m) == nil && (latest == "" || m.Started.After(at)) {
			latest, at = dir, m.Started
		}
	}
	if latest == "" {
		return "", fmt.Errorf("%s holds no batch that could be continued", parent)
	}
	return latest, nil
}
