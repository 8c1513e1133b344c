package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"
	"time"

	"loadgen"
	"loadgen/analyze"
	"loadgen/archive"
	"loadgen/internal/outside"
	"loadgen/report"
	"loadgen/results"
	"loadgen/sweep"
	"loadgen/trace"
)

type analyzeCommand struct {
	Path      string `arg:"" help:"Directory of a run or of a batch, or a trace file: AIQ traces or CSV, IntermediateStep JSON, OpenTelemetry spans, profile_export.jsonl, vLLM bench JSON."`
	OutputDir string `placeholder:"DIR" help:"Write the files here. Default: beside a run's own; nowhere for a trace file."`
	NoFiles   bool   `help:"Print only."`
	AIQCompat bool   `name:"aiq-compat" help:"Compute every figure in the files as the AIQ profiler does, its faults included."`

	SpikeThreshold int     `default:"0" placeholder:"N" help:"Requests in flight that count as a spike; 0 takes the 90th percentile over time."`
	MinFrequency   float64 `default:"0.5" placeholder:"SHARE" help:"Share of the calls that must begin with a common prefix."`
	Patterns       bool    `help:"Also mine sequences of calls that sessions have in common."`
	PredictionTrie bool    `help:"Also write what to expect after each call, as the AIQ profiler does."`
	Forecast       bool    `help:"Also learn to forecast the next call of a session."`

	TargetTTFT    time.Duration `name:"target-ttft" placeholder:"TIME" help:"Sizing over a sweep: p95 of the time to first token to keep, such as 500ms."`
	TargetITL     time.Duration `name:"target-itl" placeholder:"TIME" help:"p95 of the inter-token latency to keep, such as 40ms."`
	TargetLatency time.Duration `placeholder:"TIME" help:"p95 of the request latency to keep, such as 10s."`
	TargetRuntime time.Duration `placeholder:"TIME" help:"p95 of the time of a whole session to keep, such as 1m."`
	Users         int           `placeholder:"N" help:"Users to serve."`
	ThinkTime     time.Duration `placeholder:"TIME" help:"Time that a user waits between an answer and the next request."`
	GPUs          int           `name:"gpus" placeholder:"N" help:"GPUs of the deployment that was tested."`
}

func (c *analyzeCommand) Run(_ context.Context, std streams) error {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(100) // a trace may be as large as the memory; nothing is timed here
	}
	kind, err := archive.KindOf(c.Path)
	if err == nil && kind == archive.NightsPath {
		kind, err = c.latest(std.out)
	}
	if err != nil {
		return usageError{err}
	}
	if err := c.check(kind); err != nil {
		return usageError{err}
	}
	switch kind {
	case archive.RunPath:
		return c.run(std)
	case archive.BatchPath:
		return c.batch(std)
	}
	return c.foreign(std)
}

// check refuses flags that would have no effect, and a place for the files
// that would replace what is analysed.
func (c *analyzeCommand) check(kind archive.PathKind) error {
	targets := c.question().Asked()
	sizing := targets || c.Users > 0 || c.ThinkTime > 0 || c.GPUs > 0
	switch {
	case c.SpikeThreshold < 0 || c.Users < 0 || c.GPUs < 0 || min(c.TargetTTFT, c.TargetITL, c.TargetLatency, c.TargetRuntime, c.ThinkTime) < 0:
		return errors.New("--spike-threshold, --users, --gpus, --think-time and --target-… cannot be negative")
	case sizing && kind != archive.BatchPath:
		return errors.New("sizing needs a sweep: give the directory of a batch with --target-…, --users, --think-time and --gpus")
	case sizing && !targets:
		return errors.New("--users, --think-time and --gpus say nothing without a target: add one, such as --target-ttft 500ms")
	case c.Users > 0 != (c.GPUs > 0):
		return errors.New("--users and --gpus belong together: so many users were served by so many GPUs")
	case c.MinFrequency < 0 || c.MinFrequency > 1:
		return fmt.Errorf("--min-frequency %g: must be from 0 to 1", c.MinFrequency)
	case c.NoFiles && c.OutputDir != "":
		return errors.New("--no-files and --output-dir contradict each other")
	}
	if kind == archive.TracePath && c.OutputDir != "" {
		if same, err := sameDir(c.OutputDir, filepath.Dir(c.Path)); err != nil || same {
			return fmt.Errorf("--output-dir %s holds the trace itself, and files of the same names would be replaced: name another", c.OutputDir)
		}
	}
	return nil
}

