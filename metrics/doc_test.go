package metrics_test

import (
	"fmt"
	"math"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"loadgen/metrics"
)

// rows returns the cells of the table rows of docs/metrics.md whose first cell
// is a name in backquotes and which have so many cells.
func rows(t *testing.T, cells int) [][]string {
	t.Helper()
	doc, err := os.ReadFile("../docs/metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	var rows [][]string
	for _, line := range regexp.MustCompile("(?m)^\\| `.*$").FindAllString(string(doc), -1) {
		row := strings.Split(strings.Trim(line, "| "), " | ")
		if len(row) == cells {
			row[0] = strings.Trim(row[0], "`")
			rows = append(rows, row)
		}
	}
	return rows
}

func TestTheDocumentHasEveryMetric(t *testing.T) {
	var want, got [][2]string
	for _, d := range metrics.Definitions() {
		want = append(want, [2]string{d.Tag, d.Unit})
	}
	for _, row := range rows(t, 4) {
		got = append(got, [2]string{row[0], row[1]})
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-code +docs/metrics.md):\n%s", diff)
	}
}

func TestTheDocumentHasEveryThreshold(t *testing.T) {
	limit := func(v float64) string {
		if math.IsInf(v, 1) {
			return "–"
		}
		return fmt.Sprint(v)
	}
	var want [][]string
	for _, th := range metrics.Thresholds() {
		want = append(want, []string{th.Name, th.What, limit(th.Degraded), limit(th.Invalid), th.Unit, th.Why})
	}
	if diff := cmp.Diff(want, rows(t, 6)); diff != "" {
		t.Errorf("(-code +docs/metrics.md):\n%s", diff)
	}
}

// The order of the keys that AIPerf declares is part of its format.
func TestDeclaredKeysComeFirst(t *testing.T) {
	declared := strings.Fields(`request_throughput request_latency request_count time_to_first_token time_to_second_token
		inter_token_latency output_token_throughput output_token_throughput_per_user output_sequence_length
		input_sequence_length goodput good_request_count output_token_count reasoning_token_count min_request_timestamp
		max_response_timestamp inter_chunk_latency total_output_tokens total_reasoning_tokens benchmark_duration total_isl
		total_osl error_request_count error_isl total_error_isl`)
	var got []string
	for _, d := range metrics.Definitions()[:len(declared)] {
		got = append(got, d.Tag)
	}
	if diff := cmp.Diff(declared, got); diff != "" {
		t.Errorf("(-AIPerf +code):\n%s", diff)
	}
}
