// Package trace reads recordings made elsewhere into calls: those of the AIQ
// profiler, of AIPerf, of vLLM's bench, and OpenTelemetry spans. A file's kind
// is told by its content.
//
// Our own runs are read by results; what the calls come to is said by analyze.
package trace
