package synth

import (
	"encoding/json"
	"strings"

	"loadgen"
)

// parseShareGPT reads a conversation as ShareGPT's dumps have it: each message
// of the human is a turn, and what the model says to it the recorded answer. A
// model that speaks first is not heard.
func parseShareGPT(raw []byte) (entry, error) {
	var l struct {
		Conversations []struct {
			From  string `json:"from"`
			Value string `json:"value"`
		} `json:"conversations"`
	}
	if err := json.Unmarshal(raw, &l); err != nil {
		return entry{}, plain(err)
	}
	var e entry
	var waiting []loadgen.Message
	for _, m := range l.Conversations {
		if m.Value == "" {
			continue
		}
		switch strings.ToLower(m.From) {
		case "system":
			waiting = append(waiting, loadgen.Message{Role: "system", Content: m.Value})
		case "human", "user":
			own := loadgen.Message{Role: "user", Content: m.Value}
			e.turns = append(e.turns, entryTurn{messages: append(waiting, own)})
			waiting = nil
		default:
			if len(e.turns) > 0 {
				if err := e.answered(m.Value); err != nil {
					return e, err
				}
			}
		}
	}
	if len(e.turns) == 0 {
		return e, errUnusable
	}
	return e, nil
}
