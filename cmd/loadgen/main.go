// Command loadgen generates load for LLM endpoints and measures what they can
// carry.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"slices"

	"github.com/alecthomas/kong"

	"loadgen/archive"
	"loadgen/fleet"
	"loadgen/load"
	"loadgen/mockllm"
	"loadgen/runner"
)

func main() {
	tuneRuntime()
	onQuit(os.Exit)
	std := streams{in: os.Stdin, out: os.Stdout, err: os.Stderr}
	os.Exit(exitCode(run(context.Background(), os.Args[1:], std)))
}

// streams are where a command reads and writes: results on out, all the rest
// on err.
type streams struct {
	in       io.Reader
	out, err io.Writer
}

// commands is the command line. A command's Run reads top to bottom.
type commands struct {
	Run       runCommand       `cmd:"" default:"withargs" help:"Run a batch file (the default command)."`
	Capacity  capacityCommand  `cmd:"" help:"Find how many users an endpoint carries within service levels, without a batch file."`
	Worker    fleet.JoinFlags  `cmd:"" help:"Make a portion of the runs of a batch that is started elsewhere with --workers."`
	Mock      mockCommand      `cmd:"" help:"Serve the simulated endpoint."`
	Calibrate calibrateCommand `cmd:"" help:"Measure what this machine's client can measure truthfully."`
	Analyze   analyzeCommand   `cmd:"" help:"Analyse a finished run, a batch, or a trace from elsewhere."`
	Compare   compareCommand   `cmd:"" help:"Say whether one batch or run is worse than another, and how sure that is."`
	Report    reportCommand    `cmd:"" help:"Make a page with charts of batches and runs, in one file."`
	Export    exportCommand    `cmd:"" help:"Hand a finished batch to other programs: Parquet, JUnit, OTLP and others."`
	Plot      plotCommand      `cmd:"" help:"Write the charts of a batch or a run as SVG and PNG."`
	History   historyCommand   `cmd:"" help:"Show all nights of a batch, and from which night on a figure changed."`
	guideCommands
	Version versionCommand `cmd:"" help:"Print the version."`
}

const description = `loadgen generates load for LLM endpoints and measures what they can carry.

  loadgen --config-file sweep.yaml             run a batch (the command run)
  loadgen --config-file sweep.yaml --dry-run   validate it, check the service, list the runs
  loadgen capacity --url URL --model M --slo 'ttft.p95<500ms'   how many users it carries
  loadgen analyze PATH                         what slows a run down, and what load an endpoint bears
  loadgen compare BASE NEW                     is tonight worse than last night? exits with 99 if so
  loadgen export DIR --to SINK                 hand a finished batch to other programs
  loadgen report DIR                           a page with charts of a batch, in one file
  loadgen plot DIR                             the charts as SVG and PNG
  loadgen history DIR                          every night of a batch, and where a figure changed its level
  loadgen init                                 write a first batch file
  loadgen explain KEY                          what a key of the batch file means
  loadgen help COMMAND                         the flags of another command
  loadgen --version                            the version

Exit status: 0 all well, 1 failed, 2 wrong usage or batch file, 3 endpoint not there,
4 measurement invalid, 98 cannot tell, 99 limit missed or worse, 130 interrupted.

Commands:
`

// printHelp shows the help of a command. Without one it introduces all of
// them, and shows the flags of the default command.
func printHelp(options kong.HelpOptions, ctx *kong.Context) error {
	if ctx.Selected() != nil {
		return kong.DefaultHelpPrinter(options, ctx)
	}
	fmt.Fprint(ctx.Stdout, description)
	for _, c := range ctx.Model.Children {
		fmt.Fprintf(ctx.Stdout, "  %-10s %s\n", c.Name, c.Help)
	}
	fmt.Fprintln(ctx.Stdout)
	run, err := kong.Trace(ctx.Kong, []string{"run"})
	if err != nil {
		return err
	}
	return kong.DefaultHelpPrinter(options, run)
}

// run parses the arguments and carries out the command. The error has been
// shown when it returns; what is left to do is to exit.
func run(ctx context.Context, args []string, std streams) (err error) {
	out := &output{to: std.out}
	std.out = out
	defer func() {
		if defect := recover(); defect != nil {
			err = fmt.Errorf("a defect of loadgen: %v\n%s", defect, debug.Stack())
		}
		err = errors.Join(err, out.lost(err))
		showError(std.err, err)
	}()
	var cli commands
	done := false
	parser, err := kong.New(&cli,
		kong.Name("loadgen"),
		kong.Writers(std.out, std.err),
		kong.Exit(func(int) { done = true }),
		kong.DefaultEnvars("LOADGEN"),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 100}),
		kong.Help(printHelp),
		kong.Vars(mockllm.FlagDefaults()),
		kong.BindTo(ctx, (*context.Context)(nil)),
		kong.Bind(std),
		kong.Bind(&fleet.Machine{In: std.in, Log: newLogger(std.err, false), Interruptible: interruptible, Ceiling: archive.SavedCeiling, Runner: runner.Runner{LookupEnv: os.LookupEnv, Version: version, Wait: load.PreciseWait, Processors: setProcessors}}),
	)
	if err != nil {
		return fmt.Errorf("reading the command line: %w", err)
	}
	chosen, err := parser.Parse(customary(args))
	if done || out.err != nil { // --help was asked for and given, or could not be
		return nil
	}
	if err != nil {
		return usageError{withoutStray(err, args)}
	}
	return chosen.Run()
}

// customary returns the arguments with what other programs call the version and
// the help as it is called here: --version, -v and help COMMAND.
func customary(args []string) []string {
	switch {
	case len(args) == 1 && (args[0] == "--version" || args[0] == "-v"):
		return []string{"version"}
	case len(args) > 0 && args[0] == "help":
		return append(slices.Clone(args[1:]), "--help")
	}
	return args
}

// tuneRuntime sets what the defaults of Go's runtime get wrong for a program
// that stamps arrivals, unless the user has set it.
func tuneRuntime() {
	setProcessors(true)
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(200)
	}
}

// granted are the CPUs that the process may use at once: fewer than the machine
// has where a control group or an affinity mask says so, which the runtime
// takes into account unless it is told otherwise.
var granted = runtime.GOMAXPROCS(0)

// setProcessors gives the Go runtime as many processors as the process may use
// CPUs, or twice as many, so that there are some to spare; what the user has
// set stays.
//
// With as many as CPUs, a reader or a pacer whose time has come waits for a
// turn of whoever is computing; with twice as many it preempts them through the
// kernel, but threads are woken and put to sleep for every other request.
// docs/performance.md has the figures.
func setProcessors(spare bool) {
	if os.Getenv("GOMAXPROCS") != "" {
		return
	}
	n := granted
	if spare {
		n *= 2
	}
	runtime.GOMAXPROCS(n)
}
