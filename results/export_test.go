package results

// ReadLines lets the fuzz target read without a file.
var ReadLines = readLines

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
