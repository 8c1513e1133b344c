package results_test

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"loadgen"
	"loadgen/metrics"
	"loadgen/results"
)

// The files hold local times.
func init() { time.Local = time.UTC }

var update = flag.Bool("update", false, "rewrite the golden files")

const (
	ms    = time.Millisecond
	epoch = 1_700_000_000_000_000_000 // 2023-11-14T22:13:20Z
)

// handmade are five measured requests and one of the warm-up, with round
// numbers, from which every figure of the golden files follows by hand:
//
//	     due  sent  TTFT  chunks at          latency  OSL  reasoning
//	a      0     0   100  100 200 300            300    5  –
//	b      0     0   200  200 300 400 500        500    7  2
//	c    400   400    50  50 (all in one read)    50    4  –
//	d    300   500     –  fails with 503 after 20 ms
//	e    600   600     –  cancelled after 400 ms
//
// ITL is (300−100)/(5−1) = 50 ms and (500−200)/(7−1) = 50 ms; c has none, for
// its chunks were not told apart. Gaps are 100 100 | 100 100 100. The valid
// requests span 0 to 500 ms: 3 requests in 0.5 s are 6 requests/s, 16 tokens
// 32 tokens/s. In flight until each ended (10 ms after its output, or at once
// for the failures): a 310, b 510, c 60, d 20, e 400 ms, together 1300 ms over
// the 1000 ms from the first start to the last end: 1.3 on average.
func handmade() []*loadgen.Record {
	request := func(i int, id string) *loadgen.Request {
		return &loadgen.Request{
			ID: "req_" + id, Session: "session_00000" + string(rune('0'+i)), Correlation: "uuid_" + id, InputTokens: 100, TemplateTokens: 4, MaxTokens: 5,
			Body: []byte(`{"model":"m","messages":[{"role":"user","content":"` + id + `"}]}`),
		}
	}
	record := func(i int, id string, due, sent time.Duration) *loadgen.Record {
		r := &loadgen.Record{}
		r.Reset()
		r.Request, r.Index, r.Worker = request(i, id), i, i
		r.Due, r.Sent = due, sent
		r.Start = time.Unix(0, epoch+int64(sent))
		r.BytesOut, r.BytesIn = 1000, 2000
		r.Conn = loadgen.Conn{Reused: true, Wrote: 1 * ms}
		return r
	}
	stream := func(r *loadgen.Record, at ...time.Duration) {
		r.Streamed, r.Status, r.Timing = true, 200, loadgen.Kernel
		r.Head = 10 * ms
		r.FirstDelay, r.MeanDelay, r.ReaderDelay = ms/4, ms/4, ms/2
		for _, t := range at {
			r.Chunks = append(r.Chunks, loadgen.Chunk{At: t})
		}
		r.Reads = len(at)
		r.Took = at[len(at)-1]
		r.Over = r.Took + 5*ms
		r.Ended = r.Sent + r.Took + 10*ms
		r.FinishReason, r.Model = "stop", "m"
	}

	warm := record(0, "w", 0, 0)
	warm.Phase = loadgen.Warmup
	warm.Start = time.Unix(0, epoch-int64(time.Second))
	stream(warm, 1000*ms, 1100*ms)
	warm.Usage = loadgen.Usage{PromptTokens: 104, CompletionTokens: 2, ReasoningTokens: -1, CachedTokens: -1}

	a := record(0, "a", 0, 0)
	a.Conn = loadgen.Conn{Dial: 2 * ms, Wrote: 4 * ms, Local: "127.0.0.1:40000"}
	stream(a, 100*ms, 200*ms, 300*ms)
	a.Usage = loadgen.Usage{PromptTokens: 104, CompletionTokens: 5, ReasoningTokens: -1, CachedTokens: 52}
	a.OutputTokens, a.ReasoningTokens = 5, 0

	b := record(1, "b", 0, 0)
	stream(b, 200*ms, 300*ms, 400*ms, 500*ms)
	b.Chunks[0].Kind, b.Chunks[1].Kind = loadgen.Reasoning, loadgen.Reasoning
	b.Usage = loadgen.Usage{PromptTokens: 104, CompletionTokens: 7, ReasoningTokens: 2, CachedTokens: 0}

	c := record(2, "c", 400*ms, 400*ms)
	stream(c, 50*ms, 50*ms, 50*ms)
	c.Chunks[1].Merged, c.Chunks[2].Merged = true, true
	c.Reads, c.MergedReads = 1, 1
	c.OutputTokens, c.ReasoningTokens = 4, 0

	d := record(3, "d", 300*ms, 500*ms)
	d.Held = 200 * ms
	d.Status, d.Took, d.Ended = 503, 20*ms, 520*ms
	d.Failure = &loadgen.Failure{Kind: loadgen.FailHTTP5xx, Status: 503, Message: `overloaded: "try later"`}

	e := record(4, "e", 600*ms, 600*ms)
	e.Took, e.Ended = 400*ms, 1000*ms
	e.Failure = &loadgen.Failure{Kind: loadgen.FailCancelled, Message: "grace period over"}

	return []*loadgen.Record{warm, a, c, b, d, e} // in the order of ending
}

