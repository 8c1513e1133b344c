// Package analyze turns what a run or a trace recorded into findings: where
// the time went, when and why it was crowded, what a prefix cache could save,
// and how sure the numbers are.
//
// Every analysis is a pure function of a [loadgen.Trace]: no files, no
// terminal, no clock. It stands on metrics and the nouns; results reads the
// traces and writes the files, report puts the findings in front of people.
// The file and key names are those of the profiler of the NeMo Agent Toolkit
// (AIQ), with sound numbers under them; Options.AIQ selects the toolkit's own
// formulas instead. Every formula is stated in docs/analyses.md.
package analyze
