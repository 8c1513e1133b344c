// Package archive is what a batch leaves behind: the recorder that puts each
// run into its directory, the analyses of a run, and the way back from a
// directory to what was measured.
//
// What a file looks like is said by results; what is found in a run by analyze;
// how it reads by report.
package archive
