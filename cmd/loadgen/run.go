package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"loadgen"
	"loadgen/archive"
	"loadgen/fleet"
	"loadgen/live"
	"loadgen/load"
	"loadgen/report"
	"loadgen/results"
	"loadgen/runner"
	"loadgen/sweep"
)

type runCommand struct {
	ConfigFile    string   `placeholder:"FILE" help:"Batch file; - reads standard input. Required, but with --resume DIR."`
	DryRun        bool     `help:"Validate, check the service, list the runs with an estimate of the time; run nothing."`
	Verbose       bool     `short:"v" help:"Log how parameters are merged, directories, and progress often."`
	UI            string   `name:"ui" enum:"auto,live,plain,none" default:"auto" help:"Progress on stderr: ${enum}; auto is live on a terminal, plain elsewhere."`
	Set           []string `sep:"none" placeholder:"PATH=VALUE" help:"Override one value of the batch file, such as base_config.concurrency=8 (repeatable)."`
	Only          []string `sep:"none" placeholder:"KEY=VALUES" help:"Run only the cells with one of these values, such as concurrency=4,8; further keys narrow (repeatable)."`
	Skip          []string `sep:"none" placeholder:"KEY=VALUES" help:"Do not run the cells with one of these values; with several keys, those that have all (repeatable)."`
	Resume        string   `placeholder:"DIR" help:"Go on with the batch of this directory, or with the latest one: runs that are finished stay, half ones are set aside and made again."`
	RerunFailed   bool     `help:"With --resume: make the runs again that failed."`
	RerunInvalid  bool     `help:"With --resume: make the runs again that were INVALID."`
	ResumeAnyway  bool     `help:"With --resume: go on although batch file, endpoint or version are others; a note is kept."`
	OutputBaseDir string   `placeholder:"DIR" help:"Write results below here instead of the batch file's output_base_dir."`
	NoCheck       bool     `help:"Do not ask the service whether it is there before running."`
	AllowInvalid  bool     `help:"Exit 0 even if a measurement is INVALID."`
	Offline       bool     `help:"Never ask the hub for a tokenizer."`
	Calibration   string   `type:"path" placeholder:"FILE" help:"What loadgen calibrate found of this machine; by default where it keeps that."`
	Label         string   `placeholder:"TEXT" help:"Name what is tested, such as a build; kept with the runs and shown by compare and history. Default: the git revision of the working directory."`
	Baseline      string   `placeholder:"DIR" help:"At the end compare with this batch, or with latest-valid, the newest earlier one: exits with 99 if this one is worse."`
	Strict        bool     `help:"With --baseline: exit with 98 where the runs cannot tell."`
	MetricsListen string   `placeholder:"HOST:PORT" help:"Serve how the runs stand at /metrics there while they last, for Prometheus, such as 127.0.0.1:9464."`
	CPUProfile    string   `name:"cpuprofile" type:"path" placeholder:"FILE" help:"Write a CPU profile of loadgen itself."`
	fleet.Flags
	MemProfile string `name:"memprofile" type:"path" placeholder:"FILE" help:"Write a memory profile of loadgen itself."`
}

