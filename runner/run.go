package runner

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"

	"loadgen"
	"loadgen/client"
	"loadgen/load"
	"loadgen/metrics"
	"loadgen/sweep"
)

// A Recorder keeps what a batch produces.
type Recorder interface {
	// StartRun is called before a run's first request, with what is known of
	// it by then: the cell and the facts.
	StartRun(*sweep.Run) (RunRecorder, error)
}

// A RunRecorder keeps what a run produces. An error of it ends the run.
type RunRecorder interface {
	// Session is given the sessions of the measured phase in order, before
	// they are sent and more of them than are sent; from one goroutine that is
	// not that of Record.
	Session(*loadgen.Session) error
	// Record is given every finished record, of the warm-up too, with what the
	// collector measured of it, from one goroutine. It must copy what it keeps.
	Record(*loadgen.Record, *metrics.Measurement) error
	// End is called once, whatever became of the run, after the last Record
	// and Session.
	End(*sweep.Run) error
}

// A Runner makes the runs of a batch one after another.
type Runner struct {
	Batch    *sweep.Batch
	Recorder Recorder
	// Done are the runs that an earlier night has made; they are not made again.
	Done []*sweep.Run
	// Endpoint replaces the URL of cells that ask for the simulated endpoint.
	Endpoint string
	// LookupEnv finds the API key and the variables of headers.
	LookupEnv func(string) (string, bool)
	// Version is loadgen's, for the User-Agent.
	Version string
	// Portion is the part of each run that is made here, beside others that make
	// theirs.
	Portion loadgen.Portion
	// Step keeps the phases of runs in step with those who make the other
	// portions; nil where there are none.
	Step Step
	// Crew makes the runs in place of this runner, which then takes in what comes
	// home; nil to make them here.
	Crew Crew
	// Vocabulary returns what counts the tokens of a cell by the tokenizer's
	// name, which may be empty, and the model's.
	Vocabulary func(ctx context.Context, tokenizer, model string) *Vocabulary
	// Ceiling is what this machine was calibrated to.
	Ceiling metrics.Ceiling
	// Stop, when done, lets the requests in flight finish within the grace
	// period and starts no more.
	Stop context.Context
	// Probe asks the service of a cell whether it is still there, when a run of it
	// was given up; it may be nil.
	Probe func(context.Context, *sweep.Cell) error
	// Dial replaces the network, in tests; it may be nil.
	Dial client.DialFunc
	// Wait paces open loops; nil waits by the runtime's timers.
	Wait func() load.Wait
	// Processors, where it is set, is told before a run is driven whether it is
	// to have processors to spare.
	Processors func(spare bool)
	// Started is told of every cell that begins, with a view of its progress;
	// it may be nil.
	Started func(*Progress)
	Log     *slog.Logger

	told map[*Vocabulary]bool // of which the log has the note
	last *sweep.Run           // whose cell the hooks have begun; nil for none
}

// Run makes the runs that are planned and returns all that are over, those of
// Done first. A run that fails does not keep the next from being made; an error
// of the recorder, a stop or a cancelled context does. The error is that of the
// recorder, or of a hook around the batch or a cell.
func (r *Runner) Run(ctx context.Context) ([]*sweep.Run, error) {
	if err := r.hooks(ctx, "before_batch", r.Batch.Hooks.BeforeBatch, nil); err != nil {
		return slices.Clone(r.Done), err
	}
	runs, err := r.runs(ctx)
	return runs, errors.Join(err, r.endCell(ctx), r.hooks(ctx, "after_batch", r.Batch.Hooks.AfterBatch, nil))
}

