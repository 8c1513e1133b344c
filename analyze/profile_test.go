package analyze_test

import (
	"encoding/json"
	"fmt"
	"math"
	"runtime"
	"strings"
	"testing"
	"time"

	"loadgen"
	"loadgen/analyze"
)

// llm is a call with the fields that the tests below vary.
func llm(example int, id string, start, end float64) loadgen.Call {
	return loadgen.Call{
		Example: example, ID: id, Kind: loadgen.LLMCall, Name: "m", Start: start, Wrote: -1, FirstToken: -1, End: end,
		PromptTokens: -1, CompletionTokens: -1, CachedTokens: -1, ReasoningTokens: -1,
	}
}

func TestRunReportsOnEveryKindOfTrace(t *testing.T) {
	failed := llm(0, "a", 0, 1)
	failed.Failed, failed.Error = true, "timeout"
	loop := []loadgen.Call{llm(0, "a", 0, 4), llm(0, "b", 1, 2)}
	loop[0].Parent, loop[1].Parent = "b", "a"
	tests := []struct {
		name  string
		trace loadgen.Trace
	}{
		{"an empty run", loadgen.Trace{}},
		{"failures alone", loadgen.Trace{Calls: []loadgen.Call{failed}}},
		{"one request", loadgen.Trace{Calls: []loadgen.Call{llm(0, "a", 0, 1)}}},
		{"requests at equal times", loadgen.Trace{Calls: []loadgen.Call{llm(0, "a", 1, 2), llm(1, "b", 1, 2), llm(1, "c", 1, 2)}}},
		{"requests of no length", loadgen.Trace{Calls: []loadgen.Call{llm(0, "a", 1, 1), llm(0, "b", 1, 1)}}},
		{"an end before its start", loadgen.Trace{Calls: []loadgen.Call{llm(0, "a", 2, 1), llm(0, "b", 0, 3)}}},
		{"a call that never ended", loadgen.Trace{Calls: []loadgen.Call{llm(0, "a", 0, -1)}}},
		{"calls that are each other's parents", loadgen.Trace{Parents: true, Calls: loop}},
		{"durations without starts", loadgen.Trace{Untimed: true, Calls: []loadgen.Call{llm(0, "a", 0, 1), llm(1, "b", 0, 2)}}},
	}
	for _, tt := range tests {
		for _, aiq := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, as the toolkit %v", tt.name, aiq), func(t *testing.T) {
				opt := analyze.Defaults()
				opt.AIQ = aiq
				p := analyze.Run(&tt.trace, opt)
				for _, v := range []any{p.Optimization, p.Workflow, p.Trie} {
					if _, err := json.Marshal(v); err != nil {
						t.Error(err)
					}
				}
			})
		}
	}
}

func TestRunCountsDefects(t *testing.T) {
	tr := loadgen.Trace{Parents: true, Calls: []loadgen.Call{
		llm(0, "open", 0, -1), llm(0, "reversed", 2, 1), llm(0, "unborn", -1, 1), llm(0, "orphan", 0, 1),
	}}
	tr.Calls[3].Parent = "nobody"
	got := analyze.Optimize(&tr, analyze.Defaults()).More.Defects
	want := analyze.Defects{Open: 1, Reversed: 1, NoStart: 1, UnknownParents: 1}
	if got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestNoDataIsNullAndNeverZero(t *testing.T) {
	raw, err := json.Marshal(analyze.Optimize(&loadgen.Trace{}, analyze.Defaults()))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`"llm_latency_confidence_intervals":{"n":0,"mean":null,"ninetieth_interval":null`,
		`"workflow_runtimes":{"p90":null,"p95":null,"p99":null}`,
		`"requests_per_second":null`,
		`"error_rate":null`,
	} {
		if !strings.Contains(string(raw), want) {
			t.Errorf("the file of an empty run does not say %s:\n%s", want, raw)
		}
	}
}

