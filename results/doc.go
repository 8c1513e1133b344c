// Package results owns a run's directory on disk: every file in it has its
// format defined here, is written here and read back here.
//
// What the numbers mean is said by metrics, what to conclude from them by
// analyze, how to show them by report. Files appear whole or not at all, but
// for profile_export.jsonl, which grows a line with every request that ends
// so that a killed run keeps what it measured. docs/artifacts.md shows each
// file with an example.
package results
