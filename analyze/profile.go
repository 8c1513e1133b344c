package analyze

import "loadgen"

// A Profile is all that the profiler's files hold about a trace.
type Profile struct {
	Optimization *Optimization // inference_optimization.json
	Workflow     *Workflow     // workflow_profiling_metrics.json and its text
	Trie         *Trie         // prediction_trie.json; nil when not asked for
	Findings     []Finding     // by [CellFacts.Profile] only: they take what was asked of the run
}

// A Workflow is workflow_profiling_metrics.json: the keys of the analyses that
// were asked for.
type Workflow struct {
	Simple   Object[Operation] `json:"simple_stack_analysis,omitzero"`
	Nested   *Nested           `json:"nested_stack_analysis,omitempty"`
	Spikes   *SpikeReport      `json:"concurrency_spike_analysis,omitempty"`
	Patterns *Patterns         `json:"prefix_span_analysis,omitempty"`

	// Peak is the largest concurrency over all operations, Calls how many
	// there were, Sessions of how many sessions.
	Peak     int `json:"-"`
	Calls    int `json:"-"`
	Sessions int `json:"-"`
}

// Run computes every analysis that the options ask for. The trace is sorted
// and nested once for all of them.
func Run(tr *loadgen.Trace, opt Options) *Profile {
	return newView(tr, opt).profile()
}

func (v *view) profile() *Profile {
	opt := v.opt
	p := &Profile{Optimization: v.optimization(), Workflow: &Workflow{Calls: len(v.calls), Peak: v.flight.peak()}}
	for range v.sessions {
		p.Workflow.Sessions++
	}
	if opt.SimpleStack {
		p.Workflow.Simple = v.simpleStack()
	}
	if opt.Spikes {
		p.Workflow.Spikes = v.spikes()
	}
	if opt.PrefixSpan {
		p.Workflow.Patterns = v.prefixSpan()
	}
	if opt.PredictionTrie {
		p.Trie = v.predictionTrie()
	}
	if opt.NestedStack {
		p.Workflow.Nested = v.nested() // last: AIQ's form nests anew
	}
	return p
}
