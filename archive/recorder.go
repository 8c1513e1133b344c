package archive

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"syscall"
	"time"

	"loadgen"
	"loadgen/analyze"
	"loadgen/internal/secret"
	"loadgen/metrics"
	"loadgen/report"
	"loadgen/results"
	"loadgen/runner"
	"loadgen/sweep"
)

// A Recorder puts what a batch produces into its directory.
type Recorder struct {
	Batch *sweep.Batch
	Root  *results.Batch
	// ConfigFile is the batch file's name, Command what loadgen was called with
	// and Version its own.
	ConfigFile string
	Command    []string
	Version    string
	// Label names what is tested; empty where nobody said.
	Label string
	Log   *slog.Logger
	// Tee is what Log writes to: each run has a log of its own.
	Tee      *Tee
	Profiler Profiler
	// Secrets are the texts that no file may hold.
	Secrets *secret.Set
	// Found is told what a search has found so far; nil where nobody asks.
	Found func([]results.Capacity)

	log      io.Closer           // of the batch
	over     []*sweep.Run        // in the order of their ends
	facts    []analyze.CellFacts // of these
	findings []analyze.Finding   // of all of them
	grown    time.Time           // when the summary was last written
	took     time.Duration       // how long that took
	without  error               // what the disk had no room for, of what can be made again
}

// Open begins the log of the batch, with the lines that were logged so far.
func (k *Recorder) Open() error {
	f, err := k.Root.Log()
	if err != nil {
		return err
	}
	k.log = f
	k.Tee.keep(f)
	return nil
}

// Close ends the log of the batch.
func (k *Recorder) Close() error { return k.log.Close() }

// StartRun makes the directory of a run.
func (k *Recorder) StartRun(run *sweep.Run) (runner.RunRecorder, error) {
	c := &runRecorder{Recorder: k, run: run, known: run.Facts.Load, started: time.Now(), tracer: newTracer(&run.Cell.Config)}
	cell := run.Cell.Cell
	cell.Seed = run.Seed(k.Batch.VarySeed)
	dir, err := k.Root.Begin(results.Metadata{
		Timestamp:  c.started,
		ConfigFile: k.ConfigFile,
		Cell:       cell,
		Repeat:     run.Number,
		Dir:        k.dirOf(run),
		BaseConfig: k.Batch.Base.Effective(),
		Command:    k.Command,
		Version:    k.Version,
		Label:      k.Label,
		Seed:       loadgen.Seed(run.Cell.Config.RandomSeed),
		Host:       DescribeHost(),
		Config:     run.Cell.Config.Effective(),
		Endpoint:   noted(k.Batch.EndpointSettings(run.Cell)),
		Rounds:     noted(k.Batch.RoundSettings()),
		Overrides:  k.Batch.Overrides,
		Gate:       k.Batch.Gate,
		Facts:      run.Facts,
	})
	if err != nil {
		return nil, err
	}
	c.dir = dir
	logs := []io.Writer{&c.logged}
	if dir.Dir != k.Root.Dir { // else the log of the batch is the run's
		if c.logFile, err = dir.Log(); err != nil {
			return nil, errors.Join(err, dir.Close())
		}
		logs = append(logs, c.logFile)
	}
	k.Tee.add(logs...)
	k.Log.Info("Output directory: " + dir.Dir)
	if c.inputs, err = dir.Inputs(); err != nil {
		return nil, errors.Join(err, c.close())
	}
	c.atRest = keepSafe(dir)
	return c, nil
}

// noted is nil for no settings, so that they leave no key.
func noted(settings sweep.Parameters) any {
	if len(settings) == 0 {
		return nil
	}
	return settings
}

// dirOf returns the directory of a run below the batch's.
func (k *Recorder) dirOf(run *sweep.Run) string {
	if run.Cell.Probe != nil {
		return results.ProbeDir(run.Cell.Cell, run.Number)
	}
	return results.RunDir(run.Cell.Cell, run.Number, k.Batch.RepeatOrder == sweep.Blocked)
}

// growShare is the part of the time that the growing summary may take: of a
// batch of thousands of runs it is not written after each.
const growShare = 20

