package sink_test

import (
	"context"
	"encoding/json"
	"encoding/xml"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"
	metricspb "go.opentelemetry.io/proto/otlp/metrics/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"loadgen"
	"loadgen/metrics"
	"loadgen/results"
	"loadgen/sink"
	"loadgen/sweep"
)

var epoch = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// night makes a batch of two runs: of one user, three requests of which one
// failed, and of four users, whose process was killed.
func night(t *testing.T) string {
	t.Helper()
	batch, err := results.CreateBatch(t.TempDir(), "night|1", epoch)
	if err != nil {
		t.Fatal(err)
	}
	defer batch.Close()
	for i, users := range []int{1, 4} {
		cell := loadgen.Cell{Index: i, Values: []loadgen.Value{{Key: "concurrency", Value: users}}, Dir: map[int]string{1: "concurrency1", 4: "concurrency4"}[users]}
		facts := metrics.Facts{Load: loadgen.Load{Mode: loadgen.ClosedLoop, Users: users}}
		run, err := batch.Begin(results.Metadata{
			Timestamp: epoch, Cell: cell, Dir: cell.Dir, Facts: facts, Label: "build 7",
			Config: map[string]any{"model": "m", "endpoint_type": "chat", "streaming": true, "concurrency": users},
		})
		if err != nil {
			t.Fatal(err)
		}
		collector, err := metrics.NewCollector(facts)
		if err != nil {
			t.Fatal(err)
		}
		for n := range 3 {
			rec := record(n)
			if n == 2 {
				rec.Chunks, rec.Failure = nil, &loadgen.Failure{Kind: loadgen.FailHTTP5xx, Status: 503, Message: "<script>|busy"}
			}
			m := collector.Add(rec)
			if err := run.Record(rec, m); err != nil {
				t.Fatal(err)
			}
		}
		if err := run.Close(); err != nil {
			t.Fatal(err)
		}
		if users == 4 {
			continue // killed
		}
		outcome := loadgen.Outcome{Epoch: epoch.UnixNano(), Issued: 3, Elapsed: 3 * time.Second, StoppedAt: 3 * time.Second}
		res := &results.Result{
			Summary: collector.Summary(outcome, loadgen.Health{}, loadgen.Transport{}), Outcome: outcome, Status: loadgen.Completed,
			Missed: []string{"budget <ttft>: 100 is above 50"}, Started: epoch, Ended: epoch.Add(3 * time.Second),
		}
		if err := run.Finish(res); err != nil {
			t.Fatal(err)
		}
	}
	return batch.Dir
}

// record is a request that was sent n seconds after the beginning, with its
// first token after 100 ms and two more at gaps of 20 ms.
func record(n int) *loadgen.Record {
	rec := &loadgen.Record{Request: &loadgen.Request{ID: string(rune('a' + n)), Session: "s" + string(rune('0'+n)), InputTokens: 10}}
	rec.Reset()
	rec.Request = &loadgen.Request{ID: string(rune('a' + n)), Session: "s" + string(rune('0'+n)), InputTokens: 10}
	rec.Index, rec.Sent, rec.Due = n, time.Duration(n)*time.Second, time.Duration(n)*time.Second
	rec.Start = epoch.Add(rec.Sent)
	rec.Took, rec.Over = 140*time.Millisecond, 141*time.Millisecond
	rec.Ended, rec.Status, rec.Streamed, rec.FinishReason, rec.OutputTokens, rec.ReasoningTokens = rec.Sent+rec.Over, 200, true, "stop", 3, 0
	rec.Chunks = []loadgen.Chunk{{At: 100 * time.Millisecond}, {At: 120 * time.Millisecond}, {At: 140 * time.Millisecond}}
	rec.Reads = 3
	return rec
}

func write(t *testing.T, dir string, o *sink.Options, exports ...sweep.Export) ([]sink.Written, error) {
	t.Helper()
	if o.Client == nil {
		o.Client = &http.Client{Timeout: 5 * time.Second}
	}
	o.Version = "1.0"
	return sink.Write(context.Background(), dir, exports, o)
}

