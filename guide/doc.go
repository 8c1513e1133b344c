// Package guide is where a batch file comes from: it explains keys, makes the
// JSON Schema by which editors complete them, and writes a first file, also
// from a configuration of AIPerf.
//
// What a key may hold is said by sweep, which checks it; what it means by the
// pages in docs.
package guide
