//go:build unix

package chaos_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"loadgen/mockllm"
)

// modes are the ways to load an endpoint, each a run of about two seconds.
var modes = map[string]string{
	"closed": `  warmup_request_count: 2
  benchmark_duration: 1.5
  concurrency: 4
`,
	"open": `  warmup_request_count: 2
  benchmark_duration: 1.5
  request_rate: 30
  request_rate_mode: poisson
`,
	"replay": `  warmup_request_count: 0
  fixed_schedule: true
  input_file: trace.jsonl
  custom_dataset_type: mooncake_trace
`,
	"conversation": `  warmup_request_count: 2
  benchmark_duration: 1.5
  concurrency: 4
  session_turns_mean: 3
`,
}

// faults are what an endpoint may do wrong, each alone; all of them or every
// third request. They are tried in every mode.
var faults = []mockllm.Fault{
	{Kind: "status", Status: 500},
	{Kind: "status", Status: 503, Every: 3},
	{Kind: "status", Status: 429, RetryAfter: time.Second, Every: 3},
	{Kind: "status", Status: 404},
	{Kind: "status", Status: 502, HTML: true, Every: 3},
	{Kind: "refuse"},
	{Kind: "refuse", Every: 2},
	{Kind: "hangup"},
	{Kind: "hangup", Every: 3},
	{Kind: "reset"},
	{Kind: "reset", Every: 3},
	{Kind: "slow_head", For: 300 * time.Millisecond, Every: 3},
	{Kind: "slow_head", For: time.Hour},
	{Kind: "garbage"},
	{Kind: "garbage", Every: 3},
	{Kind: "cut", After: 2},
	{Kind: "cut", After: 2, Every: 3},
	{Kind: "torn", After: 1, Every: 3},
	{Kind: "no_done", Every: 3},
	{Kind: "error_event", After: 2},
	{Kind: "error_event", After: 2, Every: 3},
	{Kind: "stall", After: 2},
	{Kind: "stall", After: 2, For: 200 * time.Millisecond, Every: 3},
	{Kind: "crlf"},
	{Kind: "comments"},
	{Kind: "multiline"},
	{Kind: "bom"},
	{Kind: "unicode"},
	{Kind: "pad", Every: 3},
	{Kind: "group"},
	{Kind: "burst"},
	{Kind: "shred"},
	{Kind: "delimited"},
	{Kind: "informational"},
	{Kind: "closes"},
}

// harmless are the faults that a client must not even notice as a failure.
var harmless = []string{"crlf", "comments", "multiline", "bom", "unicode", "pad", "group", "burst", "shred", "delimited", "informational", "closes"}

const trace = `{"timestamp": 0, "input_length": 20, "output_length": 5}
{"timestamp": 200, "input_length": 20, "output_length": 5}
{"timestamp": 400, "input_length": 20, "output_length": 5}
{"timestamp": 401, "input_length": 20, "output_length": 5}
{"timestamp": 402, "input_length": 20, "output_length": 5}
{"timestamp": 900, "input_length": 20, "output_length": 5}
`

// TestFaultsOfTheEndpoint tries every fault in every mode. In the short form
// each fault meets one mode, in turn.
func TestFaultsOfTheEndpoint(t *testing.T) {
	names := []string{"closed", "open", "replay", "conversation"}
	for i, fault := range faults {
		for k, mode := range names {
			if times(0, 1) == 0 && i%len(names) != k {
				continue
			}
			t.Run(fmt.Sprintf("%s %d every %d, %s", fault.Kind, fault.Status, fault.Every, mode), func(t *testing.T) {
				t.Parallel()
				faulty(t, fault, modes[mode])
			})
		}
	}
}

func faulty(t *testing.T, fault mockllm.Fault, settings string) {
	dir := t.TempDir()
	end := serve(t, func(c *mockllm.Config) { c.Faults = []mockllm.Fault{fault} })
	if err := os.WriteFile(filepath.Join(dir, "trace.jsonl"), []byte(trace), 0o600); err != nil {
		t.Fatal(err)
	}
	settings += "  request_timeout: 3\n  grace_period: 1\n"
	batchFile(t, dir, end.url, settings)
	n := begin(t, dir, "--config-file", "batch.yaml", "--ui", "none", "--no-check")
	status := n.end(t, 40*time.Second)
	if !slices.Contains([]int{0, 1, 4}, status) {
		t.Errorf("exit status %d:\n%s", status, n.err.String())
	}
	batch := batchDir(dir)
	if batch == "" {
		t.Fatalf("there are no results:\n%s", n.err.String())
	}
	wholeJSON(t, batch)
	s := readSummary(t, batch)
	if len(s.Runs) != 1 {
		t.Fatalf("%d runs in the summary, want 1:\n%s", len(s.Runs), n.err.String())
	}
	c := s.Runs[0].Counts
	if c.Issued != c.OK+c.Failed+c.Cancelled {
		t.Errorf("%d requests were issued, of which %d are ok, %d failed, %d cancelled", c.Issued, c.OK, c.Failed, c.Cancelled)
	}
	lines := readLines(t, filepath.Join(batch, "profile_export.jsonl"), false)
	if len(lines) != c.Issued {
		t.Errorf("%d lines of %d requests", len(lines), c.Issued)
	}
	if slices.Contains(harmless, fault.Kind) && (c.Failed > 0 || c.OK == 0) {
		t.Errorf("%d ok, %d failed: the fault is none for a client", c.OK, c.Failed)
	}
	if c.OK == 0 && status == 0 {
		t.Errorf("nothing succeeded, and the exit status is 0")
	}
	if s.Runs[0].Status == "completed" && c.OK == 0 {
		t.Errorf("nothing succeeded, and the run is %s", s.Runs[0].Status)
	}
}
