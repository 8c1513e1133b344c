package synth

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// readKeys are the keys that an entry of a format and its parts may have, apart
// from a label of the user's.
var readKeys = map[Format]struct{ entry, list, part []string }{
	SingleTurn:    {entry: lineKeys},
	RandomPool:    {entry: lineKeys},
	MultiTurn:     {entry: []string{"turns", "session_id"}, list: []string{"turns"}, part: lineKeys},
	MooncakeTrace: {entry: []string{"timestamp", "delay", "input_length", "text_input", "output_length", "hash_ids"}},
	ShareGPT:      {entry: []string{"conversations"}, list: []string{"conversations"}, part: []string{"from", "value"}},
	InputsJSON:    {entry: []string{"session_id", "payloads", "payload"}},
}

var lineKeys = []string{"text", "prompt", "role", "output_length", "max_tokens", "max_completion_tokens", "timestamp", "delay"}

// unread collects the keys of a dataset that nothing is done with: they may be
// the user's own notes, or a parameter that was meant to be sent.
type unread map[string]int // the first line of each

// add notes the unread keys of an entry.
func (u unread) add(f Format, it item) {
	keys := readKeys[f]
	var entry map[string]json.RawMessage
	if json.Unmarshal(it.json, &entry) != nil {
		return
	}
	u.note(entry, keys.entry, it.line)
	for _, key := range keys.list {
		var parts []map[string]json.RawMessage
		if json.Unmarshal(entry[key], &parts) == nil {
			for _, part := range parts {
				u.note(part, keys.part, it.line)
			}
		}
	}
}

func (u unread) note(object map[string]json.RawMessage, known []string, line int) {
	for key := range object {
		if _, noted := u[key]; !noted && key != "id" && len(u) < maxUnread && !slices.ContainsFunc(known, func(k string) bool { return strings.EqualFold(k, key) }) {
			u[key] = line
		}
	}
}

// maxUnread bounds a note. A dataset may have a key of its own in every entry.
const maxUnread = 12

// String says which keys are not read; empty for none.
func (u unread) String() string {
	if len(u) == 0 {
		return ""
	}
	var list []string
	for _, key := range slices.Sorted(maps.Keys(u)) {
		list = append(list, fmt.Sprintf("%.40q in line %d", key, u[key]))
	}
	more := ""
	if len(u) == maxUnread {
		more = ", and perhaps more"
	}
	return fmt.Sprintf("keys of its entries that are not sent: %s%s; what every request is to have goes into extra_inputs", strings.Join(list, ", "), more)
}