// grow writes the summary of the runs so far.
func (k *Recorder) grow(run *sweep.Run) error {
	k.over = append(k.over, run)
	began := time.Now()
	if began.Sub(k.grown) < growShare*k.took {
		return nil
	}
	err := errors.Join(k.keepCapacities(k.over), k.Root.Finish(k.rows(k.whole().InOrder(k.over))))
	k.grown = time.Now()
	k.took = k.grown.Sub(began)
	return err
}

// Finish writes what belongs to the whole batch.
func (k *Recorder) Finish(runs []*sweep.Run) error {
	runs = k.whole().InOrder(runs)
	if len(k.facts) > 0 && !k.Profiler.AIQCompat {
		k.findings = analyze.Findings(k.facts, k.Profiler.Options())
		k.Root.Findings = k.findings
	}
	err := errors.Join(
		k.keepCapacities(runs),
		k.Root.Finish(k.rows(runs)),
		k.Root.WriteText(ReportName, []byte(k.Tables(runs, report.Options{}))),
	)
	k.Root.Release() // what comes now can do without
	return errors.Join(k.without, err, k.Root.WriteAggregates(k.repeated(runs), k.Batch.RepeatOrder == sweep.Blocked))
}

// whole is the batch with the cells that were not picked, which an earlier night
// may have run.
func (k *Recorder) whole() *sweep.Batch {
	if len(k.Batch.LeftOut()) == 0 {
		return k.Batch
	}
	return k.Batch.With(slices.Concat(k.Batch.Cells(), k.Batch.LeftOut()))
}

func (k *Recorder) rows(runs []*sweep.Run) []results.Row {
	var rows []results.Row
	for _, run := range runs {
		row := results.Row{
			Cell: run.Cell.Cell, Repeat: run.Number, Dir: k.dirOf(run),
			Status: run.Status(), Skipped: run.Skip, Missed: run.Missed(), Summary: run.Summary,
		}
		if run.Err != nil {
			row.Err = run.Err.Error()
		}
		rows = append(rows, row)
	}
	return rows
}

// ReportName is the batch's report for people: what its end shows on a terminal.
const ReportName = "batch_report.txt"

// findingsShown is how many findings end the tables; the files have them all.
const findingsShown = 3

// Tables returns the tables of the runs and the one over the batch.
func (k *Recorder) Tables(runs []*sweep.Run, o report.Options) string {
	if k.Batch.Search.Asked() {
		return k.searchTables(runs, o)
	}
	runs = k.whole().InOrder(runs)
	var shown []*report.Run
	var b strings.Builder
	for _, run := range runs {
		r := shownRun(run)
		shown = append(shown, r)
		b.WriteString(r.Text(o) + "\n")
	}
	if len(shown) > 1 || len(k.Batch.Cells()) > 1 && len(shown) > 0 {
		b.WriteString(report.BatchTable(shown, o))
	}
	if table := k.repeatTable(runs, o); table != "" {
		b.WriteString("\n" + table)
	}
	if brief := report.FindingsBrief(k.findings, findingsShown, o); brief != "" {
		b.WriteString("\n" + brief)
	}
	return b.String()
}

// shownRun is a run as tables show it.
func shownRun(run *sweep.Run) *report.Run {
	r := &report.Run{Values: run.Cell.Values, Repeat: run.Number, Probe: run.Cell.Probe != nil, Summary: run.Summary, Skipped: run.Skip}
	if run.Err != nil {
		r.Failed = run.Err.Error()
	}
	if run.Summary != nil {
		r.Missed = run.Missed()
	}
	return r
}

// A runRecorder puts what a run produces into its directory.
type runRecorder struct {
	*Recorder
	run     *sweep.Run
	known   loadgen.Load // as it stands in the metadata
	dir     *results.Run
	inputs  *results.Inputs
	started time.Time
	logFile io.WriteCloser
	logged  bytes.Buffer
	tracer  *analyze.Tracer
	atRest  func() // ends what keeps the files safe
}

// Place is the run's directory.
func (c *runRecorder) Place() string { return c.dir.Dir }

// Flush puts what was recorded into the run's files.
func (c *runRecorder) Flush() error { return c.dir.Flush() }

