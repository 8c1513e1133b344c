package results

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// It is the scan itself that is tested: that a line is read fast shows nowhere
// outside.
const ownScanned = `{"metadata":{"session_num":3,"x_request_id":"a","x_correlation_id":"c","conversation_id":"s","turn_index":1,"request_start_ns":1700000000000000000,"request_ack_ns":1700000000000000005,"worker_id":"worker_2","record_processor_id":"loadgen","benchmark_phase":"profiling","was_cancelled":false},` +
	`"metrics":{"request_latency":{"value":12.5,"unit":"ms"},"time_to_first_token":{"value":2.25,"unit":"ms"},"inter_chunk_latency":{"value":[1,2.5,3e-1],"unit":"ms"}},` +
	`"loadgen":{"due_ns":1,"sent_ns":2,"ended_ns":20,"took_ns":18,"over_ns":19,"held_ns":3,"ramp":true,"first":true,"crossing":false,"status":200,"streamed":true,"chunk_ns":[5,6,7],"chunk_kinds":"ct3","input_tokens":4,"shared_tokens":1,"template_tokens":2,"max_tokens":9,"delay_ns":8,"output_tokens":0,"reasoning_tokens":null,"usage":{"prompt_tokens":4,"total_tokens":13},"finish_reason":"stop","model":"m","timing_source":"kernel","reader_delay_ns":10,"first_delay_ns":11,"mean_delay_ns":12,"reads":3,"merged_reads":1,"bytes_out":100,"bytes_in":200,"conn":{"reused":true,"wait_ns":1,"dns_ns":2,"dial_ns":3,"tls_ns":4,"wrote_ns":5,"local":"127.0.0.1:1"}}}`

func TestLineScanReadsWhatTheDecoderReads(t *testing.T) {
	for name, c := range map[string]struct {
		line    string
		scanned bool
	}{
		"a line":                           {ownScanned, true},
		"a line with white space":          {strings.NewReplacer(":", " : ", ",", " ,\t").Replace(ownScanned) + " \r\n", true},
		"nothing":                          {`{}`, true},
		"nothing but nulls":                {`{"metadata":null,"metrics":null,"loadgen":null}`, true},
		"empty lists":                      {`{"metrics":{"inter_chunk_latency":{"value":[]}},"loadgen":{"chunk_ns":[]}}`, true},
		"of two values the last":           {`{"loadgen":{"status":1,"status":2}}`, true},
		"a failure, in the server's words": {`{"loadgen":{"failure":{"kind":"http","message":"no"}}}`, false},
		"a key that is not known":          {`{"loadgen":{"news":1}}`, false},
		"a model with an escape":           {`{"loadgen":{"model":"a\"b"}}`, false},
		"a model beyond ASCII":             {`{"loadgen":{"model":"é"}}`, false},
		"half a token":                     {`{"loadgen":{"output_tokens":1.5}}`, false},
		"a status that is a text":          {`{"loadgen":{"status":"200"}}`, false},
		"a line cut short":                 {ownScanned[:700], false},
		"two lines":                        {`{}{}`, false},
	} {
		var got, want line
		if scanned := got.scan([]byte(c.line)); scanned != c.scanned {
			t.Errorf("%s: scanned %v, want %v", name, scanned, c.scanned)
			continue
		}
		if !c.scanned {
			continue
		}
		if err := json.Unmarshal([]byte(c.line), &want); err != nil {
			t.Fatal(name, err)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
}

// What is written is scanned, but for failures: a key that is added to a line
// and not to its scan would make every reader several times slower.
func TestWrittenLinesAreScanned(t *testing.T) {
	files, err := filepath.Glob("testdata/profile_export*.jsonl")
	if err != nil || len(files) == 0 {
		t.Fatal("no golden lines", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for one := range strings.Lines(string(text)) {
			var got, want line
			scanned := got.scan([]byte(one))
			if err := json.Unmarshal([]byte(one), &want); err != nil {
				t.Fatal(err)
			}
			if !scanned && (want.Own == nil || want.Own.Failure == nil) {
				t.Errorf("%s: not scanned: %s", file, one)
			}
			if d := cmp.Diff(want, got); scanned && d != "" {
				t.Errorf("%s: %s", file, d)
			}
		}
	}
}

func FuzzLineScan(f *testing.F) {
	for _, text := range []string{ownScanned, "{}", `{"loadgen":{"chunk_ns":[1,tru]}}`, `{"metrics":{"time_to_first_token":{"value":-0.5E+3}}}`} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var got, want line
		if !got.scan([]byte(text)) {
			return
		}
		if err := json.Unmarshal([]byte(text), &want); err != nil {
			t.Fatalf("%q was scanned, and is %v", text, err)
		}
	})
}
