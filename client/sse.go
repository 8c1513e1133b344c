package client

import "bytes"

var utf8BOM = []byte("\xEF\xBB\xBF")

// An sse splits a stream of bytes into server-sent events as the HTML standard
// says: lines end in CR, LF or CRLF, several data lines are joined, a space
// after the colon is dropped, comments and unknown fields are passed over.
//
// It is given bytes as the reads deliver them, cut anywhere. An event that lies
// in one piece is handed on where it lies; only what a read cut in two is
// copied.
type sse struct {
	line    []byte // the beginning of a line whose end has not come
	data    []byte // data of the event so far, where it had to be kept
	kind    []byte // its event field
	stray   []byte // what stands beside the events and says an error, up to errorMax bytes of it
	pending []byte // its only data line, still in the caller's bytes
	has     bool   // a data line was seen
	kept    bool   // it is in data, not in pending
	skipLF  bool   // the last byte was a CR: an LF next belongs to it
	begun   bool   // the first line is over
	some    bool   // a data line was seen in the reply
}

func (s *sse) reset() {
	*s = sse{line: emptied(s.line), data: emptied(s.data), kind: emptied(s.kind), stray: emptied(s.stray)}
}

// emptied keeps a buffer for the next request unless an oversized reply blew
// it up.
func emptied(b []byte) []byte {
	const keep = 128 << 10
	if cap(b) > keep {
		return nil
	}
	return b[:0]
}

// between reports whether what comes next is the beginning of an event.
func (s *sse) between() bool {
	return s.begun && !s.has && !s.skipLF && len(s.line) == 0 && len(s.kind) == 0
}

// next reads p up to the end of the first event in it. What it returns of the
// event is valid until it is called again; found is false where p ends before
// an event does, and then all of p has been taken in.
func (s *sse) next(p []byte) (kind, data, rest []byte, found bool) {
	for len(p) > 0 {
		if s.skipLF {
			s.skipLF = false
			if p[0] == '\n' {
				p = p[1:]
				continue
			}
		}
		end := lineEnd(p)
		if end < 0 {
			break
		}
		line := p[:end]
		s.skipLF = p[end] == '\r'
		p = p[end+1:]
		joined := len(s.line) > 0
		if joined {
			s.line = append(s.line, line...)
			line = s.line
		}
		ended := s.field(line)
		if joined {
			s.keep() // line is about to be overwritten
			s.line = s.line[:0]
		}
		if ended {
			if kind, data, found = s.take(); found {
				return kind, data, p, true
			}
		}
	}
	s.keep()
	s.line = append(s.line, p...)
	return nil, nil, nil, false
}

// room is how many bytes of memory the event at hand takes.
func (s *sse) room() int { return cap(s.line) + cap(s.data) + cap(s.kind) }

// tooLong reports whether the event at hand has outgrown maxEvent.
func (s *sse) tooLong() bool { return len(s.line)+len(s.data) > maxEvent }

// last ends the stream: a last line and event that nobody terminated are handed
// on all the same, since servers forget the blank line.
func (s *sse) last() (kind, data []byte, found bool) {
	if len(s.line) > 0 {
		s.field(s.line)
	}
	return s.take()
}

// lineEnd returns the index of the first CR or LF, −1 where there is none.
func lineEnd(p []byte) int {
	lf := bytes.IndexByte(p, '\n')
	if lf >= 0 {
		p = p[:lf]
	}
	if cr := bytes.IndexByte(p, '\r'); cr >= 0 {
		return cr
	}
	return lf
}

// field takes in one line and reports whether it was the blank one.
func (s *sse) field(line []byte) bool {
	if !s.begun {
		s.begun = true
		line = bytes.TrimPrefix(line, utf8BOM)
	}
	if len(line) == 0 {
		return true
	}
	name, value, _ := bytes.Cut(line, []byte(":"))
	value = bytes.TrimPrefix(value, []byte(" "))
	switch string(name) {
	case "data":
		s.some = true
		if !s.has {
			s.has, s.pending = true, value
			break
		}
		s.keep()
		s.data = append(append(s.data, '\n'), value...)
	case "event":
		s.kind = append(s.kind[:0], value...)
	case "", "id", "retry":
	default:
		s.astray(name, line)
	}
	return false
}

// astray keeps a line that no event stream has: bare JSON, the field error that
// llama.cpp writes, and all that comes in place of a stream.
func (s *sse) astray(name, line []byte) {
	switch {
	case string(name) == "error":
		line = bytes.TrimSpace(line[min(len("error:"), len(line)):])
	case len(s.stray) == 0 && s.some && line[0] != '{' && line[0] != '[':
		return
	}
	s.stray = append(s.stray, line[:min(len(line), errorMax-len(s.stray))]...)
}

// keep copies the data line that still lies in the caller's bytes.
func (s *sse) keep() {
	if s.has && !s.kept {
		s.data = append(s.data[:0], s.pending...)
		s.kept, s.pending = true, nil
	}
}

// take returns the event that has just ended; one without data is none.
func (s *sse) take() (kind, data []byte, found bool) {
	data, kind = s.pending, s.kind
	if s.kept {
		data = s.data
	}
	s.has, s.kept, s.pending = false, false, nil
	s.data, s.kind = s.data[:0], s.kind[:0]
	return kind, data, len(data) > 0
}
