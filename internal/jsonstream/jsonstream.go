// Package jsonstream walks JSON files that are too large to be decoded whole:
// recordings of prompts, and traces. It knows nothing of what they hold.
package jsonstream

import (
	"bytes"
	"encoding/json"
	"io"
)

// A Stream walks a JSON text value by value, so that only what is decoded
// is in memory.
type Stream struct{ *json.Decoder }

// New returns the stream of a reader.
func New(r io.Reader) Stream { return Stream{json.NewDecoder(r)} }

// Object calls each with every key of an object; each must read the value.
// A value that is no object is passed over.
func (s Stream) Object(each func(key string) error) error {
	return s.walk('{', func() error {
		token, err := s.Token()
		if err != nil {
			return err
		}
		return each(token.(string))
	})
}

// Array calls each before every element of an array; each must read it.
func (s Stream) Array(each func() error) error { return s.walk('[', each) }

func (s Stream) walk(open json.Delim, each func() error) error {
	token, err := s.Token()
	if err != nil {
		return err
	}
	delim, isDelim := token.(json.Delim)
	if !isDelim {
		return nil
	}
	if delim != open {
		return s.rest()
	}
	for s.More() {
		if err := each(); err != nil {
			return err
		}
	}
	_, err = s.Token()
	return err
}

// Skip reads over the next value.
func (s Stream) Skip() error {
	token, err := s.Token()
	if err != nil {
		return err
	}
	if d, ok := token.(json.Delim); ok && (d == '{' || d == '[') {
		return s.rest()
	}
	return nil
}

// rest reads to the end of the object or array that was just opened.
func (s Stream) rest() error {
	for depth := 1; depth > 0; {
		token, err := s.Token()
		if err != nil {
			return err
		}
		switch token {
		case json.Delim('{'), json.Delim('['):
			depth++
		case json.Delim('}'), json.Delim(']'):
			depth--
		}
	}
	return nil
}

// Text is a string as it is and anything else as JSON; empty for null
// and nothing.
func Text(data json.RawMessage) string {
	data = bytes.TrimSpace(data)
	if len(data) == 0 || string(data) == "null" {
		return ""
	}
	var s string
	if data[0] == '"' && json.Unmarshal(data, &s) == nil {
		return s
	}
	return string(data)
}
