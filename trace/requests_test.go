package trace_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"loadgen"
	"loadgen/trace"
)

// Requests are told in the order of their lines, without those of the warm-up;
// the second one began a second before the first, and has no first token.
func TestRequestsAreToldOneByOne(t *testing.T) {
	const lines = `{"metadata":{"x_request_id":"w","request_start_ns":1700000000000000000,"request_end_ns":1700000001000000000,"benchmark_phase":"warmup"},"metrics":{}}
{"metadata":{"x_request_id":"a","request_start_ns":1700000010000000000,"request_end_ns":1700000011000000000,"benchmark_phase":"profiling"},"metrics":{"time_to_first_token":{"value":250,"unit":"ms"},"request_latency":{"value":900,"unit":"ms"},"input_sequence_length":{"value":7,"unit":"tokens"},"output_sequence_length":{"value":5,"unit":"tokens"}}}
{"metadata":{"x_request_id":"b","request_start_ns":1700000009000000000,"request_end_ns":1700000012000000000,"benchmark_phase":"profiling"},"metrics":{},"error":{"type":"Timeout"}}
`
	path := filepath.Join(t.TempDir(), "profile_export.jsonl")
	if err := os.WriteFile(path, []byte(lines), 0o600); err != nil {
		t.Fatal(err)
	}
	type told struct {
		ID                     string
		Start, FirstToken, End float64
		Input, Output          int
		Failed                 bool
	}
	const day = 86_400
	var got []told
	err := trace.Requests(path, func(c *loadgen.Call) {
		got = append(got, told{c.ID, c.Start, c.FirstToken, c.End, c.PromptTokens, c.CompletionTokens, c.Failed})
	})
	want := []told{{"a", day, day + 0.25, day + 0.9, 7, 5, false}, {"b", day - 1, -1, day + 2, -1, -1, true}}
	if diff := cmp.Diff(want, got, cmpopts.EquateApprox(0, 1e-9)); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

func TestRequestsOfAFileThatIsCutShortAreToldUpToThere(t *testing.T) {
	path := filepath.Join(t.TempDir(), "profile_export.jsonl")
	if err := os.WriteFile(path, []byte(`{"metadata":{"x_request_id":"a","request_start_ns":1700000010000000000,"request_end_ns":1700000011000000000},"metrics":{}}
{"metadata":{"x_req`), 0o600); err != nil {
		t.Fatal(err)
	}
	n := 0
	if err := trace.Requests(path, func(*loadgen.Call) { n++ }); err == nil || n != 1 {
		t.Errorf("%d requests, %v", n, err)
	}
}
