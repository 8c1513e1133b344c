package results_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"loadgen"
	"loadgen/results"
	"loadgen/trace"
)

// call is one request of ten prompt tokens, four of them cached, and three
// tokens of answer, the first after 0.5 s and the last after 2 s.
func call() loadgen.Call {
	return loadgen.Call{
		ID: "a", Kind: loadgen.LLMCall, Name: "m", Start: 0, Wrote: -1, FirstToken: 0.5, End: 2,
		PromptTokens: 10, CompletionTokens: 3, CachedTokens: 4, ReasoningTokens: -1,
	}
}

// written yields the events of one failed and one good call with its phases.
func written(yield func(loadgen.Event) bool) {
	good := call()
	good.Input, good.Output, good.Function, good.FunctionID = "say \"hi\"\n", "yo", "chat", "s0"
	phase := loadgen.Call{ID: "a/prefill", Parent: "a", Kind: loadgen.SpanCall, Name: "prefill", Start: 0, End: 0.5, Function: "prefill"}
	bad := loadgen.Call{
		Example: 1, ID: "b", Kind: loadgen.LLMCall, Name: "m", Start: 1, Wrote: -1, FirstToken: -1, End: 3,
		PromptTokens: -1, CompletionTokens: -1, CachedTokens: -1, ReasoningTokens: -1,
		Failed: true, Error: "timeout", Function: "chat", FunctionID: "s1",
	}
	nova := loadgen.Nova{Event: "chat", Remaining: 0, ToNext: -1, ToEventEnd: -1, OutputTokens: -1, ToSessionEnd: 500.25}
	for _, e := range []loadgen.Event{
		{Call: &good, Start: true, Time: 0, Nova: &nova},
		{Call: &phase, Start: true, Time: 0, Nova: &nova},
		{Call: &phase, Time: 0.5, Nova: &nova},
		{Call: &good, Time: 2, Gap: 1.5, Nova: &nova},
		{Call: &bad, Start: true, Time: 1, Nova: &nova},
		{Call: &bad, Time: 3, Nova: &nova},
	} {
		if !yield(e) {
			return
		}
	}
}

func TestWriteTracesReadsBackTheSame(t *testing.T) {
	path := filepath.Join(t.TempDir(), "all_requests_profiler_traces.json")
	if err := results.WriteTraces(path, 1700000000, written); err != nil {
		t.Fatal(err)
	}
	tr, err := trace.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	want := []loadgen.Call{}
	for e := range written {
		if e.Start && e.Call.Kind == loadgen.LLMCall {
			want = append(want, *e.Call)
		}
	}
	if d := cmp.Diff(want, tr.Calls, cmpopts.EquateApprox(0, 1e-6)); d != "" {
		t.Error(d)
	}
}

func TestWriteEventsHasAIQsColumns(t *testing.T) {
	path := filepath.Join(t.TempDir(), "standardized_data_all.csv")
	if err := results.WriteEvents(path, 100, written, results.EventColumns{Nova: true}); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	want := `event_type,event_timestamp,example_number,prompt_tokens,completion_tokens,total_tokens,llm_name,tool_name,function_name,function_id,parent_function_name,parent_function_id,UUID,framework,NOVA-Event-ID,NOVA-Requests-Remaining-In-Event,NOVA-Time-To-Next-Event,NOVA-Time-To-Event-End,NOVA-Predicted-OSL,NOVA-Time-To-Session-End
LLM_START,100,0,0,0,0,m,,chat,s0,,,a,,chat,0,-1,-1,,500.25
SPAN_START,100,0,0,0,0,,,prefill,root,,,a/prefill,,chat,0,-1,-1,,500.25
SPAN_END,100.5,0,0,0,0,,,prefill,root,,,a/prefill,,chat,0,-1,-1,,500.25
LLM_END,102,0,10,3,13,m,,chat,s0,,,a,,chat,0,-1,-1,,500.25
LLM_START,101,1,0,0,0,m,,chat,s1,,,b,,chat,0,-1,-1,,500.25
LLM_END,103,1,0,0,0,m,,chat,s1,,,b,,chat,0,-1,-1,,500.25
`
	if d := cmp.Diff(want, string(got)); d != "" {
		t.Error(d)
	}
}

func TestWriteTracesOfNothingIsAnEmptyArray(t *testing.T) {
	path := filepath.Join(t.TempDir(), "traces.json")
	if err := results.WriteTraces(path, 0, func(func(loadgen.Event) bool) {}); err != nil {
		t.Fatal(err)
	}
	tr, err := trace.Open(path)
	if err != nil || len(tr.Calls) != 0 {
		t.Errorf("got %v and error %v, want no calls", tr, err)
	}
}
