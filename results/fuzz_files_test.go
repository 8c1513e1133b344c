package results_test

import (
	"bytes"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"loadgen"
	"loadgen/metrics"
	"loadgen/results"
)

// mostRead is what reading files of at most a megabyte may allocate in all.
const mostRead = 512 << 20

// bounded fails where do allocates more than that.
func bounded(t *testing.T, do func()) {
	t.Helper()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	do()
	runtime.ReadMemStats(&after)
	if took := after.TotalAlloc - before.TotalAlloc; took > mostRead {
		t.Errorf("it took %d MiB", took>>20)
	}
}

// put writes files into a directory; those without a byte are left out.
func put(t *testing.T, dir string, files map[string][]byte) {
	t.Helper()
	for name, data := range files {
		os.Remove(filepath.Join(dir, name))
		if len(data) == 0 {
			continue
		}
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// Whatever stands in the files of a run, reading them back ends, in bounded
// memory; how it ended, and how many requests there were, is what the files say.
func FuzzOpen(f *testing.F) {
	golden := func(name string) []byte {
		data, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			f.Fatal(err)
		}
		return data
	}
	meta, process, export := golden(results.MetadataName), golden(results.ProcessName), golden(results.JSONName)
	lines, inputs := golden(results.RecordsName), golden(results.InputsName)
	f.Add(meta, process, export, lines, inputs)
	f.Add(meta, []byte(nil), export, lines, inputs)
	f.Add(meta, []byte(`{"status":"failed","error":"x"}`), []byte(nil), lines[:len(lines)-9], inputs[:len(inputs)/2])
	f.Add([]byte(`{"loadgen":{"facts":{"load":{"mode":"closed loop","users":1000000000}}}}`), process, []byte(`{"loadgen":{"outcome":{"issued":-1}}}`), lines, []byte(`{"data":[{"payloads":[{},{}]}]}`))
	f.Add([]byte(`{"sweep_params":{"a":1e999,"b":[1]},"loadgen":{}}`), []byte(`{"returncode":1}`), []byte(`{"request_latency":{"p50":1e308},"error_request_count":{"avg":-1},"request_count":{"avg":2}}`), lines, inputs)
	dir := nightDir(f)
	f.Fuzz(func(t *testing.T, meta, process, export, lines, inputs []byte) {
		put(t, dir, map[string][]byte{
			results.MetadataName: meta, results.ProcessName: process, results.JSONName: export,
			results.RecordsName: lines, results.InputsName: inputs,
		})
		bounded(t, func() {
			reopened(t, dir, process)
			republished(t, dir)
		})
	})
}

func reopened(t *testing.T, dir string, process []byte) {
	run, err := results.Open(dir)
	if err != nil {
		return
	}
	if len(process) == 0 && run.Status != loadgen.Incomplete {
		t.Errorf("nothing says that it ended, and it is %q", run.Status)
	}
	if status, ok := said(process, "status"); ok && string(run.Status) != status {
		t.Errorf("it is %q, and the file says %q", run.Status, status)
	}
	n := 0
	for rec, err := range run.Records() {
		if err != nil {
			return
		}
		if rec.Phase == loadgen.Profiling {
			n++
		}
	}
	for s, err := range run.Inputs() {
		if err != nil {
			break
		}
		for i, turn := range s.Turns {
			if turn.Turn != i {
				t.Errorf("turn %d is numbered %d", i, turn.Turn)
			}
		}
	}
	s, err := run.Summary()
	if err != nil {
		return
	}
	if got := s.Counts.OK + s.Counts.Failed + s.Counts.Cancelled; got != n {
		t.Errorf("a summary of %d requests for %d lines", got, n)
	}
	if _, err := json.Marshal(s); err != nil {
		t.Error(err)
	}
}

func republished(t *testing.T, dir string) {
	p, err := results.ReadPublished(dir)
	if err != nil {
		return
	}
	for _, f := range []metrics.Figure{{Tag: metrics.ErrorRate}, {Tag: "request_latency", Stat: "p50"}, {Tag: "request_throughput", Stat: "avg"}} {
		if v, ok := p.Figure(f); ok && (math.IsNaN(v) || math.IsInf(v, 0) || f.Tag == metrics.ErrorRate && (v < 0 || v > 1)) {
			t.Errorf("%v is %v", f, v)
		}
	}
	p.Input()
}

// said returns a text that a file of JSON holds under a key which it has but
// once, in any writing.
func said(data []byte, key string) (string, bool) {
	d := json.NewDecoder(bytes.NewReader(data))
	if open, err := d.Token(); err != nil || open != json.Delim('{') {
		return "", false
	}
	found, text := 0, ""
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return "", false
		}
		var v any
		if d.Decode(&v) != nil {
			return "", false
		}
		if strings.EqualFold(name.(string), key) {
			found++
			text, _ = v.(string)
		}
	}
	return text, found == 1 && text != ""
}