func (c *runCommand) Run(ctx context.Context, std streams) (err error) {
	batch, broken, err := c.load(std.in)
	if err != nil {
		return err
	}
	defer broken.close()
	if err := runner.CheckPrompts(batch); err != nil {
		return usageError{err}
	}
	if err := errors.Join(c.checkBaseline(), c.Check()); err != nil {
		return usageError{err}
	}
	stopProfiles, err := startProfiles(c.CPUProfile, c.MemProfile)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stopProfiles()) }()

	board := live.NewBoard(batch)
	shown := live.Start(c.ui(), std.err, board, func(w io.Writer) *slog.Logger { return newLogger(w, false) })
	defer func() { shown.Stop() }()
	tee := &archive.Tee{To: shown.Log}
	log := newLogger(tee, c.Verbose)
	log.Info("Running loadgen with configuration: " + c.ConfigFile)
	defer c.expose(board, log)()

	stopping, ctx, release := interruptible(ctx, log)
	defer release()
	endpoint, stopMock, err := startMock(ctx, batch, tee)
	if err != nil {
		return err
	}
	defer stopMock()
	service := runner.Service{Mock: endpoint, Version: version, LookupEnv: os.LookupEnv}
	var unreachable error
	if !c.NoCheck {
		unreachable = asService(service.Check(stopping, batch))
	}
	tokenizers := runner.NewVocabularies(!c.Offline, log)
	var notes []string
	if c.DryRun && stopping.Err() == nil {
		notes = append(batch.Notes, tokenizers.Notes(stopping, batch)...)
	}
	switch {
	case stopping.Err() != nil:
		return interruptError{errors.New("interrupted before anything was measured")}
	case c.DryRun:
		shown.Stop()
		return c.dryRun(batch, notes, unreachable, std.out)
	case errors.As(unreachable, new(endpointError)) && batch.Hooks.MayStart():
		log.Warn(fmt.Sprintf("%v; a hook may start it: it is asked again behind the hooks", unreachable))
	case unreachable != nil:
		return unreachable
	}

	crew, dismiss, err := c.Assemble(stopping, &fleet.Meeting{
		Batch: batch, Resumed: broken.dir(), Endpoint: endpoint, Version: version, Calibration: c.Calibration, Offline: c.Offline, Tee: tee, Log: log,
	})
	if err != nil {
		return err
	}
	defer dismiss()
	command := shownCommand(os.Args, c.Set, c.Secrets())
	secrets, err := archive.SecretsOf(batch, command)
	if err != nil {
		return usageError{err}
	}
	secrets.Join(c.Secrets())
	started := time.Now()
	dir := broken.root()
	if dir == nil {
		if dir, err = results.CreateBatch(batch.OutputBaseDir, batch.BatchName, started); err != nil {
			return fmt.Errorf("making a place for the results: %w", err)
		}
		defer dir.Close()
	}
	dir.Secrets = secrets
	log.Info("Results root directory: " + dir.Dir)
	if dir.Place != filepath.Clean(dir.Dir) {
		log.Info("which by symbolic links is " + dir.Place)
	}
	log.Info("Sweeping parameters: " + batch.Sweeps.String())
	if salt := batch.Base.CacheBustSalt; salt != "" {
		log.Info(fmt.Sprintf("Cache bust salt: %s (cache_bust_salt: %[1]s makes the same prompts again)", salt))
	}
	if n := len(batch.Cells()); n > 1 {
		log.Info(fmt.Sprintf("Running %d benchmarks", n))
	}
	for _, note := range batch.Notes {
		log.Info("Note: " + note)
	}
	recorder := &archive.Recorder{
		Batch: batch, Root: dir, ConfigFile: c.ConfigFile, Command: command, Version: version, Label: cmp.Or(c.Label, archive.GitRevision(".")),
		Log: log, Tee: tee, Secrets: secrets, Found: board.Found,
		Profiler: archive.Profiler{Profiler: batch.Profiler, Seed: loadgen.Seed(batch.Base.RandomSeed), Now: time.Now(), Fine: 1},
	}
	done, err := c.begin(recorder, broken, started)
	if err != nil {
		return err
	}
	if err := recorder.Open(); err != nil {
		return fmt.Errorf("making a place for the log: %w", err)
	}
	defer recorder.Close()
	r := &runner.Runner{
		Batch: batch, Recorder: recorder, Done: done, Endpoint: endpoint, LookupEnv: os.LookupEnv, Version: version,
		Vocabulary: tokenizers.Get, Ceiling: archive.SavedCeiling(c.Calibration, log), Stop: stopping, Wait: load.PreciseWait, Processors: setProcessors,
		Started: board.Started, Crew: crew, Log: log,
	}
	if !c.NoCheck {
		r.Probe = service.Ping
	}
	runs, err := r.Run(ctx)
	shown.Stop()
	tee.Show(std.err)
	recorder.LogSummary(runs)
	err = errors.Join(err, recorder.Finish(runs))
	picture := newPage(dir.Dir, log)
	tables := recorder.Tables(runs, reportOptions(std.out))
	if _, shown := fmt.Fprintf(std.out, "%s\nResults: %s\n%s", tables, dir.Dir, picture); shown != nil && !errors.Is(shown, syscall.EPIPE) {
		err = errors.Join(err, fmt.Errorf("printing the results, which are kept in %s: %w", dir.Dir, shown))
	}
	exported := export(ctx, batch, dir.Dir, log)
	if err != nil {
		return errors.Join(err, exported)
	}
	if stopping.Err() != nil {
		return errors.Join(interruptError{fmt.Errorf("interrupted; what was measured is kept, and loadgen --resume %s goes on", dir.Dir)}, exported)
	}
	err = errors.Join(batch.Judge(runs, c.AllowInvalid), exported)
	if c.Baseline != "" {
		err = errors.Join(err, c.against(dir.Dir, std.out))
		writePage(dir.Dir, log) // again, with what changed
	}
	return err
}

