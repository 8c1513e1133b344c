package results_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"loadgen"
	"loadgen/metrics"
	"loadgen/results"
)

// Whatever stands in a profile_export.jsonl, reading it ends, and what was
// read folds into a summary that JSON can carry.
func FuzzRecords(f *testing.F) {
	for _, name := range []string{results.RecordsName, results.WarmupName} {
		golden, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(golden)
		f.Add(golden[:len(golden)-30])
	}
	f.Add([]byte("\n"))
	f.Add([]byte(`{"loadgen":{"took_ns":1,"ended_ns":9223372036854775807,"streamed":true}}`))
	f.Add([]byte(`{"loadgen":{"chunk_ns":[1,2],"chunk_kinds":"c9999999999"}}` + "\n"))
	f.Add([]byte(`{"metrics":{"time_to_first_token":{"value":1e300},"inter_chunk_latency":{"value":[1e300,-1e300]}},"loadgen":{"streamed":true}}` + "\n"))
	f.Add([]byte(`{"loadgen":{"streamed":true,"timing_source":"kernel","reads":2}}` + "\n"))
	f.Add([]byte(`{"loadgen":{"streamed":true,"timing_source":"kernel","reads":2,"took_ns":9,"chunk_ns":[5]}}` + "\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := metrics.NewCollector(metrics.Facts{Load: loadgen.Load{Users: 4}})
		if err != nil {
			t.Fatal(err)
		}
		err = results.ReadLines(bytes.NewReader(data), func(r *loadgen.Record) bool {
			c.Add(r)
			return true
		})
		s := c.Summary(loadgen.Outcome{}, loadgen.Health{}, loadgen.Transport{})
		if _, jerr := json.Marshal(s); jerr != nil {
			t.Errorf("%v after %v", jerr, err)
		}
	})
}
