package client

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"unicode/utf8"

	"loadgen"
)

// PayloadOptions are what all request bodies of a run have in common.
type PayloadOptions struct {
	Model           string
	Type            EndpointType // Chat where empty
	Streaming       bool
	LegacyMaxTokens bool // max_tokens instead of max_completion_tokens in chat
	IgnoreEOS       bool // ignore_eos: go on past the end of the answer
	MinTokens       bool // min_tokens equal to the token limit, where a request has one
	// Extra is extra_inputs: merged in at the top level, and winning. A null, of
	// a key that loadgen writes or within one, takes that away; other nulls are
	// sent.
	Extra map[string]any
}

// A Payload builds request bodies. The order of keys is always the same:
// messages or prompt, model, stream, stream_options, the token limits,
// ignore_eos, then the extra inputs sorted by key. It may be used by many goroutines.
type Payload struct {
	chat     bool
	textKey  []byte // `,"messages":` or `,"prompt":`; nil where an extra input replaces it
	middle   []byte // from the model to the token limit, members each led by a comma
	limitKey []byte // `,"max_tokens":`; nil where an extra input replaces it
	minKey   []byte // `,"min_tokens":`; nil where it is not asked for
	extra    []byte
}

// NewPayload prepares everything that does not change from request to request.
// An extra input that JSON cannot express is an error.
func NewPayload(o PayloadOptions) (*Payload, error) {
	if o.Type == "" {
		o.Type = Chat
	}
	p := &Payload{chat: o.Type == Chat}
	keep := func(key string) bool {
		_, replaced := o.Extra[key]
		return !replaced
	}
	text := "prompt"
	if p.chat {
		text = "messages"
	}
	if keep(text) {
		p.textKey = []byte(`,"` + text + `":`)
	}
	if keep("model") {
		p.middle = appendString(append(p.middle, `,"model":`...), o.Model)
	}
	if keep("stream") {
		p.middle = strconv.AppendBool(append(p.middle, `,"stream":`...), o.Streaming)
	}
	if o.Streaming && keep("stream_options") {
		p.middle = append(p.middle, `,"stream_options":{"include_usage":true}`...)
	}
	limit := "max_completion_tokens"
	if o.LegacyMaxTokens || !p.chat {
		limit = "max_tokens"
	}
	if keep(limit) {
		p.limitKey = []byte(`,"` + limit + `":`)
	}
	if o.MinTokens && keep("min_tokens") {
		p.minKey = []byte(`,"min_tokens":`)
	}
	if o.IgnoreEOS && keep("ignore_eos") {
		p.extra = append(p.extra, `,"ignore_eos":true`...)
	}
	for _, key := range slices.Sorted(maps.Keys(o.Extra)) {
		value := o.Extra[key]
		if slices.Contains(generated, key) {
			if value = withoutNulls(value); value == nil {
				continue
			}
		}
		b, err := encoded(value)
		if err != nil {
			return nil, fmt.Errorf("encode extra input %s: %w", key, err)
		}
		p.extra = append(appendString(append(p.extra, ','), key), ':')
		p.extra = append(p.extra, b...)
	}
	return p, nil
}

// generated are the keys that loadgen writes.
var generated = []string{
	"messages", "prompt", "model", "stream", "stream_options", "max_tokens", "max_completion_tokens", "min_tokens", "ignore_eos",
}

// withoutNulls returns a value without the members that are null.
func withoutNulls(value any) any {
	members, ok := value.(map[string]any)
	if !ok {
		return value
	}
	kept := map[string]any{}
	for key, value := range members {
		if value = withoutNulls(value); value != nil {
			kept[key] = value
		}
	}
	return kept
}

// encoded returns JSON whose texts are as they were written, < and > included.
func encoded(value any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(value); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// Append appends the JSON body of req to dst and returns the longer slice.
func (p *Payload) Append(dst []byte, req *loadgen.Request) []byte {
	first := len(dst)
	if p.textKey != nil {
		dst = append(dst, p.textKey...)
		if p.chat {
			dst = appendMessages(dst, req.Messages)
		} else {
			dst = appendPrompt(dst, req.Messages)
		}
	}
	dst = append(dst, p.middle...)
	if req.MaxTokens > 0 && p.limitKey != nil {
		dst = strconv.AppendInt(append(dst, p.limitKey...), int64(req.MaxTokens), 10)
	}
	if req.MaxTokens > 0 && p.minKey != nil {
		dst = strconv.AppendInt(append(dst, p.minKey...), int64(req.MaxTokens), 10)
	}
	dst = append(dst, p.extra...)
	if len(dst) == first { // all is taken away
		return append(dst, "{}"...)
	}
	dst[first] = '{' // in place of the first member's comma
	return append(dst, '}')
}

func appendMessages(dst []byte, messages []loadgen.Message) []byte {
	dst = append(dst, '[')
	for i, m := range messages {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendString(append(dst, `{"role":`...), m.Role)
		dst = appendString(append(dst, `,"content":`...), m.Content)
		dst = append(dst, '}')
	}
	return append(dst, ']')
}

func appendPrompt(dst []byte, messages []loadgen.Message) []byte {
	dst = append(dst, '"')
	for i, m := range messages {
		if i > 0 {
			dst = append(dst, `\n`...)
		}
		dst = appendEscaped(dst, m.Content)
	}
	return append(dst, '"')
}

func appendString(dst []byte, s string) []byte {
	return append(appendEscaped(append(dst, '"'), s), '"')
}

// appendEscaped escapes what JSON demands and nothing else. Bytes that are not
// UTF-8 become U+FFFD: servers refuse a body with them.
func appendEscaped(dst []byte, s string) []byte {
	if utf8.ValidString(s) && plain([]byte(s)) == len(s) { // as nearly all prompts are
		return append(dst, s...)
	}
	const hex = "0123456789abcdef"
	done := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= utf8.RuneSelf {
			r, size := utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError && size == 1 {
				dst = append(append(dst, s[done:i]...), "\uFFFD"...)
				done = i + 1
			}
			i += size
			continue
		}
		if c >= ' ' && c != '"' && c != '\\' {
			i++
			continue
		}
		dst = append(dst, s[done:i]...)
		switch c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\t':
			dst = append(dst, '\\', 't')
		case '\r':
			dst = append(dst, '\\', 'r')
		default:
			dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		}
		i++
		done = i
	}
	return append(dst, s[done:]...)
}
