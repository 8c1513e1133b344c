package results

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"strconv"

	"loadgen"
	"loadgen/metrics"
)

// A Recorded is a run's directory, read back.
type Recorded struct {
	Dir  string
	Meta Metadata

	// Status says how the run ended: Incomplete where its process was killed,
	// which leaves lines and no more. Outcome is then made from them.
	Status loadgen.Status
	Failed string   // why, where it did
	Missed []string // stated limits, a sentence each
	// Whole says that the run has figures of its own, with an Outcome as it was.
	Whole     bool
	Outcome   loadgen.Outcome
	Health    loadgen.Health
	Transport loadgen.Transport

	truncated []string
}

// Open reads the directory of a run, finished or not.
func Open(dir string) (*Recorded, error) {
	r := &Recorded{Dir: dir}
	var err error
	if r.Meta, err = readMetadata(dir); err != nil {
		return nil, fmt.Errorf("open run %s: %w", dir, err)
	}

	ending, err := ReadEnding(dir)
	if err != nil {
		return nil, err
	}
	r.Status = loadgen.Incomplete
	if ending != nil {
		r.Status, r.Missed = ending.Status, ending.Missed
		if r.Status == loadgen.Failed {
			r.Failed = cmp.Or(ending.Error, "it does not say why")
		}
	}
	var export struct {
		Own struct {
			Outcome   outcome    `json:"outcome"`
			Health    healthFile `json:"health"`
			Transport transport  `json:"transport"`

			Server *loadgen.Server `json:"server"`
		} `json:"loadgen"`
	}
	switch err := readJSON(filepath.Join(dir, JSONName), &export); {
	case err == nil && ending != nil:
		r.Whole, r.Outcome = true, loadgen.Outcome(export.Own.Outcome)
		r.Outcome.Server = export.Own.Server
		r.Health, r.Transport = export.Own.Health.value(), loadgen.Transport(export.Own.Transport)
	case err == nil, errors.Is(err, fs.ErrNotExist):
		r.Health = healthFile{}.value()
		if err := r.restore(ending); err != nil {
			return nil, err
		}
	default:
		return nil, fmt.Errorf("open run %s: %w", dir, err)
	}
	return r, nil
}

func readJSON(path string, v any) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(data, v); err != nil {
		return fmt.Errorf("%s: %w", filepath.Base(path), err)
	}
	return nil
}

// restore makes the outcome of a run without figures from its lines, as far as
// they tell it.
func (r *Recorded) restore(ending *Ending) error {
	r.Outcome.Cut = "the process was killed, or is still at work"
	if ending != nil {
		r.Outcome.Cut, r.Outcome.Cancelled = ending.Error, ending.Status == loadgen.Interrupted
	}
	for rec, err := range r.Records() {
		if err != nil {
			return err
		}
		if rec.Phase == loadgen.Warmup {
			continue
		}
		r.Outcome.Epoch = rec.Start.UnixNano() - int64(rec.Sent)
		r.Outcome.Issued++
		r.Outcome.Elapsed = max(r.Outcome.Elapsed, rec.Ended)
		r.Outcome.StoppedAt = max(r.Outcome.StoppedAt, rec.Sent)
	}
	return nil
}

// Records yields the run's records, warm-up first, each phase in the order in
// which its requests ended. A record is used again for the next; texts of
// prompts and answers are not in it. The sequence ends after the first error.
// A last line that was cut off is no error where the run has not ended: Truncated
// names its file.
func (r *Recorded) Records() iter.Seq2[*loadgen.Record, error] {
	return func(yield func(*loadgen.Record, error) bool) {
		r.truncated = nil
		more := true
		for _, name := range []string{WarmupName, RecordsName} {
			if !more {
				return
			}
			err := r.read(name, func(rec *loadgen.Record) bool {
				more = yield(rec, nil)
				return more
			})
			if err != nil {
				yield(nil, err)
				return
			}
		}
	}
}

func (r *Recorded) read(name string, yield func(*loadgen.Record) bool) error {
	f, err := os.Open(filepath.Join(r.Dir, name))
	if errors.Is(err, fs.ErrNotExist) && (name == WarmupName || r.Status == loadgen.Incomplete) {
		return nil // no warm-up, or killed before there was anything to write
	}
	if err != nil {
		return fmt.Errorf("open run %s: %w", r.Dir, err)
	}
	defer f.Close()
	switch err := readLines(f, yield); {
	case errors.Is(err, errTruncated) && r.Whole:
		return fmt.Errorf("read %s: it ends in the middle of a line, though the run had ended: %w", f.Name(), io.ErrUnexpectedEOF)
	case errors.Is(err, errTruncated):
		r.truncated = append(r.truncated, name)
	case err != nil:
		return fmt.Errorf("read %s: %w", f.Name(), err)
	}
	return nil
}

// Truncated names the files whose last line was cut off, as the last walk over
// Records found.
func (r *Recorded) Truncated() []string { return r.truncated }

// Summary folds the records again, by the same collector that folded them
// when they were made.
func (r *Recorded) Summary() (metrics.Summary, error) {
	c, err := r.collect()
	if err != nil {
		return metrics.Summary{}, err
	}
	return c.Summary(r.Outcome, r.Health, r.Transport), nil
}

// Course says likewise how the run went: what series.json holds.
func (r *Recorded) Course() (*metrics.Course, error) {
	c, err := r.collect()
	if err != nil {
		return nil, err
	}
	return c.Course(), nil
}

func (r *Recorded) collect() (*metrics.Collector, error) {
	c, err := metrics.NewCollector(r.Meta.Facts)
	if err != nil {
		return nil, fmt.Errorf("run %s: %w", r.Dir, err)
	}
	for rec, err := range r.Records() {
		if err != nil {
			return nil, err
		}
		c.Add(rec)
	}
	return c, nil
}

// SweepValues reads the swept values of a run as files have them: an object, in
// the order of its keys.
func SweepValues(data json.RawMessage) ([]loadgen.Value, error) {
	if len(data) == 0 || string(data) == "null" {
		return nil, nil
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	if _, err := d.Token(); err != nil {
		return nil, err
	}
	var values []loadgen.Value
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return nil, err
		}
		name, ok := key.(string)
		if !ok {
			return nil, fmt.Errorf("%v is no object", string(data))
		}
		var v any
		if err := d.Decode(&v); err != nil {
			return nil, err
		}
		values = append(values, loadgen.Value{Key: name, Value: native(v)})
	}
	return values, nil
}

// native turns a number into what a batch file would have held: an int where
// it is whole, else a float64.
func native(v any) any {
	n, ok := v.(json.Number)
	if !ok {
		return v
	}
	if i, err := strconv.Atoi(n.String()); err == nil {
		return i
	}
	f, _ := n.Float64()
	return f
}
