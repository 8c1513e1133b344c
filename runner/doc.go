// Package runner performs one run of a cell after another: it makes the
// prompts, drives the load, sends by the client, and folds the records into a
// summary. It knows no files: what is kept is up to a Recorder.
//
// What is to be run is said by sweep; how it is kept, and what it comes to, by
// the rooms above.
package runner
