package client

import "bytes"

// maxEvent bounds what an event, or a reply that is not streamed, may hold in
// memory before the stream counts as broken.
const maxEvent = 64 << 20

var utf8BOM = []byte("\xEF\xBB\xBF")

// An sse splits a stream of bytes into server-sent events as the HTML standard
// says: lines end in CR, LF or CRLF, several data lines are joined, a space
// after the colon is dropped, comments and unknown fields are passed over.
//
// Bytes are pushed in as the reads deliver them, cut anywhere. An event that
// lies in one piece is handed on where it lies; only what a read cut in two is
// copied.
type sse struct {
	line    []byte // the beginning of a line whose end has not come
	data    []byte // data of the event so far, where it had to be kept
	kind    []byte // its event field
	pending []byte // its only data line, still in the caller's bytes
	has     bool   // a data line was seen
	kept    bool   // it is in data, not in pending
	skipLF  bool   // the last byte was a CR: an LF next belongs to it
	begun   bool   // the first line is over
}

func (s *sse) reset() {
	*s = sse{line: emptied(s.line), data: emptied(s.data), kind: emptied(s.kind)}
}

// emptied keeps a buffer for the next request unless an oversized reply blew
// it up.
func emptied(b []byte) []byte {
	const keep = 1 << 20
	if cap(b) > keep {
		return nil
	}
	return b[:0]
}

// push reads p and calls event for each event that p completes, until event
// says to stop. The slices handed to event are valid during the call. It
// reports false where an event outgrew maxEvent.
func (s *sse) push(p []byte, event func(kind, data []byte) bool) bool {
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
		dispatch := s.field(line)
		if joined {
			s.keep() // line is about to be overwritten
			s.line = s.line[:0]
		}
		if dispatch && !s.dispatch(event) {
			return true
		}
	}
	s.keep()
	s.line = append(s.line, p...)
	return len(s.line)+len(s.data) <= maxEvent
}

// flush ends the stream: a last line and event that nobody terminated are
// handed on all the same, since servers forget the blank line.
func (s *sse) flush(event func(kind, data []byte) bool) {
	if len(s.line) > 0 && s.field(s.line) {
		return
	}
	s.dispatch(event)
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
		if !s.has {
			s.has, s.pending = true, value
			break
		}
		s.keep()
		s.data = append(append(s.data, '\n'), value...)
	case "event":
		s.kind = append(s.kind[:0], value...)
	}
	return false
}

// keep copies the data line that still lies in the caller's bytes.
func (s *sse) keep() {
	if s.has && !s.kept {
		s.data = append(s.data[:0], s.pending...)
		s.kept, s.pending = true, nil
	}
}

func (s *sse) dispatch(event func(kind, data []byte) bool) bool {
	data, kind := s.pending, s.kind
	if s.kept {
		data = s.data
	}
	s.has, s.kept, s.pending = false, false, nil
	s.data, s.kind = s.data[:0], s.kind[:0]
	return len(data) == 0 || event(kind, data)
}
