package trace

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"loadgen/internal/jsonstream"

	"loadgen"
)

// An otelSpan is a span in OTLP/JSON or as the SDKs print it; names in snake
// case are read too, in either.
type otelSpan struct {
	TraceID   string       `json:"traceId"`
	TraceID2  string       `json:"trace_id"`
	SpanID    string       `json:"spanId"`
	SpanID2   string       `json:"span_id"`
	Parent    string       `json:"parentSpanId"`
	Parent2   string       `json:"parent_span_id"`
	Parent3   *string      `json:"parent_id"`
	Name      string       `json:"name"`
	Start     otelTime     `json:"startTimeUnixNano"`
	Start2    otelTime     `json:"start_time_unix_nano"`
	Start3    otelTime     `json:"start_time"`
	End       otelTime     `json:"endTimeUnixNano"`
	End2      otelTime     `json:"end_time_unix_nano"`
	End3      otelTime     `json:"end_time"`
	Attribute attributes   `json:"attributes"`
	Status    otelStatus   `json:"status"`
	Context   *otelContext `json:"context"`
}

type otelContext struct {
	TraceID string `json:"trace_id"`
	SpanID  string `json:"span_id"`
}

type otelStatus struct {
	Code  any `json:"code"`
	Code2 any `json:"status_code"`
}

func (s otelStatus) failed() bool {
	for _, code := range []any{s.Code, s.Code2} {
		switch fmt.Sprint(code) {
		case "2", "ERROR", "STATUS_CODE_ERROR":
			return true
		}
	}
	return false
}

// An otelTime is unix nanoseconds, from a number, a string of one, or ISO
// 8601; 0 where none is there.
type otelTime int64

// UnmarshalJSON reads any of the forms.
func (t *otelTime) UnmarshalJSON(data []byte) error {
	text := strings.Trim(string(data), `"`)
	if text == "null" || text == "" {
		return nil
	}
	if ns, err := strconv.ParseInt(text, 10, 64); err == nil {
		*t = otelTime(ns)
		return nil
	}
	if ns, err := strconv.ParseFloat(text, 64); err == nil && math.Abs(ns) < 1<<62 {
		*t = otelTime(ns)
		return nil
	}
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return fmt.Errorf("time %s is neither nanoseconds nor ISO 8601", data)
	}
	*t = otelTime(at.UnixNano())
	return nil
}

// attributes are a span's: OTLP's list of keys and typed values, or an object.
// Texts are kept as they are, anything else as JSON.
type attributes map[string]string

// UnmarshalJSON reads either form.
func (a *attributes) UnmarshalJSON(data []byte) error {
	*a = attributes{}
	data = bytes.TrimSpace(data)
	if len(data) > 0 && data[0] == '{' {
		var plain map[string]json.RawMessage
		if err := json.Unmarshal(data, &plain); err != nil {
			return err
		}
		for key, value := range plain {
			(*a)[key] = jsonstream.Text(value)
		}
		return nil
	}
	var list []struct {
		Key   string                     `json:"key"`
		Value map[string]json.RawMessage `json:"value"`
	}
	if err := json.Unmarshal(data, &list); err != nil {
		return err
	}
	for _, kv := range list {
		for _, value := range kv.Value { // one typed value
			(*a)[kv.Key] = jsonstream.Text(value)
		}
	}
	return nil
}

// first returns the first attribute that is there.
func (a attributes) first(keys ...string) string {
	for _, key := range keys {
		if v := a[key]; v != "" {
			return v
		}
	}
	return ""
}

func (a attributes) count(keys ...string) int {
	n, err := strconv.ParseFloat(a.first(keys...), 64)
	if err != nil || n < 0 || n > 1<<40 {
		return -1
	}
	return int(n)
}

// natAttributes are the NeMo Agent Toolkit's: their prefix is nat unless the
// environment says otherwise, so they are found by what follows it.
var natAttributes = []string{
	"event_type", "span.kind", "function.id", "function.name", "function.parent_id", "function.parent_name",
	"framework", "conversation.id", "workflow.run_id",
}

// normalize copies the toolkit's attributes to their names with the default
// prefix, where another was used.
func (a attributes) normalize() {
	if a["nat.event_type"] != "" {
		return
	}
	prefix := ""
	for key := range a {
		if p, found := strings.CutSuffix(key, ".event_type"); found {
			prefix = p
		}
	}
	if prefix == "" {
		return
	}
	for _, name := range natAttributes {
		if v := a[prefix+"."+name]; v != "" {
			a["nat."+name] = v
		}
	}
}

