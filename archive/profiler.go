package archive

import (
	"errors"
	"fmt"
	"path/filepath"
	"runtime/debug"
	"sync"
	"time"

	"loadgen"
	"loadgen/analyze"
	"loadgen/report"
	"loadgen/results"
	"loadgen/sweep"
)

// The profiler's files, by AIQ's names.
const (
	optimizationName = "inference_optimization.json"
	EventsName       = "standardized_data_all.csv"
	TracesName       = "all_requests_profiler_traces.json"
	workflowName     = "workflow_profiling_metrics.json"
	reportName       = "workflow_profiling_report.txt"
	ganttSVGName     = "gantt_chart.svg"
	ganttPNGName     = "gantt_chart.png"
	forecastName     = "fitted_model.json" // AIQ's is a pickle
)

const (
	// TracedCalls and tracedText bound what a run keeps in memory for its
	// analyses; loadgen analyze reads the rest from the files.
	TracedCalls = 10_000
	tracedText  = 32 << 20 // bytes
)

// A Profiler analyses traces as a profiler block says.
type Profiler struct {
	sweep.Profiler
	Seed loadgen.Seed
	Now  time.Time // when the analyses are made
	Fine float64   // pixels of a picture's units; 0 takes the default
}

// Options returns what the analyses are asked for.
func (p *Profiler) Options() analyze.Options {
	o := analyze.Defaults()
	o.AIQ = p.AIQCompat
	o.TokenUniqueness = p.TokenUniquenessForecast
	o.WorkflowRuntime = p.WorkflowRuntimeForecast || p.BaseMetrics
	o.Nova = p.ComputeLLMMetrics
	o.CommonPrefixes, o.MinFrequency = p.PromptCachingPrefixes.Enable, p.PromptCachingPrefixes.MinFrequency
	o.SimpleStack, o.NestedStack = p.BottleneckAnalysis.EnableSimpleStack, p.BottleneckAnalysis.EnableNestedStack
	o.Spikes, o.SpikeThreshold = p.ConcurrencySpikeAnalysis.Enable, p.ConcurrencySpikeAnalysis.SpikeThreshold
	span := &p.PrefixSpanAnalysis
	o.PrefixSpan, o.MinSupport, o.MinCoverage = span.Enable, span.MinSupport, span.MinCoverage
	o.MaxTextLen, o.TopK = span.MaxTextLen, span.TopK
	trie := &p.PredictionTrie
	o.PredictionTrie = trie.Enable
	o.Sensitivity = analyze.Sensitivity{
		Auto: trie.AutoSensitivity, Scale: trie.SensitivityScale,
		Critical: trie.WCritical, Fanout: trie.WFanout, Position: trie.WPosition, Parallel: trie.WParallel,
	}
	o.GeneratedAt = p.Now.UTC().Format(time.RFC3339)
	o.Seed = p.Seed
	return o
}

// A Profile is a trace with what its analyses came to.
type Profile struct {
	*analyze.Profile
	Trace    *loadgen.Trace
	Forecast *analyze.Forecast // nil where it was not asked for
}

// Run makes the analyses of the trace that facts are of. Its findings are
// those of this trace alone.
func (p *Profiler) Run(facts analyze.CellFacts) *Profile {
	out := &Profile{Profile: facts.Profile(p.Options()), Trace: facts.Trace}
	if p.TokenUsageForecast {
		out.Forecast = analyze.ForecastOf(out.Trace.Calls, p.Seed)
	}
	return out
}

// A Detail is how much the files of a profile are to tell.
type Detail int

const (
	// Compact leaves out what has a place for every call: events and pictures.
	// Lists of times stand in one line.
	Compact Detail = iota
	// Derived leaves out the events, which only repeat the calls.
	Derived
	// Full leaves out nothing.
	Full
)

