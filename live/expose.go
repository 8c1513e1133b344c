package live

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"loadgen/sink"
)

// restOfExposition is how long an answer to a scrape stands: whoever asks more
// often is told the same, so that no scraper weighs on what is measured.
const restOfExposition = time.Second

// Expose serves how a batch stands at /metrics, for Prometheus, until stop is
// called, which waits for the last answer.
func (b *Board) Expose(address, version string) (at string, stop func(), err error) {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return "", nil, err
	}
	e := &exposition{board: b, version: version}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", e)
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second, WriteTimeout: 10 * time.Second, IdleTimeout: time.Minute}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(l)
	}()
	return l.Addr().String(), func() {
		_ = server.Close()
		<-done
	}, nil
}

// An exposition answers scrapes.
type exposition struct {
	board   *Board
	version string

	mu   sync.Mutex
	made time.Time
	text []byte
}

func (e *exposition) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	_, _ = w.Write(e.now(time.Now()))
}

func (e *exposition) now(now time.Time) []byte {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.text == nil || now.Sub(e.made) >= restOfExposition {
		var b bytes.Buffer
		s, running := e.board.look(now)
		expose(&b, s, running, e.board.name, e.version)
		sink.WriteCapacities(&b, e.board.searches())
		e.made, e.text = now, b.Bytes()
	}
	return e.text
}

// expose writes the figures of the run that is being made. They begin anew with
// each run, so that all of them are gauges.
func expose(w io.Writer, s status, running bool, batch, version string) {
	family := func(name, help string, samples ...string) {
		fmt.Fprintf(w, "# HELP %s %s\n# TYPE %[1]s gauge\n", name, help)
		for _, sample := range samples {
			fmt.Fprintf(w, "%s%s\n", name, sample)
		}
	}
	family("loadgen_info", "The program and its batch", labels("version", version, "batch", batch)+" 1")
	if !running {
		return
	}
	run := []string{"run", s.Name}
	sample := func(v float64, more ...string) string {
		return labels(append(append([]string(nil), run...), more...)...) + " " + strconv.FormatFloat(v, 'g', 12, 64)
	}
	family("loadgen_batch_run_index", "The run that is being made, from 1", sample(float64(s.Cell+1)))
	family("loadgen_batch_runs", "The runs of the batch, as far as they are known", sample(float64(s.Cells)))
	family("loadgen_batch_elapsed_seconds", "Time since the batch began", sample(s.Batch.Seconds()))
	stage := s.Stage.Name
	if s.Over {
		stage = "over"
	}
	family("loadgen_run_stage", "1 for the stage of the run: warm-up, profiling, or over while hooks and analyses follow", sample(1, "stage", stage))
	family("loadgen_run_stage_elapsed_seconds", "Time since the stage began", sample(s.Elapsed.Seconds()))
	family("loadgen_run_in_flight", "Requests in flight", sample(float64(s.InFlight)))
	family("loadgen_run_requests", "Requests of the measurement that are over", sample(float64(s.OK), "result", "ok"),
		sample(float64(s.Failed), "result", "failed"), sample(float64(s.Cancelled), "result", "cancelled"))
	var failures []string
	for _, f := range s.Failures {
		failures = append(failures, sample(float64(f.Count), "kind", string(f.Kind), "status", strconv.Itoa(f.Status)))
	}
	family("loadgen_run_failures", "Failed requests by kind", failures...)
	family("loadgen_run_output_tokens", "Output tokens of the successful requests", sample(s.Tokens))
	family("loadgen_run_request_rate", "Successful requests per second", sample(s.RequestRate))
	family("loadgen_run_output_token_rate", "Output tokens per second", sample(s.TokenRate))
	seconds := func(name, help string, p50, p99 float64) {
		if p50 > 0 && !math.IsNaN(p50) {
			family(name, help, sample(p50/1e3, "quantile", "0.5"), sample(p99/1e3, "quantile", "0.99"))
		}
	}
	seconds("loadgen_run_time_to_first_token_seconds", "Time to the first token so far", s.TTFTP50, s.TTFTP99)
	seconds("loadgen_run_inter_token_latency_seconds", "Time between tokens so far", s.ITLP50, s.ITLP99)
}

// labels writes pairs of names and values.
func labels(pairs ...string) string {
	var parts []string
	for i := 0; i+1 < len(pairs); i += 2 {
		value := strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(strings.ToValidUTF8(pairs[i+1], "\uFFFD"))
		parts = append(parts, pairs[i]+`="`+value+`"`)
	}
	return "{" + strings.Join(parts, ",") + "}"
}