// runs makes the runs.
func (r *Runner) runs(ctx context.Context) ([]*sweep.Run, error) {
	runs, plan := slices.Clone(r.Done), r.Batch.Plan()
	for rested := true; ctx.Err() == nil && r.Stop.Err() == nil; {
		ask, ok := plan.Next(runs)
		if !ok {
			break
		}
		if ask.Skip != "" {
			r.Log.Info(fmt.Sprintf("Skipping %s: %s", ask.Name(), ask.Skip))
			runs = append(runs, &sweep.Run{Ask: ask})
			continue
		}
		if !rested && load.Rest(r.Stop, r.Batch.RestBetweenRuns) != nil {
			break
		}
		rested = false
		left, exact := plan.Left(runs)
		r.announce(ask, len(runs)+1, len(runs)+left, exact)
		shown := &Progress{Cell: ask.Cell, Run: len(runs) + 1, Runs: len(runs) + left}
		if ask.Cell.Probe != nil {
			shown.Search = r.Batch.Searched(ask.Cell.Probe.Base, runs)
			r.Log.Info("Search: " + shown.Search)
		}
		run, err := r.perform(ctx, ask, shown)
		runs = append(runs, run)
		if err != nil {
			return runs, err
		}
		if why := r.hopeless(ctx, runs); why != nil {
			if left, _ := plan.Left(runs); left > 0 {
				r.Log.Error(fmt.Sprintf("The batch is given up, %d runs are not begun: %v", left, why))
			}
			break
		}
	}
	return runs, nil
}

// hopeless returns why the runs to come would fare as the last one did, which
// was given up; nil where they may not.
func (r *Runner) hopeless(ctx context.Context, runs []*sweep.Run) error {
	last := runs[len(runs)-1]
	if !errors.Is(last.Err, ErrGivenUp) {
		return nil
	}
	if r.Probe != nil && !errors.Is(last.Err, ErrLocal) {
		if err := r.Probe(ctx, last.Cell); err != nil {
			return err
		}
	}
	// A search goes on below a load at which nothing succeeds, and has an end of its own.
	if len(runs) > 1 && last.Cell.Probe == nil && fruitless(last) && fruitless(runs[len(runs)-2]) {
		return errors.New("two runs in a row were given up without one success")
	}
	return nil
}

// fruitless reports whether a run was given up without one success.
func fruitless(run *sweep.Run) bool {
	return errors.Is(run.Err, ErrGivenUp) && (run.Summary == nil || run.Summary.Counts.OK == 0)
}

// announce logs which run begins, in the words of the runner around AIPerf.
func (r *Runner) announce(ask sweep.Ask, n, of int, exact bool) {
	switch {
	case of == 1:
		r.Log.Info("Single Run")
		return
	case exact:
		r.Log.Info(fmt.Sprintf("Run %d/%d", n, of))
	default:
		r.Log.Info(fmt.Sprintf("Run %d, about %d more", n, of-n))
	}
	r.Log.Info("Sweep parameters: " + sweep.Literal(ask.Cell.Values))
	if ask.Number > 0 && ask.Cell.Probe == nil {
		r.Log.Info(fmt.Sprintf("Repeat %d of the cell", ask.Number))
	}
}

// Make makes one run that was asked for elsewhere, which is the place-th of its
// batch. The error is that of the recorder.
func (r *Runner) Make(ctx context.Context, ask sweep.Ask, place int) (*sweep.Run, error) {
	return r.perform(ctx, ask, &Progress{Cell: ask.Cell, Run: place, Runs: place})
}

// report logs the end of a run as the seed's runner does.
func (r *Runner) report(run *sweep.Run, place, n int) {
	name := "Run"
	if n > 1 {
		name = fmt.Sprintf("Run %d", place)
	}
	switch status := run.Status(); {
	case status == loadgen.Failed:
		r.Log.Error(fmt.Sprintf("%s failed: %v", name, run.Err))
	case status == loadgen.Interrupted && run.Summary.Counts.OK == 0:
		r.Log.Warn(name + " was interrupted before it measured anything")
	case status == loadgen.Interrupted:
		r.Log.Warn(name + " was interrupted; what it measured is kept")
	default:
		r.Log.Info(name + " completed successfully")
	}
}

