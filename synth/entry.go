package synth

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"loadgen"
)

// An entry is a session as a dataset has it.
type entry struct {
	at    *float64 // due, in milliseconds on the dataset's own clock
	gap   *float64 // due, in milliseconds after the entry before it
	turns []entryTurn
}

// An entryTurn is a request of an entry: messages, or a length for which to
// make some up, or a finished body.
type entryTurn struct {
	messages []loadgen.Message
	answer   *string // what the assistant said to it
	output   int     // tokens to ask for, 0 where the entry does not say
	delay    time.Duration
	input    int     // tokens to make up
	blocks   []int64 // ids of the blocks with which those begin
	body     []byte
}

// errUnusable marks an entry with which nothing is wrong but that holds no
// request, as many of ShareGPT's do. It is passed over.
var errUnusable = errors.New("it holds no message of a user")

// maxMillis keeps times within what a time.Duration holds; unix times do.
const maxMillis = 9e12

func millis(what string, ms float64) (time.Duration, error) {
	if !(ms >= 0 && ms <= maxMillis) {
		return 0, fmt.Errorf("the %s %v is not a time in milliseconds", what, ms)
	}
	return time.Duration(ms * float64(time.Millisecond)), nil
}

// due returns when an entry is due, where the one before it was due at prev;
// false where the entry does not say.
func (e entry) due(prev time.Duration) (at time.Duration, timed bool, err error) {
	switch {
	case e.at != nil && e.gap != nil:
		err = errors.New("timestamp and delay are both given; an entry is due by one of them")
	case e.gap != nil:
		at, err = millis("delay", *e.gap)
		at += prev
	case e.at != nil:
		at, err = millis("timestamp", *e.at)
		if err == nil && at < prev {
			err = fmt.Errorf("the timestamp %v is before that of the entry above; sort the file by timestamp", *e.at)
		}
	default:
		return prev, false, nil
	}
	return at, true, err
}

// A line is what single_turn, random_pool and the turns of multi_turn consist
// of. Keys that it does not name are taken for notes of the user's, except
// those to which AIPerf gives a meaning that would be lost.
type line struct {
	Text   *string `json:"text"`
	Prompt *string `json:"prompt"`

	Role         string   `json:"role"`
	OutputLength *int     `json:"output_length"`
	Timestamp    *float64 `json:"timestamp"`
	Delay        *float64 `json:"delay"`

	// What requests call the output length.
	MaxTokens           *int `json:"max_tokens"`
	MaxCompletionTokens *int `json:"max_completion_tokens"`

	Session json.RawMessage `json:"session_id"` // of a line that is not a turn
	unsupported
}

// unsupported are keys of AIPerf's datasets that are refused rather than
// ignored.
type unsupported struct {
	Texts    json.RawMessage `json:"texts"`
	Image    json.RawMessage `json:"image"`
	Images   json.RawMessage `json:"images"`
	Audio    json.RawMessage `json:"audio"`
	Audios   json.RawMessage `json:"audios"`
	Video    json.RawMessage `json:"video"`
	Videos   json.RawMessage `json:"videos"`
	Extra    json.RawMessage `json:"extra"`
	Messages json.RawMessage `json:"messages"`
	Payload  json.RawMessage `json:"payload"`
	Tools    json.RawMessage `json:"tools"`
}

func (u unsupported) check() error {
	for _, part := range []struct {
		key   string
		value json.RawMessage
	}{
		{"texts", u.Texts},
		{"image", u.Image},
		{"images", u.Images},
		{"audio", u.Audio},
		{"audios", u.Audios},
		{"video", u.Video},
		{"videos", u.Videos},
		{"extra", u.Extra},
		{"messages", u.Messages},
		{"payload", u.Payload},
		{"tools", u.Tools},
	} {
		if part.value != nil && !bytes.Equal(part.value, []byte("null")) {
			return fmt.Errorf("%q is not supported: an entry is one text; parameters go into extra_inputs", part.key)
		}
	}
	return nil
}

