package sweep_test

import (
	"fmt"
	"strings"
	"testing"

	"loadgen/sweep"
)

// TestASimulatedEndpointIsWrittenDown holds that what a run against it was
// measured on can be told from what another was.
func TestASimulatedEndpointIsWrittenDown(t *testing.T) {
	const file = `batch_name: chat
base_config: {model: m, url: "mock://", streaming: true, warmup_request_count: 0, request_count: 9, concurrency: 1}
repeats: %d
mock: {ttft: 20ms, timing: fixed, api_key: sesame, faults: [{kind: status, every: 5, status: 503}, {kind: stall, for: 2s}]}
`
	parse := func(repeats int) *sweep.Batch {
		t.Helper()
		batch, err := sweep.Parse("chat.yaml", fmt.Appendf(nil, file, repeats), sweep.Options{})
		if err != nil {
			t.Fatal(err)
		}
		return batch
	}
	batch := parse(3)
	settings := batch.EndpointSettings(&batch.Cells()[0]).String()
	for _, want := range []string{"ttft: 20ms", "timing: fixed", "decode_base: 8ms", "faults: status every=5 status=503; stall for=2s"} {
		if !strings.Contains(settings, want) {
			t.Errorf("%s lacks %s", settings, want)
		}
	}
	if strings.Contains(settings, "sesame") {
		t.Errorf("the key is shown: %s", settings)
	}
	if got, want := batch.RoundSettings().String(), "{repeat_order: interleaved, rest_between_runs: 0, vary_seed: true}"; got != want {
		t.Errorf("rounds %s, want %s", got, want)
	}
	other := batch.Cells()[0]
	other.Config.URL = "http://localhost:8000"
	if got := batch.EndpointSettings(&other); got != nil {
		t.Errorf("another endpoint has %v", got)
	}
	if got := parse(1).RoundSettings(); got != nil {
		t.Errorf("a single run has %v", got)
	}
}
