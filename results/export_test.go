package results

// ReadLines lets the fuzz target read without a file.
var ReadLines = readLines

// A LineWriter lets the benchmark append without a file.
type LineWriter = lineWriter

// Append appends one line.
var Append = (*lineWriter).append