func TestFailuresAreNoLatency(t *testing.T) {
	fast := llm(1, "b", 0, 0.1)
	fast.Failed = true
	tr := loadgen.Trace{Calls: []loadgen.Call{llm(0, "a", 0, 2), fast}}
	more := analyze.Optimize(&tr, analyze.Defaults()).More
	if more.KPI.Latency.Mean != 2 || more.Users.Failed != 1 || more.KPI.Requests != 0.5 || more.KPI.PeakFlight != 2 {
		t.Errorf("mean %v, failed %d, %v requests/s, peak %d; want 2, 1, 0.5 and 2",
			more.KPI.Latency.Mean, more.Users.Failed, more.KPI.Requests, more.KPI.PeakFlight)
	}
}

func TestOverlappingCallsAreSiblings(t *testing.T) {
	for _, n := range []int{1_500, 20_000} {
		tr := loadgen.Trace{}
		for i := range n {
			// Each outlasts the one before: a stack would nest them n deep.
			tr.Calls = append(tr.Calls, llm(0, fmt.Sprint(i), float64(i), float64(i+n)))
		}
		opt := analyze.Defaults()
		opt.Limit = 0
		nested := analyze.NestedStack(&tr, opt)
		for i, depth := range nested.Depths {
			if depth != 0 {
				t.Fatalf("of %d overlapping calls, call %d lies at depth %d", n, i, depth)
			}
		}
		opt.AIQ = true
		if got := len(analyze.NestedStack(&tr, opt).Nodes); got != n {
			t.Errorf("as the toolkit: %d nodes, want %d", got, n)
		}
	}
}

func TestDeepNestingNeedsNoStack(t *testing.T) {
	const n = 20_000
	tr := loadgen.Trace{}
	for i := range n {
		c := llm(0, fmt.Sprint(i), float64(i), float64(3*n-i))
		c.Kind = loadgen.FunctionCall
		tr.Calls = append(tr.Calls, c)
	}
	opt := analyze.Defaults()
	opt.Limit = 0
	nested := analyze.NestedStack(&tr, opt)
	for i := range n {
		if nested.Depths[i] != i {
			t.Fatalf("call %d lies at depth %d, want %d", i, nested.Depths[i], i)
		}
	}
	// Every call but the innermost has a second before its child and one after.
	if self := nested.Nodes[7].Value.Self; self != 2 {
		t.Errorf("self time %v, want 2", self)
	}
}

func TestParallelChildrenDoNotOutlastTheirParent(t *testing.T) {
	// Two tools side by side in one function of ten seconds.
	f, a, b := llm(0, "f", 0, 10), llm(0, "a", 1, 8), llm(0, "b", 2, 9)
	f.Kind, a.Kind, b.Kind = loadgen.FunctionCall, loadgen.ToolCallKind, loadgen.ToolCallKind
	a.Parent, b.Parent = "f", "f"
	tr := loadgen.Trace{Parents: true, Calls: []loadgen.Call{f, a, b}}
	n := analyze.NestedStack(&tr, analyze.Defaults())
	root, _ := n.Nodes.Get("f")
	if root.Subtree != 10 || root.Self != 2 || root.More.Saved != 6 {
		t.Errorf("subtree %v, self %v, saved %v; want 10, 2 and 6", root.Subtree, root.Self, root.More.Saved)
	}
	idle, _ := n.Nodes.Get("a")
	if idle.More.Critical != 0 || idle.More.Share != 4 {
		t.Errorf("the call that held nothing up: %v s critical, %v s of its own; want 0 and 4", idle.More.Critical, idle.More.Share)
	}
	opt := analyze.Defaults()
	opt.AIQ = true
	root, _ = analyze.NestedStack(&tr, opt).Nodes.Get("f")
	if root.Subtree <= 10 {
		t.Errorf("the toolkit's subtree time is %v, and should be longer than the call", root.Subtree)
	}
}