// perform makes one run, shown as it goes on. The error is that of the recorder;
// what else went wrong is in the Run.
func (r *Runner) perform(ctx context.Context, ask sweep.Ask, shown *Progress) (*sweep.Run, error) {
	cell := ask.Cell
	run := &sweep.Run{Ask: ask, Facts: facts(&cell.Config, cell.Pacing)}
	run.Facts.Load = run.Facts.Load.Part(r.Portion)
	run.Facts.Resent = resent(r.Batch, ask, shown.Run)
	vocabulary := r.Vocabulary(ctx, cell.Config.Tokenizer, cell.Config.Model)
	run.Facts.Tokenizer = vocabulary.Name
	run.Facts.Ceiling = r.Ceiling
	if cell.Probe != nil {
		run.Facts.Sought = cell.Probe.Sought()
	}
	keep, err := r.Recorder.StartRun(run)
	if err != nil {
		run.Err = err
		return run, err
	}
	r.tell(vocabulary, cell.Config.Tokenizer != "")
	kept := &recording{RunRecorder: keep}
	if run.Err = r.begin(ctx, run); run.Err == nil {
		made := r.measure
		if r.Crew != nil {
			made = r.gather
		}
		run.Err = made(ctx, run, vocabulary, kept, shown)
	}
	if err := r.hooks(ctx, "after_run", r.Batch.Hooks.AfterRun, run); err != nil {
		run.Fail(err)
	}
	failed := kept.err()
	if failed != nil {
		run.Err = failed
	}
	r.report(run, shown.Run, shown.Runs)
	if err := keep.End(run); err != nil && failed == nil {
		failed = fmt.Errorf("keeping the results: %w", err)
		run.Fail(failed)
	}
	return run, failed
}

// tell logs what is to be known of a tokenizer, once, when the run has a log: a
// warning where it was named.
func (r *Runner) tell(v *Vocabulary, named bool) {
	if v.Note == "" || r.told[v] {
		return
	}
	if r.told == nil {
		r.told = map[*Vocabulary]bool{}
	}
	r.told[v] = true
	if named {
		r.Log.Warn(v.Note)
	} else {
		r.Log.Info("Note: " + v.Note)
	}
}

// recording remembers the errors of a recorder, to tell them from what goes
// wrong with the run itself, and asks it for nothing more of the kind.
type recording struct {
	RunRecorder
	prompts error // of Session, whose goroutine writes it
	records error // of Record, likewise
}

// err returns an error of the recorder, when no goroutine asks it for more.
func (k *recording) err() error { return cmp.Or(k.records, k.prompts) }

func (k *recording) Session(s *loadgen.Session) error {
	if err := k.RunRecorder.Session(s); err != nil {
		k.prompts = fmt.Errorf("keeping the prompts: %w", err)
	}
	return k.prompts
}

func (k *recording) Record(rec *loadgen.Record, m *metrics.Measurement) error {
	if k.records != nil {
		return nil
	}
	if err := k.RunRecorder.Record(rec, m); err != nil {
		k.records = fmt.Errorf("keeping the records: %w", err)
	}
	return k.records
}

// sender returns what performs the requests of a cell, and what makes their bodies.
func (r *Runner) sender(c *sweep.Config, pacing sweep.Pacing, settings client.Config) (*client.Payload, *client.Client, error) {
	if err := client.Preflight(r.Portion.Part(connections(c, pacing))); err != nil {
		return nil, nil, err
	}
	body, err := payload(c)
	if err != nil {
		return nil, nil, err
	}
	sender, err := client.New(settings)
	return body, sender, err
}

// unsent is the end of a run that failed before there was anything to send with:
// its verdict says so.
func unsent(run *sweep.Run, collector *metrics.Collector, err error) error {
	unknown := loadgen.Quantiles{P50: -1, P99: -1, Max: -1}
	run.Outcome = loadgen.Outcome{Cut: err.Error()}
	run.Health = loadgen.Health{SchedLatency: unknown, GCPause: unknown, MachineBusy: -1}
	summary := collector.Summary(run.Outcome, run.Health, run.Transport)
	run.Summary = &summary
	return err
}