func (c *runCommand) ui() string {
	if c.DryRun {
		return "none"
	}
	return c.UI
}

// reportOptions returns how to draw for whoever reads a writer.
func reportOptions(w io.Writer) report.Options {
	width := live.Width(w)
	return report.Options{Width: width, Color: width > 0 && os.Getenv("NO_COLOR") == "" && !live.Dumb()}
}

// interruptible returns a context that is done at the first interrupt, after
// which nothing new is started, and one that is done at the second, which
// cancels what is in flight. A reader of the output that leaves is no reason to
// end.
func interruptible(ctx context.Context, log *slog.Logger) (stopping, cancelled context.Context, release func()) {
	cancelled, cancel := context.WithCancel(ctx)
	stopping, stop := context.WithCancel(cancelled)
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	// Whoever reads what is printed may leave: the run goes on and is kept.
	signal.Ignore(syscall.SIGPIPE)
	forget := load.NoticeStops()
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range signals {
			if stopping.Err() != nil {
				log.Warn("Cancelling the requests in flight")
				cancel()
				continue
			}
			log.Warn("Interrupted: no new requests; those in flight may finish. Interrupt again to cancel them")
			stop()
		}
	}()
	return stopping, cancelled, func() {
		signal.Stop(signals)
		close(signals)
		<-done
		forget()
		stop()
		cancel()
	}
}

// startMock starts the simulated endpoint where a cell asks for it, and
// returns its URL.
func startMock(ctx context.Context, batch *sweep.Batch, stderr io.Writer) (url string, stop func(), err error) {
	settings := batch.Mock
	asked := false
	for _, cell := range batch.Cells() {
		if cell.Config.Mock() {
			asked = true
			if len(batch.Mock.Models) == 0 && !slices.Contains(settings.Models, cell.Config.Model) {
				settings.Models = append(settings.Models, cell.Config.Model)
			}
		}
	}
	if !asked {
		return "", func() {}, nil
	}
	child, err := startMockChild(ctx, settings, stderr)
	if err != nil {
		return "", nil, err
	}
	return child.url, child.stop, nil
}

// dryRun lists what would be run. It fails where the service is not there.
func (c *runCommand) dryRun(batch *sweep.Batch, notes []string, unreachable error, out io.Writer) error {
	fmt.Fprint(out, archive.PlanText(batch, notes, reportOptions(out)))
	if c.Workers > 0 {
		fmt.Fprintf(out, "workers: %d make each run; a dry run starts none, and waits for none\n", c.Workers)
	}
	switch {
	case c.NoCheck:
		fmt.Fprintln(out, "service: not checked")
	case unreachable == nil:
		fmt.Fprintln(out, "service: there, and serves the model")
	default:
		fmt.Fprintln(out, "service: not ready, see below")
	}
	return unreachable
}
