package client

import (
	"bytes"
	"encoding/json"
	"math"

	"loadgen"
)

// slow reads with encoding/json what the scanner would not: names that come
// twice, escaped names, numbers such as 12.0, content in parts, errors. A
// member of another type than expected is passed over, as if it were absent. It
// reports false where data is no JSON object.
func (e *event) slow(data []byte) bool {
	top, ok := object(data)
	if !ok {
		return false
	}
	e.model = stringOf(top["model"])
	e.failed = complains(top)
	if !e.failed && nothing(top["choices"]) && nothing(top["usage"]) {
		e.said = wordsIn(top, maxForm)
	}
	if u, ok := object(top["usage"]); ok {
		e.counted(usageOf(u))
	}
	for i, raw := range array(top["choices"]) {
		choice, _ := object(raw)
		if !e.slowDelta(choice["delta"]) {
			e.slowDelta(choice["message"])
		}
		e.content(stringOf(choice["text"]))
		if t := stringOf(choice["finish_reason"]); !t.empty() {
			e.finish = t
		}
		if n := countOf(choice["index"]); n >= 0 {
			i = n
		}
		e.others = e.others || i > 0
		e.failed = e.failed || errorOf(choice) != nil
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
		e.slowFunction(call["custom"])
	}
	e.slowFunction(delta["function_call"])
	e.content(stringOf(delta["content"]))
	e.parts(delta["content"])
	e.content(stringOf(delta["refusal"]))
	e.slowAudio(delta["audio"])
	if !nothing(delta["images"]) {
		e.kinds |= hasContent
	}
	for _, name := range thoughtNames {
		if t := stringOf(delta[name]); !t.empty() {
			e.reasoning(t)
			return true
		}
	}
	for _, name := range [...]string{"reasoning_details", "thinking_blocks"} {
		if e.thoughts(delta[name], maxForm) {
			break
		}
	}
	return true
}

// parts reads content that comes in a list, or as one object.
func (e *event) parts(raw json.RawMessage) {
	list := array(raw)
	if _, single := object(raw); single {
		list = []json.RawMessage{raw}
	}
	for _, raw := range list {
		e.content(stringOf(raw))
		part, ok := object(raw)
		if !ok {
			continue
		}
		switch kind := string(stringOf(part["type"]).raw); kind {
		case "thinking", "reasoning":
			if !e.thoughts(part["thinking"], maxForm) {
				e.thoughts(raw, maxForm)
			}
		default:
			e.content(stringOf(part["text"]))
			e.content(stringOf(part["refusal"]))
			e.slowAudio(part["audio"])
			if !nothing(part["image_url"]) || !nothing(part["image"]) {
				e.kinds |= hasContent
			}
		}
	}
}

// thoughts reads reasoning as a text, as an object that holds one, or as a list
// of these. It reports whether there was any: an encrypted one says nothing.
func (e *event) thoughts(raw json.RawMessage, levels int) bool {
	if t := stringOf(raw); !t.empty() {
		e.reasoning(t)
		return true
	}
	if levels == 0 {
		return false
	}
	found := false
	if o, ok := object(raw); ok {
		for _, name := range [...]string{"text", "thinking", "summary", "content"} {
			if t := stringOf(o[name]); !t.empty() && !found {
				e.reasoning(t)
				found = true
			}
		}
	}
	for _, raw := range array(raw) {
		if e.thoughts(raw, levels-1) {
			found = true
		}
	}
	return found
}

// slowAudio takes sound in. Sound without words is output all the same.
func (e *event) slowAudio(raw json.RawMessage) {
	audio, _ := object(raw)
	e.content(stringOf(audio["transcript"]))
	if t := stringOf(audio["data"]); !t.empty() {
		e.kinds |= hasContent
	}
}

func (e *event) slowFunction(raw json.RawMessage) {
	f, ok := object(raw)
	if !ok {
		return
	}
	arguments := f["arguments"]
	if arguments == nil {
		arguments = f["input"]
	}
	given := stringOf(arguments)
	if _, ok := object(arguments); ok {
		given = text{raw: arguments}
	}
	e.tool(stringOf(f["name"]), given)
}

func usageOf(u map[string]json.RawMessage) loadgen.Usage {
	completion, _ := object(u["completion_tokens_details"])
	prompt, _ := object(u["prompt_tokens_details"])
	counts := loadgen.Usage{
		PromptTokens:     countOf(u["prompt_tokens"]),
		CompletionTokens: countOf(u["completion_tokens"]),
		ReasoningTokens:  countOf(completion["reasoning_tokens"]),
		CachedTokens:     countOf(prompt["cached_tokens"]),
		TotalTokens:      countOf(u["total_tokens"]),
	}
	if counts.ReasoningTokens < 0 {
		counts.ReasoningTokens = countOf(u["reasoning_tokens"])
	}
	return counts
}

// object reads an object. Numbers that JSON does not have are null in it.
func object(raw []byte) (map[string]json.RawMessage, bool) {
	if !bytes.HasPrefix(bytes.TrimLeft(raw, " \t\r\n"), []byte("{")) {
		return nil, false
	}
	var m map[string]json.RawMessage
	if json.Unmarshal(raw, &m) == nil {
		return m, true
	}
	m = nil
	if b, changed := withoutNaN(raw); changed && json.Unmarshal(b, &m) == nil {
		return m, true
	}
	return nil, false
}

// withoutNaN returns a copy with null for every NaN and Infinity outside of
// strings, which some servers write where a logarithm fails.
func withoutNaN(raw []byte) (b []byte, changed bool) {
	b = make([]byte, 0, len(raw))
	for i := 0; i < len(raw); {
		if raw[i] == '"' {
			n := stringEnd(raw[i:])
			b = append(b, raw[i:i+n]...)
			i += n
			continue
		}
		if n := notANumber(raw[i:]); n > 0 {
			b = append(b, "null"...)
			i += n
			changed = true
			continue
		}
		b = append(b, raw[i])
		i++
	}
	return b, changed
}

// stringEnd returns the length of the string at the beginning of b, of all of b
// where it does not end.
func stringEnd(b []byte) int {
	for i := 1; i < len(b); i++ {
		switch b[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(b)
}

// notANumber returns the length of the word for no number at the beginning of
// b, 0 where there is none.
func notANumber(b []byte) int {
	sign := 0
	if len(b) > 0 && (b[0] == '-' || b[0] == '+') {
		sign = 1
	}
	for _, word := range [...]string{"infinity", "inf", "nan"} {
		if rest := b[sign:]; len(rest) >= len(word) && bytes.EqualFold(rest[:len(word)], []byte(word)) {
			return sign + len(word)
		}
	}
	return 0
}

func array(raw json.RawMessage) []json.RawMessage {
	var a []json.RawMessage
	if json.Unmarshal(raw, &a) != nil {
		return nil
	}
	return a
}

// nothing reports whether a member is absent, or holds nothing.
func nothing(raw json.RawMessage) bool {
	s := scanner{b: raw}
	return len(raw) == 0 || s.nothing()
}

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
	if nothing(raw) || json.Unmarshal(raw, &f) != nil || f < 0 || f > math.MaxInt32 || f != math.Trunc(f) {
		return -1
	}
	return int(f)
}
