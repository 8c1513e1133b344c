package trace_test

import (
	"io"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"loadgen"
	"loadgen/trace"
)

// call is what the forms of a trace below have in common: one request of ten
// prompt tokens, four of them cached, and three tokens of answer, the first
// after 0.5 s and the last after 2 s.
func call() loadgen.Call {
	return loadgen.Call{
		ID: "a", Kind: loadgen.LLMCall, Name: "m", Start: 0, Wrote: -1, FirstToken: 0.5, End: 2,
		PromptTokens: 10, CompletionTokens: 3, CachedTokens: 4, ReasoningTokens: -1,
	}
}

const aiqTrace = `[{"request_number":0,"intermediate_steps":[
{"parent_id":"root","function_ancestry":{"function_id":"root","function_name":"root","parent_id":null,"parent_name":null},
 "payload":{"event_type":"LLM_START","event_timestamp":100.0,"span_event_timestamp":null,"name":"m","metadata":null,"data":{"input":"hi"},"usage_info":null,"UUID":"a"}},
{"parent_id":"root","payload":{"event_type":"LLM_NEW_TOKEN","event_timestamp":100.5,"UUID":"a"}},
{"parent_id":"root","payload":{"event_type":"LLM_NEW_TOKEN","event_timestamp":101.5,"UUID":"a"}},
{"parent_id":"root","payload":{"event_type":"GUARDRAIL_START","event_timestamp":101.6,"UUID":"g"}},
{"parent_id":"root","payload":{"event_type":"TOOL_END","event_timestamp":101.7,"UUID":"never-started"}},
{"parent_id":"root","payload":{"event_type":"LLM_END","event_timestamp":102.0,"span_event_timestamp":100.0,"name":"m","data":{"output":{"text":"yo"}},
 "usage_info":{"token_usage":{"prompt_tokens":10,"completion_tokens":3,"cached_tokens":4,"total_tokens":13},"num_llm_calls":1,"seconds_between_calls":0},"UUID":"a"}}]}]`

const otlp = `{"resourceSpans":[{"resource":{"attributes":[]},"scopeSpans":[{"scope":{"name":"x"},"spans":[
{"traceId":"t1","spanId":"a","parentSpanId":"","name":"chat m","kind":3,"startTimeUnixNano":"1700000000000000000","endTimeUnixNano":"1700000002000000000",
"attributes":[{"key":"gen_ai.operation.name","value":{"stringValue":"chat"}},{"key":"gen_ai.request.model","value":{"stringValue":"m"}},
{"key":"gen_ai.usage.input_tokens","value":{"intValue":"10"}},{"key":"gen_ai.usage.output_tokens","value":{"intValue":3}},
{"key":"gen_ai.usage.cache_read.input_tokens","value":{"intValue":"4"}},{"key":"gen_ai.response.time_to_first_chunk","value":{"doubleValue":0.5}}],
"status":{"code":1}}]}]}]}`

const sdkSpan = `{"name":"chat m","context":{"trace_id":"0xt1","span_id":"0xa"},"kind":"CLIENT","parent_id":null,
"start_time":"2023-11-14T22:13:20.000000Z","end_time":"2023-11-14T22:13:22.000000Z","status":{"status_code":"OK"},
"attributes":{"gen_ai.operation.name":"chat","gen_ai.request.model":"m","gen_ai.usage.input_tokens":10,"gen_ai.usage.output_tokens":3,
"gen_ai.usage.cache_read.input_tokens":4,"gen_ai.response.time_to_first_chunk":0.5}}`

const natSpan = `{"traceId":"t1","spanId":"a","name":"m","startTimeUnixNano":"1700000000000000000","endTimeUnixNano":"1700000002000000000",
"attributes":[{"key":"acme.event_type","value":{"stringValue":"LLM_START"}},{"key":"acme.function.name","value":{"stringValue":"agent"}},
{"key":"llm.model_name","value":{"stringValue":"m"}},{"key":"llm.token_count.prompt","value":{"intValue":"10"}},
{"key":"llm.token_count.completion","value":{"intValue":"3"}}]}`

const aiperfLine = `{"metadata":{"session_num":0,"x_request_id":"a","x_correlation_id":"c","benchmark_phase":"profiling","request_start_ns":1700000000000000000,"request_end_ns":1700000009000000000},
"metrics":{"time_to_first_token":{"value":500,"unit":"ms"},"request_latency":{"value":2000,"unit":"ms"},"input_sequence_length":{"value":10,"unit":"tokens"},
"output_sequence_length":{"value":3,"unit":"tokens"},"inter_chunk_latency":{"value":[750,750],"unit":"ms"}},"error":null}`

