package trace

import (
	"slices"
	"strconv"
)

// scan reads a line as encoding/json would, several times as fast. It reports
// false for a line that it leaves to that: one with an escape in a text it
// needs, a record of loadgen, and whatever is no JSON.
func (l *profileLine) scan(line []byte) bool {
	s := lineScan{text: line}
	s.object(func(key []byte) {
		switch string(key) {
		case "metadata":
			s.orNull(func() { s.object(func(key []byte) { l.scanMetadata(&s, key) }) })
		case "metrics":
			s.orNull(func() { s.object(func(key []byte) { l.scanMetric(&s, key) }) })
		case "error":
			s.next()
			from := s.at
			s.skip()
			l.Error = slices.Clone(s.text[from:s.at])
		case "loadgen":
			s.bad = true
		default:
			s.skip()
		}
	})
	s.next()
	return !s.bad && s.at == len(s.text)
}

func (l *profileLine) scanMetadata(s *lineScan, key []byte) {
	m := &l.Metadata
	switch string(key) {
	case "x_request_id":
		s.string(&m.RequestID)
	case "x_correlation_id":
		s.string(&m.CorrelationID)
	case "conversation_id":
		s.string(&m.Conversation)
	case "benchmark_phase":
		s.string(&m.Phase)
	case "request_start_ns":
		s.int(&m.Start)
	case "request_end_ns":
		s.int(&m.End)
	default:
		s.skip()
	}
}

func (l *profileLine) scanMetric(s *lineScan, key []byte) {
	m := &l.Metrics
	var to *millis
	switch string(key) {
	case "time_to_first_token":
		to = &m.TTFT
	case "request_latency":
		to = &m.Latency
	case "input_sequence_length":
		to = &m.Input
	case "output_sequence_length":
		to = &m.Output
	case "reasoning_token_count":
		to = &m.Reasoning
	case "usage_prompt_tokens":
		to = &m.Prompt
	case "usage_completion_tokens":
		to = &m.Complete
	case "usage_prompt_cache_read_tokens":
		to = &m.Cached
	default:
		s.skip()
		return
	}
	s.orNull(func() {
		s.object(func(key []byte) {
			if string(key) == "value" {
				s.float(&to.Value)
			} else {
				s.skip()
			}
		})
	})
}

// A lineScan walks one JSON text, strictly. It turns bad at what it does not
// take; nothing that was read until then counts.
type lineScan struct {
	text  []byte
	at    int
	depth int
	bad   bool
}

// next passes over white space and returns the byte behind it, 0 at the end.
func (s *lineScan) next() byte {
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
func (s *lineScan) take(c byte) bool {
	if s.next() != c {
		return false
	}
	s.at++
	return true
}

func (s *lineScan) must(ok bool) { s.bad = s.bad || !ok }

// object calls field with each key of an object; it must read the value.
func (s *lineScan) object(field func(key []byte)) {
	s.list('{', '}', func() {
		key, plain := s.quoted()
		if s.must(plain && s.take(':')); !s.bad {
			field(key)
		}
	})
}

// list calls element before each element between two brackets.
func (s *lineScan) list(open, end byte, element func()) {
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

// orNull reads null, or what value reads.
func (s *lineScan) orNull(value func()) {
	if s.next() == 'n' {
		s.word("null")
		return
	}
	value()
}

func (s *lineScan) word(w string) {
	end := min(len(s.text), s.at+len(w))
	s.must(string(s.text[s.at:end]) == w)
	s.at = end
}

// quoted returns a text as it stands between its quotes; plain if that is what
// it means.
func (s *lineScan) quoted() (raw []byte, plain bool) {
	if s.must(s.take('"')); s.bad {
		return nil, false
	}
	from := s.at
	for plain = true; s.at < len(s.text); s.at++ {
		switch c := s.text[s.at]; {
		case c == '"':
			s.at++
			return s.text[from : s.at-1], plain
		case c == '\\', c < ' ':
			// A skipped text may have escapes too; they are too rare in a
			// record to be worth reading here.
			s.bad = true
			return nil, false
		case c >= 0x80:
			plain = false // may be no UTF-8
		}
	}
	s.bad = true
	return nil, false
}

func (s *lineScan) string(to *string) {
	s.orNull(func() {
		raw, plain := s.quoted()
		s.must(plain)
		*to = string(raw)
	})
}

func (s *lineScan) int(to *int64) {
	s.orNull(func() {
		n, err := strconv.ParseInt(string(s.number()), 10, 64)
		s.must(err == nil)
		*to = n
	})
}

func (s *lineScan) float(to **float64) {
	*to = nil
	s.orNull(func() {
		v, err := strconv.ParseFloat(string(s.number()), 64)
		s.must(err == nil)
		*to = &v
	})
}

// number returns a number as it is written.
func (s *lineScan) number() []byte {
	s.next()
	from := s.at
	is := func(chars string) bool {
		for i := range len(chars) {
			if s.at < len(s.text) && s.text[s.at] == chars[i] {
				s.at++
				return true
			}
		}
		return false
	}
	digits := func() {
		begin := s.at
		for s.at < len(s.text) && '0' <= s.text[s.at] && s.text[s.at] <= '9' {
			s.at++
		}
		s.must(s.at > begin)
	}
	is("-")
	if !is("0") {
		digits()
	}
	if is(".") {
		digits()
	}
	if is("eE") {
		is("+-")
		digits()
	}
	return s.text[from:s.at]
}

// skip passes over a value.
func (s *lineScan) skip() {
	switch s.next() {
	case '{':
		s.object(func([]byte) { s.skip() })
	case '[':
		s.list('[', ']', s.skip)
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