func (l line) turn() (entryTurn, error) {
	var t entryTurn
	if err := l.check(); err != nil {
		return t, err
	}
	text := l.Text
	if text == nil {
		text = l.Prompt
	} else if l.Prompt != nil {
		return t, errors.New("text and prompt are both given")
	}
	if text == nil || *text == "" {
		return t, errors.New(`there is no prompt in it; write {"text": "…"}`)
	}
	var err error
	if t.output, err = l.output(); err != nil {
		return t, err
	}
	role := l.Role
	if role == "" {
		role = "user"
	}
	t.messages = []loadgen.Message{{Role: role, Content: *text}}
	return t, nil
}

// output returns the output length that a line asks for, 0 for none.
func (l line) output() (int, error) {
	length, by := 0, ""
	for _, given := range []struct {
		key   string
		value *int
	}{{"output_length", l.OutputLength}, {"max_tokens", l.MaxTokens}, {"max_completion_tokens", l.MaxCompletionTokens}} {
		switch n := given.value; {
		case n == nil:
		case *n < 1 || *n > MaxTokens:
			return 0, fmt.Errorf("%s: %d is not between 1 and %d", given.key, *n, MaxTokens)
		case by != "" && *n != length:
			return 0, fmt.Errorf("%s is %d and %s %d: leave one of them out", by, length, given.key, *n)
		default:
			length, by = *n, given.key
		}
	}
	return length, nil
}

func parseSingleTurn(raw []byte, f Format) (entry, error) {
	var l line
	if err := json.Unmarshal(raw, &l); err != nil {
		return entry{}, plain(err)
	}
	if f == RandomPool && (l.Timestamp != nil || l.Delay != nil) {
		return entry{}, errors.New("entries of a random_pool come in no order and have no times; use single_turn")
	}
	if l.Session != nil {
		return entry{}, errors.New("session_id: the entries of this type are sent on their own; use multi_turn")
	}
	t, err := l.turn()
	return entry{at: l.Timestamp, gap: l.Delay, turns: []entryTurn{t}}, err
}

func parseMultiTurn(raw []byte) (entry, error) {
	var l struct {
		Turns []line `json:"turns"`
	}
	if err := json.Unmarshal(raw, &l); err != nil {
		return entry{}, plain(err)
	}
	var e entry
	var waiting []loadgen.Message // system messages, until a user's
	for i, part := range l.Turns {
		fail := func(err error) (entry, error) { return entry{}, fmt.Errorf("turn %d: %w", i+1, err) }
		t, err := part.turn()
		if err != nil {
			return fail(err)
		}
		switch part.Role {
		case "system", "developer":
			waiting = append(waiting, t.messages...)
			continue
		case "assistant":
			if err := e.answered(t.messages[0].Content); err != nil {
				return fail(err)
			}
			continue
		}
		t.messages = append(waiting, t.messages...)
		waiting = nil
		if len(e.turns) == 0 {
			e.at, e.gap = part.Timestamp, part.Delay
		} else if part.Timestamp != nil {
			return fail(errors.New("only the first turn has a timestamp; a later one is due its delay after the answer before it"))
		} else if part.Delay != nil {
			if t.delay, err = millis("delay", *part.Delay); err != nil {
				return fail(err)
			}
		}
		e.turns = append(e.turns, t)
	}
	if len(e.turns) == 0 {
		return e, errors.New(`there is no user's turn in it; write {"turns": [{"text": "…"}]}`)
	}
	return e, nil
}

// answered notes what the assistant said to the last turn.
func (e *entry) answered(text string) error {
	if len(e.turns) == 0 {
		return errors.New("the assistant speaks before the user does")
	}
	last := &e.turns[len(e.turns)-1]
	if last.answer != nil {
		text = *last.answer + "\n" + text
	}
	last.answer = &text
	return nil
}

// errCutLine is the error for an entry that goes on behind the end of its line.
var errCutLine = errors.New("the line ends before its JSON does: write an entry on one line, or all of them as one array")

// plain leaves Go's names of types out of what encoding/json says.
func plain(err error) error {
	var kind *json.UnmarshalTypeError
	if err.Error() == "unexpected end of JSON input" { // which has no type
		return errCutLine
	}
	if errors.As(err, &kind) {
		return fmt.Errorf("%q cannot be a JSON %s", kind.Field, kind.Value)
	}
	return fmt.Errorf("it is not JSON: %w", err)
}