func TestParquetHasARowForEachRequest(t *testing.T) {
	dir := night(t)
	if _, err := write(t, dir, &sink.Options{}, sweep.Export{To: "parquet"}); err != nil {
		t.Fatal(err)
	}
	type row struct {
		Run         *string  `parquet:"run,optional"`
		Concurrency *float64 `parquet:"sweep.concurrency,optional"`
		OK          *bool    `parquet:"ok,optional"`
		Failure     *string  `parquet:"failure,optional"`
		TTFT        *float64 `parquet:"time_to_first_token,optional"`
		ITL         *float64 `parquet:"inter_token_latency,optional"`
		Sent        *int64   `parquet:"sent_ns,optional"`
		Start       *int64   `parquet:"start,optional,timestamp(nanosecond)"`
	}
	rows, err := parquet.ReadFile[row](filepath.Join(dir, sink.ParquetName))
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) != 6 {
		t.Fatalf("%d rows, want those of both runs: 6", len(rows))
	}
	first, failed := rows[0], rows[2]
	if *first.Run != "concurrency1" || *first.Concurrency != 1 || !*first.OK || *first.TTFT != 100 || *first.ITL != 20 {
		t.Errorf("the first request: %s %g ok %v, TTFT %g ms, ITL %g ms", *first.Run, *first.Concurrency, *first.OK, *first.TTFT, *first.ITL)
	}
	if first.Failure != nil || *first.Start != epoch.UnixNano() || *rows[1].Sent != 1e9 {
		t.Errorf("failure %v, start %d, sent %d", first.Failure, *first.Start, *rows[1].Sent)
	}
	if *failed.OK || *failed.Failure != "http_5xx" || failed.TTFT != nil {
		t.Errorf("the one that failed: ok %v, %v, TTFT %v", *failed.OK, *failed.Failure, failed.TTFT)
	}
}

func TestVLLMsKeysAndColumns(t *testing.T) {
	dir := night(t)
	if _, err := write(t, dir, &sink.Options{}, sweep.Export{To: "vllm"}); err != nil {
		t.Fatal(err)
	}
	var v struct {
		Model       string    `json:"model_id"`
		Backend     string    `json:"backend"`
		Prompts     int       `json:"num_prompts"`
		Completed   int       `json:"completed"`
		Failed      int       `json:"failed"`
		Rate        string    `json:"request_rate"`
		Concurrency int       `json:"max_concurrency"`
		TTFT        float64   `json:"mean_ttft_ms"`
		TPOT        float64   `json:"median_tpot_ms"`
		E2EL        float64   `json:"p99_e2el_ms"`
		Inputs      []int     `json:"input_lens"`
		Outputs     []int     `json:"output_lens"`
		TTFTs       []float64 `json:"ttfts"`
		ITLs        [][]float64
		Starts      []float64 `json:"start_times"`
		Errors      []string
	}
	text, err := os.ReadFile(filepath.Join(dir, "concurrency1", sink.VLLMName))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatal(err)
	}
	if v.Model != "m" || v.Backend != "openai-chat" || v.Prompts != 3 || v.Completed != 2 || v.Failed != 1 || v.Rate != "inf" || v.Concurrency != 1 {
		t.Errorf("the head: %+v", v)
	}
	if v.TTFT != 100 || v.TPOT != 20 || v.E2EL != 140 {
		t.Errorf("TTFT %g, TPOT %g, E2EL %g ms", v.TTFT, v.TPOT, v.E2EL)
	}
	if len(v.TTFTs) != 3 || v.TTFTs[0] != 0.1 || v.TTFTs[2] != 0 || len(v.ITLs[0]) != 2 || v.ITLs[0][0] != 0.02 || len(v.ITLs[2]) != 0 {
		t.Errorf("ttfts %v, itls %v", v.TTFTs, v.ITLs)
	}
	if v.Inputs[0] != 10 || v.Outputs[0] != 3 || v.Starts[1] != 1 || v.Errors[0] != "" || v.Errors[2] != "http_5xx: <script>|busy" {
		t.Errorf("input_lens %v, output_lens %v, start_times %v, errors %q", v.Inputs, v.Outputs, v.Starts, v.Errors)
	}
	if _, err := os.Stat(filepath.Join(dir, "concurrency4", sink.VLLMName)); err == nil {
		t.Error("a run without figures has one")
	}
}

