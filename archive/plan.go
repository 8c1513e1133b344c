package archive

import (
	"fmt"
	"path/filepath"
	"strings"

	"loadgen/report"
	"loadgen/sweep"
)

// PlanText lists what a batch would do, for a dry run, and what is to be known
// of it before.
func PlanText(batch *sweep.Batch, notes []string, o report.Options) string {
	var planned []report.Planned
	for _, cell := range batch.Cells() {
		planned = append(planned, report.Planned{
			Values: cell.Values, Dir: filepath.Join(batch.OutputBaseDir, batch.BatchName, "<time>", cell.Dir),
			Parameters: cell.Config.Effective(),
			Requests:   cell.Config.RequestCount, Duration: batch.Longest(&cell),
		})
	}
	var b strings.Builder
	b.WriteString(report.PlanText(planned, rounds(batch), o))
	if batch.Search.Asked() {
		then := ""
		if batch.Search.ConfirmOpen {
			then = "; then an open loop at the rate of the capacity"
		}
		fmt.Fprintf(&b, "search: the runs above are the first of a search over %s for %s%s; it makes as many as its answer needs\n", batch.Search.Over, batch.Search.LimitsText(), then)
	}
	for _, note := range notes {
		fmt.Fprintf(&b, "note: %s\n", note)
	}
	return b.String()
}

// rounds are how often the cells of a batch are run.
func rounds(batch *sweep.Batch) report.Rounds {
	least, most := batch.RepeatsOf()
	return report.Rounds{Least: least, Most: most, Rest: batch.RestBetweenRuns}
}
