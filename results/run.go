package results

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"loadgen"
	"loadgen/internal/secret"
	"loadgen/metrics"
	"loadgen/observe"
)

// The files of a run.
const (
	MetadataName = "run_metadata.json"
	ProcessName  = "process_result.json"
	InputsName   = "inputs.json"
	JSONName     = "profile_export_aiperf.json"
	CSVName      = "profile_export_aiperf.csv"
	RecordsName  = "profile_export.jsonl"
	WarmupName   = "profile_export_warmup.jsonl"
	SeriesName   = "series.json"
	LogName      = "logs/loadgen.log"
)

// A Run is the directory of a run that is under way. Its methods are called
// from one goroutine, but for Flush and Sync, which another may call until the
// run is finished, and those of its Inputs.
type Run struct {
	Dir string

	batch   *Batch
	meta    Metadata
	lines   lineWriter
	records [2]*growing // by phase
	refused error       // why a record has no file

	mu    sync.Mutex
	files []*growing // that grow: the records and the inputs
}

// Begin makes the directory of a run and writes what is known of it.
// The directory must not hold a run.
func (b *Batch) Begin(meta Metadata) (*Run, error) {
	r := &Run{Dir: filepath.Join(b.Dir, filepath.FromSlash(meta.Dir)), batch: b, meta: meta}
	file, err := meta.file()
	if err != nil {
		return nil, failed(filepath.Join(r.Dir, MetadataName), err)
	}
	if err := b.reserve.take(); err != nil {
		return nil, err
	}
	if err := makeDirs(b.Dir, r.Dir); err != nil {
		return nil, failed(r.Dir, err)
	}
	// Opened first: it refuses a directory that a run has been in.
	if r.records[loadgen.Profiling], err = r.grow(RecordsName, "", ""); err != nil {
		return nil, err
	}
	if err := r.keepJSON(MetadataName, file); err != nil {
		return nil, errors.Join(err, r.Close())
	}
	return r, nil
}

// grow makes a file that Flush and Sync look after.
func (r *Run) grow(name, head, tail string) (*growing, error) {
	g, err := grow(filepath.Join(r.Dir, name), head, tail, r.batch.Secrets)
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.files = append(r.files, g)
	return g, nil
}

// Record appends a record, and what the collector measured of it, to the lines
// of its phase. It keeps nothing of them.
func (r *Run) Record(rec *loadgen.Record, m *metrics.Measurement) error {
	f := r.records[rec.Phase]
	if f == nil {
		if r.refused == nil {
			f, r.refused = r.grow(WarmupName, "", "")
		}
		if r.refused != nil {
			return r.refused
		}
		r.records[rec.Phase] = f
	}
	return f.add(r.lines.append(f.begin(), rec, m))
}

// Flush hands what was recorded to the operating system, so that it outlives
// this process. Record does so by itself with every 256 KiB; whoever owns the
// run calls Flush at least once a second, since no other record may follow.
func (r *Run) Flush() error { return r.each((*growing).flush) }

// Sync puts what was recorded on the disk, so that it outlives a power cut. It
// takes as long as the disk does; records can be added meanwhile.
func (r *Run) Sync() error { return r.each((*growing).sync) }

func (r *Run) each(do func(*growing) error) error {
	r.mu.Lock()
	files := slices.Clone(r.files)
	r.mu.Unlock()
	var errs []error
	for _, g := range files {
		errs = append(errs, do(g))
	}
	return errors.Join(errs...)
}

// A Result is how a run ended.
type Result struct {
	Summary   metrics.Summary
	Course    *metrics.Course // nil for none
	Outcome   loadgen.Outcome
	Health    loadgen.Health
	Transport loadgen.Transport
	Prompts   Prompts
	Config    InputConfig
	// Observed is what the metrics of the server and of GPUs said; nil for nothing.
	Observed *observe.Recording

	Status         loadgen.Status
	Error          string   // why the run failed
	NotKept        bool     // because its files could not be written
	Missed         []string // stated limits, a sentence each
	Started, Ended time.Time
	Stdout, Stderr string
}

