package compare

import (
	"cmp"
	"slices"
	"time"

	"loadgen"
	"loadgen/metrics"
)

// A CompareSide is one side of a comparison: any number of runs of any number
// of cells.
type CompareSide struct {
	Name  string // BASE or NEW
	Paths []string
	Runs  []CompareRun
}

// Single reports whether a cell of the side has one run that has a say.
func (s CompareSide) Single() bool {
	runs := map[string]int{}
	for _, r := range s.Runs {
		if !r.Mute() {
			runs[CellKey(r.Cell)]++
		}
	}
	for _, n := range runs {
		if n == 1 {
			return true
		}
	}
	return false
}

// A CompareRun is what a comparison needs to know of a run.
type CompareRun struct {
	Dir            string
	Cell           []loadgen.Value
	Started, Ended time.Time // zero where unknown
	// Unfit says why the run has no say: it failed, was cancelled or never
	// ended. Empty for a run with figures.
	Unfit    string
	Validity metrics.Validity
	// Figures are in display units; an error rate is a share of 1. A figure
	// that the run lacks is absent.
	Figures map[metrics.Figure]float64
	// Conditions are what the run ran under: configuration, host, version.
	Conditions []Setting
	// Search is what it found, where the run is a whole search; nil for others.
	Search *Search
}

// Mute reports whether the run has no say.
func (r CompareRun) Mute() bool { return r.Unfit != "" || r.Validity.Verdict == metrics.Invalid }

// A Setting is one thing that a run ran under.
type Setting struct{ Key, Value string }

// SideFacts say what a side consists of.
type SideFacts struct {
	Name  string   `json:"name"`
	Paths []string `json:"paths,omitempty"`
	Runs  int      `json:"runs"` // that have a say
	// Searches are those of them that are whole searches.
	Searches int `json:"searches,omitempty"`

	Cells int        `json:"cells"`
	From  *time.Time `json:"from,omitempty"`
	To    *time.Time `json:"to,omitempty"`
}

// fit keeps the runs that have a say, in the order of time, and names the
// others.
func (c *Comparison) fit(s CompareSide) CompareSide {
	kept := CompareSide{Name: s.Name, Paths: s.Paths}
	for _, r := range s.Runs {
		switch {
		case r.Unfit != "":
			c.LeftOut = append(c.LeftOut, LeftOut{s.Name, r.Dir, r.Unfit})
		case r.Validity.Verdict == metrics.Invalid:
			c.LeftOut = append(c.LeftOut, LeftOut{s.Name, r.Dir, "INVALID" + firstReason(r.Validity)})
		default:
			kept.Runs = append(kept.Runs, r)
		}
	}
	slices.SortStableFunc(kept.Runs, func(a, b CompareRun) int {
		return cmp.Or(a.Started.Compare(b.Started), cmp.Compare(a.Dir, b.Dir))
	})
	return kept
}

func firstReason(v metrics.Validity) string {
	if len(v.Reasons) == 0 {
		return ""
	}
	return ": " + v.Reasons[0].Text
}

func (s CompareSide) facts() SideFacts {
	f := SideFacts{Name: s.Name, Paths: s.Paths, Runs: len(s.Runs), Cells: len(cellsOf(s))}
	for _, r := range s.Runs {
		if r.Search != nil {
			f.Searches++
		}
	}
	if from, to, ok := s.span(); ok {
		f.From, f.To = &from, &to
	}
	return f
}

// span is the time from the first start to the last end; false where a run's
// time is unknown.
func (s CompareSide) span() (from, to time.Time, ok bool) {
	for i, r := range s.Runs {
		if r.Started.IsZero() {
			return from, to, false
		}
		end := r.Ended
		if end.Before(r.Started) {
			end = r.Started
		}
		if i == 0 || r.Started.Before(from) {
			from = r.Started
		}
		if i == 0 || end.After(to) {
			to = end
		}
	}
	return from, to, len(s.Runs) > 0
}

func (c *Comparison) whyNothing(b, n CompareSide) string {
	switch {
	case len(b.Runs) == 0 && len(n.Runs) == 0:
		return "no run of either side is fit"
	case len(b.Runs) == 0:
		return "no run of " + b.Name + " is fit"
	case len(n.Runs) == 0:
		return "no run of " + n.Name + " is fit"
	}
	return "the values of their cells differ"
}
