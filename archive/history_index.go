package archive

import (
	"bufio"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"loadgen/compare"
	"loadgen/metrics"
	"loadgen/results"
)

// IndexName is the file in the directory of a batch's name that holds what its
// nights come to. It is only a shortcut: what is not in it, or out of date, is
// read from the nights' own directories.
const IndexName = "history_index.jsonl"

// indexVersion changes with the format: an index of another is made anew.
const indexVersion = "2"

// indexHead is the first line of the index.
type indexHead struct {
	SchemaVersion string   `json:"schema_version"`
	Figures       []string `json:"figures"` // that the lines have
}

// indexLine is a night.
type indexLine struct {
	Dir string `json:"night"`
	// Stamp and Size are those of the night's summary when it was read.
	Stamp    int64     `json:"stamp"`
	Size     int64     `json:"size"`
	Started  time.Time `json:"started"`
	Label    string    `json:"label,omitempty"`
	Version  string    `json:"version,omitempty"`
	Runs     int       `json:"runs"`
	Degraded int       `json:"degraded,omitempty"`
	Invalid  int       `json:"invalid,omitempty"`
	Unfit    int       `json:"unfit,omitempty"`
	// Asked is what searches looked for, by the names of their capacities.
	Asked map[string]compare.Question `json:"asked,omitempty"`
	Keys  []string                    `json:"cells"`
	// Bounds are the capacities that are only bounded, by cell and name.
	Bounds []map[string]string `json:"bounds,omitempty"`
	Values [][]*float64        `json:"figures"` // by cell, in the order of the head
}

// NightsDir returns the directory that holds the nights of a batch's name,
// given it, a night in it, or the directory of a single name above it.
func NightsDir(path string) (string, error) {
	path = filepath.Clean(path)
	if stamped(filepath.Base(path)) {
		return filepath.Dir(path), nil
	}
	if len(nightNames(path)) > 0 {
		return path, nil
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return "", err
	}
	var names []string
	for _, e := range entries {
		if e.IsDir() && len(nightNames(filepath.Join(path, e.Name()))) > 0 {
			names = append(names, e.Name())
		}
	}
	switch len(names) {
	case 0:
		return "", fmt.Errorf("%s holds no batch: give the directory <output_base_dir>/<batch_name>", path)
	case 1:
		return filepath.Join(path, names[0]), nil
	}
	return "", fmt.Errorf("%s holds batches of several names: give one of %s", path, strings.Join(names, ", "))
}

// nightNames are the names of the nights in a directory, oldest first.
func nightNames(dir string) []string {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil
	}
	var names []string
	for _, e := range entries {
		if e.IsDir() && stamped(e.Name()) {
			names = append(names, e.Name())
		}
	}
	return names
}

// Nights reads all nights of a batch's name, oldest first, and brings the index
// up to date. What could be read comes back beside the error: a night that has
// no run yet, or is spoilt, hides no other. Figures are those that are wanted beside the usual ones.
func Nights(dir string, rebuild bool, more []metrics.Figure) ([]compare.Night, error) {
	head, lines := readIndex(filepath.Join(dir, IndexName))
	figures := indexFigures(head, more)
	if rebuild || len(figures) > len(head.Figures) {
		lines = nil
	}
	reader := &SideReader{Figures: figures}
	var nights []compare.Night
	var fresh []indexLine
	var unread []error
	changed := rebuild
	for _, name := range nightNames(dir) {
		stamp, size := fingerprint(filepath.Join(dir, name))
		line, known := lines[name]
		if !known || stamp == 0 || line.Stamp != stamp || line.Size != size {
			changed = true
			side, err := reader.Read(name, []string{filepath.Join(dir, name)})
			if err != nil {
				unread = append(unread, err)
				continue
			}
			for _, run := range side.Runs {
				figures = withCapacities(figures, run)
			}
			line = lineOf(name, stamp, size, side, figures)
		}
		fresh = append(fresh, line)
		nights = append(nights, line.night(figures))
	}
	if changed || len(fresh) != len(lines) {
		if err := writeIndex(filepath.Join(dir, IndexName), figures, fresh); err != nil {
			unread = append(unread, fmt.Errorf("the index could not be kept, so that the next call takes as long: %w", err))
		}
	}
	return nights, errors.Join(unread...)
}

// usualFigures are in every index.
var usualFigures = []string{
	"time_to_first_token.avg", "time_to_first_token.p50", "time_to_first_token.p95", "time_to_first_token.p99",
	"inter_token_latency.avg", "inter_token_latency.p50", "inter_token_latency.p95", "inter_token_latency.p99",
	"request_latency.avg", "request_latency.p50", "request_latency.p95", "request_latency.p99",
	"output_token_throughput", "request_throughput", "goodput", metrics.ErrorRate,
}

