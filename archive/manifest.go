package archive

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"loadgen/internal/secret"
	"loadgen/results"
	"loadgen/sweep"
)

// Declare writes down what the batch is to be, before its first run. Its cells
// were picked by only and skip.
func (k *Recorder) Declare(started time.Time, only, skip []string) error {
	m, err := manifestOf(k.Batch)
	if err != nil {
		return err
	}
	m.Only, m.Skip = only, skip
	m.Version, m.ConfigFile, m.Host, m.Started = k.Version, k.ConfigFile, DescribeHost(), started
	return k.Root.Declare(m, k.Batch.Text)
}

// manifestOf is the part of a manifest that says what is measured.
func manifestOf(batch *sweep.Batch) (*results.Manifest, error) {
	m := &results.Manifest{
		RecordFormat: results.RecordFormat, BatchName: batch.BatchName, Overrides: batch.Overrides, Seed: uint64(batch.Base.RandomSeed),
		Salt:    cmp.Or(string(batch.Base.CacheBustSalt), batch.Salt),
		Repeats: batch.Repeats, RepeatOrder: string(batch.RepeatOrder), VarySeed: batch.VarySeed,
	}
	cells := batch.Cells()
	for i := range cells {
		config, err := json.Marshal(cells[i].Config.Effective())
		if err != nil {
			return nil, fmt.Errorf("describing %s: %w", cells[i].Dir, err)
		}
		sum := sha256.Sum256(config)
		cell, err := results.NewManifestCell(cells[i].Cell, hex.EncodeToString(sum[:]))
		if err != nil {
			return nil, fmt.Errorf("describing %s: %w", cells[i].Dir, err)
		}
		m.Cells = append(m.Cells, cell)
		if url := secret.HideURL(cells[i].Config.URL); !slices.Contains(m.Endpoints, url) {
			m.Endpoints = append(m.Endpoints, url)
		}
	}
	return m, nil
}

// ErrNotTheSame is a batch that is not the one that was broken off.
var ErrNotTheSame = errors.New("is not what was begun")

// differences says in what a batch differs from the one that was begun, a part
// of a sentence each; nil for nothing.
func differences(began *results.Manifest, text []byte, batch *sweep.Batch) ([]string, error) {
	now, err := manifestOf(batch)
	if err != nil {
		return nil, err
	}
	var list []string
	if began.RecordFormat != now.RecordFormat {
		list = append(list, fmt.Sprintf("its records have format %d and this version writes %d", began.RecordFormat, now.RecordFormat))
	}
	if !slices.Equal(began.Endpoints, now.Endpoints) {
		list = append(list, fmt.Sprintf("the endpoint was %s and is %s", strings.Join(began.Endpoints, ", "), strings.Join(now.Endpoints, ", ")))
	}
	if !bytes.Equal(text, batch.Text) {
		list = append(list, "the batch file reads otherwise")
	}
	if !slices.Equal(began.Overrides, now.Overrides) {
		list = append(list, fmt.Sprintf("--set was %q and is %q", began.Overrides, now.Overrides))
	}
	if began.Repeats != now.Repeats || began.RepeatOrder != now.RepeatOrder || began.VarySeed != now.VarySeed {
		list = append(list, "the repeats are others")
	}
	if what := cellsDiffer(began.Cells, now.Cells); what != "" {
		list = append(list, what)
	}
	return list, nil
}

// cellsDiffer says in what cells differ from those that were begun; empty for
// nothing. It may be fewer.
func cellsDiffer(began, now []results.ManifestCell) string {
	known := map[string]*results.ManifestCell{}
	for i := range began {
		known[began[i].Dir] = &began[i]
	}
	for i := range now {
		a, b := known[now[i].Dir], &now[i]
		switch {
		case a == nil || a.Index != b.Index:
			return fmt.Sprintf("%s is no cell of what was begun", cellName(b.Dir))
		case a.Seed != b.Seed:
			return fmt.Sprintf("the seed of %s has changed", cellName(b.Dir))
		case a.Digest != b.Digest:
			return fmt.Sprintf("the configuration of %s has changed, perhaps by an environment variable", cellName(b.Dir))
		}
	}
	return ""
}

// cellName is what errors call a cell.
func cellName(dir string) string { return cmp.Or(dir, "the run") }
