package client

import (
	"bytes"
	"math"

	"loadgen"
)

// headMax bounds a response's head.
const headMax = 256 << 10

// A response is the part of a response's head that a client of an LLM needs.
// Its slices point into the bytes it was read from.
type response struct {
	status      int
	contentType []byte
	encoding    []byte
	// retryAfter, retryAfterMs, date, location and allow are what a refusal says.
	retryAfter, retryAfterMs, date, location, allow []byte

	length    int64 // Content-Length, −1 where there is none
	chunked   bool
	keepAlive bool
}

// encoded reports whether the body is anything but itself.
func (h *response) encoded() bool { return len(h.encoding) > 0 && !is(h.encoding, "identity") }

// errSwitches is a server that goes on with another protocol than HTTP.
var errSwitches = badHead("the server switches to another protocol")

func badHead(format string, args ...any) error {
	return faultf(loadgen.FailBadStream, format, args...)
}

// quotedMax is how much a message quotes of a head that is malformed.
const quotedMax = 60

// parseHead reads a head from the beginning of b. n is its length, 0 while it
// is not complete. An error is free of secrets.
func parseHead(b []byte, secrets redactor) (h response, n int, err error) {
	const proto = "HTTP/1."
	if known := b[:min(len(b), len(proto))]; string(known) != proto[:len(known)] {
		// b may end anywhere: a read cuts as well.
		return h, 0, badHead("not an HTTP/1 response: %q", secrets.excerpt(b, min(len(b), quotedMax)))
	}
	n = headEnd(b)
	if n == 0 {
		return h, 0, nil
	}
	line, rest := cutLine(b[:n])
	minor, ok := h.statusLine(line)
	if !ok {
		return h, 0, badHead("malformed status line %q", secrets.excerpt(line, quotedMax))
	}
	h.length = -1
	h.keepAlive = minor == '1'
	encodings := 0
	for {
		line, rest = cutLine(rest)
		if len(line) == 0 {
			break
		}
		if line[0] == ' ' || line[0] == '\t' {
			continue // the rest of a folded header, of no use here
		}
		name, value, ok := bytes.Cut(line, []byte(":"))
		if !ok {
			return h, 0, badHead("malformed header line %q", secrets.excerpt(line, quotedMax))
		}
		value = bytes.TrimSpace(value)
		switch {
		case is(name, "content-type"):
			h.contentType = value
		case is(name, "content-encoding"):
			h.encoding = value
		case is(name, "retry-after"):
			h.retryAfter = value
		case is(name, "retry-after-ms"):
			h.retryAfterMs = value
		case is(name, "date"):
			h.date = value
		case is(name, "location"):
			h.location = value
		case is(name, "allow"):
			h.allow = value
		case is(name, "content-length"):
			length, ok := decimal(value)
			if !ok || h.length >= 0 && h.length != length {
				return h, 0, badHead("malformed Content-Length %q", secrets.excerpt(value, quotedMax))
			}
			h.length = length
		case is(name, "transfer-encoding") && minor == '1':
			if encodings++; encodings > 1 || !is(value, "chunked") {
				return h, 0, badHead("unsupported Transfer-Encoding %q", secrets.excerpt(value, quotedMax))
			}
			h.chunked = true
		case is(name, "connection"):
			h.connection(value)
		}
	}
	if h.chunked {
		h.length = -1
	}
	if h.status < 200 || h.status == 204 || h.status == 304 {
		h.chunked, h.length = false, 0
	}
	return h, n, nil
}

// A headReader reads the heads of one connection. A server's heads are mostly
// alike to the byte, at least as long as the second of their date lasts, so it
// remembers one as long as that pays.
type headReader struct {
	secrets redactor
	known   []byte
	said    response // by known
	served  bool     // known has come again
}

// knownMax is the longest head that is remembered.
const knownMax = 2 << 10

// parse is parseHead.
func (r *headReader) parse(b []byte) (h response, n int, err error) {
	if len(r.known) > 0 && bytes.HasPrefix(b, r.known) {
		r.served = true
		return r.said, len(r.known), nil
	}
	h, n, err = parseHead(b, r.secrets)
	if n > 0 && n <= knownMax && h.status >= 200 && (r.served || r.known == nil) {
		r.known, r.served = append(r.known[:0], b[:n]...), false
		r.said, _, _ = parseHead(r.known, r.secrets) // its slices point into what was kept
	}
	return h, n, err
}

func is(b []byte, s string) bool { return bytes.EqualFold(b, []byte(s)) }

// headEnd returns the length of a head with its blank line, 0 where that has
// not come. Lines may end in LF alone.
func headEnd(b []byte) int {
	for i := 0; ; {
		lf := bytes.IndexByte(b[i:], '\n')
		if lf < 0 {
			return 0
		}
		i += lf + 1
		switch {
		case i < len(b) && b[i] == '\n':
			return i + 1
		case i+1 < len(b) && b[i] == '\r' && b[i+1] == '\n':
			return i + 2
		}
	}
}

func cutLine(b []byte) (line, rest []byte) {
	line, rest, _ = bytes.Cut(b, []byte("\n"))
	return bytes.TrimSuffix(line, []byte("\r")), rest
}

// statusLine reads "HTTP/1.1 200 OK" and returns the minor version.
func (h *response) statusLine(line []byte) (minor byte, ok bool) {
	const status = len("HTTP/1.1 ")
	if len(line) < status+3 || line[status-1] != ' ' || line[7] != '0' && line[7] != '1' {
		return 0, false
	}
	if len(line) > status+3 && line[status+3] != ' ' {
		return 0, false
	}
	code, ok := decimal(line[status : status+3])
	h.status = int(code)
	return line[7], ok && code >= 100
}

func (h *response) connection(value []byte) {
	for len(value) > 0 {
		var option []byte
		option, value, _ = bytes.Cut(value, []byte(","))
		switch option = bytes.TrimSpace(option); {
		case is(option, "close"):
			h.keepAlive = false
			return
		case is(option, "keep-alive"):
			h.keepAlive = true
		}
	}
}

func decimal(b []byte) (int64, bool) {
	var n int64
	for _, c := range b {
		if c < '0' || c > '9' || n > (math.MaxInt64-9)/10 {
			return 0, false
		}
		n = n*10 + int64(c-'0')
	}
	return n, len(b) > 0
}
