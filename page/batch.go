package page

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"loadgen"
	"loadgen/analyze"
	"loadgen/metrics"
	"loadgen/report"
	"loadgen/results"
)

// ComparisonName is what a batch that was compared with a baseline keeps of it.
const ComparisonName = "comparison.json"

// A Batch is a directory with the runs in it: of a batch, of one run, or of
// AIPerf.
type Batch struct {
	Dir, Name  string
	Started    time.Time // of its first run; zero where unknown
	Runs       []*Run    // in the order of their cells and repeats
	Findings   []analyze.Finding
	Capacities []results.Capacity
	// Comparison is with a baseline; nil where there was none.
	Comparison *Comparison
	// Broken are what of the directory could not be read, a sentence each.
	Broken []string

	cells []*cell
}

// A Run is one run of a batch as its files have it.
type Run struct {
	report.Run
	Dir    string
	Status loadgen.Status
	Meta   results.Metadata
	// Foreign is AIPerf's: there is no verdict.
	Foreign bool
	// Of AIPerf's runs: how it was told to load the endpoint, and the requests
	// that ended first.
	load       []loadgen.Value
	firstCalls []loadgen.Call
}

// ErrNothing is a directory without runs.
var ErrNothing = errors.New("it holds no run of loadgen or AIPerf")

// Open reads a directory, but for what happened within each run.
func Open(dir string) (*Batch, error) {
	dirs, err := results.PublishedDirs(dir)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", dir, err)
	}
	if len(dirs) == 0 {
		return nil, fmt.Errorf("reading %s: %w", dir, ErrNothing)
	}
	b := &Batch{Dir: dir, Name: nameOf(dir)}
	for _, d := range dirs {
		run, err := openRun(d)
		if err != nil {
			b.Broken = append(b.Broken, err.Error())
			continue
		}
		b.Runs = append(b.Runs, run)
	}
	b.readSummary()
	if b.Capacities, err = results.Searches(dir); err != nil {
		b.Broken = append(b.Broken, err.Error())
	}
	if len(b.Capacities) > 0 && b.Capacities[0].Over == "" {
		b.Capacities = nil // no probe of any has ended
	}
	if err := readOptional(filepath.Join(dir, ComparisonName), &b.Comparison); err != nil {
		b.Broken = append(b.Broken, err.Error())
	}
	if len(b.Runs) == 0 {
		return nil, fmt.Errorf("reading %s: none of its %s can be read: %s", dir, report.Count(len(dirs), "run"), b.Broken[0])
	}
	tellApart(b.Dir, b.Runs)
	slices.SortStableFunc(b.Runs, func(x, y *Run) int {
		return cmp.Or(cmp.Compare(x.Meta.Cell.Index, y.Meta.Cell.Index), cmp.Compare(x.sought(), y.sought()), cmp.Compare(x.Repeat, y.Repeat))
	})
	for _, run := range b.Runs {
		if t := run.Meta.Timestamp; !t.IsZero() && (b.Started.IsZero() || t.Before(b.Started)) {
			b.Started = t
		}
	}
	b.cells = cellsOf(b.Runs)
	return b, nil
}

// sought is the load of a search's run, 0 of any other.
func (r *Run) sought() float64 {
	if !r.Probe || len(r.Values) == 0 {
		return 0
	}
	load, _ := numeric(r.Values[len(r.Values)-1].Value)
	return load
}

// nameOf names a batch by its directory and the one above: name/time.
func nameOf(dir string) string {
	abs, err := filepath.Abs(dir)
	if err != nil {
		abs = filepath.Clean(dir)
	}
	return filepath.Join(filepath.Base(filepath.Dir(abs)), filepath.Base(abs))
}

// readSummary takes from batch_summary.json what no run's directory has: the
// findings, and runs that were not made.
func (b *Batch) readSummary() {
	var file struct {
		Runs []struct {
			Index  int             `json:"run_index"`
			Repeat int             `json:"repeat"`
			Params json.RawMessage `json:"sweep_params"`
			Status loadgen.Status  `json:"status"`
			Skip   string          `json:"skip_reason"`
		} `json:"runs"`
		Findings []analyze.Finding `json:"findings"`
	}
	if err := readOptional(filepath.Join(b.Dir, results.BatchJSONName), &file); err != nil {
		b.Broken = append(b.Broken, err.Error())
		return
	}
	b.Findings = file.Findings
	for _, r := range file.Runs {
		if r.Status != loadgen.Skipped {
			continue
		}
		values, err := results.SweepValues(r.Params)
		if err != nil {
			b.Broken = append(b.Broken, err.Error())
			continue
		}
		run := &Run{Status: r.Status, Run: report.Run{Values: values, Repeat: r.Repeat, Skipped: cmp.Or(r.Skip, "no reason was kept")}}
		run.Meta.Cell = loadgen.Cell{Index: r.Index, Values: values}
		b.Runs = append(b.Runs, run)
	}
}

func readOptional(path string, v any) error {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil {
		err = json.Unmarshal(data, v)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// openRun reads what the summary files of a run say; of one that was broken off,
// what its records come to.
func openRun(dir string) (*Run, error) {
	p, err := results.ReadPublished(dir)
	if err != nil {
		return nil, err
	}
	run := &Run{Dir: dir, Meta: p.Meta, Status: loadgen.Completed, Foreign: p.Meta.Version == "" && p.Version == ""}
	run.Values, run.Repeat, run.Probe = p.Meta.Cell.Values, p.Meta.Repeat, results.IsProbe(p.Meta.Dir)
	if run.Foreign {
		run.Values = shortKeys(run.Values)
		run.Meta.Timestamp = p.Started
		run.Failed = p.Unfit
		run.load = foreignLoad(p.Input())
	}
	if run.Summary, err = p.Summary(); err != nil {
		return nil, err
	}
	if !results.IsRun(dir) {
		return run, nil
	}
	ending, err := results.ReadEnding(dir)
	if err != nil {
		return nil, err
	}
	if ending != nil {
		run.Status, run.Missed = ending.Status, ending.Missed
		if ending.Status == loadgen.Failed {
			run.Failed = cmp.Or(ending.Error, "no reason was kept")
		}
		return run, nil
	}
	return run, run.restore()
}

// restore makes the summary of a run that was broken off from its lines.
func (r *Run) restore() error {
	r.Status = loadgen.Incomplete
	recorded, err := results.Open(r.Dir)
	if err != nil {
		return err
	}
	s, err := recorded.Summary()
	if err != nil {
		return err
	}
	r.Summary = &s
	r.Failed = "it was broken off, or is still at work"
	return nil
}

// invalid says that the run's figures are not to be relied on.
func (r *Run) invalid() bool {
	return r.Summary == nil || r.Failed != "" || r.Summary.Validity.Verdict == metrics.Invalid
}

// weak says that the run's figures are to be read with care.
func (r *Run) weak() bool {
	return !r.invalid() && (r.Summary.Validity.Verdict == metrics.Degraded || r.Status == loadgen.Interrupted)
}

// standing is the run's verdict, or what became of it.
func (r *Run) standing() string {
	switch {
	case r.Skipped != "":
		return "skipped"
	case r.Status == loadgen.Failed || r.Status == loadgen.Incomplete:
		return string(r.Status)
	case r.Summary == nil:
		return "no figures"
	case r.Foreign:
		return "no verdict"
	case r.Status == loadgen.Interrupted:
		return "interrupted, " + string(r.Summary.Validity.Verdict)
	}
	return string(r.Summary.Validity.Verdict)
}