func TestJUnitTellsLimitsAndWhatIsNotToBeReliedOn(t *testing.T) {
	dir := night(t)
	if _, err := write(t, dir, &sink.Options{}, sweep.Export{To: "junit"}); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, sink.JUnitName))
	if err != nil {
		t.Fatal(err)
	}
	var s struct {
		Suite struct {
			Tests  int `xml:"tests,attr"`
			Errors int `xml:"errors,attr"`
			Cases  []struct {
				Name  string `xml:"name,attr"`
				Error *struct {
					Message string `xml:"message,attr"`
				} `xml:"error"`
			} `xml:"testcase"`
		} `xml:"testsuite"`
	}
	if err := xml.Unmarshal(text, &s); err != nil {
		t.Fatal(err)
	}
	if s.Suite.Tests != 2 || s.Suite.Errors != 2 || len(s.Suite.Cases) != 2 {
		t.Fatalf("got %+v", s)
	}
	// Three requests are too few, and a third of them failed: INVALID.
	if c := s.Suite.Cases[0]; c.Name != "concurrency1" || c.Error == nil || !strings.HasPrefix(c.Error.Message, "INVALID") {
		t.Errorf("the first run: %+v", c)
	}
	if c := s.Suite.Cases[1]; c.Error == nil || !strings.Contains(c.Error.Message, "killed") {
		t.Errorf("the one that was killed: %+v", c)
	}
}

func TestMarkdownStaysATable(t *testing.T) {
	dir := night(t)
	if _, err := write(t, dir, &sink.Options{}, sweep.Export{To: "markdown"}); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, sink.MarkdownName))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`## night\|1`, "| concurrency1 | INVALID | 2 | 1 |", "| concurrency4 | incomplete |", "budget &lt;ttft\\>: 100 is above 50"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("%q is missing in\n%s", want, text)
		}
	}
	cells := strings.Count("| run | verdict | ok | failed | a | a | a | a | a | a | a | a |", "|")
	for line := range strings.Lines(string(text)) {
		if bars := strings.Count(strings.ReplaceAll(line, `\|`, ""), "|"); strings.HasPrefix(line, "|") && bars != cells {
			t.Errorf("%d bars, want %d, in %s", bars, cells, line)
		}
	}
}

func TestLLMDsReportHasItsUnits(t *testing.T) {
	dir := night(t)
	if _, err := write(t, dir, &sink.Options{}, sweep.Export{To: "llm-d"}); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "concurrency1", sink.LLMDName))
	if err != nil {
		t.Fatal(err)
	}
	type statistics struct {
		Units string
		Mean  float64
		P99   float64
	}
	var r struct {
		Version  string
		Scenario struct {
			Model struct{ Name string }
			Load  struct{ Name string }
		}
		Metrics struct {
			Time     struct{ Start float64 }
			Requests struct {
				Total, Failures int
				Input           statistics `json:"input_length"`
			}
			Latency map[string]statistics
		}
	}
	if err := json.Unmarshal(text, &r); err != nil {
		t.Fatal(err)
	}
	if r.Version != "0.1" || r.Scenario.Model.Name != "m" || r.Scenario.Load.Name != "nop" || r.Metrics.Requests.Total != 3 || r.Metrics.Requests.Failures != 1 {
		t.Errorf("got %+v", r)
	}
	if l := r.Metrics.Latency; l["time_to_first_token"] != (statistics{"ms", 100, 100}) || l["time_per_output_token"] != (statistics{"ms/token", 20, 20}) || l["request_latency"].Mean != 140 {
		t.Errorf("latencies %+v", l)
	}
	if r.Metrics.Requests.Input != (statistics{"count", 10, 10}) || r.Metrics.Time.Start != float64(epoch.Unix()) {
		t.Errorf("input %+v, start %v", r.Metrics.Requests.Input, r.Metrics.Time.Start)
	}
}

