package loadgen

// A CallKind is the type of an operation in a trace, as the AIQ profiler names
// them.
type CallKind uint8

const (
	LLMCall CallKind = iota
	ToolCallKind
	FunctionCall
	SpanCall // a phase inside a call: connect, prefill, decode
)

// String returns AIQ's prefix: LLM, TOOL, FUNCTION or SPAN.
func (k CallKind) String() string {
	return [...]string{"LLM", "TOOL", "FUNCTION", "SPAN"}[k]
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

	Start, FirstToken, End float64
	Failed                 bool
	Error                  string // failure kind or error type; empty for success

	// Token counts, -1 where the trace does not say.
	PromptTokens, CompletionTokens, CachedTokens, ReasoningTokens int

	Input, Output string // texts, empty where not recorded

	Function, FunctionID             string // the function the call was made in
	ParentFunction, ParentFunctionID string
	Framework                        string
}

// A Trace is the calls of a run or of a foreign recording, in order of start.
type Trace struct {
	Source  string  // what it was read from: "loadgen", "aiq", "otel", …
	Epoch   float64 // unix seconds of time 0
	Parents bool    // the recording carries parent ids
	Calls   []Call
	// Missing says what the recording does not carry and what that costs, a
	// sentence each.
	Missing []string
}
