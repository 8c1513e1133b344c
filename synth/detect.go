package synth

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
)

// marks are keys that tell the format of an entry. A random pool looks like
// single turns, and is never meant by itself.
var marks = map[string]Format{
	"turns": MultiTurn, "conversations": ShareGPT, "data": InputsJSON,
	"input_length": MooncakeTrace, "text_input": MooncakeTrace, "hash_ids": MooncakeTrace,
	"text": SingleTurn, "prompt": SingleTurn,
}

// ErrNoMark is a file whose first entry has no key that tells its format.
var ErrNoMark = errors.New("its first entry does not tell")

var errNoEntries = errors.New("it holds no entries")

// openRegular opens a file that can be read more than once. To open a pipe would
// wait for someone to write to it.
func openRegular(path string) (*os.File, error) {
	info, err := os.Stat(path)
	if err == nil && !info.Mode().IsRegular() {
		err = &fs.PathError{Op: "open", Path: path, Err: errNotRegular}
	}
	if err != nil {
		return nil, err
	}
	return os.Open(path)
}

var errNotRegular = errors.New("it is not a regular file, which can be read more than once")

// Detect returns the format of a dataset by the keys of its first entry,
// [ErrNoMark] where they do not tell.
func Detect(path string) (Format, error) {
	file, err := openRegular(path)
	if err != nil {
		return NoFormat, err
	}
	defer file.Close()
	r := bufio.NewReader(io.LimitReader(file, maxEntry))
	head, _ := r.Peek(4)
	if err := sniff(head); err != nil {
		return NoFormat, err
	}
	if len(head) >= 3 && string(head[:3]) == "\xef\xbb\xbf" {
		if _, err := r.Discard(3); err != nil {
			return NoFormat, err
		}
	}
	return detect(json.NewDecoder(r))
}

func detect(dec *json.Decoder) (Format, error) {
	open, err := dec.Token()
	if err == nil && open == json.Delim('[') {
		if open, err = dec.Token(); open == json.Delim(']') {
			return NoFormat, errNoEntries
		}
	}
	if errors.Is(err, io.EOF) {
		return NoFormat, errNoEntries
	}
	if err != nil || open != json.Delim('{') {
		return NoFormat, ErrNoMark
	}
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return NoFormat, ErrNoMark
		}
		if name, ok := key.(string); ok && marks[name] != NoFormat {
			return marks[name], nil
		}
		var skipped json.RawMessage
		if err := dec.Decode(&skipped); err != nil {
			return NoFormat, ErrNoMark
		}
	}
	return NoFormat, ErrNoMark
}
