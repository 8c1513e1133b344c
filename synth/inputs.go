package synth

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

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

// isWhole reports whether the messages of a recorded turn hold those of the turn
// before it, and the answer to that. Where the server's answers are not known
// beforehand, a run records each turn's own messages alone.
func isWhole(before, turn []loadgen.Message) bool {
	answered := slices.ContainsFunc(turn, func(m loadgen.Message) bool { return m.Role == "assistant" })
	return answered || len(turn) > len(before) && slices.Equal(before, turn[:len(before)]) ||
		len(before) == 1 && len(turn) == 1 && strings.HasPrefix(turn[0].Content, before[0].Content+"\n")
}

// spliced returns a recorded body with the messages of the one before it, and the
// answer to that, in front of its own; false where one of them has none.
func spliced(before []byte, answer string, body []byte) ([]byte, bool) {
	key, from, to := textOf(before)
	ownKey, at, end := textOf(body)
	if key == "" || key != ownKey {
		return nil, false
	}
	said, err := encoded(answer)
	if err != nil {
		return nil, false
	}
	var text []byte
	if key == "messages" {
		text = slices.Concat(bytes.TrimSuffix(before[from:to], []byte("]")), []byte(`,{"role":"assistant","content":`), said,
			[]byte("},"), bytes.TrimPrefix(body[at:end], []byte("[")))
	} else {
		text = slices.Concat(bytes.TrimSuffix(before[from:to], []byte(`"`)), []byte(`\n`), said[1:len(said)-1],
			[]byte(`\n`), bytes.TrimPrefix(body[at:end], []byte(`"`)))
	}
	return slices.Concat(body[:at], text, body[end:]), true
}

// textOf returns where in a request body, which has no white space between its
// tokens, the messages stand, or the prompt; an empty key for neither.
func textOf(body []byte) (key string, from, to int) {
	dec := json.NewDecoder(bytes.NewReader(body))
	if open, err := dec.Token(); err != nil || open != json.Delim('{') {
		return "", 0, 0
	}
	for dec.More() {
		name, err := dec.Token()
		if err != nil {
			return "", 0, 0
		}
		var value json.RawMessage
		if err := dec.Decode(&value); err != nil {
			return "", 0, 0
		}
		to = int(dec.InputOffset())
		if name == "messages" && value[0] == '[' && len(value) > 2 || name == "prompt" && value[0] == '"' {
			return name.(string), to - len(value), to
		}
	}
	return "", 0, 0
}

// encoded returns a text as JSON, with no more escapes than JSON demands.
func encoded(text string) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(text)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
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