// readOTLP reads OTLP/JSON: one export, or several that follow one another.
func readOTLP(r *bufio.Reader, b *builder) error {
	b.startSpans()
	return elements(r, func(s jsonstream.Stream) error {
		return s.Object(func(key string) error {
			if key != "resourceSpans" && key != "resource_spans" {
				return s.Skip()
			}
			return s.Array(func() error {
				return s.Object(func(key string) error {
					switch key {
					case "scopeSpans", "scope_spans", "instrumentationLibrarySpans":
						return s.Array(func() error { return b.scope(s) })
					default:
						return s.Skip()
					}
				})
			})
		})
	})
}

func (b *builder) scope(s jsonstream.Stream) error {
	return s.Object(func(key string) error {
		if key != "spans" {
			return s.Skip()
		}
		return s.Array(func() error { return b.span(s) })
	})
}

// readSpans reads one span after another, on lines of their own or in an
// array.
func readSpans(r *bufio.Reader, b *builder) error {
	b.startSpans()
	return elements(r, b.span)
}

func (b *builder) startSpans() {
	b.source = "otel"
	b.missing = append(b.missing, "a span covers all retries of its call: latencies include them")
}

func (b *builder) span(s jsonstream.Stream) error {
	var span otelSpan
	if err := s.Decode(&span); err != nil {
		return err
	}
	c, ok := b.spanCall(&span)
	if !ok {
		b.noTimes++
		return nil
	}
	b.add(c)
	return nil
}

func (b *builder) spanCall(span *otelSpan) (loadgen.Call, bool) {
	c := newCall()
	a := span.Attribute
	a.normalize()
	c.ID, c.Parent = cmp.Or(span.SpanID, span.SpanID2), cmp.Or(span.Parent, span.Parent2, deref(span.Parent3))
	trace := cmp.Or(span.TraceID, span.TraceID2)
	if span.Context != nil {
		c.ID, trace = cmp.Or(c.ID, span.Context.SpanID), cmp.Or(trace, span.Context.TraceID)
	}
	// The SDKs print ids with 0x in front, in some places only.
	c.ID, c.Parent = strings.TrimPrefix(c.ID, "0x"), strings.TrimPrefix(c.Parent, "0x")
	if strings.Trim(c.Parent, "0") == "" {
		c.Parent = ""
	}
	start, end := max(span.Start, span.Start2, span.Start3), max(span.End, span.End2, span.End3)
	if start <= 0 {
		return c, false
	}
	c.Start = b.seconds(int64(start))
	if end > 0 {
		c.End = b.seconds(int64(end))
	}
	session := a.first("gen_ai.conversation.id", "nat.conversation.id", "session.id", "nat.workflow.run_id")
	c.Example = b.sessionOf(cmp.Or(session, trace, c.ID))
	c.Kind = spanKind(a)
	switch c.Kind {
	case loadgen.LLMCall:
		c.Name = a.first("gen_ai.request.model", "gen_ai.response.model", "llm.model_name", "nat.subspan.name")
		c.Name = cmp.Or(c.Name, span.Name)
	case loadgen.ToolCallKind:
		c.Name = cmp.Or(a.first("gen_ai.tool.name", "tool.name"), span.Name)
	default:
		c.Name = cmp.Or(a.first("gen_ai.agent.name"), span.Name)
	}
	c.PromptTokens = a.count("gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens", "llm.token_count.prompt")
	c.CompletionTokens = a.count("gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens", "llm.token_count.completion")
	c.CachedTokens = a.count("gen_ai.usage.cache_read.input_tokens", "llm.token_count.prompt_details.cache_read")
	c.ReasoningTokens = a.count("gen_ai.usage.reasoning.output_tokens")
	if first, err := strconv.ParseFloat(a.first("gen_ai.response.time_to_first_chunk"), 64); err == nil && first >= 0 {
		c.FirstToken = c.Start + first
	}
	c.Input, c.Output = a.first("gen_ai.input.messages", "input.value"), a.first("gen_ai.output.messages", "output.value")
	c.Function, c.FunctionID = a["nat.function.name"], a["nat.function.id"]
	c.ParentFunction, c.ParentFunctionID = a["nat.function.parent_name"], a["nat.function.parent_id"]
	c.Framework = a["nat.framework"]
	if c.Error = a["error.type"]; c.Error != "" || span.Status.failed() {
		c.Failed, c.Error = true, cmp.Or(c.Error, "error")
	}
	return c, true
}

// spanKind tells what a span is by its attributes; what says nothing is a
// function, kept for the tree.
func spanKind(a attributes) loadgen.CallKind {
	switch a["gen_ai.operation.name"] {
	case "chat", "text_completion", "generate_content":
		return loadgen.LLMCall
	case "execute_tool":
		return loadgen.ToolCallKind
	}
	kind, _ := cutLast(a["nat.event_type"], '_')
	switch cmp.Or(kind, a["openinference.span.kind"], a["nat.span.kind"]) {
	case "LLM":
		return loadgen.LLMCall
	case "TOOL":
		return loadgen.ToolCallKind
	}
	return loadgen.FunctionCall
}