// Session is given the first one when all is known of the run that its figures
// depend on, such as a rate that the warm-up decided.
func (c *runRecorder) Session(s *loadgen.Session) error {
	if c.known != c.run.Facts.Load {
		c.known = c.run.Facts.Load
		if err := c.dir.Amend(c.run.Facts); err != nil {
			return err
		}
	}
	return c.inputs.Add(s)
}

func (c *runRecorder) Record(rec *loadgen.Record, m *metrics.Measurement) error {
	if c.Profiler.Enable {
		c.tracer.Add(rec)
	}
	return c.dir.Record(rec, m)
}

func (c *runRecorder) End(run *sweep.Run) error {
	c.atRest()
	errs := []error{c.inputs.Close(run.Outcome.Sessions), c.dir.Close()}
	if err := errors.Join(errs...); err != nil {
		run.Fail(fmt.Errorf("keeping the results: %w", err))
	}
	errs = append(errs, c.dir.Amend(run.Facts))
	res := &results.Result{
		Outcome: run.Outcome, Health: run.Health, Transport: run.Transport, Prompts: prompts(&run.Prompts),
		Config: inputConfig(run), Observed: run.Observed,
		Status: run.Status(), Missed: run.Missed(),
		Started: c.started, Ended: time.Now(),
	}
	if run.Err != nil {
		res.Error, res.NotKept = run.Err.Error(), results.NotWritten(run.Err)
	}
	c.Log.Info(run.Name() + ": " + shownRun(run).Line())
	res.Stderr = c.logged.String()
	if err := c.dir.WriteServer(run.Observed, run.Cell.Config.ServerMetricsFormats, res.Config); err != nil {
		c.lack(fmt.Errorf("keeping the server's metrics: %w", err))
	}
	if run.Summary == nil {
		errs = append(errs, c.dir.GiveUp(res))
	} else {
		res.Summary, res.Course = *run.Summary, run.Course
		res.Stdout = shownRun(run).Text(report.Options{})
		errs = append(errs, c.dir.Finish(res))
		if c.Root.Tight() || results.NoRoom(errors.Join(append(errs, run.Err)...)) {
			c.lack(fmt.Errorf("%s is without its analyses, which loadgen analyze makes: %w", c.dir.Dir, errTight))
		} else {
			c.profile(run)
			c.slice(run, res)
		}
	}
	run.Course = nil // in its file; a batch may have thousands of runs
	return errors.Join(append(errs, c.grow(run), c.closeLog())...)
}

// errTight is a disk on which room is left for the batch's summaries alone.
var errTight = fmt.Errorf("%w; free some space or choose another output_base_dir: the room that is left is for the summaries", syscall.ENOSPC)

// lack warns of a file that a run lacks: its measurement is complete without.
// That the disk was full is the batch's error besides, since the next night will
// find it so.
func (c *runRecorder) lack(err error) {
	text := err.Error()
	c.Log.Warn(strings.ToUpper(text[:1]) + text[1:])
	if results.NoRoom(err) {
		c.without = errors.Join(c.without, err)
	}
}

// profile analyses the run once its artifacts are written.
func (c *runRecorder) profile(run *sweep.Run) {
	if !c.Profiler.Enable {
		return
	}
	facts, err := c.profileRun(run, c.dir.Dir, c.tracer)
	if err != nil {
		c.lack(err)
	}
	c.Recorder.facts = append(c.Recorder.facts, facts)
}

// slice writes the run in slices of its time, where that was asked for. Like
// the analyses it can be done again from the records.
func (c *runRecorder) slice(run *sweep.Run, res *results.Result) {
	width := run.Cell.Config.SliceDuration
	if width == 0 {
		return
	}
	if err := results.WriteSlices(c.dir.Dir, width, res.Config); err != nil {
		c.lack(fmt.Errorf("the slices of the run were not written: %w", err))
	}
}

func (c *runRecorder) closeLog() error {
	c.Tee.drop()
	if c.logFile == nil {
		return nil
	}
	return c.logFile.Close()
}

func (c *runRecorder) close() error { return errors.Join(c.closeLog(), c.dir.Close()) }
