package sweep

import (
	"fmt"

	"loadgen"
	"loadgen/metrics"
	"loadgen/observe"
	"loadgen/synth"
)

// A Run is one execution of a cell and what became of it.
type Run struct {
	Ask
	Facts   metrics.Facts
	Outcome loadgen.Outcome
	Health  loadgen.Health
	// Transport is what became of connections, over warm-up and measurement;
	// dials that failed are those of the measurement.
	Transport loadgen.Transport
	Prompts   Prompts
	// Observed is what the server's own metrics said; nil where it was not asked.
	Observed *observe.Recording
	// Summary is nil where the run ended before it measured anything.
	Summary *metrics.Summary
	// Course is how the run went; nil where Summary is.
	Course *metrics.Course
	// Margins are how the run of a probe stands against the limits of its search.
	Margins []metrics.Margin
	// Queue is what that run tells of requests that wait for each other.
	Queue metrics.Queue
	// Err is why the run failed; nil for success.
	Err error
}

// Status says what became of the run.
func (r *Run) Status() loadgen.Status {
	switch {
	case r.Skip != "":
		return loadgen.Skipped
	case r.Err != nil:
		return loadgen.Failed
	case r.Outcome.Cancelled:
		return loadgen.Interrupted
	}
	return loadgen.Completed
}

// Fail says that the run failed after its figures were made, and weakens them.
func (r *Run) Fail(err error) {
	if r.Err != nil {
		return
	}
	r.Err = err
	r.Outcome.Cancelled, r.Outcome.Cut = false, err.Error()
	if r.Summary != nil {
		r.Summary.CutShort(r.Outcome.Cut)
	}
}

// Prompts says what the prompts of a run can be trusted for.
type Prompts struct {
	synth.Stats
	// Template says how it is known what the chat template adds: "file" or
	// "measured", empty where it is not known.
	Template string
	// TemplateTokens is what it adds to the prompt of a first turn.
	TemplateTokens int
}

// Notes says in words what weakens the figures of a run.
func (p *Prompts) Notes() []string {
	var notes []string
	for _, weak := range []struct {
		n    int
		text string
	}{
		{p.Reused, "%d sessions of the dataset were sent another time: a server that caches prompts answered them faster than new ones"},
		{p.Repeats, "%d prompts are too short to differ from all others: a server that caches prompts answered them faster than new ones"},
		{p.Inexact, "%d prompts are not as long as was asked for: the tokenizer has no such text. Their true lengths are in the records"},
	} {
		if weak.n > 0 {
			notes = append(notes, fmt.Sprintf(weak.text, weak.n))
		}
	}
	return notes
}

// RoundSettings are the keys that say how the runs of a cell are repeated; none
// where each has but one.
func (b *Batch) RoundSettings() Parameters {
	if b.Search.Asked() || b.MostRuns() <= len(b.Cells()) {
		return nil
	}
	return Parameters{
		{Key: "repeat_order", Value: string(b.RepeatOrder)},
		{Key: "rest_between_runs", Value: b.RestBetweenRuns.Seconds()},
		{Key: "vary_seed", Value: b.VarySeed},
	}
}
