package trace

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const scannedLine = `{"metadata":{"session_num":7,"x_request_id":"a","x_correlation_id":"c","conversation_id":null,"benchmark_phase":"profiling","request_start_ns":1700000000000000000,"request_end_ns":1700000002000000000,"was_cancelled":false},
"metrics":{"request_latency":{"value":2e3,"unit":"ms"},"time_to_first_token":{"value":500.25},"inter_chunk_latency":{"value":[1,-2.5,3e-1]},"output_sequence_length":{"value":null},"input_sequence_length":null},"error":{"code":500,"type":"é"}}`

// It is the scan itself that is tested: that a line is read fast shows nowhere
// outside.
func TestScanReadsWhatTheDecoderReads(t *testing.T) {
	tests := []struct {
		name, line string
		scanned    bool
	}{
		{"a record", scannedLine, true},
		{"a record with white space around everything", strings.NewReplacer(":", " : ", ",", " ,\t").Replace(scannedLine) + " \r\n", true},
		{"an empty record", "{}", true},
		{"nothing but nulls", `{"metadata":null,"metrics":null,"error":null}`, true},
		{"the last of two values", `{"metrics":{"request_latency":{"value":1},"request_latency":{"value":2}}}`, true},
		{"an id with an escape", `{"metadata":{"x_request_id":"a\n"}}`, false},
		{"an id beyond ASCII", `{"metadata":{"x_request_id":"é"}}`, false},
		{"a record of loadgen", `{"loadgen":{"model":"m"}}`, false},
		{"a start that is no integer", `{"metadata":{"request_start_ns":1.5}}`, false},
		{"a value beyond a float", `{"metrics":{"request_latency":{"value":1e999}}}`, false},
		{"a number with a leading zero", `{"metrics":{"request_latency":{"value":01}}}`, false},
		{"a number without digits behind its point", `{"x":1.}`, false},
		{"a comma too many", `{"x":1,}`, false},
		{"a record cut short", scannedLine[:300], false},
		{"two records", "{}{}", false},
		{"an array", "[{}]", false},
		{"nesting without an end", strings.Repeat(`{"x":`, 1000), false},
		{"a NUL behind the record", "{}\x00", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got, want profileLine
			if scanned := got.scan([]byte(tt.line)); scanned != tt.scanned {
				t.Fatalf("scanned %v, want %v", scanned, tt.scanned)
			}
			if !tt.scanned {
				return
			}
			if err := json.Unmarshal([]byte(tt.line), &want); err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

func FuzzScan(f *testing.F) {
	for _, line := range []string{scannedLine, "{}", `{"error":[{"a":"b"},tru]}`, `{"metrics":{"request_latency":{"value":-0.5E+3}}}`} {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		for _, c := range line {
			if 'A' <= c && c <= 'Z' || c >= 0x80 {
				return // keys that differ in case alone are one to encoding/json
			}
		}
		var got, want profileLine
		if !got.scan([]byte(line)) {
			return
		}
		if err := json.Unmarshal([]byte(line), &want); err != nil {
			t.Fatalf("%q is read, and is none: %v", line, err)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Error(d)
		}
	})
}

func BenchmarkScan(b *testing.B) {
	line := []byte(scannedLine)
	b.SetBytes(int64(len(line)))
	for _, fast := range []bool{false, true} {
		b.Run(map[bool]string{false: "encoding-json", true: "scan"}[fast], func(b *testing.B) {
			b.SetBytes(int64(len(line)))
			for b.Loop() {
				var l profileLine
				if fast {
					l.scan(line)
				} else if err := json.Unmarshal(line, &l); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
