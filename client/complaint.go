package client

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	"loadgen"
)

// Servers tell an error inside a reply in many forms: as a member error, an
// object or a text, of the reply or of a choice; as errors, detail or message in
// place of an answer; by the reason why the answer finished. What stands for
// none (null, false, an empty text) is none.

// complains reports whether an object of a reply tells an error. Those of its
// choices are looked at with the choices.
func complains(top map[string]json.RawMessage) bool {
	if isError(top["error"]) || string(stringOf(top["object"]).raw) == "error" {
		return true
	}
	if !nothing(top["choices"]) || !nothing(top["usage"]) {
		return false
	}
	if !nothing(top["detail"]) || len(array(top["errors"])) > 0 {
		return true
	}
	return !nothing(top["message"]) && (codeIn(top) != 0 || strings.Contains(string(stringOf(top["type"]).raw), "error"))
}

// complaintIn returns the error at the beginning of what is no object of an
// answer: an object that more follows, or a list of errors; nil where there is
// none. one says that b is one object, which has been looked at.
func complaintIn(b []byte, one bool) []byte {
	if one {
		return nil
	}
	var first json.RawMessage
	if json.NewDecoder(bytes.NewReader(b)).Decode(&first) != nil {
		return nil
	}
	top, ok := object(first)
	if list := array(first); len(list) > 0 {
		top, ok = object(list[0])
	}
	if ok && complains(top) {
		return first
	}
	return nil
}

// isError reports whether a member error tells one. An object all of whose
// members say nothing is a form that was not filled in.
func isError(raw json.RawMessage) bool { return isErrorWithin(raw, maxForm) }

// maxForm is how deep the forms of errors and of reasoning nest. What is deeper
// is none of them, and would be read once for every level.
const maxForm = 4

func isErrorWithin(raw json.RawMessage, levels int) bool {
	switch string(raw) {
	case "false", "0":
		return false
	}
	if nothing(raw) {
		return false
	}
	if levels == 0 {
		return true
	}
	members, ok := object(raw)
	for _, raw := range members {
		if isErrorWithin(raw, levels-1) {
			return true
		}
	}
	return !ok
}

// errorOf returns the error that a choice tells, itself or in its text; nil for
// none.
func errorOf(choice map[string]json.RawMessage) json.RawMessage {
	delta, _ := object(choice["delta"])
	message, _ := object(choice["message"])
	for _, raw := range [...]json.RawMessage{choice["error"], delta["error"], message["error"]} {
		if isError(raw) {
			return raw
		}
	}
	return nil
}

// reported reads the error that an object or an error reply holds: its message
// and its code, 0 where it names none.
func reported(data []byte) (message string, code int) {
	top, ok := object(data)
	if !ok { // a list of errors, as Google has it
		if list := array(data); len(list) > 0 {
			top, _ = object(list[0])
		}
	}
	sources := []json.RawMessage{top["error"]}
	for _, raw := range array(top["choices"]) {
		choice, _ := object(raw)
		sources = append(sources, errorOf(choice))
	}
	sources = append(sources, array(top["errors"])...)
	for _, raw := range sources {
		if message == "" {
			message = wordsOf(raw, maxForm)
		}
		if inner, ok := object(raw); ok && code == 0 {
			code = codeIn(inner)
		}
	}
	if message == "" {
		message = wordsIn(top, maxForm)
	}
	if code == 0 {
		code = codeIn(top)
	}
	return message, code
}

// wordsOf returns what a member says in words: a text, the words of an object,
// or those of the members of a list.
func wordsOf(raw json.RawMessage, levels int) string {
	if t := stringOf(raw); !t.empty() {
		return string(t.appendTo(nil))
	}
	if levels == 0 {
		return ""
	}
	if inner, ok := object(raw); ok {
		return wordsIn(inner, levels-1)
	}
	const most = 8 // of a list: a message is short
	var words []string
	for _, raw := range array(raw) {
		if len(words) == most {
			break
		}
		if w := wordsOf(raw, levels-1); w != "" {
			words = append(words, w)
		}
	}
	return strings.Join(words, "; ")
}

// wordsIn returns the words of an object, led by the place that FastAPI names.
func wordsIn(o map[string]json.RawMessage, levels int) string {
	for _, name := range [...]string{"message", "msg", "detail", "error", "error_message", "error_msg", "description", "title", "reason"} {
		if w := wordsOf(o[name], levels); w != "" {
			if place := array(o["loc"]); len(place) > 0 {
				return placeOf(place) + ": " + w
			}
			return w
		}
	}
	return ""
}

func placeOf(steps []json.RawMessage) string {
	names := make([]string, len(steps))
	for i, raw := range steps {
		if names[i] = string(stringOf(raw).appendTo(nil)); names[i] == "" {
			names[i] = string(raw) // a number
		}
	}
	return strings.Join(names, ".")
}

func codeIn(o map[string]json.RawMessage) int {
	for _, name := range [...]string{"code", "status", "status_code", "type"} {
		if code := codeOf(o[name]); code != 0 {
			return code
		}
	}
	return 0
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

// brokenOff are reasons to finish that are none of the model's: the server gave
// the answer up. A reason that speaks of an error is one, too.
var brokenOff = []string{
	"abort", "aborted", "cancel", "cancelled", "canceled", "fail", "failed", "failure", "interrupted", "killed", "preempted",
	"timeout", "timed_out", "overloaded", "insufficient_system_resource",
}

// gaveUp returns the failure of an answer that finished for a reason which is
// no end of an answer, nil for any other.
func gaveUp(reason string) error {
	lower := strings.ToLower(reason)
	if !slices.Contains(brokenOff, lower) && !strings.Contains(lower, "error") {
		return nil
	}
	return faultf(loadgen.FailHTTP5xx, "the server gave the answer up: finish_reason %q", reason)
}
