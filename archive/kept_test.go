package archive

import (
	"strings"
	"testing"

	"loadgen"
)

func TestWhatABatchKeepsOfItsRunsIsBounded(t *testing.T) {
	text := strings.Repeat("x", 100_000)
	for _, row := range []struct {
		name         string
		runs         int
		calls        int
		text         string // of each call's prompt
		kept, worded int    // calls, and those with their texts
	}{
		{"one small run is kept whole", 1, 400, "word", 400, 400},
		{"of one run with long prompts, 64 MiB of them", 1, 800, text, 800, 671},
		{"of each of ten, a tenth", 10, 800, text, 800, 67},
		{"of each of a hundred runs, a hundredth of the calls", 100, 10_000, "", 1000, 1000},
		{"of each of ten thousand, a hundred calls", 10_000, 10_000, text, 100, 0},
		{"a run without a call", 3, 0, "", 0, 0},
	} {
		tr := &loadgen.Trace{Calls: make([]loadgen.Call, row.calls), Missing: []string{"tools"}}
		for i := range tr.Calls {
			tr.Calls[i].Input = row.text
		}
		got := share(tr, row.runs)
		worded := 0
		for _, c := range got.Calls {
			if c.Input == row.text {
				worded++
			}
		}
		if len(got.Calls) != row.kept || worded != row.worded {
			t.Errorf("%s: %d calls, %d with their texts; want %d, %d", row.name, len(got.Calls), worded, row.kept, row.worded)
		}
		if whole := row.worded == row.calls; (len(got.Missing) == 1) != whole {
			t.Errorf("%s: says %q", row.name, got.Missing)
		}
		if row.calls > 0 && tr.Calls[row.calls-1].Input != row.text {
			t.Errorf("%s: the run's own trace was changed", row.name)
		}
	}
}
