// Package loadgen holds the nouns that travel through the house: a [Session]
// of [Request] values is made by synth, started by load, performed by client
// and becomes a [Record], which metrics folds into a summary and results
// writes down.
//
// It is the ground floor: standard library only, no I/O and no goroutines, so
// that every other package can import it. What the words mean is said once, in
// docs/architecture.md.
package loadgen
