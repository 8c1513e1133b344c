package loadgen

import (
	"cmp"
	"slices"
)

// A CallKind is the type of an operation in a trace, as the AIQ profiler names
// them.
type CallKind uint8

const (
	LLMCall CallKind = iota
	ToolCallKind
	FunctionCall
	SpanCall     // a phase inside a call: connect, prefill, decode
	WorkflowCall // a whole workflow, task or custom step, which AIQ's call trees leave out
)

// String returns AIQ's prefix: LLM, TOOL, FUNCTION, SPAN or WORKFLOW.
func (k CallKind) String() string {
	return [...]string{"LLM", "TOOL", "FUNCTION", "SPAN", "WORKFLOW"}[k]
}

// A Call is one operation of a trace, whoever recorded it: a request of a run
// of loadgen, or a span from somewhere else. Times are seconds since the
// trace's epoch; -1 where the trace does not say.
type Call struct {
	Example int    // index of the session it belongs to, from 0
	ID      string // unique in the trace
	Parent  string // ID of the enclosing call; empty at the top, or unknown (see Trace.Parents)
	Kind    CallKind
	Name    string // model or tool

	// Wrote is when the request was on the wire; like FirstToken it is -1
	// where not known.
	Start, Wrote, FirstToken, End float64

	Failed bool
	Error  string // failure kind or error type; empty for success

	// Token counts, -1 where the trace does not say.
	PromptTokens, CompletionTokens, CachedTokens, ReasoningTokens int

	Input, Output string // texts, empty where not recorded

	Function, FunctionID             string // the function the call was made in
	ParentFunction, ParentFunctionID string
	Framework                        string
}

// Done reports whether the call has a start and an end in that order: only
// such a call has a duration.
func (c *Call) Done() bool { return c.Start >= 0 && c.End >= c.Start }

// Duration returns the seconds from start to end; 0 for a call that is not
// Done.
func (c *Call) Duration() float64 {
	if !c.Done() {
		return 0
	}
	return c.End - c.Start
}

// A Trace is the calls of a run or of a foreign recording, in order of start.
type Trace struct {
	Source  string  // what it was read from: "loadgen", "aiq", "otel", …
	Epoch   float64 // unix seconds of time 0
	Parents bool    // the recording carries parent ids
	// Untimed says that starts were not recorded and every call was laid at
	// time 0: durations mean something, concurrency does not.
	Untimed bool
	Calls   []Call
	// Missing says what the recording does not carry and what that costs, a
	// sentence each.
	Missing []string
}

// Sort puts the calls in order of start; equal ones stay as they came.
func (t *Trace) Sort() {
	byStart := func(a, b Call) int { return cmp.Compare(a.Start, b.Start) }
	if slices.IsSortedFunc(t.Calls, byStart) {
		return
	}
	// Calls are large: their indices are sorted, and each call moves once.
	order := make([]int32, len(t.Calls))
	for i := range order {
		order[i] = int32(i)
	}
	slices.SortFunc(order, func(a, b int32) int {
		return cmp.Or(cmp.Compare(t.Calls[a].Start, t.Calls[b].Start), cmp.Compare(a, b))
	})
	sorted := make([]Call, len(t.Calls))
	for i, k := range order {
		sorted[i] = t.Calls[k]
	}
	t.Calls = sorted
}

// An Event is the start or the end of a call: a row of
// standardized_data_all.csv and a step of all_requests_profiler_traces.json.
type Event struct {
	Call  *Call
	Start bool    // else the end
	Time  float64 // seconds since the trace's epoch
	// Gap is the time since the previous call of the session ended, in
	// seconds; 0 for the first.
	Gap float64
	// Nova is nil unless those columns were asked for.
	Nova *Nova
}

// A Nova is the six NOVA columns of an event: what the profiler of AIQ says a
// scheduler would want to have known at that moment. Times are milliseconds
// and -1 where there is nothing to come.
type Nova struct {
	Event        string  // function the event belongs to
	Remaining    int     // LLM calls of the event that start later
	ToNext       float64 // until the next of them starts
	ToEventEnd   float64 // until the last of them starts (AIQ), or ends
	OutputTokens int     // of this call, on its start; -1 elsewhere
	ToSessionEnd float64 // until the session's last event
}