func facts() metrics.Facts {
	return metrics.Facts{
		Load: loadgen.Load{Mode: loadgen.OpenLoop, Ceiling: 2, Rate: 5}, Tokenizer: "tiny",
		SLOs: map[string]float64{"time_to_first_token": 150, "inter_token_latency": 50},
	}
}

func metadata() results.Metadata {
	return results.Metadata{
		Timestamp: time.Unix(0, epoch).UTC(), ConfigFile: "chat.yaml", Dir: "concurrency2",
		Cell: loadgen.Cell{
			Dir: "concurrency2", Seed: 7,
			Values: []loadgen.Value{{Key: "concurrency", Value: 2}},
		},
		BaseConfig: json.RawMessage(`{"model":"m","url":"http://127.0.0.1:8000","api_key":"<redacted>"}`),
		Command:    []string{"loadgen", "--config-file", "chat.yaml"},
		Version:    "1.0.0", Seed: 42, Facts: facts(),
	}
}

func result(s metrics.Summary) *results.Result {
	return &results.Result{
		Summary: s, Outcome: theOutcome(), Health: theHealth(), Transport: theTransport(),
		Config: results.InputConfig{
			Models:   results.InputModels{Items: []results.InputModel{{Name: "m"}}},
			Endpoint: results.InputEndpoint{URLs: []string{"http://127.0.0.1:8000"}, Type: "chat", Streaming: true},
			Datasets: []results.InputDataset{{Name: "main", Type: "synthetic", Seed: 7}},
			Phases:   []results.InputPhase{{Name: "profiling", Kind: "profiling", Type: "constant", Duration: 1, Concurrency: 2, Rate: 5}},
		},
		Status:  loadgen.Completed,
		Started: time.Unix(0, epoch), Ended: time.Unix(0, epoch).Add(time.Second),
	}
}

func theOutcome() loadgen.Outcome {
	return loadgen.Outcome{Epoch: epoch, Issued: 5, Sessions: 5, Elapsed: time.Second, StoppedAt: 600 * ms, MaxFlight: 3}
}

func theHealth() loadgen.Health {
	unknown := loadgen.Quantiles{P50: -1, P99: -1, Max: -1}
	return loadgen.Health{
		GOMAXPROCS: 4, CPUs: 2, Wall: time.Second, ProcessCPU: 200 * ms, MachineBusy: -1,
		SchedLatency: loadgen.Quantiles{P50: 0.0001, P99: 0.001, Max: 0.002}, GCPause: unknown,
	}
}

func theTransport() loadgen.Transport {
	return loadgen.Transport{Engine: "raw", Protocol: "HTTP/1.1", Timing: "kernel", Opened: 1, Reused: 4, MaxOpen: 1}
}

// measured is what a collector measures of a record.
func measured(r *loadgen.Record) *metrics.Measurement {
	m := &metrics.Measurement{}
	metrics.Measure(r, m)
	return m
}

// write makes a finished run of the handmade records in a directory of its own
// and returns its batch, its directory and its summary.
func write(t *testing.T) (*results.Batch, string, metrics.Summary) {
	t.Helper()
	batch, err := results.CreateBatch(t.TempDir(), "golden", time.Unix(0, epoch).UTC())
	if err != nil {
		t.Fatal(err)
	}
	run, err := batch.Begin(metadata())
	if err != nil {
		t.Fatal(err)
	}
	inputs, err := run.Inputs()
	if err != nil {
		t.Fatal(err)
	}
	c, err := metrics.NewCollector(facts())
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range handmade() {
		if err := run.Record(r, c.Add(r)); err != nil {
			t.Fatal(err)
		}
		if err := inputs.Add(&loadgen.Session{ID: r.Request.Session, Turns: []*loadgen.Request{r.Request}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := inputs.Close(2); err != nil {
		t.Fatal(err)
	}
	s := c.Summary(theOutcome(), theHealth(), theTransport())
	res := result(s)
	res.Course = c.Course()
	if err := run.Finish(res); err != nil {
		t.Fatal(err)
	}
	if err := batch.Finish([]results.Row{
		{Cell: metadata().Cell, Dir: "concurrency2", Status: loadgen.Completed, Summary: &s},
		{Dir: "concurrency4", Status: loadgen.Failed, Cell: loadgen.Cell{Index: 1, Dir: "concurrency4", Values: []loadgen.Value{{Key: "concurrency", Value: 4}}}, Err: "no route, to host"},
	}); err != nil {
		t.Fatal(err)
	}
	return batch, run.Dir, s
}

func TestEveryArtifactIsItsGoldenFile(t *testing.T) {
	batch, dir, _ := write(t)
	for _, path := range []string{
		filepath.Join(dir, results.MetadataName),
		filepath.Join(dir, results.ProcessName),
		filepath.Join(dir, results.InputsName),
		filepath.Join(dir, results.JSONName),
		filepath.Join(dir, results.CSVName),
		filepath.Join(dir, results.RecordsName),
		filepath.Join(dir, results.WarmupName),
		filepath.Join(dir, results.SeriesName),
		filepath.Join(batch.Dir, results.BatchJSONName),
		filepath.Join(batch.Dir, results.BatchCSVName),
	} {
		got, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		golden := filepath.Join("testdata", filepath.Base(path))
		if *update {
			if err := os.WriteFile(golden, got, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), string(got)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", filepath.Base(path), diff)
		}
	}
}
