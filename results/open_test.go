package results_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"loadgen"
	"loadgen/metrics"
	"loadgen/results"
)

func TestReadBackTheSummaryIsTheSame(t *testing.T) {
	_, dir, want := write(t)
	rec, err := results.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	got, err := rec.Summary()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateNaNs()); diff != "" {
		t.Errorf("summary (-written +read):\n%s", diff)
	}
	if rec.Status != loadgen.Completed || len(rec.Truncated()) > 0 {
		t.Errorf("complete %v, truncated %q", rec.Status != loadgen.Incomplete, rec.Truncated())
	}
	if diff := cmp.Diff(theHealth(), rec.Health); diff != "" {
		t.Errorf("health (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(theTransport(), rec.Transport); diff != "" {
		t.Errorf("transport (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(metadata(), rec.Meta, cmpopts.IgnoreFields(results.Metadata{}, "BaseConfig"), cmpopts.EquateApproxTime(0)); diff != "" {
		t.Errorf("metadata (-want +got):\n%s", diff)
	}
}

func TestReadBackTheSeriesAreTheSame(t *testing.T) {
	_, dir, _ := write(t)
	rec, err := results.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	again, err := rec.Course()
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(again)
	if err != nil {
		t.Fatal(err)
	}
	written, err := os.ReadFile(filepath.Join(dir, results.SeriesName))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(written), string(text)+"\n"); diff != "" {
		t.Errorf("series.json (-written +read):\n%s", diff)
	}
	if read, err := results.ReadSeries(dir); err != nil || len(read.Sent) != len(again.Sent) {
		t.Errorf("read %v, %v", read, err)
	}
}

// chance returns a record of any kind, to the odd nanosecond.
func chance(rng *rand.Rand, i int) *loadgen.Record {
	r := &loadgen.Record{}
	r.Reset()
	r.Request = &loadgen.Request{
		ID: fmt.Sprintf("req_%d \"\\\n\u00e9", i), Session: fmt.Sprint("session_", i/3), Correlation: fmt.Sprint("uuid_", i/3), Turn: i % 3,
		InputTokens: rng.IntN(3) * 100, SharedTokens: rng.IntN(2) * 50, TemplateTokens: rng.IntN(2) * 7, MaxTokens: rng.IntN(2) * 50, Delay: time.Duration(rng.IntN(2)),
	}
	r.Phase = loadgen.Phase(rng.IntN(10) / 9)
	r.Index, r.Worker, r.Ramp, r.First = i, rng.IntN(9), rng.IntN(20) == 0, rng.IntN(9) == 0
	r.Due = time.Duration(i)*7*ms + time.Duration(rng.IntN(1000))
	r.Sent = r.Due + time.Duration(rng.IntN(3_000_000))
	r.Held = time.Duration(rng.IntN(2)) * (r.Sent - r.Due)
	if r.Phase == loadgen.Warmup && rng.IntN(2) == 0 {
		r.Crossing, r.Sent, r.Due = true, -r.Sent, -r.Sent-r.Held
	}
	r.Start = time.Unix(0, epoch+int64(r.Sent))
	r.Status, r.Head = 200, time.Duration(rng.IntN(2))*ms
	at := ms
	for range rng.IntN(12) {
		merged := len(r.Chunks) > 0 && rng.IntN(3) == 0
		if !merged {
			at += time.Duration(rng.IntN(30_000_000))
		}
		r.Chunks = append(r.Chunks, loadgen.Chunk{At: at, Kind: loadgen.ChunkKind(rng.IntN(7)), Merged: merged})
		r.Took = at
	}
	r.Streamed = rng.IntN(5) > 0
	r.Ended = r.Sent + r.Took + time.Duration(rng.IntN(1000))
	r.Reads, r.MergedReads = len(r.Chunks), rng.IntN(2)
	r.FinishReason, r.Model = "length", "m"
	maybe := func() int { return rng.IntN(100) - 20 }
	r.Usage = loadgen.Usage{PromptTokens: max(maybe(), -1), CompletionTokens: max(maybe(), -1), ReasoningTokens: max(maybe(), -1), CachedTokens: max(maybe(), -1)}
	r.OutputTokens, r.ReasoningTokens = max(maybe(), -1), max(maybe(), -1)
	r.Conn = loadgen.Conn{Reused: rng.IntN(2) == 0, Wait: time.Duration(rng.IntN(9)), Dial: time.Duration(rng.IntN(2)), Wrote: time.Duration(rng.IntN(1_000_000)), Local: "127.0.0.1:1"}
	r.BytesOut, r.BytesIn = rng.IntN(9999), rng.IntN(9999)
	if rng.IntN(2) == 0 {
		r.Timing, r.ReaderDelay = loadgen.Kernel, time.Duration(rng.IntN(5_000_000))
		r.FirstDelay, r.MeanDelay = r.ReaderDelay/time.Duration(1+rng.IntN(2)), r.ReaderDelay/time.Duration(1+rng.IntN(3))
	}
	r.Over = r.Took + time.Duration(rng.IntN(2)*rng.IntN(100))
	if len(r.Chunks) == 0 || rng.IntN(6) == 0 {
		kinds := []loadgen.FailureKind{loadgen.FailTimeout, loadgen.FailStreamCut, loadgen.FailCancelled, loadgen.FailHTTP4xx}
		kind := kinds[rng.IntN(len(kinds))]
		r.Failure = &loadgen.Failure{Kind: kind, Message: fmt.Sprint("because of \t", kind)}
		if kind == loadgen.FailHTTP4xx {
			r.Failure.Status, r.Failure.RetryAfter = 404, time.Duration(rng.IntN(2))*time.Second
		}
	}
	return r
}

