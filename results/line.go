package results

import (
	"fmt"
	"strconv"
	"time"

	"loadgen"
	"loadgen/metrics"
)

// A lineMetric is a per-request metric of a line, with what stands before and
// behind its value.
type lineMetric struct {
	metrics.Definition
	open, close string
}

// lineMetrics are in the order of the JSON export; the connection's are in the
// line's conn object.
var lineMetrics = func() []lineMetric {
	var ms []lineMetric
	for _, d := range metrics.Definitions() {
		if (d.Kind == metrics.PerRequest || d.Kind == metrics.PerChunk) && !d.Trace {
			// Tags and units need no escaping.
			ms = append(ms, lineMetric{d, `"` + d.Tag + `":{"value":`, `,"unit":"` + d.Unit + `"}`})
		}
	}
	return ms
}()

// A lineWriter appends records as lines of profile_export.jsonl.
type lineWriter struct {
	object
	m metrics.Measurement
	// anchor is the wall time of the phase's epoch: the one wall time that all
	// others are offsets from, so that a step of the clock moves none of them.
	anchor   [2]int64
	anchored [2]bool
}

// append appends one line.
func (w *lineWriter) append(b []byte, r *loadgen.Record) []byte {
	if !w.anchored[r.Phase] {
		w.anchor[r.Phase] = r.Start.UnixNano() - int64(r.Sent)
		w.anchored[r.Phase] = true
	}
	metrics.Measure(r, &w.m)
	w.b = b
	w.open()
	w.metadata(r)
	w.metrics(r)
	w.failure(r)
	w.own(r)
	w.close()
	b = append(w.b, '\n')
	w.b = nil
	return b
}

func (w *lineWriter) metadata(r *loadgen.Record) {
	anchor := w.anchor[r.Phase]
	start := anchor + int64(r.Sent)
	w.begin("metadata")
	w.int("session_num", int64(r.Index))
	if q := r.Request; q != nil {
		w.text("x_request_id", q.ID)
		w.text("x_correlation_id", q.Correlation)
		w.text("conversation_id", q.Session)
		w.int("turn_index", int64(q.Turn))
	}
	w.int("credit_issued_ns", anchor+int64(r.Due))
	w.int("request_start_ns", start)
	if r.Head > 0 {
		w.int("request_ack_ns", start+int64(r.Head))
	}
	w.int("request_end_ns", start+int64(r.Took))
	w.key("worker_id")
	w.b = append(w.b, `"worker_`...)
	w.b = strconv.AppendInt(w.b, int64(r.Worker), 10)
	w.b = append(w.b, '"')
	w.text("record_processor_id", "loadgen")
	w.text("benchmark_phase", r.Phase.String())
	w.bool("was_cancelled", r.Cancelled())
	if r.Cancelled() {
		w.int("cancellation_time_ns", start+int64(r.Took))
	}
	w.close()
}

func (w *lineWriter) metrics(r *loadgen.Record) {
	w.begin("metrics")
	b, empty := w.b, len(w.b)
	for i := range lineMetrics {
		d := &lineMetrics[i]
		v, ok := w.m.Value(d.ID)
		if d.Kind == metrics.PerChunk {
			v, ok = 0, w.m.Gaps
		}
		if !ok || !finite(v) {
			continue
		}
		if len(b) > empty {
			b = append(b, ',')
		}
		b = append(b, d.open...)
		if d.Kind == metrics.PerChunk {
			b = appendGaps(b, r.Chunks)
		} else {
			b = appendNumber(b, v, d.Integer)
		}
		b = append(b, d.close...)
	}
	w.b = b
	w.close()
}

func appendGaps(b []byte, chunks []loadgen.Chunk) []byte {
	b = append(b, '[')
	for i := 1; i < len(chunks); i++ {
		if i > 1 {
			b = append(b, ',')
		}
		b = appendMillis(b, chunks[i].At-chunks[i-1].At)
	}
	return append(b, ']')
}

func (w *lineWriter) failure(r *loadgen.Record) {
	if r.OK() {
		return
	}
	code, kind, message := aiperfError(r.Failure.Kind, r.Failure.Status, r.Failure.Message)
	if r.Cancelled() {
		message = fmt.Sprintf("Request was cancelled after %.3f seconds", r.Took.Seconds())
	}
	w.begin("error")
	w.positive("code", int64(code))
	w.text("type", kind)
	w.text("message", message)
	w.close()
}