// indexFigures are the figures of an index, those that it has first.
func indexFigures(head indexHead, more []metrics.Figure) []metrics.Figure {
	var all []metrics.Figure
	add := func(f metrics.Figure) {
		if !slices.Contains(all, f) {
			all = append(all, f)
		}
	}
	for _, name := range slices.Concat(head.Figures, usualFigures) {
		if f, err := metrics.ParseFigure(name); err == nil {
			add(f)
		}
	}
	for _, f := range more {
		add(f)
	}
	return all
}

// fingerprint tells whether a night has changed since it was read: its summary
// grows with every run.
func fingerprint(night string) (stamp, size int64) {
	info, err := os.Stat(filepath.Join(night, results.BatchJSONName))
	if err != nil {
		return 0, 0
	}
	return info.ModTime().UnixNano(), info.Size()
}

func lineOf(name string, stamp, size int64, side compare.CompareSide, figures []metrics.Figure) indexLine {
	n := compare.NightOf(side, figures)
	line := indexLine{
		Dir: name, Stamp: stamp, Size: size, Started: n.Started, Runs: n.Runs,
		Degraded: n.Degraded, Invalid: n.Invalid, Unfit: n.Unfit, Keys: []string{}, Values: [][]*float64{},
	}
	for f, q := range n.Asked {
		if line.Asked == nil {
			line.Asked = map[string]compare.Question{}
		}
		line.Asked[f.String()] = q
	}
	for _, r := range side.Runs {
		line.Label, line.Version = cmp.Or(line.Label, settingIn(r, compare.SettingLabel)), cmp.Or(line.Version, settingIn(r, "version"))
	}
	bounded := false
	for _, c := range n.Cells {
		values := make([]*float64, len(figures))
		for i, f := range figures {
			if v, ok := c.Figures[f]; ok {
				values[i] = &v
			}
		}
		line.Keys, line.Values = append(line.Keys, c.Key), append(line.Values, values)
		bounds := map[string]string{}
		for f, text := range c.Bounds {
			bounds[f.String()] = text
		}
		bounded = bounded || len(bounds) > 0
		line.Bounds = append(line.Bounds, bounds)
	}
	if !bounded {
		line.Bounds = nil
	}
	return line
}

func settingIn(r compare.CompareRun, key string) string {
	for _, s := range r.Conditions {
		if s.Key == key {
			return s.Value
		}
	}
	return ""
}

// night is what a line says.
func (l *indexLine) night(figures []metrics.Figure) compare.Night {
	n := compare.Night{
		Dir: l.Dir, Started: l.Started, Label: l.Label, Version: l.Version,
		Runs: l.Runs, Degraded: l.Degraded, Invalid: l.Invalid, Unfit: l.Unfit,
		Asked: map[metrics.Figure]compare.Question{},
	}
	for name, q := range l.Asked {
		if f, err := metrics.ParseFigure(name); err == nil {
			n.Asked[f] = q
		}
	}
	for c, key := range l.Keys {
		cell := compare.NightCell{Key: key, Figures: map[metrics.Figure]float64{}, Bounds: map[metrics.Figure]string{}}
		if c < len(l.Bounds) {
			for name, text := range l.Bounds[c] {
				if f, err := metrics.ParseFigure(name); err == nil {
					cell.Bounds[f] = text
				}
			}
		}
		for i, v := range l.Values[c] {
			if v != nil && i < len(figures) {
				cell.Figures[figures[i]] = *v
			}
		}
		n.Cells = append(n.Cells, cell)
	}
	return n
}

// readIndex reads an index; what is none, or of another version, is empty.
func readIndex(path string) (indexHead, map[string]indexLine) {
	f, err := os.Open(path)
	if err != nil {
		return indexHead{}, nil
	}
	defer f.Close()
	d := json.NewDecoder(bufio.NewReaderSize(f, 1<<16))
	var head indexHead
	if d.Decode(&head) != nil || head.SchemaVersion != indexVersion {
		return indexHead{}, nil
	}
	lines := map[string]indexLine{}
	for d.More() {
		var l indexLine
		if d.Decode(&l) != nil || len(l.Values) != len(l.Keys) {
			break // cut off or spoilt: the rest is read from the nights
		}
		lines[l.Dir] = l
	}
	return head, lines
}

func writeIndex(path string, figures []metrics.Figure, lines []indexLine) error {
	head := indexHead{SchemaVersion: indexVersion}
	for _, f := range figures {
		head.Figures = append(head.Figures, f.String())
	}
	text, err := json.Marshal(head)
	if err != nil {
		return err
	}
	text = append(text, '\n')
	for i := range lines {
		line, err := json.Marshal(&lines[i])
		if err != nil {
			return err
		}
		text = append(append(text, line...), '\n')
	}
	err = results.WriteFile(path, text)
	if errors.Is(err, fs.ErrPermission) {
		return nil // somebody else's directory: the next reader reads as much
	}
	return err
}
