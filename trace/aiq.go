package trace

import (
	"bufio"
	"encoding/json"
	"fmt"
	"strings"

	"loadgen/internal/jsonstream"

	"loadgen"
)

// An aiqStep is what is read of an IntermediateStep.
type aiqStep struct {
	Parent   string `json:"parent_id"`
	Ancestry struct {
		ID         string  `json:"function_id"`
		Name       string  `json:"function_name"`
		ParentID   *string `json:"parent_id"`
		ParentName *string `json:"parent_name"`
	} `json:"function_ancestry"`
	Payload aiqPayload `json:"payload"`
}

type aiqPayload struct {
	Type      string      `json:"event_type"`
	Time      *float64    `json:"event_timestamp"`
	Span      *float64    `json:"span_event_timestamp"`
	Framework *string     `json:"framework"`
	Name      *string     `json:"name"`
	Metadata  looseObject `json:"metadata"`
	Data      looseObject `json:"data"`
	Usage     *struct {
		Tokens struct {
			Prompt     *int `json:"prompt_tokens"`
			Completion *int `json:"completion_tokens"`
			Cached     *int `json:"cached_tokens"`
			Reasoning  *int `json:"reasoning_tokens"`
		} `json:"token_usage"`
	} `json:"usage_info"`
	UUID string `json:"UUID"`
}

// A looseObject is an object that may be anything else: then it is empty.
type looseObject map[string]json.RawMessage

// UnmarshalJSON takes any value.
func (o *looseObject) UnmarshalJSON(data []byte) error {
	*o = nil
	if len(data) == 0 || data[0] != '{' {
		return nil
	}
	return json.Unmarshal(data, (*map[string]json.RawMessage)(o))
}

// readExamples reads all_requests_profiler_traces.json and
// workflow_output.json: elements with intermediate_steps.
func readExamples(r *bufio.Reader, b *builder) error {
	b.source = "aiq"
	next := 0
	return elements(r, func(s jsonstream.Stream) error {
		example := next
		err := s.Object(func(key string) error {
			switch key {
			case "request_number":
				var n *int
				if err := s.Decode(&n); err != nil {
					return err
				}
				if n != nil && *n >= 0 {
					example = *n
				}
				return nil
			case "intermediate_steps":
				clear(b.open)
				return s.Array(func() error { return b.aiqStep(s, example) })
			default:
				return s.Skip()
			}
		})
		next = max(next, example) + 1
		return err
	})
}

// readSteps reads steps without the wrapper: they are one session.
func readSteps(r *bufio.Reader, b *builder) error {
	b.source = "aiq"
	return elements(r, func(s jsonstream.Stream) error { return b.aiqStep(s, 0) })
}

func (b *builder) aiqStep(s jsonstream.Stream, example int) error {
	var step aiqStep
	if err := s.Decode(&step); err != nil {
		return err
	}
	p := &step.Payload
	kindName, edge := cutLast(p.Type, '_')
	if p.Type == "LLM_NEW_TOKEN" {
		kindName, edge = "LLM", "NEW_TOKEN"
	}
	kind, known := aiqKinds[kindName]
	switch {
	case p.Type == "SPAN_CHUNK":
		return nil
	case !known || edge != "START" && edge != "END" && edge != "NEW_TOKEN":
		b.pass(p.Type)
		return nil
	case p.Time == nil || p.UUID == "":
		b.noTimes++
		return nil
	}
	at, started := b.open[p.UUID]
	switch edge {
	case "START":
		c := newCall()
		c.Example, c.ID, c.Kind, c.Start = example, p.UUID, kind, *p.Time
		step.describe(&c)
		c.Input = jsonstream.Text(p.Data["input"])
		b.open[p.UUID] = len(b.calls)
		b.add(c)
	case "NEW_TOKEN":
		if started && !(b.calls[at].FirstToken <= *p.Time) {
			b.calls[at].FirstToken = *p.Time
		}
	default:
		if !started {
			if p.Span == nil {
				b.orphans++
				return nil
			}
			c := newCall()
			c.Example, c.ID, c.Kind, c.Start = example, p.UUID, kind, *p.Span
			step.describe(&c)
			at = len(b.calls)
			b.add(c)
		}
		step.end(&b.calls[at])
	}
	return nil
}

// aiqKinds are the types of events by their prefix.
var aiqKinds = map[string]loadgen.CallKind{
	"LLM": loadgen.LLMCall, "TOOL": loadgen.ToolCallKind, "FUNCTION": loadgen.FunctionCall, "SPAN": loadgen.SpanCall,
	"WORKFLOW": loadgen.WorkflowCall, "TASK": loadgen.WorkflowCall, "TTC": loadgen.WorkflowCall, "CUSTOM": loadgen.WorkflowCall,
}

func cutLast(s string, sep byte) (before, after string) {
	i := strings.LastIndexByte(s, sep)
	if i < 0 {
		return s, ""
	}
	return s[:i], s[i+1:]
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

func (step *aiqStep) describe(c *loadgen.Call) {
	if step.Parent != "root" {
		c.Parent = step.Parent
	}
	c.Name, c.Framework = deref(step.Payload.Name), deref(step.Payload.Framework)
	c.Function, c.FunctionID = step.Ancestry.Name, step.Ancestry.ID
	c.ParentFunction, c.ParentFunctionID = deref(step.Ancestry.ParentName), deref(step.Ancestry.ParentID)
}

func (step *aiqStep) end(c *loadgen.Call) {
	p := &step.Payload
	c.End = *p.Time
	c.Output = jsonstream.Text(p.Data["output"])
	if u := p.Usage; u != nil {
		t := u.Tokens
		for _, count := range []struct {
			to   *int
			from *int
		}{
			{&c.PromptTokens, t.Prompt},
			{&c.CompletionTokens, t.Completion},
			{&c.CachedTokens, t.Cached},
			{&c.ReasoningTokens, t.Reasoning},
		} {
			if count.from != nil && *count.from >= 0 {
				*count.to = *count.from
			}
		}
	}
	var provided struct {
		Status    any    `json:"status"`
		ErrorType string `json:"error_type"`
	}
	if json.Unmarshal(p.Metadata["provided_metadata"], &provided) == nil {
		if provided.ErrorType != "" || fmt.Sprint(provided.Status) == "error" {
			c.Failed, c.Error = true, provided.ErrorType
		}
	}
}