// aiperfError returns a failure as AIPerf names it: 499 for what the client
// cancelled.
func aiperfError(kind loadgen.FailureKind, status int, message string) (code int, name, text string) {
	if kind == loadgen.FailCancelled {
		return 499, "RequestCancellationError", message
	}
	return status, string(kind), message
}

// own appends what AIPerf's part of the line does not carry and a reader needs
// to make the same record again.
func (w *lineWriter) own(r *loadgen.Record) {
	w.begin("loadgen")
	w.int("due_ns", int64(r.Due))
	w.int("sent_ns", int64(r.Sent))
	w.int("ended_ns", int64(r.Ended))
	w.int("took_ns", int64(r.Took))
	w.positive("held_ns", int64(r.Held))
	w.flag("ramp", r.Ramp)
	w.positive("status", int64(r.Status))
	w.flag("streamed", r.Streamed)
	w.chunks(r)
	w.request(r.Request)
	w.count("output_tokens", r.OutputTokens)
	w.count("reasoning_tokens", r.ReasoningTokens)
	w.usage(r.Usage)
	w.text("finish_reason", r.FinishReason)
	w.text("model", r.Model)
	w.text("timing_source", r.Timing.String())
	w.positive("reader_delay_ns", int64(r.ReaderDelay))
	w.positive("reads", int64(r.Reads))
	w.positive("merged_reads", int64(r.MergedReads))
	w.positive("bytes_out", int64(r.BytesOut))
	w.positive("bytes_in", int64(r.BytesIn))
	w.conn(r.Conn)
	if f := r.Failure; f != nil {
		w.begin("failure")
		w.text("kind", string(f.Kind))
		w.positive("status", int64(f.Status))
		w.text("message", f.Message)
		w.close()
	}
	w.close()
}

// chunks appends the arrival times where the metrics do not carry them, and
// the kinds where they are not all content of a read of its own.
func (w *lineWriter) chunks(r *loadgen.Record) {
	if len(r.Chunks) == 0 {
		return
	}
	if !w.m.Gaps {
		w.key("chunk_ns")
		for i, c := range r.Chunks {
			w.b = append(w.b, "[,"[min(i, 1)])
			w.b = strconv.AppendInt(w.b, int64(c.At), 10)
		}
		w.b = append(w.b, ']')
	}
	plain := true
	for _, c := range r.Chunks {
		plain = plain && c.Kind == loadgen.Content && !c.Merged
	}
	if plain {
		return
	}
	w.key("chunk_kinds")
	w.b = append(w.b, '"')
	for i := 0; i < len(r.Chunks); {
		run := 1
		for i+run < len(r.Chunks) && letter(r.Chunks[i+run]) == letter(r.Chunks[i]) {
			run++
		}
		w.b = append(w.b, letter(r.Chunks[i]))
		if run > 1 {
			w.b = strconv.AppendInt(w.b, int64(run), 10)
		}
		i += run
	}
	w.b = append(w.b, '"')
}

// letter names a chunk: c content, r reasoning, t tool call; a capital for one
// that came out of the same read as the chunk before it.
func letter(c loadgen.Chunk) byte {
	if c.Merged {
		return "CRT"[c.Kind]
	}
	return "crt"[c.Kind]
}

func (w *lineWriter) request(q *loadgen.Request) {
	if q == nil {
		return
	}
	w.positive("input_tokens", int64(q.InputTokens))
	w.positive("template_tokens", int64(q.TemplateTokens))
	w.positive("max_tokens", int64(q.MaxTokens))
	w.positive("delay_ns", int64(q.Delay))
}

func (w *lineWriter) usage(u loadgen.Usage) {
	if u == loadgen.NoUsage {
		return
	}
	w.begin("usage")
	w.count("prompt_tokens", u.PromptTokens)
	w.count("completion_tokens", u.CompletionTokens)
	w.count("reasoning_tokens", u.ReasoningTokens)
	w.count("cached_tokens", u.CachedTokens)
	w.close()
}

func (w *lineWriter) conn(c loadgen.Conn) {
	if c == (loadgen.Conn{}) {
		return
	}
	w.begin("conn")
	w.flag("reused", c.Reused)
	for _, step := range [...]struct {
		key string
		d   time.Duration
	}{{"wait_ns", c.Wait}, {"dns_ns", c.DNS}, {"dial_ns", c.Dial}, {"tls_ns", c.TLS}, {"wrote_ns", c.Wrote}} {
		w.positive(step.key, int64(step.d))
	}
	w.text("local", c.Local)
	w.close()
}
