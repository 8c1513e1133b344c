package client

import "loadgen"

// A transfer finds the body of a response in the bytes after its head: by
// length, in chunks, or up to the end of the connection. It is pushed along by
// whatever the reads bring, cut anywhere.
type transfer struct {
	state state
	left  int64 // bytes of the body, or of the chunk, still to come
	line  int   // length so far of a chunk's size line or of the trailers
	done  bool
}

type state uint8

const (
	untilClose state = iota
	byLength
	chunkSize // at the digits of a chunk's size
	chunkExt  // behind them, up to CR
	chunkSizeLF
	chunkData
	chunkCR
	chunkLF
	trailerStart // at the beginning of a trailer line
	trailerLine
)

const (
	sizeLineMax = 4 << 10
	trailersMax = 64 << 10
)

func newTransfer(h *response) transfer {
	switch {
	case h.chunked:
		return transfer{state: chunkSize}
	case h.length >= 0:
		return transfer{state: byLength, left: h.length, done: h.length == 0}
	}
	return transfer{state: untilClose}
}

func badChunk(format string, args ...any) error {
	return faultf(loadgen.FailBadStream, "malformed chunked encoding: "+format, args...)
}

// next returns the first piece of the body in p and how many bytes of p it has
// dealt with.
func (t *transfer) next(p []byte) (data []byte, n int, err error) {
	switch t.state {
	case untilClose:
		return p, len(p), nil
	case byLength:
		n = int(min(int64(len(p)), t.left))
		t.left -= int64(n)
		t.done = t.left == 0
		return p[:n], n, nil
	}
	for n < len(p) && !t.done {
		if t.state == chunkData {
			take := int(min(int64(len(p)-n), t.left))
			if t.left -= int64(take); t.left == 0 {
				t.state = chunkCR
			}
			return p[n : n+take], n + take, nil
		}
		if err := t.control(p[n]); err != nil {
			return nil, n, err
		}
		n++
	}
	return nil, n, nil
}

// control takes in one byte that is not data.
func (t *transfer) control(c byte) error {
	switch t.state {
	case chunkSize:
		return t.size(c)
	case chunkExt:
		t.line++
		switch {
		case c == '\r':
			t.state = chunkSizeLF
		case c == '\n' || t.line > sizeLineMax:
			return badChunk("bad chunk size line")
		}
	case chunkSizeLF:
		if c != '\n' {
			return badChunk("%q behind a chunk size", c)
		}
		t.line = 0
		t.state = chunkData
		if t.left == 0 {
			t.state = trailerStart
		}
	case chunkCR:
		if c != '\r' {
			return badChunk("%q behind a chunk", c)
		}
		t.state = chunkLF
	case chunkLF:
		if c != '\n' {
			return badChunk("%q behind a chunk", c)
		}
		t.state = chunkSize
	case trailerStart, trailerLine:
		return t.trailer(c)
	}
	return nil
}

func (t *transfer) size(c byte) error {
	const digits = 15 // as many as an int64 holds
	if d, ok := hexDigit(c); ok && t.line < digits {
		t.left = t.left<<4 | int64(d)
		t.line++
		return nil
	}
	switch {
	case t.line == 0:
		return badChunk("%q instead of a chunk size", c)
	case c == '\r':
		t.state = chunkSizeLF
	case c == ';' || c == ' ' || c == '\t':
		t.state = chunkExt
	default:
		return badChunk("%q in a chunk size", c)
	}
	return nil
}

// trailer passes over the lines behind the last chunk, up to a blank one.
func (t *transfer) trailer(c byte) error {
	t.line++
	switch {
	case t.line > trailersMax:
		return badChunk("trailers longer than %d bytes", trailersMax)
	case c == '\n':
		t.done = t.state == trailerStart
		t.state = trailerStart
	case c != '\r':
		t.state = trailerLine
	}
	return nil
}
