package client

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf16"
	"unicode/utf8"
)

// A scanner walks over one JSON text in place. It accepts a subset of JSON and
// never more, but for the numbers that are none: at anything wrong or unusual it turns bad and stays so, and the
// caller asks encoding/json instead.
type scanner struct {
	b     []byte
	i     int
	bad   bool
	fresh bool // an object or array has just been opened
}

const maxDepth = 64

func (s *scanner) fail() {
	s.bad = true
	s.i = len(s.b)
}

// peek returns the next byte that is not white space, 0 at the end.
func (s *scanner) peek() byte {
	for ; s.i < len(s.b); s.i++ {
		switch c := s.b[s.i]; c {
		case ' ', '\t', '\n', '\r':
		default:
			return c
		}
	}
	return 0
}

// open consumes the bracket that begins an object or array.
func (s *scanner) open(bracket byte) {
	if s.peek() != bracket {
		s.fail()
		return
	}
	s.i++
	s.fresh = true
}

// more reports whether another member follows and consumes the comma before
// it, or else the closing bracket.
func (s *scanner) more(bracket byte) bool {
	c := s.peek()
	first := s.fresh
	s.fresh = false
	switch {
	case s.bad:
		return false
	case c == bracket:
		s.i++
		return false
	case first:
		return true
	case c != ',':
		s.fail()
		return false
	}
	s.i++
	return true
}

// key consumes a member's name and its colon. Names with escapes are unusual.
func (s *scanner) key() []byte {
	k, escaped := s.str()
	if escaped || s.peek() != ':' {
		s.fail()
		return nil
	}
	s.i++
	return k
}

// null consumes a null if one is next.
func (s *scanner) null() bool {
	return s.peek() == 'n' && s.literal("null")
}

func (s *scanner) literal(word string) bool {
	if len(s.b)-s.i < len(word) || string(s.b[s.i:s.i+len(word)]) != word {
		s.fail()
		return false
	}
	s.i += len(word)
	return true
}

// nothing consumes a null, or what holds nothing, if one is next.
func (s *scanner) nothing() bool {
	c, start := s.peek(), s.i
	switch {
	case c == 'n':
		return s.null()
	case c == '"' && s.i+1 < len(s.b) && s.b[s.i+1] == '"':
		s.i += 2
		return true
	case c != '[' && c != '{':
		return false
	}
	s.i++
	if s.peek() == c+2 { // the bracket that closes it
		s.i++
		return true
	}
	s.i = start
	return false
}

// noError consumes what stands for no error and fails at one.
func (s *scanner) noError() {
	if s.peek() == 'f' {
		s.literal("false")
	} else if !s.nothing() {
		s.fail()
	}
}

// str consumes a string and returns what stands between its quotes, still
// escaped if escaped says so.
func (s *scanner) str() (raw []byte, escaped bool) {
	if s.peek() != '"' {
		s.fail()
		return nil, false
	}
	b, start := s.b, s.i+1
	for i := start; ; {
		i += plain(b[i:])
		switch {
		case i == len(b) || b[i] < ' ':
			s.fail()
			return nil, false
		case b[i] == '"':
			s.i = i + 1
			return b[start:i], escaped
		}
		escaped = true
		s.i = i
		s.escape()
		i = s.i
	}
}

// plain returns how many bytes at the beginning of b can stand in a JSON string
// as they are. It looks at eight at a time.
//
// Less one, a byte of zero borrows from above and so shows a highest bit that
// it had not (Mycroft, 1987); less ' ', so does a control character. What is
// borrowed may make a byte above look like one, but never one below.
func plain(b []byte) int {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	n := 0
	for ; len(b)-n >= 8; n += 8 {
		eight := binary.LittleEndian.Uint64(b[n:])
		quote, slash := eight^'"'*ones, eight^'\\'*ones
		found := (quote-ones)&^quote | (slash-ones)&^slash | (eight-' '*ones)&^eight
		if found &= highs; found != 0 {
			return n + bits.TrailingZeros64(found)/8
		}
	}
	for ; n < len(b) && b[n] >= ' ' && b[n] != '"' && b[n] != '\\'; n++ {
	}
	return n
}

// escape consumes a backslash and what it escapes.
func (s *scanner) escape() {
	if s.i+1 >= len(s.b) {
		s.fail()
		return
	}
	switch s.b[s.i+1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		s.i += 2
	case 'u':
		if _, ok := hex4(s.b[s.i:]); !ok {
			s.fail()
			return
		}
		s.i += 6
	default:
		s.fail()
	}
}

// text consumes a string or null; null is an empty text.
func (s *scanner) text() text {
	if s.null() {
		return text{}
	}
	raw, escaped := s.str()
	return text{raw, escaped, s.i - 1 - len(raw)}
}

