package results_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"loadgen"
	"loadgen/results"
)

// arrived are chunks at so many milliseconds each; a negative time is that of
// a chunk that came out of the same read as the one before it.
func arrived(at ...int) []loadgen.Chunk {
	var chunks []loadgen.Chunk
	for _, t := range at {
		chunks = append(chunks, loadgen.Chunk{At: time.Duration(max(t, -t)) * ms, Merged: t < 0})
	}
	return chunks
}

func TestChunksThatShareAReadShareItsTime(t *testing.T) {
	for _, row := range []struct {
		name   string
		chunks []loadgen.Chunk
		failed bool // then there is no list of gaps
		times  []time.Duration
		kinds  string
	}{
		{"a single chunk", arrived(20), false, []time.Duration{20 * ms}, ""},
		{"all in one read", arrived(20, -20, -20, -20), false, []time.Duration{20 * ms}, "cC3"},
		{"two reads, told by the gaps", arrived(20, -20, 30, -30), false, nil, "cCcC"},
		{"two reads of a stream that broke off", arrived(20, -20, -20, 30, -30), true, []time.Duration{20 * ms, 30 * ms}, "cC2cC"},
		{"reads of a chunk each", arrived(20, 30, 40), true, []time.Duration{20 * ms, 30 * ms, 40 * ms}, ""},
		{"reads at the same time", arrived(20, 20, -20), false, []time.Duration{20 * ms, 20 * ms}, "c2C"},
		{"one read but a time of its own", arrived(20, -20, -25, 30), true, []time.Duration{20 * ms, 20 * ms, 25 * ms, 30 * ms}, "cC2c"},
		{"no chunk at all", nil, true, nil, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			want := handmade()[1]
			want.Chunks, want.Took = row.chunks, 0
			if n := len(row.chunks); n > 0 {
				want.Took = row.chunks[n-1].At
			}
			if row.failed {
				want.Failure = &loadgen.Failure{Kind: loadgen.FailStreamCut, Message: "cut"}
			}
			text := results.Append(&results.LineWriter{}, nil, want, measured(want))
			var line struct {
				Loadgen struct {
					Times []time.Duration `json:"chunk_ns"`
					Kinds string          `json:"chunk_kinds"`
				}
			}
			if err := json.Unmarshal(text, &line); err != nil {
				t.Fatalf("%v in %s", err, text)
			}
			if diff := cmp.Diff(row.times, line.Loadgen.Times); diff != "" {
				t.Errorf("chunk_ns (-want +got):\n%s", diff)
			}
			if line.Loadgen.Kinds != row.kinds {
				t.Errorf("chunk_kinds is %q, want %q", line.Loadgen.Kinds, row.kinds)
			}
			want.Request.Body = nil // in no line
			err := results.ReadLines(bytes.NewReader(text), func(got *loadgen.Record) bool {
				if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
					t.Errorf("read back (-want +got):\n%s", diff)
				}
				return true
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
}

func TestTimesThatDoNotFitTheirChunksAreRefused(t *testing.T) {
	for _, own := range []string{
		`"chunk_ns":[1,2],"chunk_kinds":"cC2"`,
		`"chunk_ns":[1],"chunk_kinds":"c2"`,
		`"chunk_ns":[1,2],"chunk_kinds":"c"`,
		`"chunk_kinds":"c"`,
		`"chunk_ns":[1],"chunk_kinds":"cC9999999"`,
		`"chunk_ns":[1],"chunk_kinds":"cC99999999999999999999"`,
		`"chunk_ns":[1],"chunk_kinds":"c0"`,
		`"chunk_ns":[1],"chunk_kinds":"k"`,
		`"chunk_ns":[-1]`,
	} {
		err := results.ReadLines(strings.NewReader(`{"loadgen":{`+own+"}}\n"), func(r *loadgen.Record) bool {
			t.Errorf("%s was read as %v", own, r.Chunks)
			return true
		})
		if err == nil {
			t.Errorf("%s was no error", own)
		}
	}
}

// Every byte at every place of texts of every length around a word of eight
// bytes: JSON reads back what was written, and what needs no escape has none.
func TestATextIsReadBackWhateverItHolds(t *testing.T) {
	for length := 1; length < 20; length++ {
		for place := range length {
			for c := range 256 {
				text := []byte(strings.Repeat("a", length))
				text[place] = byte(c)
				want := strings.ToValidUTF8(string(text), "\ufffd")
				quoted := results.AppendText(nil, string(text))
				var got string
				if err := json.Unmarshal(quoted, &got); err != nil || got != want {
					t.Fatalf("%q is written %s: %v", text, quoted, err)
				}
				if plain := c >= ' ' && c < 0x80 && c != '"' && c != '\\'; plain && string(quoted) != `"`+want+`"` {
					t.Fatalf("%q is written %s", text, quoted)
				}
			}
		}
	}
}