// Finish writes the files that a finished run has and closes the lines. It
// writes what it can: the error joins those of all files. A run of which a file
// could not be written has failed, as those that are written after it say.
func (r *Run) Finish(res *Result) error {
	err := r.Close()
	for _, write := range []func() error{
		func() error {
			return r.batch.keepFile(filepath.Join(r.Dir, CSVName), appendCSV(nil, res.Summary.Metrics))
		},
		func() error { return r.writeSeries(res.Course) },
		func() error { return r.writeExport(res) },
		func() error { return r.GiveUp(res) },
	} {
		if err != nil && res.Status != loadgen.Failed {
			res.Status, res.Error = loadgen.Failed, err.Error()
			res.Summary.CutShort(res.Error)
		}
		res.NotKept = res.NotKept || NotWritten(err)
		err = errors.Join(err, write())
	}
	return err
}

func (r *Run) writeExport(res *Result) error {
	export, err := r.export(res)
	if err != nil {
		return err
	}
	return r.batch.keepFile(filepath.Join(r.Dir, JSONName), export)
}

// GiveUp closes a run that has no figures, and writes how it ended. That comes
// last in either case: it says that the run is finished.
func (r *Run) GiveUp(res *Result) error {
	return errors.Join(r.Close(), r.keepJSON(ProcessName, r.processResult(res)))
}

// Amend writes the metadata again, with facts that were not known when the run
// began.
func (r *Run) Amend(facts metrics.Facts) error {
	r.meta.Facts = facts
	file, err := r.meta.file()
	if err != nil {
		return failed(filepath.Join(r.Dir, MetadataName), err)
	}
	return r.keepJSON(MetadataName, file)
}

// Close puts the lines of a run on the disk and closes them.
func (r *Run) Close() error {
	errs := []error{r.refused}
	for i, f := range r.records {
		if f != nil {
			errs = append(errs, r.close(f, f.length()))
			r.records[i] = nil
		}
	}
	return errors.Join(errs...)
}

// close ends a file that grew behind one of its entries.
func (r *Run) close(g *growing, end int64) error {
	r.mu.Lock()
	r.files = slices.DeleteFunc(r.files, func(f *growing) bool { return f == g })
	r.mu.Unlock()
	return g.close(end)
}

// Log opens the run's log to append to; the caller closes it.
func (r *Run) Log() (*os.File, error) { return openLog(r.Dir) }

// Log opens the batch's log to append to; the caller closes it.
func (b *Batch) Log() (*os.File, error) { return openLog(b.Dir) }

func openLog(dir string) (*os.File, error) {
	path := filepath.Join(dir, LogName)
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return nil, failed(path, err)
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o666)
	return f, failed(path, err)
}

// keepJSON puts a file into the run's directory. While others grow the room that
// is kept on the disk stays: they would take it.
func (r *Run) keepJSON(name string, v any) error {
	path := filepath.Join(r.Dir, name)
	r.mu.Lock()
	grow := len(r.files) > 0
	r.mu.Unlock()
	if grow {
		return r.batch.writeJSON(path, v)
	}
	return r.batch.keepJSON(path, v)
}

// writeFile is [WriteFile] for what must not hold a secret.
func (b *Batch) writeFile(path string, data []byte) error {
	if err := withoutSecrets(data, b.Secrets); err != nil {
		return failed(path, err)
	}
	return WriteFile(path, data)
}

// WriteText puts a text for people into the batch's directory.
func (b *Batch) WriteText(name string, text []byte) error {
	return b.keepFile(filepath.Join(b.Dir, name), text)
}

// withoutSecrets is the last check of what is about to be written. It mends
// nothing: a value that has come so far with a secret in it is a defect.
func withoutSecrets(data []byte, secrets *secret.Set) error {
	if secrets.In(data) {
		return errHoldsSecret
	}
	return nil
}

var errHoldsSecret = errors.New("it would hold an API key or the value of a header, and is not written: please report this")

func (b *Batch) writeJSON(path string, v any) error {
	data, err := marshal(v)
	if err != nil {
		return failed(path, err)
	}
	return b.writeFile(path, data)
}
