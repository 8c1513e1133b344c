package analyze_test

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"loadgen"
	"loadgen/analyze"
)

// A fact is one call as the case file states it.
type fact struct {
	Example          int
	UUID, Type, Name string
	Start, End       float64
	Prompt           int    `json:"prompt_tokens"`
	Completion       int    `json:"completion_tokens"`
	Input            string `json:"input"`
	Function         string `json:"function_name"`
}

type golden struct {
	ID, Algorithm string
	Params        struct {
		Threshold    int     `json:"concurrency_spike_threshold"`
		MinFrequency float64 `json:"min_frequency"`
		MinSupport   float64 `json:"min_support"`
		TopK         int     `json:"top_k"`
		MaxTextLen   int     `json:"max_text_len"`
		Slow         float64 `json:"threshold_seconds"`
	}
	Input     json.RawMessage
	AIQ       json.RawMessage `json:"expected_aiq"`
	Corrected json.RawMessage `json:"expected_corrected"`
}

func goldens(t *testing.T) []golden {
	t.Helper()
	raw, err := os.ReadFile("testdata/aiq_cases.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Cases []golden }
	if err := json.Unmarshal(raw, &file); err != nil {
		t.Fatal(err)
	}
	return file.Cases
}

// trace turns the facts of a case into calls.
func (g golden) trace(t *testing.T) *loadgen.Trace {
	t.Helper()
	var facts []fact
	if err := json.Unmarshal(g.Input, &facts); err != nil {
		t.Fatal(err)
	}
	kinds := map[string]loadgen.CallKind{
		"LLM": loadgen.LLMCall, "TOOL": loadgen.ToolCallKind, "FUNCTION": loadgen.FunctionCall, "SPAN": loadgen.SpanCall,
	}
	tr := &loadgen.Trace{Source: "case"}
	for _, f := range facts {
		tr.Calls = append(tr.Calls, loadgen.Call{
			Example: f.Example, ID: f.UUID, Kind: kinds[f.Type], Name: f.Name,
			Start: f.Start, Wrote: -1, FirstToken: -1, End: f.End,
			PromptTokens: f.Prompt, CompletionTokens: f.Completion, CachedTokens: -1, ReasoningTokens: -1,
			Input: f.Input, Function: f.Function, FunctionID: f.Function,
		})
	}
	return tr
}

func (g golden) options(aiq bool) analyze.Options {
	opt := analyze.Defaults()
	opt.AIQ = aiq
	opt.SpikeThreshold = g.Params.Threshold
	opt.MinFrequency = g.Params.MinFrequency
	opt.MinSupport, opt.TopK, opt.MaxTextLen = g.Params.MinSupport, g.Params.TopK, g.Params.MaxTextLen
	return opt
}

// object is a JSON object of a test's own making.
type object = map[string]any

// algorithms compute what a case expects, in its shape: first as the toolkit
// does, then soundly.
var algorithms = map[string]func(t *testing.T, g golden, aiq bool) any{
	"mean_confidence_intervals": func(t *testing.T, g golden, aiq bool) any {
		var values []float64
		if err := json.Unmarshal(g.Input, &values); err != nil {
			t.Fatal(err)
		}
		if aiq {
			return analyze.AIQMetric(values)
		}
		return analyze.MeanMetric(values)
	},
	"workflow_run_time_confidence_intervals": func(t *testing.T, g golden, aiq bool) any {
		return analyze.Optimize(g.trace(t), g.options(aiq)).Intervals.RunTime
	},
	"concurrency_spike_analysis": func(t *testing.T, g golden, aiq bool) any {
		r := analyze.ConcurrencySpikes(g.trace(t), g.options(aiq))
		if aiq {
			out := asObject(t, r)
			out["n_spikes"] = len(r.Intervals)
			out["avg_prompt_tokens"], out["avg_total_tokens"] = r.Tokens.Prompt, r.Tokens.Total
			for level, latency := range asObject(t, r.Latency) {
				out[level] = latency
			}
			return out
		}
		little := analyze.LittleLaw(g.trace(t), 0, 0)
		spikes := []object{}
		for _, s := range r.Intervals {
			spikes = append(spikes, object{
				"start": s.Start, "end": s.End, "length": s.Length, "peak": s.Concurrency, "time_avg": s.TimeAvg, "active": s.Active,
			})
		}
		return object{
			"busy_only_percentiles":   object{"p50": r.More.BusyP50, "p90": r.More.BusyP90, "p95": r.More.BusyP95, "p99": r.More.BusyP99},
			"merged_spikes":           spikes,
			"dedup_avg_prompt_tokens": r.Tokens.Prompt, "dedup_avg_total_tokens": r.Tokens.Total,
			"lifetime_avg_concurrency": lifetimes(g.trace(t)),
			"little": object{
				"L_time_avg": little.InFlight, "lambda_per_s": little.Rate, "W_mean_s": little.Latency,
				"L_from_little": little.Product, "relative_gap": little.Gap,
			},
		}
	},
	"simple_stack_analysis": func(t *testing.T, g golden, aiq bool) any {
		ops := analyze.SimpleStack(g.trace(t), g.options(aiq))
		if g.ID == "simple-tie-ab" {
			return asObject(t, ops)["LLM:A"]
		}
		if aiq {
			return ops
		}
		total, share := object{}, object{}
		for _, op := range ops {
			total[op.Key], share[op.Key] = op.Value.More.Total, op.Value.More.Share
		}
		return object{"total_busy_time": total, "share_of_total": share}
	},
	"nested_stack_analysis": func(t *testing.T, g golden, aiq bool) any {
		n := analyze.NestedStack(g.trace(t), g.options(aiq))
		if !aiq {
			var path []string
			for _, step := range n.More.CriticalPath {
				name := step.UUID
				if step.Self {
					name += ".self"
				}
				path = append(path, fmt.Sprintf("%s %g", name, float64(step.Seconds)))
			}
			return object{
				"leaf_concurrency": n.More.LeafConcurrency, "critical_path": path,
				"phase_share": n.More.PhaseShare, "request_concurrency": n.Concurrency.P99,
			}
		}
		self, subtree, mid, top := object{}, object{}, object{}, []string{}
		for _, node := range n.Nodes {
			self[node.Key], subtree[node.Key], mid[node.Key] = node.Value.Self, node.Value.Subtree, node.Value.Concurrency
		}
		for _, node := range n.Top {
			top = append(top, node.UUID)
		}
		c := n.Concurrency
		return object{
			"segments": c.Segments, "p": []any{c.P50, c.P90, c.P95, c.P99}, "p50": c.P50,
			"self": self, "subtree": subtree, "mid": mid, "top": top,
		}
	},
	"common_prefixes": func(t *testing.T, g golden, aiq bool) any {
		if g.ID == "prefix-0.5-startonly" {
			return startsOnly(t, g)
		}
		return prefixes(analyze.CommonPrefixes(g.trace(t), g.options(aiq)))
	},
	"token_uniqueness": func(t *testing.T, g golden, aiq bool) any {
		return analyze.Uniqueness(g.trace(t), g.options(aiq))
	},
	"workflow_runtimes": func(t *testing.T, g golden, aiq bool) any {
		return analyze.WorkflowRuntimes(g.trace(t), g.options(aiq))
	},
	"compute_llm_metrics": func(t *testing.T, g golden, aiq bool) any {
		var rows []any
		for e := range analyze.Events(g.trace(t), g.options(aiq)) {
			name := e.Call.Kind.String() + "_END"
			var osl any
			if e.Start {
				name = e.Call.Kind.String() + "_START"
			}
			if e.Nova.OutputTokens >= 0 {
				osl = e.Nova.OutputTokens
			}
			rows = append(rows, []any{name, e.Time, e.Nova.Remaining, e.Nova.ToNext, e.Nova.ToEventEnd, osl, e.Nova.ToSessionEnd})
		}
		return rows
	},
	"prefix_span_analysis": func(t *testing.T, g golden, aiq bool) any {
		var rows []any
		for _, p := range analyze.PrefixSpan(g.trace(t), g.options(aiq)).Patterns {
			rows = append(rows, []any{p.Items, p.Frequency, p.Coverage, p.Duration, p.Examples})
		}
		if !aiq {
			// The file lists the two by name; the stated order is by duration.
			slices.Reverse(rows)
		}
		return rows
	},
	"prediction_trie": func(t *testing.T, g golden, aiq bool) any {
		root := analyze.PredictionTrie(g.trace(t), g.options(aiq)).Root
		sens, inter, remaining := object{}, []any{}, []any{}
		for _, p := range root.ByIndex {
			sens[p.Key] = *p.Value.Sensitivity
			inter, remaining = append(inter, p.Value.Interarrival.Mean), append(remaining, p.Value.Remaining.Mean)
		}
		return object{"sens": sens, "any": *root.Any.Sensitivity, "inter": inter, "remaining": remaining}
	},
	"seed003_load_tester": func(t *testing.T, g golden, aiq bool) any {
		var in []struct {
			Timestamp    float64
			ResponseTime float64 `json:"response_time"`
			Success      bool
		}
		if err := json.Unmarshal(g.Input, &in); err != nil {
			t.Fatal(err)
		}
		var calls []loadgen.Call
		for _, r := range in {
			calls = append(calls, loadgen.Call{Start: r.Timestamp, End: r.Timestamp + r.ResponseTime, Failed: !r.Success})
		}
		u := analyze.UserStatistics(calls, g.options(aiq))
		if !aiq {
			return object{"window_s": u.Window, "throughput_rps_ok": u.Throughput, "mean_ok": u.Times.Mean}
		}
		out := asObject(t, u)
		for key, value := range asObject(t, u.Times) {
			out[key] = value
		}
		return out
	},
	"seed003_n_plus_one": func(t *testing.T, g golden, aiq bool) any {
		var times []float64
		if err := json.Unmarshal(g.Input, &times); err != nil {
			t.Fatal(err)
		}
		return analyze.Defaults().Burst.Clusters(times)
	},
	"seed003_identify_bottlenecks": func(t *testing.T, g golden, aiq bool) any {
		var times map[string][]float64
		if err := json.Unmarshal(g.Input, &times); err != nil {
			t.Fatal(err)
		}
		var ops analyze.Object[[]float64]
		for name, seconds := range times {
			ops = append(ops, analyze.Member[[]float64]{Key: name, Value: seconds})
		}
		var rows []any
		for _, b := range analyze.SlowOperations(ops, g.Params.Slow) {
			rows = append(rows, []any{b.Operation, b.Avg, b.Max, b.Count, b.Severity})
		}
		return rows
	},
}

// worded are the corrections that the file states in words, as the values
// they ask for.
var worded = map[string]func(t *testing.T, g golden) (got, want any){
	"ci-empty": func(t *testing.T, g golden) (got, want any) {
		m := asObject(t, analyze.MeanMetric(nil))
		return []any{m["mean"], m["ninety_fifth_interval"], m["p90"]}, []any{nil, nil, nil}
	},
	"csa-five-thr1-config-default": func(t *testing.T, g golden) (got, want any) {
		busy := analyze.ConcurrencySpikes(g.trace(t), g.options(false))
		g.Params.Threshold = 0
		spike := analyze.ConcurrencySpikes(g.trace(t), g.options(false))
		return []any{busy.More.Label, len(busy.Intervals), spike.More.Label, spike.Threshold}, []any{"busy", 2, "spike", 2}
	},
	"csa-zero-length": func(t *testing.T, g golden) (got, want any) {
		r := analyze.ConcurrencySpikes(g.trace(t), g.options(false))
		return []any{r.Latency, r.More.ZeroLength}, []any{object{"1": 4}, 1}
	},
}

// sizing are the algorithms whose cases sizing_test.go runs, all of each.
var sizing = []string{"sizing_linear_fit", "sizing_gpu_estimate", "sizing_rough_estimate"}

func TestCases(t *testing.T) {
	seen := 0
	for _, g := range goldens(t) {
		if slices.Contains(sizing, g.Algorithm) {
			seen++
			continue
		}
		run, known := algorithms[g.Algorithm]
		if !known {
			t.Errorf("no test covers case %s of %s", g.ID, g.Algorithm)
			continue
		}
		seen++
		t.Run(g.ID+" as the toolkit has it", func(t *testing.T) {
			match(t, run(t, g, true), decode(t, g.AIQ))
		})
		if g.Corrected == nil {
			continue
		}
		t.Run(g.ID+" as it should be", func(t *testing.T) {
			if words, inWords := worded[g.ID]; inWords {
				got, want := words(t, g)
				match(t, got, roundTrip(t, want))
				return
			}
			want := decode(t, g.Corrected)
			if o, isObject := want.(object); isObject {
				delete(o, "method") // prose
			}
			match(t, run(t, g, false), want)
		})
	}
	if seen != 30 {
		t.Errorf("covered %d cases, the file should have 30", seen)
	}
}

// lifetimes returns the average concurrency over each call's life.
func lifetimes(tr *loadgen.Trace) object {
	var starts, ends []float64
	for _, c := range tr.Calls {
		starts, ends = append(starts, c.Start), append(ends, c.End)
	}
	line, out := analyze.NewTimeline(starts, ends), object{}
	for _, c := range tr.Calls {
		out[c.ID] = line.Area(c.Start, c.End) / c.Duration()
	}
	return out
}

// startsOnly runs the prompts of the neighbouring case without their ends.
func startsOnly(t *testing.T, g golden) any {
	for _, other := range goldens(t) {
		if other.ID != "prefix-0.5" {
			continue
		}
		tr := other.trace(t)
		for i := range tr.Calls {
			tr.Calls[i].End = -1
		}
		return prefixes(analyze.CommonPrefixes(tr, g.options(true)))
	}
	t.Fatal("the case prefix-0.5 is gone")
	return nil
}

func prefixes(models analyze.Object[analyze.Prefixes]) any {
	rows := func(list []analyze.Prefix) []any {
		out := []any{}
		for _, p := range list {
			out = append(out, []any{p.Text, p.Calls, p.Share})
		}
		return out
	}
	out := object{}
	for _, m := range models {
		group := object{"total_calls": m.Value.Calls, "prefix_info": rows(m.Value.Info)}
		if m.Value.More != nil {
			group["also_maximal_by_count"] = rows(m.Value.More.Shorter)
		}
		out[m.Key] = group
	}
	return out
}

func asObject(t *testing.T, v any) object {
	t.Helper()
	o, ok := roundTrip(t, v).(object)
	if !ok {
		t.Fatalf("%T is no JSON object", v)
	}
	return o
}

func roundTrip(t *testing.T, v any) any {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return decode(t, raw)
}

func decode(t *testing.T, raw []byte) any {
	t.Helper()
	var v any
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// match compares what was computed with what a case states: every key that
// the case has, numbers to 1e-9 and a millionth.
func match(t *testing.T, got, want any) {
	t.Helper()
	for _, d := range differences("", roundTrip(t, got), want) {
		t.Error(d)
	}
}

func differences(path string, got, want any) []string {
	switch w := want.(type) {
	case object:
		g, ok := got.(object)
		if !ok {
			return []string{fmt.Sprintf("%s: got %v, want %v", path, got, want)}
		}
		var out []string
		for key, value := range w {
			out = append(out, differences(path+"/"+key, g[key], value)...)
		}
		return out
	case []any:
		g, ok := got.([]any)
		if len(w) == 0 && got == nil {
			return nil
		}
		if !ok || len(g) != len(w) {
			return []string{fmt.Sprintf("%s: got %v, want %v", path, got, want)}
		}
		var out []string
		for i := range w {
			out = append(out, differences(fmt.Sprintf("%s[%d]", path, i), g[i], w[i])...)
		}
		return out
	case float64:
		g, ok := got.(float64)
		if !ok || math.Abs(g-w) > 1e-9+1e-6*math.Abs(w) {
			return []string{fmt.Sprintf("%s: got %v, want %v", path, got, want)}
		}
		return nil
	default:
		if !reflect.DeepEqual(got, want) {
			return []string{fmt.Sprintf("%s: got %v, want %v", strings.TrimPrefix(path, "/"), got, want)}
		}
		return nil
	}
}