func TestManyDistinctPromptsAreQuick(t *testing.T) {
	tr := loadgen.Trace{}
	for i := range 400 {
		c := llm(i, fmt.Sprint(i), float64(i), float64(i+1))
		c.Input = strings.Repeat("x", 650) + fmt.Sprintf("%04d", i) + strings.Repeat("y", 646)
		tr.Calls = append(tr.Calls, c)
	}
	opt := analyze.Defaults()
	opt.MinFrequency = 0
	for _, aiq := range []bool{false, true} {
		opt.AIQ = aiq
		models := analyze.CommonPrefixes(&tr, opt)
		if got := len(models[0].Value.Info); got != 400 {
			t.Errorf("as the toolkit %v: %d prefixes, want all 400 prompts", aiq, got)
		}
	}
}

func TestCacheBoundCountsWholeBlocksOfEarlierPrompts(t *testing.T) {
	tests := []struct {
		name    string
		prompts []string // in order of start, four bytes a token
		want    float64
	}{
		{"nothing in common", []string{"aaaa", "bbbb"}, 0},
		{"two blocks and a half in common", []string{strings.Repeat("a", 160) + "b", strings.Repeat("a", 160) + "c"}, 32},
		{"the same prompt: its last token is computed", []string{strings.Repeat("a", 128), strings.Repeat("a", 128)}, 16},
		{"a prompt and its continuation", []string{strings.Repeat("a", 128), strings.Repeat("a", 256)}, 32},
		{"what comes later serves nobody before", []string{strings.Repeat("a", 256), strings.Repeat("a", 128) + "bbbb"}, 32},
		{"the best of several earlier ones", []string{
			strings.Repeat("a", 64) + "x", strings.Repeat("a", 192) + "y", strings.Repeat("a", 256) + "z",
		}, 16 + 48},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tr := loadgen.Trace{}
			for i, text := range tt.prompts {
				c := llm(i, fmt.Sprint(i), float64(i), float64(i+1))
				c.Input = text
				tr.Calls = append(tr.Calls, c)
			}
			if got := analyze.CacheBound(&tr, analyze.Defaults()).Bound; float64(got) != tt.want {
				t.Errorf("by text: %v tokens, want %v", got, tt.want)
			}
			opt := analyze.Defaults()
			opt.Encode = func(text string) []int {
				ids := make([]int, 0, len(text)/4+1)
				for ; text != ""; text = text[min(4, len(text)):] {
					ids = append(ids, int(text[0])<<8|len(text[:min(4, len(text))]))
				}
				return ids
			}
			if got := analyze.CacheBound(&tr, opt).Bound; float64(got) != tt.want {
				t.Errorf("by tokens: %v, want %v", got, tt.want)
			}
		})
	}
}

func TestThroughputOfAFewIsPoissons(t *testing.T) {
	// Five completions in ten seconds: Garwood's interval of the count is
	// [1.6235, 11.6683].
	m := analyze.Throughput([]float64{1, 2, 3, 4, 10}, 0, 10)
	if m.Mean != 0.5 || math.Abs(float64(m.NinetyFifth[0])-0.16235) > 1e-4 || math.Abs(float64(m.NinetyFifth[1])-1.16683) > 1e-4 {
		t.Errorf("mean %v in %v, want 0.5 in [0.16235, 1.16683]", m.Mean, m.NinetyFifth)
	}
}

func TestBurstsIncludeTheLast(t *testing.T) {
	var times []float64
	for i := range 12 {
		times = append(times, float64(i)*0.01)
	}
	if got := analyze.Defaults().Burst.Clusters(times); len(got) != 1 || got[0] != 12 {
		t.Errorf("got %v, want one burst of 12", got)
	}
}