func TestMLflowsFilesAreWrittenAgainInTheirPlace(t *testing.T) {
	dir, tracking := night(t), t.TempDir()
	for range 2 {
		if _, err := write(t, dir, &sink.Options{Tracking: tracking}, sweep.Export{To: "mlflow"}); err != nil {
			t.Fatal(err)
		}
	}
	runs, err := filepath.Glob(filepath.Join(tracking, "*", "*", "meta.yaml"))
	if err != nil || len(runs) != 1 {
		t.Fatalf("runs %q, %v: want that which has figures", runs, err)
	}
	read := func(name string) string {
		text, err := os.ReadFile(filepath.Join(filepath.Dir(runs[0]), name))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	end := "1772366403000"
	if got := read("metrics/time_to_first_token.p99"); got != end+" 100 0\n" {
		t.Errorf("a metric: %q", got)
	}
	if got := read("params/model"); got != "m" {
		t.Errorf("a parameter: %q", got)
	}
	if got := read("tags/verdict"); got != "INVALID" {
		t.Errorf("a tag: %q", got)
	}
	for _, want := range []string{"end_time: " + end, "status: 3\n", "lifecycle_stage: active", `run_name: "concurrency1"`} {
		if !strings.Contains(read("meta.yaml"), want) {
			t.Errorf("%q is missing in meta.yaml:\n%s", want, read("meta.yaml"))
		}
	}
}

// A receiver keeps what it is sent.
type receiver struct {
	*httptest.Server
	bodies map[string][]byte
	keys   map[string]string
}

func newReceiver(t *testing.T, status int, reply []byte) *receiver {
	r := &receiver{bodies: map[string][]byte{}, keys: map[string]string{}}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, _ := io.ReadAll(req.Body)
		key := req.Method + " " + req.URL.Path
		r.bodies[key] = append(r.bodies[key], body...)
		r.keys[key] = req.Header.Get("Authorization") + " " + req.Header.Get("Content-Type")
		w.WriteHeader(status)
		_, _ = w.Write(reply)
	}))
	t.Cleanup(r.Close)
	return r
}

func TestOTLPHasTheFiguresAndASpanForEachRequest(t *testing.T) {
	dir, r := night(t), newReceiver(t, 200, nil)
	o := &sink.Options{LookupEnv: func(string) (string, bool) { return "k", true }}
	if _, err := write(t, dir, o, sweep.Export{To: "otlp", URL: r.URL, APIKeyEnvVar: "KEY"}); err != nil {
		t.Fatal(err)
	}
	if got := r.keys["POST /v1/traces"]; got != "Bearer k application/x-protobuf" {
		t.Errorf("headers %q", got)
	}
	// Messages that stand behind each other are read as one.
	var traces tracepb.TracesData
	if err := proto.Unmarshal(r.bodies["POST /v1/traces"], &traces); err != nil {
		t.Fatal(err)
	}
	var spans []*tracepb.Span
	for _, rs := range traces.ResourceSpans {
		for _, ss := range rs.ScopeSpans {
			spans = append(spans, ss.Spans...)
		}
	}
	if len(spans) != 6 {
		t.Fatalf("%d spans, want 6", len(spans))
	}
	s := spans[0]
	start := uint64(epoch.UnixNano())
	if s.Name != "chat m" || s.StartTimeUnixNano != start || s.EndTimeUnixNano != start+141e6 || s.Events[0].TimeUnixNano != start+100e6 {
		t.Errorf("the first span: %v", s)
	}
	if len(s.TraceId) != 16 || len(s.SpanId) != 8 || string(s.SpanId) == string(spans[1].SpanId) {
		t.Errorf("ids %x %x", s.TraceId, s.SpanId)
	}
	if got := spans[2].Status; got.Code != tracepb.Status_STATUS_CODE_ERROR || got.Message != "<script>|busy" {
		t.Errorf("the one that failed: %v", got)
	}
	var figures metricspb.MetricsData
	if err := proto.Unmarshal(r.bodies["POST /v1/metrics"], &figures); err != nil {
		t.Fatal(err)
	}
	for _, m := range figures.ResourceMetrics[0].ScopeMetrics[0].Metrics {
		if m.Name != "loadgen.time_to_first_token" {
			continue
		}
		if p := m.GetGauge().DataPoints[0]; m.Unit != "ms" || p.GetAsDouble() != 100 || p.Attributes[0].Value.GetStringValue() != "avg" {
			t.Errorf("a metric: %v", m)
		}
		return
	}
	t.Error("no time_to_first_token")
}