const vllm = `{"date":"20260101","model_id":"m","num_prompts":1,"request_rate":"inf","duration":2.0,"input_lens":[10],"output_lens":[3],
"ttfts":[0.5],"itls":[[0.75,0.75]],"start_times":[1234.5],"generated_texts":["yo"],"errors":[""]}`

const csvTrace = "event_type,event_timestamp,example_number,prompt_tokens,completion_tokens,total_tokens,llm_text_input,llm_text_output,llm_new_token,llm_name,tool_name,function_name,function_id,parent_function_name,parent_function_id,UUID,framework\n" +
	"LLM_START,100.0,0,0,0,0,\"hi, \"\"you\"\"\",,,m,,root,root,,,a,\n" +
	"LLM_NEW_TOKEN,100.5,0,0,0,0,,,x,,,root,root,,,a,\n" +
	"LLM_END,102.0,0,10,3,13,,yo,,m,,root,root,,,a,\n"

func TestReadTraceTellsEachKindByItsContent(t *testing.T) {
	tests := []struct {
		name, text, source string
		edit               func(c *loadgen.Call) // what this form carries more or less of
	}{
		{"AIQ's traces file", aiqTrace, "aiq", func(c *loadgen.Call) {
			c.Input, c.Output, c.Function, c.FunctionID = "hi", `{"text":"yo"}`, "root", "root"
		}},
		{"the steps without their wrapper", strings.TrimSuffix(strings.TrimPrefix(aiqTrace, `[{"request_number":0,"intermediate_steps":`), "}]"), "aiq", func(c *loadgen.Call) {
			c.Input, c.Output, c.Function, c.FunctionID = "hi", `{"text":"yo"}`, "root", "root"
		}},
		{"AIQ's CSV", csvTrace, "aiq-csv", func(c *loadgen.Call) {
			c.Input, c.Output, c.Function, c.FunctionID, c.CachedTokens = `hi, "you"`, "yo", "root", "root", -1
		}},
		{"an OTLP export", otlp, "otel", func(*loadgen.Call) {}},
		{"a span as the SDK prints it", sdkSpan, "otel", func(*loadgen.Call) {}},
		{"a span of the toolkit under a prefix of its user", natSpan, "otel", func(c *loadgen.Call) {
			c.FirstToken, c.CachedTokens, c.Function = -1, -1, "agent"
		}},
		{"AIPerf's profile export", aiperfLine, "aiperf", func(c *loadgen.Call) {
			c.Name, c.CachedTokens, c.FunctionID = "", -1, "c"
		}},
		{"a bench result of vLLM", vllm, "vllm", func(c *loadgen.Call) {
			c.ID, c.Output, c.CachedTokens = "request_0", "yo", -1
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tr, err := trace.Read(strings.NewReader(tt.text))
			if err != nil {
				t.Fatal(err)
			}
			want := call()
			tt.edit(&want)
			if d := cmp.Diff([]loadgen.Call{want}, tr.Calls, cmpopts.EquateApprox(0, 1e-9)); d != "" {
				t.Error(d)
			}
			if tr.Source != tt.source {
				t.Errorf("read as %s, want %s", tr.Source, tt.source)
			}
		})
	}
}

func TestReadTraceSaysWhatIsMissing(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"no first-token time", natSpan, "no first-token time"},
		{"no cached tokens", csvTrace, "no cached tokens"},
		{"events of an unknown type", aiqTrace, "GUARDRAIL_START (1)"},
		{"ends without a start", aiqTrace, "1 ends have no start"},
		{"retries inside a span", otlp, "covers all retries"},
		{"no start times", strings.Replace(vllm, `"start_times":[1234.5],`, "", 1), "no start times"},
		{"a call that never ended", strings.Replace(csvTrace, "LLM_END", "LLM_ENDED", 1), "no end"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tr, err := trace.Read(strings.NewReader(tt.text))
			if err != nil {
				t.Fatal(err)
			}
			if !slices.ContainsFunc(tr.Missing, func(m string) bool { return strings.Contains(m, tt.want) }) {
				t.Errorf("nothing says %q: %q", tt.want, tr.Missing)
			}
		})
	}
}

