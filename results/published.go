package results

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"time"

	"loadgen"
	"loadgen/metrics"
)

// A Published is what the summary files of a run say, without a look at its
// records: run_metadata.json and profile_export_aiperf.json, of loadgen or of
// AIPerf, which writes the second one only.
type Published struct {
	Dir  string
	Meta Metadata // zero where there is no run_metadata.json
	// Unfit says why the run has no figures to rely on; empty for one that
	// ended by itself.
	Unfit          string
	Started, Ended time.Time // zero where unknown
	Version        string    // of loadgen; empty for AIPerf
	Validity       metrics.Validity
	Sources        metrics.Sources

	keys    map[string]json.RawMessage     // of the export
	decoded map[string]map[string]*float64 // its metrics that were asked for
}

// publishedOwn is what is read of loadgen's own key.
type publishedOwn struct {
	Version  string `json:"version"`
	Validity struct {
		Verdict metrics.Verdict `json:"verdict"`
		Reasons []metrics.Sign  `json:"reasons"`
	} `json:"validity"`
	Sources metrics.Sources `json:"sources"`
	Outcome outcome         `json:"outcome"`
}

// IsPublished reports whether a directory holds a run, of loadgen or AIPerf.
func IsPublished(dir string) bool {
	if IsRun(dir) {
		return true
	}
	_, err := os.Stat(filepath.Join(dir, JSONName))
	return err == nil
}

// ReadPublished reads the summary of the run in a directory.
func ReadPublished(dir string) (*Published, error) {
	p := &Published{Dir: dir}
	switch meta, err := readMetadata(dir); {
	case err == nil:
		p.Meta = meta
	case !errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("read run %s: %w", dir, err)
	}
	data, err := os.ReadFile(filepath.Join(dir, JSONName))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		p.Unfit = "it did not end: there is no " + JSONName
		return p, nil
	case err != nil:
		return nil, fmt.Errorf("read run %s: %w", dir, err)
	}
	if err := p.read(data); err != nil {
		return nil, fmt.Errorf("read run %s: %s: %w", dir, JSONName, err)
	}
	return p, p.ended()
}

// ended notes how a run of loadgen ended, where it did not end well. AIPerf
// leaves nothing that would say so.
func (p *Published) ended() error {
	if p.Meta.Version == "" {
		return nil
	}
	ending, err := ReadEnding(p.Dir)
	switch {
	case err != nil:
		return err
	case ending == nil: // the export is a run's last file: it ended
	case ending.Status == loadgen.Failed:
		p.Unfit = "it failed: " + ending.Error
	case ending.Status != loadgen.Completed && ending.Status != "" && p.Unfit == "":
		p.Unfit = "it is " + string(ending.Status)
	}
	return nil
}

// ReadExport reads a JSON export that stands alone, under any name.
func ReadExport(path string) (*Published, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	p := &Published{Dir: path}
	if err := p.read(data); err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	return p, nil
}

// read splits the export by its keys, once, and decodes those that it needs:
// a comparison reads a thousand of them.
func (p *Published) read(data []byte) error {
	if err := json.Unmarshal(data, &p.keys); err != nil {
		return err
	}
	var info struct {
		Values json.RawMessage `json:"variation_values"`
	}
	var own publishedOwn
	var start, end, incomplete string
	var cancelled bool
	complete := true
	for key, v := range map[string]any{
		"run_info": &info, "loadgen": &own, "start_time": &start, "end_time": &end,
		"was_cancelled": &cancelled, "is_complete": &complete, "incomplete_reason": &incomplete,
	} {
		if raw := p.keys[key]; raw != nil {
			if err := json.Unmarshal(raw, v); err != nil {
				return fmt.Errorf("%s: %w", key, err)
			}
		}
	}
	if p.Meta.Cell.Values == nil {
		values, err := SweepValues(info.Values)
		if err != nil {
			return fmt.Errorf("variation_values: %w", err)
		}
		p.Meta.Cell.Values = values
	}
	p.Started, p.Ended = localMoment(start), localMoment(end)
	p.Version, p.Sources = own.Version, own.Sources
	p.Validity = metrics.Validity{Verdict: own.Validity.Verdict, Reasons: own.Validity.Reasons}
	if own.Outcome.Epoch > 0 { // start_time has no zone
		p.Started = time.Unix(0, own.Outcome.Epoch)
		p.Ended = p.Started.Add(own.Outcome.Elapsed)
	}
	switch {
	case cancelled:
		p.Unfit = "it was cancelled"
	case !complete:
		p.Unfit = "it is not complete: " + incomplete
	}
	return nil
}

// Input is AIPerf's input_config, nil where there is none.
func (p *Published) Input() map[string]any {
	var input map[string]any
	_ = json.Unmarshal(p.keys["input_config"], &input)
	return input
}

// localMoment reads a time as AIPerf writes it, zero where it is none.
func localMoment(text string) time.Time {
	t, err := time.ParseInLocation("2006-01-02T15:04:05.999999", text, time.Local)
	if err != nil {
		t, _ = time.Parse(time.RFC3339Nano, text)
	}
	return t
}

// Figure returns a figure of the run in its display unit, false where it has
// none. The error rate is a share of 1.
func (p *Published) Figure(f metrics.Figure) (float64, bool) {
	if f.Tag == metrics.ErrorRate {
		failed, _ := p.Figure(metrics.Figure{Tag: "error_request_count", Stat: "avg"})
		ok, _ := p.Figure(metrics.Figure{Tag: "request_count", Stat: "avg"})
		rate := failed / (failed + ok)
		return rate, rate >= 0 && rate <= 1 && !math.IsInf(failed+ok, 0)
	}
	stats, known := p.decoded[f.Tag]
	if !known {
		var all map[string]json.RawMessage
		_ = json.Unmarshal(p.keys[f.Tag], &all)
		stats = map[string]*float64{}
		for name, raw := range all {
			var v *float64
			if json.Unmarshal(raw, &v) == nil {
				stats[name] = v
			}
		}
		if p.decoded == nil {
			p.decoded = map[string]map[string]*float64{}
		}
		p.decoded[f.Tag] = stats
	}
	if v := stats[f.Stat]; v != nil {
		return *v, true
	}
	return 0, false
}

// readMetadata reads run_metadata.json.
func readMetadata(dir string) (Metadata, error) {
	var meta metadataFile
	if err := readJSON(filepath.Join(dir, MetadataName), &meta); err != nil {
		return Metadata{}, err
	}
	values, err := SweepValues(meta.SweepParams)
	if err != nil {
		return Metadata{}, fmt.Errorf("sweep_params: %w", err)
	}
	m := Metadata{
		Timestamp: localMoment(meta.Timestamp), ConfigFile: meta.ConfigFile,
		BaseConfig: meta.BaseConfig, Command: meta.Own.Args, Version: meta.Own.Version, Label: meta.Own.Label,
		Seed: loadgen.Seed(meta.Own.Seed), Host: meta.Own.Host, Config: meta.Own.Config, Endpoint: meta.Own.Endpoint, Rounds: meta.Own.Rounds,
		Overrides: meta.Own.Overrides, Gate: meta.Own.Gate, Facts: meta.Own.Facts,
		Repeat: meta.Own.Repeat, Dir: meta.Own.Dir,
		Cell: loadgen.Cell{Index: meta.Own.CellIndex, Seed: loadgen.Seed(meta.Own.CellSeed), Values: values},
	}
	if len(values) > 0 {
		m.Cell.Dir = cmp.Or(CellDir(m.Dir), filepath.Base(dir))
	}
	return m, nil
}
