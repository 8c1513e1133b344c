package client

import (
	"bytes"
	"encoding/json"
	"math"

	"loadgen"
)

// slow reads with encoding/json what the scanner would not: names that come
// twice, escaped names, numbers such as 12.0, content in parts. A member of
// another type than expected is passed over, as if it were absent. It reports
// false where data is no JSON object.
func (e *event) slow(data []byte) bool {
	top, ok := object(data)
	if !ok {
		return false
	}
	e.model = stringOf(top["model"])
	e.failed = present(top["error"]) || string(stringOf(top["object"]).raw) == "error"
	e.usage = usageOf(top["usage"])
	for _, raw := range array(top["choices"]) {
		choice, _ := object(raw)
		if !e.slowDelta(choice["delta"]) {
			e.slowDelta(choice["message"])
		}
		e.content(stringOf(choice["text"]))
		if t := stringOf(choice["finish_reason"]); !t.empty() {
			e.finish = t
		}
	}
	return true
}

func (e *event) slowDelta(raw json.RawMessage) bool {
	delta, ok := object(raw)
	if !ok {
		return false
	}
	for _, call := range array(delta["tool_calls"]) {
		call, _ := object(call)
		e.slowFunction(call["function"])
	}
	e.slowFunction(delta["function_call"])
	e.content(stringOf(delta["content"]))
	for _, raw := range array(delta["content"]) { // content in parts
		part, _ := object(raw)
		switch string(stringOf(part["type"]).raw) {
		case "text":
			e.content(stringOf(part["text"]))
		case "thinking":
			e.reasoning(stringOf(part["thinking"]))
			for _, raw := range array(part["thinking"]) {
				inner, _ := object(raw)
				e.reasoning(stringOf(inner["text"]))
			}
		}
	}
	reasoning := stringOf(delta["reasoning_content"])
	if reasoning.empty() {
		reasoning = stringOf(delta["reasoning"])
	}
	e.reasoning(reasoning)
	return true
}

func (e *event) slowFunction(raw json.RawMessage) {
	if f, ok := object(raw); ok {
		e.tool(stringOf(f["name"]), stringOf(f["arguments"]))
	}
}

func usageOf(raw json.RawMessage) loadgen.Usage {
	u, _ := object(raw)
	completion, _ := object(u["completion_tokens_details"])
	prompt, _ := object(u["prompt_tokens_details"])
	return loadgen.Usage{
		PromptTokens:     countOf(u["prompt_tokens"]),
		CompletionTokens: countOf(u["completion_tokens"]),
		ReasoningTokens:  countOf(completion["reasoning_tokens"]),
		CachedTokens:     countOf(prompt["cached_tokens"]),
	}
}

func object(raw []byte) (map[string]json.RawMessage, bool) {
	var m map[string]json.RawMessage
	if !bytes.HasPrefix(bytes.TrimLeft(raw, " \t\r\n"), []byte("{")) || json.Unmarshal(raw, &m) != nil {
		return nil, false
	}
	return m, true
}

func array(raw json.RawMessage) []json.RawMessage {
	var a []json.RawMessage
	if json.Unmarshal(raw, &a) != nil {
		return nil
	}
	return a
}

func present(raw json.RawMessage) bool { return raw != nil && string(raw) != "null" }

// stringOf returns the string in raw, with its bytes as they came; encoding/json
// would replace those that are not UTF-8.
func stringOf(raw json.RawMessage) text {
	s := scanner{b: raw}
	if t, escaped := s.str(); s.end() {
		return text{raw: t, escaped: escaped}
	}
	return text{}
}

func countOf(raw json.RawMessage) int {
	var f float64
	if !present(raw) || json.Unmarshal(raw, &f) != nil || f < 0 || f > math.MaxInt32 || f != math.Trunc(f) {
		return -1
	}
	return int(f)
}

// reported reads the error that an object or an error reply holds: its message
// and its code, 0 where it names none. The forms are {"error":{…}},
// {"error":"…"} and the members at the top level.
func reported(data []byte) (message string, code int) {
	top, ok := object(data)
	if !ok {
		return "", 0
	}
	inner, nested := object(top["error"])
	if !nested {
		inner = top
	}
	for _, raw := range []json.RawMessage{inner["message"], top["error"], top["message"], top["detail"]} {
		if t := stringOf(raw); message == "" && !t.empty() {
			message = string(t.appendTo(nil))
		}
	}
	for _, raw := range []json.RawMessage{inner["code"], inner["status"], inner["type"]} {
		if code == 0 {
			code = codeOf(raw)
		}
	}
	return message, code
}

// codeOf reads an error's code: a number, a number in a string, or one of the
// names that servers use where they give no number.
func codeOf(raw json.RawMessage) int {
	name := string(stringOf(raw).raw)
	switch name {
	case "":
		name = string(raw)
	case "rate_limit_exceeded", "rate_limit_error", "RateLimitError", "insufficient_quota":
		return 429
	case "invalid_request_error", "BadRequestError":
		return 400
	}
	var code int
	if json.Unmarshal([]byte(name), &code) != nil || code < 400 || code > 599 {
		return 0
	}
	return code
}
