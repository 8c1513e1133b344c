package tokenizer

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
)

// A jsonReader walks through JSON without building a tree of it, four times
// as fast as encoding/json reads the vocabulary and the merges.
type jsonReader struct {
	text    []byte
	at      int
	unquote []byte // the latest string that had escapes
}

func (r *jsonReader) fail(want string) error {
	if r.at >= len(r.text) {
		return fmt.Errorf("the JSON ends where %s should stand: the file is cut off", want)
	}
	return fmt.Errorf("JSON byte %d: found %q where %s should stand", r.at, r.text[r.at], want)
}

// peek returns the next byte that is not white space, 0 at the end.
func (r *jsonReader) peek() byte {
	for ; r.at < len(r.text); r.at++ {
		switch c := r.text[r.at]; c {
		case ' ', '\n', '\r', '\t':
		default:
			return c
		}
	}
	return 0
}

// take consumes c if it comes next.
func (r *jsonReader) take(c byte) bool {
	if r.peek() != c {
		return false
	}
	r.at++
	return true
}

// object calls value for each key, with the reader at its value. The key is
// good until the next string is read.
func (r *jsonReader) object(value func(key string) error) error {
	return r.list('{', '}', func() error {
		key, err := r.str()
		if err != nil {
			return err
		}
		if !r.take(':') {
			return r.fail("a colon")
		}
		return value(view(key))
	})
}

// array calls value with the reader at each element.
func (r *jsonReader) array(value func() error) error { return r.list('[', ']', value) }

func (r *jsonReader) list(open, end byte, element func() error) error {
	if !r.take(open) {
		return r.fail(strconv.QuoteRune(rune(open)))
	}
	if r.take(end) {
		return nil
	}
	for {
		if err := element(); err != nil {
			return err
		}
		if r.take(end) {
			return nil
		}
		if !r.take(',') {
			return r.fail("a comma or " + strconv.QuoteRune(rune(end)))
		}
	}
}

// str reads a string. It is good until the next one is read.
func (r *jsonReader) str() ([]byte, error) {
	if r.peek() != '"' {
		return nil, r.fail("a string")
	}
	start := r.at
	r.at++
	for escaped := false; r.at < len(r.text); r.at++ {
		switch r.text[r.at] {
		case '"':
			r.at++
			if !escaped {
				return r.text[start+1 : r.at-1], nil
			}
			var s string
			if err := json.Unmarshal(r.text[start:r.at], &s); err != nil {
				return nil, fmt.Errorf("JSON byte %d: %w", start, err)
			}
			r.unquote = append(r.unquote[:0], s...)
			return r.unquote, nil
		case '\\':
			escaped = true
			r.at++
		}
	}
	return nil, r.fail("the end of a string")
}

// number reads a number.
func (r *jsonReader) number() (float64, error) {
	r.peek()
	start := r.at
	for r.at < len(r.text) && bytes.IndexByte([]byte("+-.eE0123456789"), r.text[r.at]) >= 0 {
		r.at++
	}
	x, err := strconv.ParseFloat(view(r.text[start:r.at]), 64)
	if err != nil {
		r.at = start
		return 0, r.fail("a number")
	}
	return x, nil
}

// integer reads a whole number that is not negative.
func (r *jsonReader) integer() (int, error) {
	r.peek()
	start, n := r.at, 0
	for r.at < len(r.text) && r.text[r.at] >= '0' && r.text[r.at] <= '9' && n < 1<<40 {
		n = 10*n + int(r.text[r.at]-'0')
		r.at++
	}
	if r.at == start {
		return 0, r.fail("a number")
	}
	return n, nil
}

// raw skips a value of any kind and returns its text.
func (r *jsonReader) raw() ([]byte, error) {
	r.peek()
	start := r.at
	for depth := 0; ; {
		switch r.peek() {
		case 0:
			return nil, r.fail("a value")
		case '"':
			if err := r.skipString(); err != nil {
				return nil, err
			}
		case '{', '[':
			depth++
			r.at++
			continue
		case '}', ']':
			if depth--; depth < 0 {
				return nil, r.fail("a value")
			}
			r.at++
		case ',', ':':
			if depth == 0 {
				return nil, r.fail("a value")
			}
			r.at++
			continue
		default:
			for r.at < len(r.text) && bytes.IndexByte([]byte(",:]} \t\r\n"), r.text[r.at]) < 0 {
				r.at++
			}
		}
		if depth == 0 {
			return r.text[start:r.at], nil
		}
	}
}

func (r *jsonReader) skipString() error {
	for r.at++; r.at < len(r.text); r.at++ {
		switch r.text[r.at] {
		case '"':
			r.at++
			return nil
		case '\\':
			r.at++
		}
	}
	return r.fail("the end of a string")
}

// errMany is wrapped where a file holds more of something than any real one.
var errMany = errors.New("more than any tokenizer has")