// Whatever stands in batch.json, going on ends, and what was read is written
// down as it was.
func FuzzContinue(f *testing.F) {
	f.Add([]byte(`{"record_format":2,"batch_name":"b","started":"2026-03-01T02:00:00Z","seed":42,"endpoints":["http://h"],"cells":[{"index":0,"dir":"c","sweep_params":{"concurrency":1},"seed":7,"config_sha256":"aa"}]}`), []byte("batch_name: b\n"))
	f.Add([]byte(`{"seed":18446744073709551615,"host":{"cpus":2},"resumed":[{"at":"2026-03-01T02:00:00+01:00","note":"x"}]}`), []byte(nil))
	f.Add([]byte(`null`), []byte("x"))
	dir := nightDir(f)
	f.Fuzz(func(t *testing.T, manifest, text []byte) {
		put(t, dir, map[string][]byte{results.ManifestName: manifest, results.SourceName: text})
		bounded(t, func() {
			b, m, source, err := results.Continue(dir)
			if err != nil {
				return
			}
			defer b.Close()
			if !bytes.Equal(source, text) {
				t.Errorf("the batch file reads %q", source)
			}
			if err := b.Amend(m); err != nil {
				return // a time that JSON cannot tell
			}
			written, err := os.ReadFile(filepath.Join(dir, results.ManifestName))
			if err != nil {
				t.Fatal(err)
			}
			if b2, m2, _, err := results.Continue(dir); err == nil {
				b2.Close()
				t.Errorf("two are at work in a directory: %+v", m2)
			}
			if latest, err := results.Latest(filepath.Dir(filepath.Dir(dir)), filepath.Base(filepath.Dir(dir))); err != nil || latest != dir {
				t.Errorf("the latest is %q: %v", latest, err)
			}
			var m2 results.Manifest
			if err := json.Unmarshal(written, &m2); err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(m, &m2, cmp.Comparer(func(a, b json.RawMessage) bool { return string(compact(a)) == string(compact(b)) })); d != "" {
				t.Errorf("what was read is not what was written (-read +written):\n%s", d)
			}
		})
	})
}

func compact(raw json.RawMessage) []byte {
	var b bytes.Buffer
	if json.Compact(&b, raw) != nil || b.String() == "null" {
		return nil
	}
	return b.Bytes()
}

// Whatever stands in inputs.json, each turn has the messages of its history, in
// memory that grows with the file.
func FuzzInputs(f *testing.F) {
	f.Add([]byte(`{"data":[{"session_id":"s","payloads":[{"messages":[{"role":"user","content":"a"}]},{"messages":[{"role":"user","content":[{"type":"text","text":"b"}]}]},{"prompt":"c"},{}]}]}`))
	f.Add([]byte(`{"data":[{"payloads":[` + strings.Repeat(`{"prompt":"p"},`, 20_000) + `{}]}]}`))
	f.Add([]byte(`{"data":[{}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		bounded(t, func() {
			err := results.ReadInputs(bytes.NewReader(data), func(s *loadgen.Session) bool {
				most := 0
				for i, turn := range s.Turns {
					if turn.Turn != i || turn.Session != s.ID {
						t.Errorf("turn %d of %q is %d of %q", i, s.ID, turn.Turn, turn.Session)
					}
					most = max(most, len(turn.Messages))
				}
				if most > len(data) {
					t.Errorf("%d messages of %d bytes", most, len(data))
				}
				return true
			})
			if err == nil && len(data) == 0 {
				t.Error("a file of nothing is read as inputs")
			}
		})
	})
}

// Whatever stands in calibration.json, reading it ends.
func FuzzCalibration(f *testing.F) {
	f.Add([]byte(`{"host":{"kernel":"x"},"created":"2026-03-01T02:00:00Z","ceiling":{"rate":500},"steps":[{"name":"64 streams"}]}`))
	dir := nightDir(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		put(t, dir, map[string][]byte{"calibration.json": data})
		bounded(t, func() {
			c, err := results.ReadCalibration(filepath.Join(dir, "calibration.json"))
			if err == nil && len(data) == 0 {
				t.Errorf("out of nothing comes %+v", c)
			}
		})
	})
}

// nightDir makes the directory of a night, for all calls: to make one takes
// longer than a call.
func nightDir(f *testing.F) string {
	f.Helper()
	dir := filepath.Join(f.TempDir(), "night", "20260301_020000")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		f.Fatal(err)
	}
	return dir
}
