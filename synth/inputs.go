package synth

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"loadgen"
)

// parseInputs reads a session of an inputs.json: a finished body per turn,
// which goes out as it is but for the white space between its tokens.
func parseInputs(raw []byte) (entry, error) {
	var l struct {
		Payloads []json.RawMessage `json:"payloads"`
		Payload  []json.RawMessage `json:"payload"` // as GenAI-Perf names it
	}
	if err := json.Unmarshal(raw, &l); err != nil {
		return entry{}, plain(err)
	}
	var e entry
	for i, payload := range append(l.Payloads, l.Payload...) {
		t, err := parseBody(payload)
		if err != nil {
			return e, fmt.Errorf("payload %d: %w", i+1, err)
		}
		e.turns = append(e.turns, t)
	}
	if len(e.turns) == 0 {
		return e, errors.New("the session has no payloads")
	}
	return e, nil
}

// parseBody finds in a request body what is known of a request besides.
func parseBody(payload []byte) (entryTurn, error) {
	var t entryTurn
	var body struct {
		Messages []struct {
			Role    string          `json:"role"`
			Content json.RawMessage `json:"content"`
		} `json:"messages"`
		Prompt              json.RawMessage `json:"prompt"`
		MaxTokens           int             `json:"max_tokens"`
		MaxCompletionTokens int             `json:"max_completion_tokens"`
	}
	if err := json.Unmarshal(payload, &body); err != nil {
		return t, plain(err)
	}
	t.output = max(body.MaxTokens, body.MaxCompletionTokens, 0)
	for _, m := range body.Messages {
		t.messages = append(t.messages, loadgen.Message{Role: m.Role, Content: contentText(m.Content)})
	}
	if body.Prompt != nil {
		t.messages = append(t.messages, loadgen.Message{Role: "user", Content: contentText(body.Prompt)})
	}
	if len(t.messages) == 0 {
		return t, errors.New("it has neither messages nor a prompt")
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, payload); err != nil {
		return t, plain(err)
	}
	t.body = compact.Bytes()
	return t, nil
}

// contentText returns the text of a content or a prompt: a string, a list of
// strings, or the text parts of a list; empty for anything else.
func contentText(raw json.RawMessage) string {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		return text
	}
	var parts []json.RawMessage
	if json.Unmarshal(raw, &parts) != nil {
		return ""
	}
	for _, raw := range parts {
		var part struct {
			Text string `json:"text"`
		}
		var s string
		if json.Unmarshal(raw, &s) == nil {
			text += s
		} else if json.Unmarshal(raw, &part) == nil {
			text += part.Text
		}
	}
	return text
}