func TestAnyRecordIsReadBackAsItWas(t *testing.T) {
	batch, err := results.CreateBatch(t.TempDir(), "chance", time.Unix(0, epoch))
	if err != nil {
		t.Fatal(err)
	}
	facts := metrics.Facts{Load: loadgen.Load{Users: 9}, SLOs: map[string]float64{"request_latency": 100}}
	run, err := batch.Begin(results.Metadata{Facts: facts})
	if err != nil {
		t.Fatal(err)
	}
	c, err := metrics.NewCollector(facts)
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(3, 4))
	written := [2][]*loadgen.Record{}
	for i := range 2000 {
		r := chance(rng, i)
		if err := run.Record(r, c.Add(r)); err != nil {
			t.Fatal(err)
		}
		written[r.Phase] = append(written[r.Phase], r)
	}
	want := c.Summary(theOutcome(), theHealth(), theTransport())
	if err := run.Finish(result(want)); err != nil {
		t.Fatal(err)
	}
	recorded, err := results.Open(run.Dir)
	if err != nil {
		t.Fatal(err)
	}
	all := append(written[loadgen.Warmup], written[loadgen.Profiling]...)
	i := 0
	for got, err := range recorded.Records() {
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(all[i], got, cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("record %d (-written +read):\n%s", i, diff)
		}
		i++
	}
	if i != len(all) {
		t.Fatalf("%d records, want %d", i, len(all))
	}
	got, err := recorded.Summary()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateNaNs()); diff != "" {
		t.Errorf("summary (-written +read):\n%s", diff)
	}
}

