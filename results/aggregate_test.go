package results_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"loadgen"
	"loadgen/metrics"
	"loadgen/results"
)

// latencies are runs whose p99 of the request latency is as said, in ms.
func latencies(p99 ...float64) []*metrics.Summary {
	var runs []*metrics.Summary
	for _, v := range p99 {
		rate := 1000 / v
		runs = append(runs, &metrics.Summary{Metrics: []metrics.Metric{
			{Tag: "request_throughput", Unit: "requests/sec", Value: &rate},
			{Tag: "request_latency", Unit: "ms", Stats: &metrics.Stats{P99: v}},
		}})
	}
	return runs
}

func read(t *testing.T, path ...string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(path...))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// The expected figures of three runs of 200, 210 and 220 ms are those of
// AIPerf's documentation: se = 10/√3, t of 2 degrees of freedom = 4.3027.
func TestAggregatesOfRepeats(t *testing.T) {
	batch, err := results.CreateBatch(t.TempDir(), "b", time.Unix(0, 0))
	if err != nil {
		t.Fatal(err)
	}
	defer batch.Close()
	cell := func(i int, dir string, runs ...*metrics.Summary) results.Aggregate {
		a := results.Aggregate{
			Cell:       loadgen.Cell{Index: i, Dir: dir, Values: []loadgen.Value{{Key: "concurrency", Value: i + 1}}},
			Confidence: 0.95, Figures: metrics.Repeats(runs, 0.95),
		}
		for n := range runs {
			a.Labels = append(a.Labels, results.RunLabel(n+1))
		}
		return a
	}
	cells := []results.Aggregate{
		cell(0, "concurrency1", latencies(200, 210, 220)...),
		cell(1, "concurrency2", latencies(400)...),
	}
	cells[1].Failed = []results.FailedRun{{Label: "run_0002", Error: "no route, to host"}}
	if err := batch.WriteAggregates(cells, false); err != nil {
		t.Fatal(err)
	}

	var got struct {
		Metadata map[string]any            `json:"metadata"`
		Metrics  map[string]map[string]any `json:"metrics"`
	}
	if err := json.Unmarshal([]byte(read(t, batch.Dir, "aggregate/concurrency1", results.AggregateJSONName)), &got); err != nil {
		t.Fatal(err)
	}
	p99 := got.Metrics["request_latency_p99"]
	for key, want := range map[string]float64{"mean": 210, "std": 10, "min": 200, "max": 220, "cv": 0.0476, "se": 5.7735, "ci_low": 185.16, "ci_high": 234.84, "t_critical": 4.3027} {
		if v, _ := p99[key].(float64); v < want*0.9999 || v > want*1.0001+0.00005 {
			t.Errorf("%s is %v, want %v", key, p99[key], want)
		}
	}
	if got.Metadata["num_successful_runs"] != 3.0 || got.Metadata["single_run"] != nil {
		t.Errorf("metadata: %v", got.Metadata)
	}
	table := read(t, batch.Dir, "aggregate/concurrency1", results.AggregateCSVName)
	if want := "request_latency_p99,210.00,10.00,200.00,220.00,0.0476,5.7735,185.16,234.84,4.3027,ms\r\n"; !strings.Contains(table, want) {
		t.Errorf("the table lacks %q:\n%s", want, table)
	}

	// One run: no spread, its own value for an interval, and no t.
	single := read(t, batch.Dir, "aggregate/concurrency2", results.AggregateCSVName)
	if want := "request_latency_p99,400.00,0.00,400.00,400.00,0.0000,0.0000,400.00,400.00,,ms\r\n"; !strings.Contains(single, want) {
		t.Errorf("the table lacks %q:\n%s", want, single)
	}

	var sweep struct {
		Failed   []results.FailedRun `json:"failed_runs"`
		Best     map[string]any      `json:"best_configurations"`
		Frontier []map[string]any    `json:"pareto_optimal"`
		Cells    []any               `json:"per_combination_metrics"`
	}
	if err := json.Unmarshal([]byte(read(t, batch.Dir, "aggregate/sweep_aggregate", results.SweepJSONName)), &sweep); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]results.FailedRun{{Label: "concurrency2/run_0002", Error: "no route, to host"}}, sweep.Failed); d != "" {
		t.Error(d)
	}
	best, _ := sweep.Best["best_latency_p99"].(map[string]any)
	if d := cmp.Diff(map[string]any{"parameters": map[string]any{"concurrency": 1.0}, "metric": 210.0, "unit": "ms"}, best); d != "" {
		t.Error(d)
	}
	// The second cell is slower and has the lower rate.
	if d := cmp.Diff([]map[string]any{{"concurrency": 1.0}}, sweep.Frontier); d != "" || len(sweep.Cells) != 2 {
		t.Errorf("%d cells, frontier %s", len(sweep.Cells), d)
	}
}

func TestWhereRunsLie(t *testing.T) {
	swept := loadgen.Cell{Dir: "concurrency4", Values: []loadgen.Value{{Key: "concurrency", Value: 4}}}
	for _, tt := range []struct {
		cell    loadgen.Cell
		repeat  int
		blocked bool
		want    string
	}{
		{loadgen.Cell{}, 0, false, ""},
		{swept, 0, false, "concurrency4"},
		{loadgen.Cell{}, 2, false, "profile_runs/run_0002"},
		{swept, 2, false, "profile_runs/trial_0002/concurrency4"},
		{swept, 2, true, "concurrency4/profile_runs/trial_0002"},
	} {
		if got := results.RunDir(tt.cell, tt.repeat, tt.blocked); got != tt.want {
			t.Errorf("repeat %d of %q lies in %q, want %q", tt.repeat, tt.cell.Dir, got, tt.want)
		}
		if got := results.CellDir(tt.want); got != tt.cell.Dir {
			t.Errorf("%s is a run of the cell %q, want %q", tt.want, got, tt.cell.Dir)
		}
	}
}
