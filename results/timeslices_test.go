package results_test

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"loadgen/results"
)

// The handmade requests in slices of half a second: a, b and c were sent in the
// first, d, which failed, and e, which was cancelled, in the second. The latencies
// of the first are 300, 500 and 50 ms, its TTFTs 100, 200 and 50 ms.
func TestTimeslicesAreAIPerfsFiles(t *testing.T) {
	_, dir, s := write(t)
	if err := results.WriteSlices(dir, 500*time.Millisecond, result(s).Config); err != nil {
		t.Fatal(err)
	}
	type figure struct {
		Unit string   `json:"unit"`
		Avg  *float64 `json:"avg"`
		Max  *float64 `json:"max"`
	}
	var file struct {
		Slices []struct {
			Start    int64   `json:"start_ns"`
			End      int64   `json:"end_ns"`
			Complete *bool   `json:"is_complete"`
			Latency  *figure `json:"request_latency"`
			TTFT     *figure `json:"time_to_first_token"`
			Count    *figure `json:"request_count"`
		} `json:"timeslices"`
		Config map[string]any `json:"input_config"`
	}
	data, err := os.ReadFile(filepath.Join(dir, "profile_export_aiperf_timeslices.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	if len(file.Slices) != 2 || file.Config["endpoint"] == nil {
		t.Fatalf("%d slices, input_config %v", len(file.Slices), file.Config)
	}
	for i, s := range file.Slices {
		if from := int64(epoch + i*500_000_000); s.Start != from || s.End != from+500_000_000 || s.Complete == nil || !*s.Complete {
			t.Errorf("slice %d: from %d to %d", i, s.Start-epoch, s.End-epoch)
		}
	}
	first := file.Slices[0]
	for _, tc := range []struct {
		name     string
		got      *figure
		avg, max float64
		unit     string
	}{
		{"latency", first.Latency, 850. / 3, 500, "ms"},
		{"TTFT", first.TTFT, 350. / 3, 200, "ms"},
	} {
		if tc.got == nil || tc.got.Avg == nil || tc.got.Max == nil || math.Abs(*tc.got.Avg-tc.avg) > 1e-6 || *tc.got.Max != tc.max || tc.got.Unit != tc.unit {
			t.Errorf("%s: %+v, want %v on average and %v at most", tc.name, tc.got, tc.avg, tc.max)
		}
	}
	if n := first.Count; n == nil || n.Avg == nil || *n.Avg != 3 {
		t.Errorf("requests of the first slice: %+v", n)
	}
	if file.Slices[1].Latency != nil {
		t.Error("a latency of requests that did not succeed")
	}

	table, err := os.ReadFile(filepath.Join(dir, "profile_export_aiperf_timeslices.csv"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"Timeslice,Start_NS,End_NS,Metric,Unit,Stat,Value\r\n",
		"\r\n0,1700000000000000000,1700000000500000000,Request Latency,ms,avg,283.33\r\n",
		"\r\n0,1700000000000000000,1700000000500000000,Time to First Token,ms,max,200.00\r\n",
	} {
		if !strings.Contains(string(table), want) {
			t.Errorf("the table lacks %q", want)
		}
	}
}