func TestAKilledRunKeepsItsLines(t *testing.T) {
	batch, err := results.CreateBatch(t.TempDir(), "killed", time.Unix(0, epoch))
	if err != nil {
		t.Fatal(err)
	}
	run, err := batch.Begin(metadata())
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range handmade() {
		if err := run.Record(r, measured(r)); err != nil {
			t.Fatal(err)
		}
	}
	if err := run.Flush(); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(run.Dir, results.RecordsName)
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		name      string
		keep      int // bytes
		issued    int
		truncated bool
	}{
		{"between two lines", len(data), 5, false},
		{"within the last line", len(data) - 20, 4, true},
		{"just before its newline", len(data) - 1, 5, false},
		{"within the first line", 10, 0, true},
		{"before anything was written", 0, 0, false},
		{"before there was a file", -1, 0, false},
	} {
		if row.keep < 0 {
			err = os.Remove(path)
		} else {
			err = os.WriteFile(path, data[:row.keep], 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
		rec, err := results.Open(run.Dir)
		if err != nil {
			t.Fatalf("killed %s: %v", row.name, err)
		}
		s, err := rec.Summary()
		if err != nil {
			t.Fatalf("killed %s: %v", row.name, err)
		}
		if rec.Status != loadgen.Incomplete || !s.Cancelled || s.Counts.Issued != row.issued || (len(rec.Truncated()) > 0) != row.truncated {
			t.Errorf("killed %s: complete %v, cancelled %v, %d requests, truncated %q", row.name, rec.Status != loadgen.Incomplete, s.Cancelled, s.Counts.Issued, rec.Truncated())
		}
	}
	lines := bytes.SplitAfter(data, []byte("\n"))
	broken := append([]byte("{]\n"), lines[0]...)
	if err := os.WriteFile(path, broken, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := results.Open(run.Dir); err == nil || !strings.Contains(err.Error(), "line 1") {
		t.Errorf("a broken line in the middle: %v", err)
	}
	if err := run.Close(); err != nil {
		t.Fatal(err)
	}
}

// One that ended has had its records.
func TestAWholeRunWithoutItsRecordsIsRefused(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"run_metadata.json": `{"status": "completed"}`, "process_result.json": `{"status": "completed"}`} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := results.Open(dir); err == nil || !strings.Contains(err.Error(), results.RecordsName) {
		t.Errorf("got %v, want a word on %s", err, results.RecordsName)
	}
}

func TestWhatIsNoRunIsRefused(t *testing.T) {
	dir := t.TempDir()
	if _, err := results.Open(dir); err == nil || !strings.Contains(err.Error(), dir) {
		t.Errorf("an empty directory: %v", err)
	}
}

func TestTwoBatchesNeverShareADirectory(t *testing.T) {
	base := t.TempDir()
	const n = 20
	dirs := make([]string, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			b, err := results.CreateBatch(base, "same", time.Unix(0, epoch).UTC())
			if err != nil {
				t.Error(err)
				return
			}
			dirs[i] = b.Dir
		})
	}
	wg.Wait()
	seen := map[string]bool{}
	for _, d := range dirs {
		if seen[d] {
			t.Errorf("%s was given away twice", d)
		}
		seen[d] = true
	}
	if !seen[filepath.Join(base, "same", "20231114_221320")] || !seen[filepath.Join(base, "same", "20231114_221320_20")] {
		t.Errorf("names %q", dirs)
	}
}

func TestARunIsNeverWrittenOver(t *testing.T) {
	for _, cell := range []loadgen.Cell{{}, {Dir: "concurrency2"}} {
		b, err := results.CreateBatch(t.TempDir(), "twice", time.Unix(0, epoch))
		if err != nil {
			t.Fatal(err)
		}
		first, err := b.Begin(results.Metadata{Cell: cell})
		if err != nil {
			t.Fatal(err)
		}
		defer first.Close()
		if _, err := b.Begin(results.Metadata{Cell: cell}); err == nil {
			t.Errorf("cell %q was begun twice", cell.Dir)
		}
	}
}

