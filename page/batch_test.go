package page_test

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"loadgen"
	"loadgen/metrics"
	"loadgen/results"
)

const epoch = 1_700_000_000_000_000_000

// A made is a run of a batch for a test.
type made struct {
	values  []loadgen.Value
	repeat  int
	name    string // of the model
	failing string // the message of a tenth of its requests; empty for none
	verdict metrics.Verdict
	killed  bool
	seconds int
	scale   float64 // of its times
	joules  float64 // that its GPU used; 0 for not known
	workers []loadgen.Worker
}

// batch writes the directory of a batch as a recorder does.
func batch(t *testing.T, runs ...made) string {
	t.Helper()
	b, err := results.CreateBatch(t.TempDir(), "night", time.Unix(0, epoch))
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	for i := range runs {
		perform(t, b, i, &runs[i])
	}
	return b.Dir
}

func perform(t *testing.T, b *results.Batch, index int, m *made) {
	t.Helper()
	facts := metrics.Facts{Load: loadgen.Load{Mode: loadgen.ClosedLoop, Users: 2}}
	cell := loadgen.Cell{Index: index, Values: m.values, Dir: fmt.Sprintf("cell%d", index)}
	run, err := b.Begin(results.Metadata{
		Timestamp: time.Unix(0, epoch), Cell: cell, Repeat: m.repeat, Dir: cell.Dir, Version: "1", Facts: facts,
		Config: map[string]any{"model": m.name}, BaseConfig: map[string]any{"model": m.name},
	})
	if err != nil {
		t.Fatal(err)
	}
	c, err := metrics.NewCollector(facts)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for at := time.Duration(0); at < time.Duration(max(m.seconds, 2))*time.Second; at += 100 * time.Millisecond {
		r := record(at, n, m)
		if err := run.Record(r, c.Add(r)); err != nil {
			t.Fatal(err)
		}
		n++
	}
	if m.killed {
		if err := run.Close(); err != nil {
			t.Fatal(err)
		}
		return
	}
	o := loadgen.Outcome{Epoch: epoch, Issued: n, Elapsed: time.Duration(max(m.seconds, 2)) * time.Second, MaxFlight: 2}
	o.Workers = m.workers
	if m.joules > 0 {
		o.Server = &loadgen.Server{GPUs: []loadgen.GPU{{Vendor: "nvidia", Joules: m.joules, Seconds: 2}}}
	}
	h := loadgen.Health{MachineBusy: -1, SchedLatency: loadgen.Quantiles{P50: -1, P99: -1, Max: -1}, GCPause: loadgen.Quantiles{P50: -1, P99: -1, Max: -1}}
	s := c.Summary(o, h, loadgen.Transport{})
	if m.verdict != "" {
		s.Validity = metrics.Validity{Verdict: m.verdict, Reasons: []metrics.Sign{{Name: "lag", Verdict: m.verdict, Text: "because of " + m.name}}}
	}
	if err := run.Finish(&results.Result{Summary: s, Course: c.Course(), Outcome: o, Health: h, Status: loadgen.Completed}); err != nil {
		t.Fatal(err)
	}
}

// record is a request of eight tokens in the time of 60 to 110 ms.
func record(at time.Duration, n int, m *made) *loadgen.Record {
	const ms = time.Millisecond
	r := &loadgen.Record{}
	r.Reset()
	scale := max(m.scale, 1)
	r.Request = &loadgen.Request{ID: fmt.Sprint(n), Session: m.name, InputTokens: 100 + n%7}
	r.Index, r.Due, r.Sent = n, at, at
	r.Start = time.Unix(0, epoch+int64(at))
	if m.failing != "" && n%10 == 0 {
		r.Took, r.Status = 5*ms, 500
		r.Ended = at + r.Took
		r.Failure = &loadgen.Failure{Kind: loadgen.FailHTTP5xx, Status: 500, Message: m.failing}
		return r
	}
	r.Status, r.Streamed, r.FinishReason, r.Model = 200, true, "stop", m.name
	for i := range 8 {
		gap := 20 + 5*i + n%13
		r.Chunks = append(r.Chunks, loadgen.Chunk{At: time.Duration(float64(gap)*scale) * ms})
	}
	r.Took = r.Chunks[7].At
	r.Ended = at + r.Took
	r.Reads, r.Usage.CompletionTokens = 8, 8
	return r
}

func value(key string, v any) []loadgen.Value { return []loadgen.Value{{Key: key, Value: v}} }

func pageOf(dir string) string { return filepath.Join(dir, "report.html") }