// sameDir reports whether two paths lead to one directory; one that does not
// exist is no other's.
func sameDir(a, b string) (bool, error) {
	x, err := os.Stat(a)
	if errors.Is(err, os.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	y, err := os.Stat(b)
	return err == nil && os.SameFile(x, y), err
}

// profiler returns the profiler that the flags ask for.
func (c *analyzeCommand) profiler(seed loadgen.Seed) *archive.Profiler {
	p := &archive.Profiler{Profiler: sweep.DefaultProfiler(), Seed: seed, Now: time.Now()}
	p.AIQCompat = c.AIQCompat
	p.ConcurrencySpikeAnalysis.SpikeThreshold = c.SpikeThreshold
	p.PromptCachingPrefixes.MinFrequency = c.MinFrequency
	p.PrefixSpanAnalysis.Enable = c.Patterns
	p.PredictionTrie.Enable = c.PredictionTrie
	p.TokenUsageForecast = c.Forecast
	return p
}

// foreign analyses a trace file.
func (c *analyzeCommand) foreign(std streams) error {
	tr, broken := trace.Open(c.Path)
	switch {
	case errors.Is(broken, trace.ErrUnknown):
		return usageError{broken}
	case tr == nil:
		return broken
	}
	p := c.profiler(0)
	x := p.Run(analyze.FactsFrom("", 0, 0, tr))
	fmt.Fprintf(std.out, "%s: a trace of %s\n", c.Path, tr.Source)
	c.show(std.out, p, x)
	return errors.Join(c.keep(std.out, p, x, c.OutputDir, archive.Full), broken)
}

// run analyses the directory of a run.
func (c *analyzeCommand) run(std streams) error {
	r, err := archive.Read(c.Path)
	if r == nil {
		return err
	}
	p := c.profiler(r.Meta.Seed)
	x := r.Profile(p)
	fmt.Fprintf(std.out, "%s: a run of loadgen, %s, %s\n", c.Path, r.Status, r.Summarized.Validity.Verdict)
	for _, reason := range r.Summarized.Validity.Reasons {
		fmt.Fprintf(std.out, "  - %s\n", outside.Line(reason.Text))
	}
	if r.Failed != "" {
		fmt.Fprintf(std.out, "FAILED: %s\n", outside.Line(r.Failed))
	}
	for _, missed := range r.Missed {
		fmt.Fprintf(std.out, "MISSED: %s\n", outside.Line(missed))
	}
	c.show(std.out, p, x)
	return errors.Join(c.keep(std.out, p, x, c.dirOf(c.Path), c.detail(r)), err)
}

// batch analyses every run of a batch and what they say together.
func (c *analyzeCommand) batch(std streams) error {
	runs, err := archive.ReadBatch(c.Path, func(dir string, r *archive.Recording) error {
		if c.NoFiles {
			return nil
		}
		p := c.profiler(r.Meta.Seed)
		return c.keep(io.Discard, p, r.Profile(p), c.dirOfCell(dir), c.detail(r))
	})
	if len(runs) == 0 {
		return err
	}
	out := ""
	if !c.NoFiles {
		out = c.dirOf(c.Path)
		if err := os.MkdirAll(out, 0o777); err != nil {
			return fmt.Errorf("making a place for the files: %w", err)
		}
	}
	sizings, unsized := c.question().Of(runs, out)
	findings := archive.FindingsOf(runs, c.profiler(runs[0].Meta.Seed).Options())
	err = errors.Join(err, unsized)
	if out != "" {
		err = errors.Join(err, results.WriteJSON(filepath.Join(out, findingsName), findings))
	}
	fmt.Fprint(std.out, archive.BatchText(c.Path, runs, findings, sizings, reportOptions(std.out)))
	if out != "" {
		fmt.Fprintf(std.out, "\nFiles: %s\n", out)
	}
	return err
}

// findingsName is the file of a batch's findings.
const findingsName = "findings.json"

// question is what is asked about the load that an endpoint bears.
func (c *analyzeCommand) question() archive.SizingQuestion {
	return archive.SizingQuestion{
		TTFT: c.TargetTTFT, ITL: c.TargetITL, Latency: c.TargetLatency, Runtime: c.TargetRuntime,
		Users: c.Users, ThinkTime: c.ThinkTime, GPUs: c.GPUs, AIQ: c.AIQCompat,
	}
}

func (c *analyzeCommand) dirOfCell(cell string) string {
	if c.OutputDir == "" {
		return cell
	}
	return filepath.Join(c.OutputDir, filepath.Base(cell))
}

// dirOf returns where the files of a run go.
func (c *analyzeCommand) dirOf(run string) string {
	if c.OutputDir == "" {
		return run
	}
	return c.OutputDir
}

// detail is whether to write the files that repeat the calls. Those that the
// run itself wrote have the answers' texts, which nothing else has: they are
// replaced only where they are not whole.
func (c *analyzeCommand) detail(r *archive.Recording) archive.Detail {
	if c.OutputDir != "" || len(r.Trace.Calls) > archive.TracedCalls {
		return archive.Full
	}
	for _, name := range []string{archive.TracesName, archive.EventsName} {
		if _, err := os.Stat(filepath.Join(r.Dir, name)); err != nil {
			return archive.Full
		}
	}
	return archive.Derived
}

// show prints the key figures and the findings of a trace.
func (c *analyzeCommand) show(w io.Writer, p *archive.Profiler, x *archive.Profile) {
	o := reportOptions(w)
	optimization := x.Optimization
	if optimization.More == nil { // AIQ's has no such block
		sound := p.Options()
		sound.AIQ = false
		optimization = analyze.Optimize(x.Trace, sound)
	}
	fmt.Fprint(w, report.KeyFigures(optimization, o))
	fmt.Fprintf(w, "\nFindings\n%s", report.FindingsText(x.Findings, o))
	if x.Forecast != nil {
		fmt.Fprintf(w, "\nForecast of the next call\n%s", report.ForecastText(x.Forecast, o))
	}
}

// keep writes the files, unless there is nowhere to.
func (c *analyzeCommand) keep(w io.Writer, p *archive.Profiler, x *archive.Profile, dir string, detail archive.Detail) error {
	if c.NoFiles || dir == "" {
		return nil
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return fmt.Errorf("making a place for the files: %w", err)
	}
	err := p.Write(dir, x, detail)
	fmt.Fprintf(w, "\nFiles: %s\n", dir)
	return err
}

// latest goes on with the latest of several nights of a batch, and says so.
func (c *analyzeCommand) latest(out io.Writer) (archive.PathKind, error) {
	nights, err := results.BatchDirs(c.Path)
	if err != nil {
		return 0, err
	}
	fmt.Fprint(out, report.LatestOf(c.Path, nights))
	c.Path = nights[len(nights)-1]
	return archive.KindOf(c.Path)
}
