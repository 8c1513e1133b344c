package synth

import (
	"encoding/json"
	"errors"
	"fmt"

	"loadgen"
)

// parseMooncake reads an entry of a trace as the Mooncake project publishes
// them: lengths in tokens, and an id for each block of the prompt, so that
// prompts with the same ids begin alike.
func parseMooncake(raw []byte) (entry, error) {
	var l struct {
		Timestamp    *float64        `json:"timestamp"`
		Delay        *float64        `json:"delay"`
		InputLength  *int            `json:"input_length"`
		TextInput    *string         `json:"text_input"`
		OutputLength *int            `json:"output_length"`
		HashIDs      []int64         `json:"hash_ids"`
		Session      json.RawMessage `json:"session_id"`
		unsupported
	}
	if err := json.Unmarshal(raw, &l); err != nil {
		return entry{}, plain(err)
	}
	if err := l.check(); err != nil {
		return entry{}, err
	}
	if l.Session != nil {
		return entry{}, errors.New("session_id: the entries of this type are sent on their own; use multi_turn")
	}
	if (l.InputLength == nil) == (l.TextInput == nil) {
		return entry{}, errors.New("one of input_length and text_input is needed")
	}
	var t entryTurn
	if l.TextInput != nil {
		t.messages = []loadgen.Message{{Role: "user", Content: *l.TextInput}}
	} else if t.input = *l.InputLength; t.input < 1 || t.input > MaxTokens {
		return entry{}, fmt.Errorf("input_length: %d is not between 1 and %d", t.input, MaxTokens)
	}
	if l.OutputLength != nil {
		// A trace may have requests that were given no answer.
		if t.output = *l.OutputLength; t.output < 0 || t.output > MaxTokens {
			return entry{}, fmt.Errorf("output_length: %d is not between 0 and %d", t.output, MaxTokens)
		}
	}
	t.blocks = l.HashIDs
	return entry{at: l.Timestamp, gap: l.Delay, turns: []entryTurn{t}}, nil
}