// count consumes a whole number or null; null is −1.
func (s *scanner) count() int {
	c := s.peek()
	if c == 'n' && s.null() {
		return -1
	}
	start, n := s.i, 0
	for s.i < len(s.b) && s.b[s.i] >= '0' && s.b[s.i] <= '9' {
		n = n*10 + int(s.b[s.i]-'0')
		s.i++
	}
	digits := s.i - start
	if digits == 0 || digits > 9 || digits > 1 && c == '0' {
		s.fail()
		return -1
	}
	if s.i < len(s.b) {
		switch s.b[s.i] {
		case '.', 'e', 'E': // 12.0 is a count too, but not one for this scanner
			s.fail()
			return -1
		}
	}
	return n
}

// skip consumes any value.
func (s *scanner) skip(depth int) {
	if depth > maxDepth {
		s.fail()
		return
	}
	switch c := s.peek(); c {
	case '"':
		s.str()
	case '{':
		for s.open('{'); s.more('}'); {
			s.skipName()
			s.skip(depth + 1)
		}
	case '[':
		for s.open('['); s.more(']'); {
			s.skip(depth + 1)
		}
	case 't':
		s.literal("true")
	case 'f':
		s.literal("false")
	case 'n':
		s.literal("null")
	case 'N': // no JSON, but what Python writes
		s.literal("NaN")
	case 'I':
		s.literal("Infinity")
	default:
		s.number()
	}
}

func (s *scanner) skipName() {
	s.str()
	if s.peek() != ':' {
		s.fail()
		return
	}
	s.i++
}

// number consumes a number by JSON's grammar.
func (s *scanner) number() {
	if s.peek() == '-' {
		s.i++
		if s.i < len(s.b) && s.b[s.i] == 'I' {
			s.literal("Infinity")
			return
		}
	}
	zero := s.i < len(s.b) && s.b[s.i] == '0'
	if n := s.digits(); n == 0 || zero && n > 1 {
		s.fail()
		return
	}
	if s.i < len(s.b) && s.b[s.i] == '.' {
		s.i++
		if s.digits() == 0 {
			s.fail()
			return
		}
	}
	if s.i < len(s.b) && (s.b[s.i] == 'e' || s.b[s.i] == 'E') {
		s.i++
		if s.i < len(s.b) && (s.b[s.i] == '+' || s.b[s.i] == '-') {
			s.i++
		}
		if s.digits() == 0 {
			s.fail()
		}
	}
}

func (s *scanner) digits() int {
	start := s.i
	for s.i < len(s.b) && s.b[s.i] >= '0' && s.b[s.i] <= '9' {
		s.i++
	}
	return s.i - start
}

// end reports whether the whole text was walked over and found usual.
func (s *scanner) end() bool {
	return s.peek() == 0 && s.i == len(s.b) && !s.bad
}

// A text is a JSON string without its quotes.
type text struct {
	raw     []byte
	escaped bool
	start   int // where in the scanned JSON raw begins
}

func (t text) empty() bool { return len(t.raw) == 0 }

// appendTo appends the text unescaped. Bytes that are not UTF-8 pass as they
// are, so that a code point which a server cut between two events is whole
// again; half a surrogate pair becomes U+FFFD.
func (t text) appendTo(dst []byte) []byte {
	if !t.escaped {
		return append(dst, t.raw...)
	}
	b := t.raw
	for i := 0; i < len(b); {
		if b[i] != '\\' {
			start := i
			for i < len(b) && b[i] != '\\' {
				i++
			}
			dst = append(dst, b[start:i]...)
			continue
		}
		switch c := b[i+1]; c {
		case 'b':
			dst = append(dst, '\b')
		case 'f':
			dst = append(dst, '\f')
		case 'n':
			dst = append(dst, '\n')
		case 'r':
			dst = append(dst, '\r')
		case 't':
			dst = append(dst, '\t')
		case 'u':
			r, _ := hex4(b[i:])
			i += 6
			if utf16.IsSurrogate(r) {
				low, ok := hex4(b[i:])
				if r = utf16.DecodeRune(r, low); ok && r != utf8.RuneError {
					i += 6
				} else {
					r = utf8.RuneError
				}
			}
			dst = utf8.AppendRune(dst, r)
			continue
		default: // " \ /
			dst = append(dst, c)
		}
		i += 2
	}
	return dst
}

// hex4 reads the \uXXXX at the beginning of b.
func hex4(b []byte) (rune, bool) {
	if len(b) < 6 || b[0] != '\\' || b[1] != 'u' {
		return 0, false
	}
	var r rune
	for _, c := range b[2:6] {
		d, ok := hexDigit(c)
		if !ok {
			return 0, false
		}
		r = r<<4 | rune(d)
	}
	return r, true
}

func hexDigit(c byte) (byte, bool) {
	switch {
	case c >= '0' && c <= '9':
		return c - '0', true
	case c >= 'a' && c <= 'f':
		return c - 'a' + 10, true
	case c >= 'A' && c <= 'F':
		return c - 'A' + 10, true
	}
	return 0, false
}
