package results

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"loadgen"
	"loadgen/internal/secret"
	"loadgen/metrics"
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
	LogName      = "logs/loadgen.log"
)

// A Run is the directory of a run that is under way. Its methods are called
// from one goroutine.
type Run struct {
	Dir string

	batch   *Batch
	meta    Metadata
	lines   lineWriter
	records [2]*recordFile // by phase
}

// Begin makes the directory of a run and writes what is known of it.
// The directory must not hold a run.
func (b *Batch) Begin(meta Metadata) (*Run, error) {
	r := &Run{Dir: filepath.Join(b.Dir, filepath.FromSlash(meta.Dir)), batch: b, meta: meta}
	if meta.Dir != "" {
		if err := os.MkdirAll(r.Dir, 0o755); err != nil {
			return nil, failed(r.Dir, err)
		}
	}
	file, err := meta.file()
	if err != nil {
		return nil, failed(filepath.Join(r.Dir, MetadataName), err)
	}
	// Opened first: it refuses a directory that a run has been in.
	if r.records[loadgen.Profiling], err = openRecords(filepath.Join(r.Dir, RecordsName), r.batch.Secrets); err != nil {
		return nil, err
	}
	if err := r.writeJSON(MetadataName, file); err != nil {
		return nil, errors.Join(err, r.records[loadgen.Profiling].close())
	}
	return r, nil
}

// Record appends a record, and what the collector measured of it, to the lines
// of its phase. It keeps nothing of them.
func (r *Run) Record(rec *loadgen.Record, m *metrics.Measurement) error {
	f := r.records[rec.Phase]
	if f == nil {
		var err error
		if f, err = openRecords(filepath.Join(r.Dir, WarmupName), r.batch.Secrets); err != nil {
			return err
		}
		r.records[rec.Phase] = f
	}
	f.buf = r.lines.append(f.buf, rec, m)
	return f.mayFlush(rec.Ended)
}

// Flush writes out the lines that are ready. Record does so by itself at least
// once for every second of the run and every 256 KiB, but cannot where nothing
// ends for a while.
func (r *Run) Flush() error {
	var errs []error
	for _, f := range r.records {
		if f != nil {
			errs = append(errs, f.flush())
		}
	}
	return errors.Join(errs...)
}

// A Result is how a run ended.
type Result struct {
	Summary   metrics.Summary
	Outcome   loadgen.Outcome
	Health    loadgen.Health
	Transport loadgen.Transport
	Prompts   Prompts
	Config    InputConfig

	Started, Ended time.Time
	ReturnCode     int
	Error          string // why the run failed
	Stdout, Stderr string
}

// Finish writes the files that a finished run has and closes the lines. It
// writes what it can: the error joins those of all files.
func (r *Run) Finish(res *Result) error {
	export, err := r.export(res)
	if err == nil {
		err = r.batch.writeFile(filepath.Join(r.Dir, JSONName), export)
	}
	return errors.Join(
		r.Close(),
		err,
		r.batch.writeFile(filepath.Join(r.Dir, CSVName), appendCSV(nil, res.Summary.Metrics)),
		r.writeJSON(ProcessName, r.processResult(res)),
	)
}

// GiveUp closes a run that ended before it measured anything, and writes how.
func (r *Run) GiveUp(res *Result) error {
	return errors.Join(r.Close(), r.writeJSON(ProcessName, r.processResult(res)))
}

// Close writes out and closes the lines of a run.
func (r *Run) Close() error {
	var errs []error
	for i, f := range r.records {
		if f != nil {
			errs = append(errs, f.close())
			r.records[i] = nil
		}
	}
	return errors.Join(errs...)
}

// Log opens the run's log to append to; the caller closes it.
func (r *Run) Log() (*os.File, error) {
	path := filepath.Join(r.Dir, LogName)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, failed(path, err)
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	return f, failed(path, err)
}

// WriteJSON puts a further file into the run's directory, such as the findings
// of an analysis.
func (r *Run) WriteJSON(name string, v any) error { return r.writeJSON(name, v) }

func (r *Run) writeJSON(name string, v any) error {
	return r.batch.writeJSON(filepath.Join(r.Dir, name), v)
}

// writeFile is [WriteFile] for what must not hold a secret.
func (b *Batch) writeFile(path string, data []byte) error {
	if err := withoutSecrets(data, b.Secrets); err != nil {
		return failed(path, err)
	}
	return WriteFile(path, data)
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
	Error      string          `json:"error,omitempty"`
	Cancelled  bool            `json:"was_cancelled"`
	Verdict    metrics.Verdict `json:"verdict,omitempty"`
	Reasons    []string        `json:"reasons,omitempty"`
}

func (r *Run) processResult(res *Result) processFile {
	p := processFile{
		Args: r.meta.Command, ReturnCode: res.ReturnCode, Error: res.Error, Stdout: res.Stdout, Stderr: res.Stderr,
		Started: localTime(res.Started), Ended: localTime(res.Ended), Duration: res.Ended.Sub(res.Started).Seconds(),
		Counts: res.Summary.Counts, Cancelled: res.Summary.Cancelled, Verdict: res.Summary.Validity.Verdict,
	}
	for _, s := range res.Summary.Validity.Reasons {
		p.Reasons = append(p.Reasons, s.Text)
	}
	return p
}

// A recordFile is a file of lines that grows as requests end. After an error
// it ends with its last whole line and takes no more.
type recordFile struct {
	f       *os.File
	secrets *secret.Set
	buf     []byte // whole lines
	written int64
	flushed time.Duration // when in the run
	err     error
}

const flushBytes = 256 << 10

func openRecords(path string, secrets *secret.Set) (*recordFile, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, failed(path, err)
	}
	return &recordFile{f: f, secrets: secrets, buf: make([]byte, 0, flushBytes+flushBytes/4)}, nil
}

// mayFlush flushes when a second of the run has passed or much has gathered.
func (f *recordFile) mayFlush(now time.Duration) error {
	if len(f.buf) < flushBytes && now-f.flushed < time.Second {
		return f.err
	}
	f.flushed = now
	return f.flush()
}

func (f *recordFile) flush() error {
	if f.err != nil || len(f.buf) == 0 {
		f.buf = f.buf[:0]
		return f.err
	}
	if err := withoutSecrets(f.buf, f.secrets); err != nil {
		f.err = failed(f.f.Name(), err)
		f.buf = f.buf[:0]
		return f.err
	}
	n, err := f.f.Write(f.buf)
	if err != nil {
		// Whole lines stay; the half one is taken back where that works.
		keep := f.written + int64(bytes.LastIndexByte(f.buf[:n], '\n')+1)
		f.err = failed(f.f.Name(), err)
		if err := f.f.Truncate(keep); err != nil {
			f.err = errors.Join(f.err, fmt.Errorf("truncate %s: %w", f.f.Name(), err))
		}
	}
	f.written += int64(n)
	f.buf = f.buf[:0]
	return f.err
}

func (f *recordFile) close() error {
	err := f.flush()
	if serr := f.f.Sync(); err == nil {
		err = failed(f.f.Name(), serr)
	}
	if cerr := f.f.Close(); err == nil {
		err = failed(f.f.Name(), cerr)
	}
	return err
}
