package archive

import (
	"fmt"
	"slices"

	"loadgen"
)

// What all runs of a batch together keep in memory for its findings, whatever
// their number: a run keeps its share.
const (
	keptCalls = 100_000
	keptText  = 64 << 20 // bytes of prompts and answers
	// fewestCalls are kept of every run: they take no more than its summary.
	fewestCalls = 100
)

// share returns what one of so many runs keeps of its trace for the findings of
// their batch: the first of its calls, and the texts of the first of these.
func share(tr *loadgen.Trace, runs int) *loadgen.Trace {
	runs = max(runs, 1)
	calls := tr.Calls[:min(len(tr.Calls), max(keptCalls/runs, fewestCalls))]
	room, texts := keptText/runs, 0
	for texts < len(calls) {
		if room -= len(calls[texts].Input) + len(calls[texts].Output); room < 0 {
			break
		}
		texts++
	}
	if texts == len(tr.Calls) {
		return tr
	}
	cut := *tr
	cut.Calls = slices.Clone(calls)
	for i := range cut.Calls[texts:] {
		c := &cut.Calls[texts+i]
		c.Input, c.Output = "", ""
	}
	cut.Missing = append(slices.Clone(tr.Missing), fmt.Sprintf(
		"the findings of the batch know %d of %d calls of this run, %d with their texts, to bound the memory of all runs", len(calls), len(tr.Calls), texts))
	return &cut
}