func TestReadTraceRefusesInWords(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"an empty file", " \n", "empty"},
		{"something else", "hello", "no known kind"},
		{"JSON of no known kind", `{"hello":1}`, "no known kind"},
		{"a traces file cut short", aiqTrace[:len(aiqTrace)/2], "cut short"},
		{"an OTLP export cut short", otlp[:len(otlp)-20], "cut short"},
		{"a CSV cut in a row", csvTrace[:len(csvTrace)-20], "cut short"},
		{"a CSV without a column it needs", "event_type,UUID,x\na,b,c\n", "event_timestamp"},
		{"a time that is none", strings.Replace(csvTrace, "100.0", "soon", 1), `"soon" is no number`},
		{"a bench result without its requests", `{"model_id":"m","num_prompts":5,"request_throughput":1.5}`, "--save-detailed"},
		{"rubbish behind the end", aiqTrace + "]", "near byte"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := trace.Read(strings.NewReader(tt.text))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got error %v, want one that says %q", err, tt.want)
			}
		})
	}
}

func TestReadTraceKeepsTreesSessionsAndFailures(t *testing.T) {
	spans := `{"traceId":"t1","spanId":"f","name":"invoke_agent","startTimeUnixNano":"1700000000000000000","endTimeUnixNano":"1700000009000000000"}
{"traceId":"t1","spanId":"l","parentSpanId":"f","name":"chat m","startTimeUnixNano":"1700000001000000000","endTimeUnixNano":"1700000002000000000","attributes":[{"key":"gen_ai.operation.name","value":{"stringValue":"chat"}}],"status":{"code":2}}
{"traceId":"t2","spanId":"x","name":"execute_tool search","startTimeUnixNano":"1700000003000000000","endTimeUnixNano":"1700000001000000000","attributes":[{"key":"gen_ai.operation.name","value":{"stringValue":"execute_tool"}}]}`
	tr, err := trace.Read(strings.NewReader(spans))
	if err != nil {
		t.Fatal(err)
	}
	type facts struct {
		Example             int
		ID, Parent          string
		Kind                loadgen.CallKind
		Start, End          float64
		Failed, HasDuration bool
	}
	var got []facts
	for i := range tr.Calls {
		c := &tr.Calls[i]
		got = append(got, facts{c.Example, c.ID, c.Parent, c.Kind, c.Start, c.End, c.Failed, c.Done()})
	}
	want := []facts{
		{0, "f", "", loadgen.FunctionCall, 0, 9, false, true},
		{0, "l", "f", loadgen.LLMCall, 1, 2, true, true},
		{1, "x", "", loadgen.ToolCallKind, 3, 1, false, false},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if !tr.Parents || tr.Epoch != 1700000000 {
		t.Errorf("parents %v, epoch %v; want true and 1700000000", tr.Parents, tr.Epoch)
	}
}

func FuzzReadTrace(f *testing.F) {
	for _, text := range []string{aiqTrace, otlp, sdkSpan, natSpan, aiperfLine, vllm, csvTrace, "[]", "[[", `{"resourceSpans":[{"scopeSpans":null}]}`} {
		f.Add([]byte(text))
		f.Add([]byte(text)[:len(text)/2])
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		tr, err := trace.Read(strings.NewReader(string(data)))
		if err != nil {
			return
		}
		for i := range tr.Calls {
			if c := &tr.Calls[i]; c.Start < 0 && c.Start != -1 || c.End < 0 && c.End != -1 || c.Example < 0 {
				t.Fatalf("a call at impossible times: %+v", *c)
			}
		}
	})
}

// A repeated reader yields a traces file of n sessions without holding it.
type repeated struct {
	n, i int
	rest string
}

func (r *repeated) Read(p []byte) (int, error) {
	for r.rest == "" {
		switch {
		case r.i < r.n:
			r.rest = strings.TrimSuffix(strings.TrimPrefix(aiqTrace, "["), "]")
			if r.rest = strings.ReplaceAll(r.rest, `"UUID":"a"`, `"UUID":"a`+strconv.Itoa(r.i)+`"`); r.i > 0 {
				r.rest = "," + r.rest
			} else {
				r.rest = "[" + r.rest
			}
		case r.i == r.n:
			r.rest = "]"
		default:
			return 0, io.EOF
		}
		r.i++
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}

func BenchmarkReadTrace(b *testing.B) {
	const sessions = 100_000
	b.SetBytes(sessions * int64(len(aiqTrace)))
	for b.Loop() {
		tr, err := trace.Read(&repeated{n: sessions})
		if err != nil || len(tr.Calls) != sessions {
			b.Fatalf("%d calls, error %v", len(tr.Calls), err)
		}
		var mem runtime.MemStats
		runtime.ReadMemStats(&mem)
		b.ReportMetric(float64(mem.Sys)/(1<<20), "MiB-from-OS")
	}
}
