package archive

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"

	"loadgen"
	"loadgen/analyze"
	"loadgen/metrics"
	"loadgen/results"
)

// A Recording is a run read back from its directory.
type Recording struct {
	*results.Recorded
	Trace *loadgen.Trace
	// Summarized is the summary, computed again from the records.
	Summarized metrics.Summary
	Facts      analyze.CellFacts
	// Margins and Queue are those of a search's run.
	Margins []metrics.Margin
	Queue   metrics.Queue

	tracer *analyze.Tracer
}

// readText bounds the bytes of prompts that are read of a run.
const readText = 256 << 20

// Read reads a run with the prompts that were sent. A run that was killed is
// read as far as its files go. What could be read of another one that is not
// whole comes back beside the error.
func Read(dir string) (*Recording, error) {
	run, err := results.Open(dir)
	if err != nil {
		return nil, err
	}
	collector, err := metrics.NewCollector(run.Meta.Facts)
	if err != nil {
		return nil, fmt.Errorf("run %s: %w", dir, err)
	}
	r := &Recording{Recorded: run, tracer: &analyze.Tracer{
		Epoch: float64(run.Outcome.Epoch) / 1e9, Texts: true,
		Model: setting(run.Meta.Config, "model"), Function: setting(run.Meta.Config, "endpoint_type"),
	}}
	var broken error
	for rec, err := range run.Records() {
		if err != nil {
			broken = err
			break
		}
		r.tracer.Add(rec)
		collector.Add(rec)
	}
	r.Trace = r.tracer.Trace()
	for _, name := range run.Truncated() {
		broken = errors.Join(broken, r.cutShort(fmt.Errorf("%s of %s ends in the middle of a line: %w", name, dir, io.ErrUnexpectedEOF)))
	}
	broken = errors.Join(broken, r.cutShort(joinPrompts(r.Trace, r.Inputs(), readText)))
	r.Summarized = collector.Summary(run.Outcome, run.Health, run.Transport)
	r.Margins, r.Queue = collector.Margins(true), collector.Queue()
	r.Facts = analyze.FactsOf(run.Meta.Cell, run.Meta.Facts, &r.Summarized, r.Trace)
	r.Facts.Probe = results.IsProbe(run.Meta.Dir)
	return r, broken
}

// cutShort passes on an error of reading a file. That a killed run left one
// without its end is none: the trace says what it misses.
func (r *Recording) cutShort(err error) error {
	if r.Status != loadgen.Incomplete || !errors.Is(err, io.ErrUnexpectedEOF) {
		return err
	}
	r.Trace.Missing = append(r.Trace.Missing, "the run was killed: "+err.Error())
	return nil
}

// setting returns a text of a configuration that was read back.
func setting(config any, key string) string {
	settings, _ := config.(map[string]any)
	text, _ := settings[key].(string)
	return text
}

// joinPrompts joins the calls of a trace with their prompts, which inputs.json has,
// up to so many bytes: by session, and in it by turn, which is the order of the
// calls.
func joinPrompts(tr *loadgen.Trace, inputs iter.Seq2[*loadgen.Session, error], most int) error {
	calls := tr.Calls
	bySession := make([]int32, len(calls))
	for i := range bySession {
		bySession[i] = int32(i)
	}
	slices.SortStableFunc(bySession, func(a, b int32) int {
		return cmp.Compare(calls[a].FunctionID, calls[b].FunctionID) // calls are in order of start
	})
	read, joined := 0, 0
	for session, err := range inputs {
		if err != nil {
			return err
		}
		at, _ := slices.BinarySearchFunc(bySession, session.ID, func(i int32, id string) int {
			return cmp.Compare(calls[i].FunctionID, id)
		})
		for _, turn := range session.Turns {
			if at == len(bySession) || calls[bySession[at]].FunctionID != session.ID {
				break
			}
			c := &calls[bySession[at]]
			c.Input = analyze.PromptText(turn.Messages)
			read += len(c.Input)
			at++
			joined++
		}
		if read >= most {
			break
		}
	}
	if left := len(calls) - joined; left > 0 {
		tr.Missing = append(tr.Missing, fmt.Sprintf("%d of %d calls have no prompt text: prefixes, patterns by prompt and new words per turn are unknown for them", left, len(calls)))
	}
	return nil
}

// Forget gives up what a run of so many need not keep in memory once it was
// analysed. Its calls keep their times.
func (r *Recording) Forget(runs int) {
	if r.Facts.Trace = share(r.Trace, runs); r.Facts.Trace == r.Trace {
		return
	}
	for i := range r.Trace.Calls {
		c := &r.Trace.Calls[i]
		c.Input, c.Output = "", ""
	}
}

// Profile analyses the run, with what only a run of loadgen tells.
func (r *Recording) Profile(p *Profiler) *Profile {
	x := p.Run(r.Facts)
	if more := x.Optimization.More; more != nil {
		more.Transport = r.tracer.Transport(r.Transport)
		more.Client = analyze.ClientHealthOf(r.Health, r.Summarized.Validity)
	}
	return x
}

// Others are the swept values that are no load, as text.
func (r *Recording) Others() string {
	var parts []string
	for _, v := range r.Meta.Cell.Values {
		if v.Key != "concurrency" && v.Key != "request_rate" {
			parts = append(parts, fmt.Sprintf("%s=%v", v.Key, v.Value))
		}
	}
	return strings.Join(parts, " ")
}
