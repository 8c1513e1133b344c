package report_test

import (
	"strings"
	"testing"

	"loadgen"
	"loadgen/metrics"
	"loadgen/report"
)

// repeated is a run of a cell with a throughput in tokens per second.
func repeated(users, repeat int, tokens float64) *report.Run {
	s := &metrics.Summary{
		Counts:  metrics.Counts{Issued: 1, OK: 1},
		Metrics: []metrics.Metric{{Tag: "output_token_throughput", Value: &tokens}},
	}
	s.Validity.Verdict = metrics.Valid
	return &report.Run{Values: []loadgen.Value{{Key: "concurrency", Value: users}}, Repeat: repeat, Summary: s}
}

func TestRepeatsOfALoadGainNothingOverEachOther(t *testing.T) {
	table := report.BatchTable([]*report.Run{repeated(1, 1, 100), repeated(2, 1, 180), repeated(1, 2, 104), repeated(2, 2, 176)}, report.Options{})
	if strings.Contains(table, "gain") || strings.Contains(table, "knee") {
		t.Errorf("repeats are compared as if they were loads:\n%s", table)
	}
	if !strings.Contains(table, "repeat") {
		t.Errorf("it is not said which run of a cell is which:\n%s", table)
	}
}

// Two runs of 100 and 104 have a mean of 102 and a standard deviation of 2.83;
// the half width is 12.706·2.83/√2 = 25.4.
func TestMeansOfRepeatsStandWithTheirHalfWidth(t *testing.T) {
	figures := metrics.Repeats([]*metrics.Summary{repeated(1, 1, 100).Summary, repeated(1, 2, 104).Summary}, 0.95)
	table := report.RepeatTable([]report.Repeats{{
		Values: []loadgen.Value{{Key: "concurrency", Value: 1}}, Runs: 2, LeftOut: 1, Figures: figures,
	}}, report.Options{})
	for _, want := range []string{"102.0 ± 25.4", "2 of 3", "fewer than 3 runs say little", "1 runs that failed"} {
		if !strings.Contains(table, want) {
			t.Errorf("the table lacks %q:\n%s", want, table)
		}
	}
	if report.RepeatTable(nil, report.Options{}) != "" {
		t.Error("a batch without repeats has a table of them")
	}
}
