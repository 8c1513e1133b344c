// Package sink hands the results of a batch to other programs: as files in
// their formats, and over the network. It works from what is on disk, when
// everything is over, and again later: no sink costs a run anything.
package sink
