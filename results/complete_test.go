package results_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"loadgen"
	"loadgen/metrics"
	"loadgen/results"
)

func TestASummarySaysWhetherItIsOfTheWholeRun(t *testing.T) {
	for _, row := range []struct {
		name     string
		lost     int
		status   loadgen.Status
		complete bool
		reason   string
	}{
		{"a run that went well", 0, loadgen.Completed, true, ""},
		{"one that its user ended", 0, loadgen.Interrupted, false, "the user ended the run"},
		{"requests without a record", 3, loadgen.Completed, false, "3 requests left no record"},
		{"a run that failed", 0, loadgen.Failed, false, "the run failed: see process_result.json"},
	} {
		got := export(t, []string{"loadgen"}, func(r *results.Result) {
			r.Summary = metrics.Summary{Counts: metrics.Counts{Lost: row.lost}}
			r.Status = row.status
		})
		if got.Cancelled != (row.status == loadgen.Interrupted) || got.Complete != row.complete || got.Reason != row.reason {
			t.Errorf("%s: %v, %q", row.name, got.Complete, got.Reason)
		}
	}
}

func TestTheCommandLineCanBePastedIntoAShell(t *testing.T) {
	got := export(t, []string{"loadgen", "--set", "sweeps.concurrency=[1, 2]", "--set=base_config.model=it's", ""}, func(*results.Result) {})
	if want := `loadgen --set 'sweeps.concurrency=[1, 2]' '--set=base_config.model=it'\''s' ''`; got.Info.Command != want {
		t.Errorf("got  %s\nwant %s", got.Info.Command, want)
	}
}

type exported struct {
	Cancelled bool   `json:"was_cancelled"`
	Complete  bool   `json:"is_complete"`
	Reason    string `json:"incomplete_reason"`
	Info      struct {
		Command string `json:"cli_command"`
	} `json:"run_info"`
}

// export writes a run with a command and a changed result, and reads its JSON
// export.
func export(t *testing.T, command []string, change func(*results.Result)) (e exported) {
	t.Helper()
	batch, err := results.CreateBatch(t.TempDir(), "complete", time.Unix(0, epoch))
	if err != nil {
		t.Fatal(err)
	}
	run, err := batch.Begin(results.Metadata{Command: command})
	if err != nil {
		t.Fatal(err)
	}
	res := result(metrics.Summary{})
	change(res)
	if err := run.Finish(res); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(run.Dir, results.JSONName))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &e); err != nil {
		t.Fatal(err)
	}
	return e
}