func TestTracerTurnsRecordsIntoCalls(t *testing.T) {
	tracer := analyze.Tracer{Epoch: 1000, Model: "m", Function: "chat", Texts: true}
	r := loadgen.Record{}
	r.Reset()
	r.Request = &loadgen.Request{ID: "r1", Session: "s1", InputTokens: 7, Messages: []loadgen.Message{{Role: "user", Content: "hi"}}}
	r.Sent, r.Took, r.Streamed = 2*time.Second, 3*time.Second, true
	r.Chunks = []loadgen.Chunk{{At: 500 * time.Millisecond}, {At: 3 * time.Second}}
	r.Conn.Wrote, r.OutputTokens, r.Text = time.Millisecond, 4, []byte("yo")
	tracer.Add(&r)
	warm := r
	warm.Phase = loadgen.Warmup
	tracer.Add(&warm)
	tr := tracer.Trace()
	if len(tr.Calls) != 1 {
		t.Fatalf("%d calls, want 1: warm-up is none", len(tr.Calls))
	}
	want := loadgen.Call{
		ID: "r1", Kind: loadgen.LLMCall, Name: "m", Start: 2, Wrote: 2.001, FirstToken: 2.5, End: 5,
		PromptTokens: 7, CompletionTokens: 4, CachedTokens: -1, ReasoningTokens: -1, Input: "hi", Output: "yo",
		Function: "chat", FunctionID: "s1", ParentFunction: "root", ParentFunctionID: "root",
	}
	if tr.Calls[0] != want {
		t.Errorf("got %+v\nwant %+v", tr.Calls[0], want)
	}
	var names []string
	opt := analyze.Defaults()
	opt.Phases = true
	for e := range analyze.Events(tr, opt) {
		if e.Call.Kind == loadgen.SpanCall && e.Start {
			names = append(names, fmt.Sprintf("%s %.3f-%.3f", e.Call.Name, e.Call.Start, e.Call.End))
		}
	}
	if got := strings.Join(names, ", "); got != "connect 2.000-2.001, prefill 2.001-2.500, decode 2.500-5.000" {
		t.Errorf("phases are %s", got)
	}
}

// longRun is a long run with sessions of four turns and prompts that share a
// prefix.
func longRun(n int) *loadgen.Trace {
	tr := &loadgen.Trace{Source: "loadgen", Calls: make([]loadgen.Call, n)}
	system := strings.Repeat("You are a helpful assistant. ", 10)
	const users = 64
	for i := range tr.Calls {
		start := float64(i/users) + 0.01*float64(i%users)
		c := &tr.Calls[i]
		*c = llm(i/4, fmt.Sprintf("session_%06d-%d", i/4, i%4), start, start+0.9+0.3*float64(i*7919%1000)/1000)
		c.Wrote, c.FirstToken = start+0.001, start+0.1+float64(i*31%100)/1000
		c.PromptTokens, c.CompletionTokens = 80+i*31%100, 64
		c.Input = system + fmt.Sprintf("question %d of many: what is %d?", i, i*i)
		c.Function, c.FunctionID = "chat", c.ID
	}
	return tr
}

func BenchmarkRun(b *testing.B) {
	for _, n := range []int{10_000, 100_000, 1_000_000} {
		b.Run(fmt.Sprintf("calls=%d", n), func(b *testing.B) {
			tr := longRun(n)
			b.ReportAllocs()
			for b.Loop() {
				analyze.Run(tr, analyze.Defaults())
			}
			var mem runtime.MemStats
			runtime.ReadMemStats(&mem)
			b.ReportMetric(float64(mem.Sys)/(1<<20), "MiB-from-OS")
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/call")
		})
	}
}

func BenchmarkNestedOverlapping(b *testing.B) {
	const n = 1_000_000
	tr := &loadgen.Trace{}
	for i := range n {
		tr.Calls = append(tr.Calls, llm(0, fmt.Sprint(i), float64(i), float64(i+n)))
	}
	for b.Loop() {
		analyze.NestedStack(tr, analyze.Defaults())
	}
}

func BenchmarkCommonPrefixes(b *testing.B) {
	tr := &loadgen.Trace{}
	for i := range 400 {
		c := llm(i, fmt.Sprint(i), float64(i), float64(i+1))
		c.Input = strings.Repeat("x", 650) + fmt.Sprintf("%04d", i) + strings.Repeat("y", 646)
		tr.Calls = append(tr.Calls, c)
	}
	for _, aiq := range []bool{false, true} {
		b.Run(fmt.Sprintf("aiq=%v", aiq), func(b *testing.B) {
			opt := analyze.Defaults()
			opt.MinFrequency, opt.AIQ = 0, aiq
			for b.Loop() {
				analyze.CommonPrefixes(tr, opt)
			}
		})
	}
}
