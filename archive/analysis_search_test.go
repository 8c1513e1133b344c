package archive_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"loadgen"
	"loadgen/archive"
	"loadgen/report"
	"loadgen/results"
)

// probe is a run of a search at a load, without figures.
func probe(key string, load any, number int) *archive.Recording {
	return &archive.Recording{Recorded: &results.Recorded{Status: loadgen.Completed, Meta: results.Metadata{
		Cell: loadgen.Cell{Values: []loadgen.Value{{Key: key, Value: load}}}, Repeat: number, Dir: "search/x/probe_0001",
	}}}
}

func TestTheAnalysisOfASearchBeginsWithItsAnswer(t *testing.T) {
	dir := t.TempDir()
	const found = `{"capacities": [{"sweep_params": null, "over": "concurrency", "unit": "users", "measured_s": 31.5, "notes": ["caches were warm"],
		"tiers": [{"answer": "carries 6 users (6 to 6, 95 %)", "status": "found", "limits": [], "capacity": 6, "lower": 6, "upper": 6,
			"open_loop": {"request_rate": 15.2, "words": "an open loop keeps the limits, too", "answer": "pass", "run_dir": "x"}}],
		"probes": [{"load": 1}, {"load": 11}, {"load": 6}]}]}`
	if err := os.WriteFile(filepath.Join(dir, results.CapacityJSONName), []byte(found), 0o600); err != nil {
		t.Fatal(err)
	}
	// In the order of their directories' names.
	runs := []*archive.Recording{probe("concurrency", 1, 1), probe("concurrency", 11, 1), probe("concurrency", 6, 2), probe("concurrency", 6, 1), probe("request_rate", 15.2, 1)}
	text := archive.BatchText(dir, runs, nil, nil, report.Options{})
	head := dir + ": a search of 5 runs\ncarries 6 users (6 to 6, 95 %)\nnote: caches were warm\nnote: an open loop keeps the limits, too\nnote: 3 probes, 31.5 s of measurement\n\n"
	if !strings.HasPrefix(text, head) {
		t.Errorf("got\n%s\nwant it to begin with\n%s", text, head)
	}
	var rows []string
	for _, row := range regexp.MustCompile(`(?m)^│ +(\S+) +(\S+) `).FindAllStringSubmatch(text, -1) {
		rows = append(rows, row[1]+" "+row[2])
	}
	want := []string{"concurrency probe", "1 1", "6 1", "6 2", "11 1", "request_rate probe", "15.2 1"}
	if diff := cmp.Diff(want, rows); diff != "" {
		t.Errorf("the tables' first columns: %s\n%s", diff, text)
	}
}
