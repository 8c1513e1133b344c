package archive

import (
	"loadgen/metrics"
	"loadgen/report"
	"loadgen/results"
	"loadgen/sweep"
)

// repeated returns what the runs of each cell come to together, in the order of
// the cells; nil for a batch without repeats. Runs that failed, were interrupted
// or are INVALID are in no figure, and are named.
func (k *Recorder) repeated(runs []*sweep.Run) []results.Aggregate {
	if k.Batch.Search.Asked() {
		return nil // its runs are no repeats
	}
	cells := k.whole().Cells()
	byCell := map[int][]*sweep.Run{}
	repeats := false
	for _, run := range runs {
		if run.Skip == "" {
			byCell[run.Cell.Index] = append(byCell[run.Cell.Index], run)
			repeats = repeats || run.Number > 0
		}
	}
	if !repeats {
		return nil
	}
	var all []results.Aggregate
	for i := range cells {
		made := byCell[cells[i].Index]
		if len(made) == 0 {
			continue
		}
		a := results.Aggregate{Cell: cells[i].Cell, Confidence: sweep.Confidence, Rest: k.Batch.RestBetweenRuns.Seconds()}
		var sound []*metrics.Summary
		for _, run := range made {
			label := results.RunLabel(run.Number)
			if why := unsound(run); why != "" {
				a.Failed = append(a.Failed, results.FailedRun{Label: label, Error: why})
				continue
			}
			a.Labels = append(a.Labels, label)
			sound = append(sound, run.Summary)
		}
		a.Figures = metrics.Repeats(sound, sweep.Confidence)
		a.UnderLoad = metrics.RepeatsUnderLoad(a.Figures, sound, sweep.Confidence)
		all = append(all, a)
	}
	return all
}

// unsound says why the figures of a run are no repeat of its cell's; empty for
// one whose are.
func unsound(run *sweep.Run) string {
	switch {
	case run.Err != nil:
		return run.Err.Error()
	case run.Summary == nil || run.Outcome.Cancelled:
		return "interrupted"
	case run.Summary.Validity.Verdict == metrics.Invalid:
		return "INVALID: " + run.Summary.Validity.Reasons[0].Text
	}
	return ""
}

// repeatTable is the table over the repeats of each cell; empty without.
func (k *Recorder) repeatTable(runs []*sweep.Run, o report.Options) string {
	var rows []report.Repeats
	for _, a := range k.repeated(runs) {
		rows = append(rows, report.Repeats{Values: a.Cell.Values, Runs: len(a.Labels), LeftOut: len(a.Failed), Figures: a.UnderLoad})
	}
	return report.RepeatTable(rows, o)
}
