package results

import "bytes"

// ReadLines lets the fuzz target read without a file.
var (
	ReadLines  = readLines
	ReadInputs = readInputs
)

// A LineWriter lets tests append without a file.
type LineWriter = lineWriter

// Append appends one line.
var Append = (*lineWriter).append

// What lines are made of.
var (
	AppendInt    = appendInt
	AppendMillis = appendMillis
	AppendNumber = appendNumber
	AppendText   = appendText
)

// A Change is something that the disk was told.
type Change struct {
	Op, Path, To string
	Data         []byte
	At           int64
}

// Note has every change of the disk told before it is made, and an error keep it
// from being made, until done is called.
func Note(tell func(Change) error) (done func()) {
	note = func(c change) error { return tell(Change{c.op, c.path, c.to, bytes.Clone(c.data), c.at}) }
	return func() { note = nil }
}