func TestAPushgatewayGetsFiguresInBaseUnits(t *testing.T) {
	dir, r := night(t), newReceiver(t, 202, nil)
	if _, err := write(t, dir, &sink.Options{}, sweep.Export{To: "pushgateway", URL: r.URL + "/"}); err != nil {
		t.Fatal(err)
	}
	text := string(r.bodies["PUT /metrics/job/loadgen/batch@base64/bmlnaHR8MQ"])
	for _, want := range []string{
		"# HELP loadgen_time_to_first_token_seconds Time to First Token\n# TYPE loadgen_time_to_first_token_seconds gauge\n",
		`loadgen_time_to_first_token_seconds{run="concurrency1",model="m",label="build 7",sweep_concurrency="1",stat="p99"} 0.1` + "\n",
		`loadgen_valid{run="concurrency1",model="m",label="build 7",sweep_concurrency="1"} 0` + "\n",
		`loadgen_limits_missed{run="concurrency1",model="m",label="build 7",sweep_concurrency="1"} 1` + "\n",
		`loadgen_valid{run="concurrency4",model="m",label="build 7",sweep_concurrency="4"} 0` + "\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing in\n%s", want, text)
		}
	}
}

func TestASinkThatFailsKeepsNoOtherFromItsWork(t *testing.T) {
	dir, r := night(t), newReceiver(t, 500, []byte("\x1b[31mno room"))
	written, err := write(t, dir, &sink.Options{}, sweep.Export{To: "otlp", URL: r.URL}, sweep.Export{To: "pushgateway", URL: "http://127.0.0.1:1"}, sweep.Export{To: "junit"})
	if err == nil || !strings.Contains(err.Error(), "500") || strings.Contains(err.Error(), "\x1b") || !strings.Contains(err.Error(), "loadgen export") {
		t.Errorf("the error: %v", err)
	}
	if len(written) != 3 || written[0].Err == nil || written[1].Err == nil || written[2].Err != nil {
		t.Errorf("written: %v", written)
	}
	if _, err := os.Stat(filepath.Join(dir, sink.JUnitName)); err != nil {
		t.Error(err)
	}
}

func TestWhatAReceiverRefusesIsTold(t *testing.T) {
	// partial_success { rejected_spans: 3, error_message: "late" }
	dir, r := night(t), newReceiver(t, 200, []byte{0x0a, 8, 8, 3, 0x12, 4, 'l', 'a', 't', 'e'})
	_, err := write(t, dir, &sink.Options{}, sweep.Export{To: "otlp", URL: r.URL})
	if err == nil || !strings.Contains(err.Error(), "refused 3 items: late") {
		t.Errorf("the error: %v", err)
	}
}

func TestADirectoryWithoutRunsIsNoBatch(t *testing.T) {
	if _, err := write(t, t.TempDir(), &sink.Options{}, sweep.Export{To: "junit"}); err == nil {
		t.Error("it is taken")
	}
	if written, err := write(t, "/nowhere", &sink.Options{}); written != nil || err != nil {
		t.Errorf("nothing was asked for: %v, %v", written, err)
	}
}
