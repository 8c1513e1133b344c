package main

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"os"
	"runtime"
	"strings"
	"sync"
	"time"

	"loadgen"
	"loadgen/analyze"
	"loadgen/metrics"
	"loadgen/report"
	"loadgen/results"
	"loadgen/runner"
	"loadgen/sweep"
)

// A keeper puts what a batch produces into its directory.
type keeper struct {
	command *runCommand
	batch   *sweep.Batch
	root    *results.Batch
	log     *slog.Logger
	tee     *tee
	secrets []string

	profiler profiler
	facts    []analyze.CellFacts // of the runs that are over
	findings []analyze.Finding   // of all of them
}

func (k *keeper) StartCell(run *sweep.Run) (runner.CellRecorder, error) {
	c := &cellKeeper{keeper: k, started: time.Now(), tracer: newTracer(&run.Cell.Config)}
	dir, err := k.root.Begin(results.Metadata{
		RunIndex:   run.Cell.Index + 1,
		Timestamp:  c.started,
		ConfigFile: k.command.ConfigFile,
		Cell:       run.Cell.Cell,
		BaseConfig: k.batch.Base.Effective(),
		Command:    os.Args,
		Version:    version,
		Seed:       loadgen.Seed(run.Cell.Config.RandomSeed),
		Host:       describeHost(),
		Config:     run.Cell.Config.Effective(),
		Overrides:  k.batch.Overrides,
		Facts:      run.Facts,
	})
	if err != nil {
		return nil, err
	}
	c.dir = dir
	if c.logFile, err = dir.Log(); err != nil {
		return nil, errors.Join(err, dir.Close())
	}
	k.tee.add(c.logFile, &c.logged)
	k.log.Info("Output directory: " + dir.Dir)
	if c.inputs, err = dir.Inputs(); err != nil {
		return nil, errors.Join(err, c.close())
	}
	return c, nil
}

// finish writes what belongs to the whole batch.
func (k *keeper) finish(runs []*sweep.Run) error {
	var rows []results.Row
	for _, run := range runs {
		row := results.Row{Cell: run.Cell.Cell}
		if run.Summary != nil {
			row.Summary = *run.Summary
		}
		if run.Err != nil {
			row.Err = run.Err.Error()
		}
		rows = append(rows, row)
	}
	if len(k.facts) > 0 && !k.profiler.AIQCompat {
		k.findings = analyze.Findings(k.facts, k.profiler.options())
		k.root.Findings = k.findings
	}
	return k.root.Finish(rows)
}

// findingsShown is how many findings end the tables; the files have them all.
const findingsShown = 3

// tables returns the tables of the runs and the one over the batch.
func (k *keeper) tables(runs []*sweep.Run, o report.Options) string {
	var shown []*report.Run
	var b strings.Builder
	for _, run := range runs {
		if run.Summary == nil {
			continue
		}
		r := &report.Run{Values: run.Cell.Values, Summary: run.Summary}
		shown = append(shown, r)
		b.WriteString(r.Text(o) + "\n")
	}
	if len(k.batch.Cells()) > 1 && len(shown) > 0 {
		b.WriteString(report.BatchTable(shown, o))
	}
	if brief := report.FindingsBrief(k.findings, findingsShown, o); brief != "" {
		b.WriteString("\n" + brief)
	}
	return b.String()
}

// A cellKeeper puts what a run produces into its directory.
type cellKeeper struct {
	*keeper
	dir     *results.Run
	inputs  *results.Inputs
	started time.Time
	logFile io.WriteCloser
	logged  bytes.Buffer
	tracer  *analyze.Tracer
}

func (c *cellKeeper) Session(s *loadgen.Session) error { return c.inputs.Add(s) }

func (c *cellKeeper) Record(rec *loadgen.Record, m *metrics.Measurement) error {
	if c.profiler.Enable {
		c.tracer.Add(rec)
	}
	return c.dir.Record(rec, m)
}

func (c *cellKeeper) End(run *sweep.Run) error {
	errs := []error{c.inputs.Close(run.Outcome.Sessions)}
	res := &results.Result{
		Outcome: run.Outcome, Health: run.Health, Transport: run.Transport, Prompts: prompts(&run.Prompts),
		Config:  inputConfig(run),
		Started: c.started, Ended: time.Now(),
	}
	if run.Err != nil {
		res.ReturnCode = 1
	}
	res.Stderr = c.logged.String()
	if run.Summary == nil {
		errs = append(errs, c.dir.GiveUp(res))
	} else {
		res.Summary = *run.Summary
		res.Stdout = (&report.Run{Values: run.Cell.Values, Summary: run.Summary}).Text(report.Options{})
		errs = append(errs, c.dir.Finish(res))
		c.profile(run)
	}
	return errors.Join(append(errs, c.closeLog())...)
}

// profile analyses the run once its artifacts are written. What goes wrong is
// a warning: the measurement is complete without it.
func (c *cellKeeper) profile(run *sweep.Run) {
	if !c.profiler.Enable {
		return
	}
	facts, err := c.profileRun(run, c.dir.Dir, c.tracer)
	if err != nil {
		c.log.Warn(err.Error())
	}
	c.keeper.facts = append(c.keeper.facts, facts)
}

func (c *cellKeeper) closeLog() error {
	c.tee.drop()
	return c.logFile.Close()
}

func (c *cellKeeper) close() error { return errors.Join(c.closeLog(), c.dir.Close()) }

// secretsOf returns the texts that no file may hold.
func secretsOf(batch *sweep.Batch) []string {
	var secrets []string
	for _, cell := range batch.Cells() {
		secrets = append(secrets, cell.Config.Secrets(os.LookupEnv)...)
	}
	return secrets
}

// describeHost says what machine the figures are from.
func describeHost() map[string]any {
	name, _ := os.Hostname()
	host := map[string]any{
		"hostname": name, "os": runtime.GOOS, "arch": runtime.GOARCH, "cpus": runtime.NumCPU(), "go": runtime.Version(),
	}
	if set := os.Getenv("GOMAXPROCS"); set != "" {
		host["GOMAXPROCS"] = set
	}
	return host
}

// A tee writes log lines to the display and to the log of the current run.
type tee struct {
	mu   sync.Mutex
	to   io.Writer
	more []io.Writer
}

func (t *tee) add(w ...io.Writer) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.more = w
}

func (t *tee) drop() { t.add() }

// Write passes a line on. A log that cannot be written does not end a run.
func (t *tee) Write(line []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, w := range t.more {
		_, _ = w.Write(line)
	}
	return t.to.Write(line)
}