func TestNoFileHoldsANull(t *testing.T) {
	batch, _, _ := write(t)
	if err := batch.Close(); err != nil {
		t.Fatal(err)
	}
	err := filepath.WalkDir(batch.Dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if strings.HasPrefix(d.Name(), ".") {
			t.Errorf("%s was left behind", path)
		}
		for _, bad := range []string{"null", "NaN", "Inf"} {
			if bytes.Contains(data, []byte(bad)) && (bad != "null" || d.Name() != results.SeriesName) {
				t.Errorf("%s holds %s", path, bad)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestInputsHoldTheSessionsThatWereStarted(t *testing.T) {
	session := func(i int) *loadgen.Session {
		return &loadgen.Session{ID: fmt.Sprintf("session_%06d", i), Turns: []*loadgen.Request{
			{Body: []byte(`{"n":1}`)},
			{Messages: []loadgen.Message{{Role: "user", Content: "and then?"}}},
		}}
	}
	for _, row := range []struct{ add, keep, want int }{
		{0, 0, 0},
		{3, 0, 0},
		{3, 2, 2},
		{3, 3, 3},
		{3, 9, 3},
		{200, 0, 0},
		{200, 63, 63},
		{200, 64, 64},
		{200, 65, 65},
		{200, 127, 127},
		{200, 128, 128},
		{200, 192, 192},
		{200, 199, 199},
		{128, 127, 127},
		{129, 128, 128},
	} {
		b, err := results.CreateBatch(t.TempDir(), "inputs", time.Unix(0, epoch))
		if err != nil {
			t.Fatal(err)
		}
		run, err := b.Begin(results.Metadata{})
		if err != nil {
			t.Fatal(err)
		}
		defer run.Close()
		in, err := run.Inputs()
		if err != nil {
			t.Fatal(err)
		}
		for i := range row.add {
			if err := in.Add(session(i)); err != nil {
				t.Fatal(err)
			}
		}
		if err := run.Flush(); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(run.Dir, results.InputsName)
		if n := len(readInputs(t, path)); n != row.add {
			t.Errorf("a process killed after %d sessions leaves %d", row.add, n)
		}
		if err := in.Close(row.keep); err != nil {
			t.Fatal(err)
		}
		sessions := readInputs(t, path)
		if len(sessions) != row.want {
			t.Errorf("%d of %d: %d sessions", row.keep, row.add, len(sessions))
		}
		for i, s := range sessions {
			if s.ID != session(i).ID || string(s.Payloads[0]) != `{"n":1}` || string(s.Payloads[1]) != `{"messages":[{"role":"user","content":"and then?"}]}` {
				t.Errorf("session %d: %+v", i, s)
			}
		}
	}
}

type inputSession struct {
	ID       string            `json:"session_id"`
	Payloads []json.RawMessage `json:"payloads"`
}

// readInputs reads an inputs.json, which must be whole.
func readInputs(t *testing.T, path string) []inputSession {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Data []inputSession `json:"data"`
	}
	if err := json.Unmarshal(data, &file); err != nil {
		t.Fatalf("%v in\n%s", err, data)
	}
	return file.Data
}

func TestAFileAppearsWholeOrNotAtAll(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "f.json")
	for _, v := range []any{"old", "new"} {
		if err := results.WriteJSON(path, v); err != nil {
			t.Fatal(err)
		}
	}
	if err := results.WriteJSON(path, func() {}); err == nil {
		t.Error("a function was marshalled")
	}
	if data, _ := os.ReadFile(path); string(data) != "\"new\"\n" {
		t.Errorf("holds %q", data)
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 1 {
		t.Errorf("left behind: %v", entries)
	}
	if err := results.WriteFile(filepath.Join(dir, "missing", "f"), nil); err == nil || !strings.Contains(err.Error(), "missing") {
		t.Errorf("no directory: %v", err)
	}
	if _, err := results.CreateBatch(path, "b", time.Unix(0, epoch)); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("below a file: %v", err)
	}
}

func TestTheLogIsAppendedTo(t *testing.T) {
	b, err := results.CreateBatch(t.TempDir(), "log", time.Unix(0, epoch))
	if err != nil {
		t.Fatal(err)
	}
	run, err := b.Begin(results.Metadata{})
	if err != nil {
		t.Fatal(err)
	}
	defer run.Close()
	for range 2 {
		f, err := run.Log()
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintln(f, "line")
		f.Close()
	}
	if data, _ := os.ReadFile(filepath.Join(run.Dir, results.LogName)); string(data) != "line\nline\n" {
		t.Errorf("log holds %q", data)
	}
}