// measure makes everything ready, warms up and measures.
func (r *Runner) measure(ctx context.Context, run *sweep.Run, vocabulary *Vocabulary, keep *recording, shown *Progress) error {
	c, pacing := &run.Cell.Config, run.Cell.Pacing
	r.Log.Debug("effective parameters", "load", pacing.String(), "seed", uint64(run.Seed(r.Batch.VarySeed)))
	collector, err := metrics.NewCollector(run.Facts)
	if err != nil {
		return err
	}
	settings, err := Client(c, r.Endpoint, r.Version, r.LookupEnv)
	if err != nil {
		return unsent(run, collector, err)
	}
	settings.Dial = r.Dial
	payload, sender, err := r.sender(c, pacing, settings)
	if err != nil {
		return unsent(run, collector, err)
	}
	defer sender.Close()
	if r.Processors != nil {
		r.Processors(pacing.Mode != loadgen.ClosedLoop || !sender.KernelTimes())
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stopping, stop := context.WithCancelCause(r.Stop)
	defer stop(nil)
	defer context.AfterFunc(ctx, func() { stop(ctx.Err()) })()
	p := &phases{
		Runner: r, run: run, sender: sender, payload: payload, keep: keep, collector: collector,
		lexicon: vocabulary.Lexicon, template: newChatTemplate(vocabulary), tokens: metrics.NewTokenCount(vocabulary),
		driver: &load.Driver{Sender: sender, Stop: stopping}, breaker: newBreaker(c), stopping: stopping, stop: stop, cancel: cancel,
		vocabulary: vocabulary, shared: !r.Portion.Whole(),
	}
	p.flight = p.driver.InFlight
	if r.Step != nil {
		p.breaker = &breaker{} // who sees the records of all gives up
	}
	p.driver.Emit, p.driver.Follow = p.emit, p.follow
	if r.Wait != nil {
		p.driver.Wait = r.Wait()
	}
	p.progress = shown
	shown.driver, shown.collector = p.driver, collector
	if r.Step == nil { // else who takes in the records of all asks the server
		if p.server, err = r.watchServer(ctx, c, settings, p.driver.InFlight); err != nil {
			return unsent(run, collector, err)
		}
	}
	shown.watch(p.server)
	if r.Started != nil {
		r.Started(p.progress)
	}
	p.preconnect(ctx)
	err = p.proceed(ctx)
	shown.finish()
	p.unwatchServer(ctx)
	p.conclude(err)
	switch cut := p.cut(); {
	case err != nil:
		return err
	case cut != nil:
		return cut
	case run.Summary.Counts.OK == 0:
		return p.fruitless()
	}
	return nil
}

// proceed warms up and measures.
func (p *phases) proceed(ctx context.Context) error {
	r := p.Runner
	c, pacing := &p.run.Cell.Config, p.run.Cell.Pacing
	if p.seamless() {
		if p.late = c.EndpointType != "completions" && !p.template.deaf; !p.late {
			if err := p.settleTemplate(); err != nil {
				return err
			}
		}
		return p.measure(ctx, pacing, true)
	}
	if c.WarmsUp() {
		if err := p.warmUp(ctx); err != nil {
			return err
		}
	}
	if p.stopping.Err() != nil || ctx.Err() != nil {
		p.run.Outcome.Cancelled = true
		return nil
	}
	lesson, err := p.lesson(ctx)
	if p.stopping.Err() != nil {
		p.run.Outcome.Cancelled = true
		return nil
	}
	if err != nil {
		return err
	}
	if pacing.Auto {
		pacing.Rate = lesson.Rate
		p.run.Facts.Load.Rate = pacing.Load().Part(r.Portion).Rate
		p.collector.SetRate(p.run.Facts.Load.Rate)
	}
	if err := p.settleTemplate(); err != nil {
		return err
	}
	return p.measure(ctx, pacing, false)
}
