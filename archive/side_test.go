package archive_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"loadgen/archive"
	"loadgen/compare"
	"loadgen/metrics"
)

var ttft = metrics.Figure{Tag: "time_to_first_token", Stat: "p95"}

// putRun writes the summary of a run as AIPerf does.
func putRun(t testing.TB, dir string, p95 float64, more string) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprintf(`{"time_to_first_token":{"unit":"ms","avg":1,"p95":%g},"request_count":{"avg":10},
		"run_info":{"variation_values":{"phases.profiling.concurrency":4}},"start_time":"2026-03-01T02:00:00.5",
		"input_config":{"endpoint":{"urls":["http://user:key@h:8000/v1?api-key=hidden"],"api_key":"hidden","headers":{"X":"hidden"},"timeout":60}}%s}`, p95, more)
	if err := os.WriteFile(filepath.Join(dir, "profile_export_aiperf.json"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestASideIsFoundInAnyLayout(t *testing.T) {
	root := t.TempDir()
	for _, dir := range []string{"profile_runs/trial_0001/c4", "profile_runs/trial_0002/c4", "aborted_1/c4", ".hidden/c4"} {
		putRun(t, filepath.Join(root, dir), 100, "")
	}
	r := archive.SideReader{Figures: []metrics.Figure{ttft}}
	side, err := r.Read("BASE", []string{root})
	if err != nil {
		t.Fatal(err)
	}
	if len(side.Runs) != 2 {
		t.Fatalf("%d runs, want 2", len(side.Runs))
	}
	run := side.Runs[0]
	if key := compare.CellKey(run.Cell); key != "concurrency=4" || run.Figures[ttft] != 100 || run.Unfit != "" || run.Started.IsZero() {
		t.Errorf("cell %q, figures %v, unfit %q, started %v", key, run.Figures, run.Unfit, run.Started)
	}
	settings := fmt.Sprint(run.Conditions)
	if strings.Contains(settings, "hidden") || strings.Contains(settings, "user") || !strings.Contains(settings, "{url http://h:8000/v1}") || !strings.Contains(settings, "{endpoint.timeout 60}") {
		t.Errorf("settings %s", settings)
	}
	spoilt := filepath.Join(root, "profile_runs/trial_0003/c4")
	if err := os.MkdirAll(spoilt, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(spoilt, "profile_export_aiperf.json"), []byte(`{"time_to`), 0o600); err != nil {
		t.Fatal(err)
	}
	if side, err := r.Read("BASE", []string{root}); err != nil || len(side.Runs) != 3 || !strings.Contains(side.Runs[2].Unfit, "cannot be read") {
		t.Errorf("with a spoilt run: %+v, %v", side.Runs, err)
	}
	if _, err := r.Read("BASE", []string{root, root}); err == nil || !strings.Contains(err.Error(), "twice") {
		t.Errorf("the same runs twice: %v", err)
	}
}

func TestEarlierNightsAreThoseBefore(t *testing.T) {
	root := t.TempDir()
	for _, name := range []string{"20260301_020000", "20260302_020000", "20260303_020000", "20260303_020000_2", "20260304_020000", "notes"} {
		putRun(t, filepath.Join(root, name), 100, "")
	}
	got := archive.EarlierNights(filepath.Join(root, "20260303_020000_2")+"/", []string{filepath.Join(root, "20260302_020000")})
	if len(got) != 2 || filepath.Base(got[0]) != "20260301_020000" || filepath.Base(got[1]) != "20260303_020000" {
		t.Errorf("earlier nights %v", got)
	}
	if got := archive.EarlierNights(filepath.Join(root, "notes"), nil); got != nil {
		t.Errorf("what is no night has earlier nights: %v", got)
	}
}

func TestHistoryIsTheLastLevel(t *testing.T) {
	root := t.TempDir()
	var nights []string
	for i, p95 := range []float64{50, 51, 49, 50, 100, 101, 99, 102} {
		night := filepath.Join(root, fmt.Sprintf("2026030%d_020000", i+1))
		nights = append(nights, night)
		putRun(t, night, p95, "")
	}
	putRun(t, nights[5], 700, `,"was_cancelled":true`)
	r := archive.SideReader{Figures: []metrics.Figure{ttft}}
	if got := r.History(nights)["concurrency=4"][ttft]; fmt.Sprint(got) != "[100 99 102]" {
		t.Errorf("history %v, want the three whole nights since the change", got)
	}
}