// Write puts the files of a profile into a directory. It writes what it can:
// the error joins those of all files. No file is waited for until it is on the
// disk: loadgen analyze makes them all again from the run's artifacts.
func (p *Profiler) Write(dir string, x *Profile, detail Detail) error {
	in := func(name string) string { return filepath.Join(dir, name) }
	json := func(name string, v any) func() error {
		return func() error { return results.DeriveJSON(in(name), v) }
	}
	files := []func() error{json(optimizationName, x.Optimization)}
	if detail == Full {
		o := p.Options()
		withPhases := o
		withPhases.Phases = !p.AIQCompat
		files = append(files, func() error {
			return results.WriteTraces(in(TracesName), x.Trace.Epoch, analyze.Events(x.Trace, withPhases))
		}, func() error {
			return results.WriteEvents(in(EventsName), x.Trace.Epoch, analyze.Events(x.Trace, o),
				results.EventColumns{Texts: !p.CSVExcludeIOText, Nova: p.ComputeLLMMetrics})
		})
	}
	w := x.Workflow
	if w.Simple != nil || w.Nested != nil || w.Spikes != nil || w.Patterns != nil || x.Forecast != nil {
		workflow := json(workflowName, w)
		if detail == Compact {
			workflow = func() error { return results.DeriveCompactJSON(in(workflowName), w) }
		}
		files = append(files, workflow, func() error {
			return results.DeriveFile(in(reportName), []byte(p.text(x)))
		})
	}
	if w.Nested != nil && !x.Trace.Untimed && detail != Compact {
		picture := report.NewGantt(x.Trace.Calls, report.GanttOptions{Scale: p.Fine})
		files = append(files, func() error {
			return results.DeriveFile(in(ganttSVGName), picture.SVG())
		}, func() error {
			png, err := picture.PNG()
			if err != nil {
				return err
			}
			return results.DeriveFile(in(ganttPNGName), png)
		})
	}
	if x.Trie != nil {
		files = append(files, json(p.PredictionTrie.OutputFilename, x.Trie))
	}
	if x.Forecast != nil {
		files = append(files, json(forecastName, x.Forecast))
	}
	return together(files)
}

// together does all tasks at once and waits for them; a panic is an error.
func together(tasks []func() error) error {
	errs := make([]error, len(tasks))
	var wait sync.WaitGroup
	for i, task := range tasks {
		wait.Go(func() {
			defer func() {
				if r := recover(); r != nil {
					errs[i] = fmt.Errorf("analysing: %v", r)
				}
			}()
			errs[i] = task()
		})
	}
	wait.Wait()
	return errors.Join(errs...)
}

// text is the text report: the findings on top of AIQ's sections, which stand
// alone for the sake of compatibility, and the forecast below them.
func (p *Profiler) text(x *Profile) string {
	text := ""
	if !p.AIQCompat {
		text = "=== Findings ===\n" + report.FindingsText(x.Findings, report.Options{})
	}
	text += report.ProfilingText(x.Workflow)
	if x.Forecast != nil {
		text += "\n\n\n=== Forecast of the Next Call ===\n" + report.ForecastText(x.Forecast, report.Options{})
	}
	return text
}

// profileRun analyses a run that is over and writes what it found beside the
// run's artifacts, which are on disk by then. It returns the facts of the run
// for the findings of the batch. A defect of an analysis must not cost the
// runs that are still to come: a panic is an error here.
func (k *Recorder) profileRun(run *sweep.Run, dir string, tracer *analyze.Tracer) (facts analyze.CellFacts, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("analysing the run: %v", r)
		}
	}()
	// Nothing is timed now, and the next run should not inherit a large heap.
	defer debug.SetGCPercent(debug.SetGCPercent(50))
	tracer.Epoch = float64(run.Outcome.Epoch) / 1e9
	tr := tracer.Trace()
	if len(run.Outcome.Workers) > 0 { // whose records have come home without texts
		recorded, err := results.Open(dir)
		if err == nil {
			err = joinPrompts(tr, recorded.Inputs(), tracedText)
		}
		if err != nil {
			tr.Missing = append(tr.Missing, "the prompts cannot be read: "+err.Error())
		}
	}
	hide(tr, k.Secrets)
	facts = analyze.FactsOf(run.Cell.Cell, run.Facts, run.Summary, tr)
	facts.Probe = run.Cell.Probe != nil
	x := k.Profiler.Run(facts)
	if more := x.Optimization.More; more != nil {
		more.Transport = tracer.Transport(run.Transport)
		more.Client = analyze.ClientHealthOf(run.Health, run.Summary.Validity)
	}
	detail := Full
	if n := run.Summary.Counts.Issued; !k.Profiler.RequestFiles.Written(n, run.Summary.Counts.OK) {
		detail = Compact
		k.Log.Info(fmt.Sprintf("Note: the files with a place for each of the %d requests (%s, %s, %s) are left out: profiler.request_files is %s. loadgen analyze makes them, or request_files: always",
			n, TracesName, EventsName, ganttSVGName, k.Profiler.RequestFiles))
	}
	if err = k.Profiler.Write(dir, x, detail); err != nil {
		err = fmt.Errorf("analysing the run: %w", err)
	}
	facts.Trace = share(tr, k.whole().MostRuns())
	return facts, err
}

// newTracer begins to trace a cell's run, in bounded memory.
func newTracer(c *sweep.Config) *analyze.Tracer {
	return &analyze.Tracer{Model: c.Model, Function: c.EndpointType, Texts: true, MaxCalls: TracedCalls, MaxText: tracedText}
}
