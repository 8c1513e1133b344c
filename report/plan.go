package report

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"loadgen"
)

// A Planned is a run that has not been made yet.
type Planned struct {
	Values     []loadgen.Value // swept keys; empty for a batch without sweeps
	Dir        string          // where its files would go
	Parameters []loadgen.Value // all effective parameters, in the file's order
	Requests   int             // how many would be sent; 0 where only time ends the run
	Duration   time.Duration   // how long it would last at most; 0 where only the count ends it
}

// Rounds are how often each cell of a batch is run, and the rest between two
// runs; both counts are 1 without repeats.
type Rounds struct {
	Least, Most int
	Rest        time.Duration
}

// runs says how many runs so many cells make.
func (r Rounds) runs(cells int) string {
	if r.Most <= 1 {
		return Count(cells, "run")
	}
	repeats, all := fmt.Sprint(r.Most), fmt.Sprint(cells*r.Most)
	if r.Least < r.Most {
		repeats, all = fmt.Sprintf("%d to %d", r.Least, r.Most), fmt.Sprintf("%d to %d", cells*r.Least, cells*r.Most)
	}
	return fmt.Sprintf("%s with %s repeats each: %s runs", Count(cells, "cell"), repeats, all)
}

// PlanText lists what a batch would do, for a dry run: the runs with their
// directories and ends, the parameters they share and the time all of it
// takes at least.
func PlanText(runs []Planned, rounds Rounds, o Options) string {
	var b strings.Builder
	b.WriteString(sharedParameters(runs, o))
	g := grid{columns: []column{{head: "run"}}}
	if len(runs) > 0 {
		for _, v := range runs[0].Values {
			g.columns = append(g.columns, column{head: v.Key})
		}
	}
	g.columns = append(g.columns, column{head: "requests"}, column{head: "at most"}, column{head: "directory", left: true, rank: 1})
	var total time.Duration
	bounded := true
	for i, r := range runs {
		row := []string{fmt.Sprint(i + 1)}
		for _, v := range r.Values {
			row = append(row, fmt.Sprint(v.Value))
		}
		requests, duration := "as many as fit", "until all are done"
		if r.Requests > 0 {
			requests = decimal(float64(r.Requests), 0)
		}
		if r.Duration > 0 {
			duration = span(r.Duration)
		}
		bounded = bounded && r.Duration > 0
		total += r.Duration
		g.rows = append(g.rows, append(row, requests, duration, r.Dir))
	}
	text, dropped := g.draw(o)
	b.WriteString(text + leftOut(dropped, o))
	measured := total > 0
	total = time.Duration(rounds.Least)*total + time.Duration(max(rounds.Least*len(runs)-1, 0))*rounds.Rest
	time := "about " + span(total) + " in all, besides warm-up and grace periods"
	switch {
	case !measured:
		time = "how long it takes depends on the endpoint"
	case !bounded:
		time = "at least " + span(total) + " in all: some runs end by count only"
	case rounds.Least < rounds.Most:
		time = "at least " + span(total) + " in all, besides warm-up and grace periods"
	}
	fmt.Fprintf(&b, "%s, %s\n", rounds.runs(len(runs)), time)
	return b.String()
}

// sharedParameters lists the parameters that are the same in every run, a line
// each.
func sharedParameters(runs []Planned, o Options) string {
	if len(runs) == 0 {
		return ""
	}
	swept := map[string]bool{}
	for _, v := range runs[0].Values {
		swept[v.Key] = true
	}
	width := 0
	for _, p := range runs[0].Parameters {
		if !swept[p.Key] {
			width = max(width, len(p.Key))
		}
	}
	var b strings.Builder
	for _, p := range runs[0].Parameters {
		if !swept[p.Key] {
			value := o.wrap(width+4, written(p.Value))
			fmt.Fprintf(&b, "  %s  %s\n", o.paint(Faint, fmt.Sprintf("%-*s", width, p.Key)), value)
		}
	}
	return b.String()
}

// written writes a value as a batch file would have it.
func written(value any) string {
	limits, ok := value.(map[string]float64)
	if !ok {
		return fmt.Sprint(value)
	}
	var parts []string
	for _, key := range slices.Sorted(maps.Keys(limits)) {
		parts = append(parts, fmt.Sprintf("%s: %g", key, limits[key]))
	}
	return "{" + strings.Join(parts, ", ") + "}"
}
