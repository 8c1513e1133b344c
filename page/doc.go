// Package page turns the directories that batches leave behind into what people
// look at: one HTML page for each batch, and its charts as files.
//
// It reads files and knows nothing that is not in them, so that a page can be
// made again, later and elsewhere, of the same files: of loadgen's batches and
// runs and of AIPerf's. A page is one file without references to any other; its
// charts are drawn by gonum/plot, which measures text, scales axes and escapes
// what it writes. What the figures are is decided below, in metrics, analyze
// and compare.
package page
