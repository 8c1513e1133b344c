package jsonstream

import "strconv"

// A Scan walks one short JSON text, strictly and several times as fast as
// encoding/json. It turns bad at what it does not take, such as a text with an
// escape: then nothing that was read counts, and the text is left to
// encoding/json.
type Scan struct {
	text  []byte
	at    int
	depth int
	bad   bool
}

// NewScan returns the scan of a text.
func NewScan(text []byte) *Scan { return &Scan{text: text} }

// Done reports whether the text was read to its end, and all of it was taken.
func (s *Scan) Done() bool {
	s.next()
	return !s.bad && s.at == len(s.text)
}

// Refuse leaves the text to encoding/json.
func (s *Scan) Refuse() { s.bad = true }

// Raw passes over a value and returns it as it is written.
func (s *Scan) Raw() []byte {
	s.next()
	from := s.at
	s.Skip()
	return s.text[from:s.at]
}

// next passes over white space and returns the byte behind it, 0 at the end.
func (s *Scan) next() byte {
	if s.at < len(s.text) && s.text[s.at] > ' ' {
		return s.text[s.at] // nearly always
	}
	return s.behindSpace()
}

func (s *Scan) behindSpace() byte {
	for ; s.at < len(s.text); s.at++ {
		switch c := s.text[s.at]; c {
		case ' ', '\t', '\r', '\n':
		default:
			return c
		}
	}
	return 0
}

// take passes over c, if it is next.
func (s *Scan) take(c byte) bool {
	if s.next() != c {
		return false
	}
	s.at++
	return true
}

func (s *Scan) must(ok bool) { s.bad = s.bad || !ok }

// Object calls field with each key of an object; it must read the value.
func (s *Scan) Object(field func(key []byte)) {
	s.List('{', '}', func() {
		key, plain := s.quoted()
		if s.must(plain && s.take(':')); !s.bad {
			field(key)
		}
	})
}

// List calls element before each element between two brackets.
func (s *Scan) List(open, end byte, element func()) {
	const deepest = 100
	s.depth++
	s.must(s.depth <= deepest && s.take(open))
	for first := true; !s.bad && !s.take(end); first = false {
		if s.must(first || s.take(',')); !s.bad {
			element()
		}
	}
	s.depth--
}

// OrNull reads null, or what value reads.
func (s *Scan) OrNull(value func()) {
	if s.next() == 'n' {
		s.word("null")
		return
	}
	value()
}

func (s *Scan) word(w string) {
	end := min(len(s.text), s.at+len(w))
	s.must(string(s.text[s.at:end]) == w)
	s.at = end
}

// notPlain marks the bytes that end a run of plain ones within quotes.
var notPlain = func() (marks [256]bool) {
	for c := range marks {
		marks[c] = c < ' ' || c >= 0x80 || c == '"' || c == '\\'
	}
	return marks
}()

// quoted returns a text as it stands between its quotes; plain if that is what
// it means.
func (s *Scan) quoted() (raw []byte, plain bool) {
	if s.must(s.take('"')); s.bad {
		return nil, false
	}
	text, at := s.text, s.at
	for plain = true; at < len(text); at++ {
		c := text[at]
		if !notPlain[c] {
			continue
		}
		if c == '"' {
			raw = text[s.at:at]
			s.at = at + 1
			return raw, plain
		}
		if c < 0x80 {
			// A skipped text may have escapes too; they are too rare in a
			// record to be worth reading here.
			break
		}
		plain = false // may be no UTF-8
	}
	s.bad = true
	return nil, false
}

// String reads a text, or leaves it at null.
func (s *Scan) String(to *string) {
	s.OrNull(func() {
		raw, plain := s.quoted()
		s.must(plain)
		*to = string(raw)
	})
}

// Bool reads true or false, or leaves it at null.
func (s *Scan) Bool(to *bool) {
	switch s.next() {
	case 't':
		s.word("true")
		*to = true
	case 'f':
		s.word("false")
		*to = false
	default:
		s.word("null")
	}
}

// Int reads a whole number, or leaves it at null.
func (s *Scan) Int(to *int64) {
	if s.next() == 'n' {
		s.word("null")
		return
	}
	// 19 digits that do not begin with a 9 cannot overflow. A longer number, and
	// one that is not whole, is left to the library.
	text, at, n := s.text, s.at, int64(0)
	negative := at < len(text) && text[at] == '-'
	if negative {
		at++
	}
	begin := at
	for ; at < len(text) && '0' <= text[at] && text[at] <= '9'; at++ {
		n = 10*n + int64(text[at]-'0')
	}
	digits := at - begin
	if digits == 0 || digits > 19 || digits == 19 && text[begin] == '9' || digits > 1 && text[begin] == '0' || at < len(text) && (text[at] == '.' || text[at] == 'e' || text[at] == 'E') {
		parsed, err := strconv.ParseInt(string(s.number()), 10, 64)
		s.must(err == nil)
		*to = parsed
		return
	}
	if negative {
		n = -n
	}
	s.at, *to = at, n
}

// Float reads a number; null is nil.
func (s *Scan) Float(to **float64) {
	*to = nil
	s.OrNull(func() {
		v, err := strconv.ParseFloat(string(s.number()), 64)
		s.must(err == nil)
		*to = &v
	})
}

// number returns a number as it is written.
func (s *Scan) number() []byte {
	s.next()
	from := s.at
	s.one('-', '-')
	if !s.one('0', '0') {
		s.digits()
	}
	if s.one('.', '.') {
		s.digits()
	}
	if s.one('e', 'E') {
		s.one('+', '-')
		s.digits()
	}
	return s.text[from:s.at]
}

// one passes over either of two bytes, if it is next.
func (s *Scan) one(a, b byte) bool {
	if s.at < len(s.text) && (s.text[s.at] == a || s.text[s.at] == b) {
		s.at++
		return true
	}
	return false
}

// digits passes over one digit or more.
func (s *Scan) digits() {
	text, at := s.text, s.at
	for at < len(text) && '0' <= text[at] && text[at] <= '9' {
		at++
	}
	s.must(at > s.at)
	s.at = at
}

// Skip passes over a value.
func (s *Scan) Skip() {
	switch s.next() {
	case '{':
		s.Object(func([]byte) { s.Skip() })
	case '[':
		s.List('[', ']', s.Skip)
	case '"':
		s.quoted()
	case 't':
		s.word("true")
	case 'f':
		s.word("false")
	case 'n':
		s.word("null")
	default:
		s.number()
	}
}
