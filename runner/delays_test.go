package runner_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"loadgen/metrics"
)

// TestUsersWhoRestAreNotMissed has users who rest between the turns of a
// dataset: who thinks is not in flight, and that is no fault of the generator.
func TestUsersWhoRestAreNotMissed(t *testing.T) {
	settings := []string{"base_config.concurrency=4", "base_config.benchmark_duration=20"}
	for _, row := range []struct {
		name, format, line string
		missing            bool // whether users can be found missing
	}{
		{"turns with a delay", "multi_turn", `{"turns": [{"text": "first %d"}, {"text": "second %[1]d", "delay": 1800}]}`, false},
		{"single turns", "single_turn", `{"text": "first %d"}`, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			var lines strings.Builder
			for i := range 200 {
				fmt.Fprintf(&lines, row.line+"\n", i)
			}
			file := filepath.Join(t.TempDir(), "dataset.jsonl")
			if err := os.WriteFile(file, []byte(lines.String()), 0o600); err != nil {
				t.Fatal(err)
			}
			dataset := []string{"base_config.input_file=" + file, "base_config.custom_dataset_type=" + row.format}
			inVirtualTime(t, append(dataset, settings...), func(t *testing.T, m *measured) {
				judged := false
				for _, s := range m.Summary.Validity.Signs {
					if s.Name == "in_flight_shortfall" {
						judged = true
						if s.Verdict != metrics.Valid {
							t.Errorf("%s, want nobody missing", s.Text)
						}
					}
				}
				if judged != row.missing || m.Facts.Paused == row.missing {
					t.Errorf("judged by who is missing: %t, paused: %t; want %t, %t", judged, m.Facts.Paused, row.missing, !row.missing)
				}
				for _, r := range m.records {
					if rest := time.Duration(r.Request.Turn) * 1800 * time.Millisecond; r.Request.Delay != rest {
						t.Fatalf("turn %d comes after %v, want %v", r.Request.Turn, r.Request.Delay, rest)
					}
				}
			})
		})
	}
}
