package sink

import (
	"cmp"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"loadgen"
	"loadgen/metrics"
	"loadgen/results"
)

// A Batch is the directory of a batch, as sinks see it.
type Batch struct {
	Dir, Name string
	Runs      []*Run
	Searches  []results.Capacity // of a batch that looked for capacities
}

// A Run is one of its runs.
type Run struct {
	*results.Recorded
	// Name is the run's directory below the batch's; that of the batch where it
	// is the only run.
	Name string
	// Summary is nil where the run has no figures; Failed says why it failed.
	Summary *metrics.Summary
	Failed  string
	// Unfit says why its figures are not to be relied on; empty where they are.
	Unfit string
	// Probe is what it was in the search that it is a run of; nil where it is none.
	Probe *Probe
	// Started and Ended are zero where unknown.
	Started, Ended time.Time
}

// Open reads the batch in a directory, or the one run there.
func Open(dir string) (*Batch, error) {
	dirs, err := results.RunDirs(dir)
	if err != nil {
		return nil, err
	}
	if len(dirs) == 0 {
		return nil, fmt.Errorf("%s holds no run", dir)
	}
	full, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	b := &Batch{Dir: dir, Name: cmp.Or(results.NameOf(dir), filepath.Base(filepath.Dir(full)))}
	for _, d := range dirs {
		run, err := open(d)
		if err != nil {
			return nil, err
		}
		name, err := filepath.Rel(dir, d)
		if err != nil {
			return nil, err
		}
		run.Name = filepath.ToSlash(name)
		if name == "." {
			run.Name = b.Name
		}
		b.Runs = append(b.Runs, run)
	}
	if b.Searches, err = results.Searches(dir); err != nil {
		return nil, err
	}
	if b.Searches != nil {
		b.markProbes()
	}
	slices.SortStableFunc(b.Runs, func(x, y *Run) int {
		return cmp.Or(cmp.Compare(x.Meta.Cell.Index, y.Meta.Cell.Index), x.Probe.compare(y.Probe), cmp.Compare(x.Meta.Repeat, y.Meta.Repeat))
	})
	return b, nil
}

func open(dir string) (*Run, error) {
	recorded, err := results.Open(dir)
	if err != nil {
		return nil, err
	}
	ending, err := results.ReadEnding(dir)
	if err != nil {
		return nil, err
	}
	r := &Run{Recorded: recorded, Failed: "the process was killed"}
	if ending != nil {
		r.Failed = ending.Error
	}
	if !recorded.Whole {
		r.Unfit = cmp.Or(r.Failed, "it has no figures")
		return r, nil
	}
	published, err := results.ReadPublished(dir)
	if err != nil {
		return nil, err
	}
	r.Started, r.Ended, r.Unfit = published.Started, published.Ended, published.Unfit
	if r.Summary, err = published.Summary(); err != nil {
		return nil, err
	}
	if v := r.Summary.Validity; v.Verdict == metrics.Invalid {
		r.Unfit = cmp.Or(r.Unfit, "INVALID: "+strings.Join(signs(v.Reasons), "; "))
	}
	return r, nil
}

func signs(list []metrics.Sign) []string {
	var texts []string
	for _, s := range list {
		texts = append(texts, s.Text)
	}
	return texts
}

// Verdict is that of the run; empty where it has none.
func (r *Run) Verdict() string {
	if r.Summary == nil {
		return ""
	}
	return string(r.Summary.Validity.Verdict)
}

// Figure is a number of the run's summary; false where it has none.
func (r *Run) Figure(tag, stat string) (float64, bool) {
	if r.Summary == nil {
		return 0, false
	}
	m := r.Summary.Metric(tag)
	switch {
	case m == nil:
		return 0, false
	case m.Value != nil:
		return *m.Value, stat == "avg"
	}
	return m.Stats.Named(stat)
}

// shownFigure is a number of the run as loadgen's own tables have it: a rate is that
// under load.
func (r *Run) shownFigure(tag, stat string) (float64, bool) {
	if r.Summary != nil && stat == "avg" {
		if v, ok := r.Summary.UnderLoad(tag); ok {
			return v, true
		}
	}
	return r.Figure(tag, stat)
}

// setting is a text of the run's configuration.
func (r *Run) setting(key string) string {
	settings, _ := r.Meta.Config.(map[string]any)
	text, _ := settings[key].(string)
	return text
}

// measured yields the records of the measurement.
func (r *Run) measured(do func(*loadgen.Record) error) error {
	for rec, err := range r.Records() {
		if err != nil {
			return err
		}
		if rec.Phase == loadgen.Warmup {
			continue
		}
		if err := do(rec); err != nil {
			return err
		}
	}
	return nil
}

// began is when the run was begun; its metadata say so where it did not end, by the
// clock on the wall there.
func (r *Run) began() time.Time {
	if r.Started.IsZero() {
		return r.Meta.Timestamp
	}
	return r.Started
}

// began is when the first of its runs was begun; zero where unknown.
func (b *Batch) began() time.Time {
	var first time.Time
	for _, r := range b.Runs {
		if t := r.began(); !t.IsZero() && (first.IsZero() || t.Before(first)) {
			first = t
		}
	}
	return first
}

// fit are the runs with figures.
func (b *Batch) fit() []*Run {
	return slices.DeleteFunc(slices.Clone(b.Runs), func(r *Run) bool { return r.Summary == nil })
}

// errNoRun is a batch none of whose runs has figures.
var errNoRun = errors.New("no run has figures")
