// Package report turns summaries, findings and plans into what people look at:
// tables for a terminal and pictures of a trace.
//
// It is the only package that formats for people, and it writes nowhere:
// functions return text or bytes, and cmd/loadgen decides where these go.
// What the numbers are is decided below it, in metrics and analyze.
package report
