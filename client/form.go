package client

import "bytes"

// A form is how the body of a reply is to be read.
type form uint8

const (
	unknownForm form = iota // decided by the first bytes
	streamForm
	wholeForm // one JSON object
	pageForm  // HTML
	errorForm // whatever comes with a status that is no success
)

// errorMax is how much of an error's body is kept for its message.
const errorMax = 8 << 10

// A mime is what a Content-Type says, as far as that matters.
type mime uint8

const (
	otherType mime = iota
	streamType
	jsonType
	pageType
)

func mimeOf(contentType []byte) mime {
	name, _, _ := bytes.Cut(contentType, []byte(";"))
	switch name = bytes.TrimSpace(name); {
	case is(name, "text/event-stream"):
		return streamType
	case is(name, "application/json"):
		return jsonType
	case is(name, "text/html"):
		return pageType
	}
	return otherType
}

// undecidedMax is how many bytes may come before the form is decided by the
// type alone.
const undecidedMax = 4 << 10

// decide finds out how to read a body, given its next piece, and returns what
// has come of it by now. The form stays unknown while too little has come; where
// the body has ended there is no more to wait for.
//
// Bytes say more than the type: proxies stream as application/json, and servers
// write errors as JSON under the type of a stream.
func (r *reply) decide(p []byte, ended bool) []byte {
	begun := p
	if len(r.body) > 0 {
		r.body = append(r.body, p...)
		begun = r.body
	}
	r.form = formOf(begun)
	if r.form == unknownForm && (ended || len(begun) > undecidedMax || !mayBecomeKnown(begun)) {
		r.form = r.byType()
	}
	if r.form == unknownForm {
		if len(r.body) == 0 {
			r.body = append(r.body, p...)
		}
		return nil
	}
	r.rec.Streamed = r.form == streamForm
	r.body = r.body[:0] // begun may lie in it, and is taken in before it is written to
	return begun
}

// byType returns the form of a body that shows none.
func (r *reply) byType() form {
	switch {
	case r.mime == pageType:
		return pageForm
	case r.mime == streamType, r.mime == otherType && r.asked:
		return streamForm
	}
	return wholeForm
}

// fieldNames begin the lines of an event stream.
var fieldNames = [...]string{"data:", "event:", "id:", "retry:", ":"}

// pageTags begin an HTML page.
var pageTags = [...]string{"<!doctype html", "<html"}

// formOf tells a body by how it begins.
func formOf(b []byte) form {
	b = bytes.TrimLeft(bytes.TrimPrefix(b, utf8BOM), " \t\r\n")
	if len(b) == 0 {
		return unknownForm
	}
	if b[0] == '{' || b[0] == '[' {
		return wholeForm
	}
	for _, name := range fieldNames {
		if bytes.HasPrefix(b, []byte(name)) {
			return streamForm
		}
	}
	for _, tag := range pageTags {
		if len(b) >= len(tag) && bytes.EqualFold(b[:len(tag)], []byte(tag)) {
			return pageForm
		}
	}
	return unknownForm
}

// mayBecomeKnown reports whether the bytes to come may tell the form of a body
// that begins so.
func mayBecomeKnown(b []byte) bool {
	if bytes.HasPrefix(utf8BOM, b) {
		return true
	}
	b = bytes.TrimLeft(bytes.TrimPrefix(b, utf8BOM), " \t\r\n")
	for _, name := range fieldNames {
		if bytes.HasPrefix([]byte(name), b) {
			return true
		}
	}
	for _, tag := range pageTags {
		if len(b) < len(tag) && bytes.EqualFold(b, []byte(tag[:len(b)])) {
			return true
		}
	}
	return false
}
