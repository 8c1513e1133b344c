package archive

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"loadgen"
	"loadgen/analyze"
	"loadgen/report"
	"loadgen/results"
)

// ReadBatch reads all runs of a batch, in the order of its cells. each is given
// every one while it is whole; then it gives up what it need not keep. What
// could be read comes back beside the error.
func ReadBatch(dir string, each func(dir string, r *Recording) error) ([]*Recording, error) {
	dirs, err := results.RunDirs(dir)
	if err != nil {
		return nil, err
	}
	var runs []*Recording
	var errs []error
	for _, dir := range dirs {
		r, err := Read(dir)
		errs = append(errs, err)
		if r == nil {
			continue
		}
		runs = append(runs, r)
		errs = append(errs, each(dir, r))
		r.Forget(len(dirs))
	}
	slices.SortStableFunc(runs, func(a, b *Recording) int { return cmp.Compare(a.Meta.Cell.Index, b.Meta.Cell.Index) })
	return runs, errors.Join(errs...)
}

// FindingsOf are what the runs of a batch say together.
func FindingsOf(runs []*Recording, o analyze.Options) []analyze.Finding {
	var cells []analyze.CellFacts
	for _, r := range runs {
		cells = append(cells, r.Facts)
	}
	return analyze.Findings(cells, o)
}

// BatchText is the analysis of a batch for people.
func BatchText(dir string, runs []*Recording, findings []analyze.Finding, sizings []Sizing, o report.Options) string {
	var b strings.Builder
	searches, broken := results.Searches(dir)
	kind := "batch of " + report.Count(len(runs), "run")
	if searches != nil {
		kind = "search of " + report.Count(len(runs), "run")
	}
	fmt.Fprintf(&b, "%s: a %s\n", dir, kind)
	if found := foundText(searches, o); found != "" {
		b.WriteString(found + "\n")
	}
	if broken != nil {
		fmt.Fprintf(&b, "what the search found is not known: %v\n", broken)
	}
	brokenOff := false
	for _, r := range runs {
		brokenOff = brokenOff || r.Status == loadgen.Incomplete
		if r.Status != "" && r.Status != loadgen.Completed && r.Failed == "" { // the table tells of failures
			fmt.Fprintf(&b, "%s: %s\n", r.Facts.Name, r.Status)
		}
	}
	if brokenOff {
		fmt.Fprintf(&b, "the batch was broken off, or is still at work: loadgen --resume %s makes the rest of its runs\n", dir)
	}
	for i, shown := range tablesOf(runs, searches) {
		if i > 0 {
			b.WriteString("\n")
		}
		b.WriteString(report.BatchTable(shown, o))
	}
	fmt.Fprintf(&b, "\nFindings\n%s", report.FindingsText(findings, o))
	for _, s := range sizings {
		if len(s.Answers) > 0 {
			fmt.Fprintf(&b, "\n%s\n%s", s.title(), report.SizingText(&s.SizingReport, o))
		}
	}
	return b.String()
}

func shownRecording(r *Recording) *report.Run {
	return &report.Run{Values: r.Meta.Cell.Values, Repeat: r.Meta.Repeat, Probe: results.IsProbe(r.Meta.Dir), Summary: &r.Summarized, Failed: r.Failed, Missed: r.Missed}
}
