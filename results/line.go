package results

import (
	"fmt"

	"loadgen"
	"loadgen/metrics"
)

// A lineMetric is a per-request metric of a line, with what stands before and
// behind its value.
type lineMetric struct {
	open, close string
	id          metrics.ID
	integer     bool
	gaps        bool // its value is the list of gaps between chunks
}

// lineMetrics are in the order of the JSON export; the connection's are in the
// line's conn object.
var lineMetrics = func() []lineMetric {
	var ms []lineMetric
	for _, d := range metrics.Definitions() {
		if (d.Kind == metrics.PerRequest || d.Kind == metrics.PerChunk) && !d.Trace {
			// Tags and units need no escaping.
			ms = append(ms, lineMetric{
				open: `,"` + d.Tag + `":{"value":`, close: `,"unit":"` + d.Unit + `"}`,
				id: d.ID, integer: d.Integer, gaps: d.Kind == metrics.PerChunk,
			})
		}
	}
	return ms
}()

// A lineWriter appends records as lines of profile_export.jsonl.
//
// A line is written for every request while others wait to be sent or read, so
// its keys are constants with all that stands around them, appended at once,
// and the first key of an object loses its comma in appendKey.
type lineWriter struct {
	// anchor is the wall time of the phase's epoch: the one wall time that all
	// others are offsets from, so that a step of the clock moves none of them.
	anchor   [2]int64
	anchored [2]bool
}

// append appends one line of a record and what was measured of it.
func (w *lineWriter) append(b []byte, r *loadgen.Record, m *metrics.Measurement) []byte {
	epoch := r.Phase
	if r.Crossing {
		epoch = loadgen.Profiling
	}
	if !w.anchored[epoch] {
		w.anchor[epoch] = r.Start.UnixNano() - int64(r.Sent)
		w.anchored[epoch] = true
	}
	b = append(b, `{"metadata":{`...)
	b = appendMetadata(b, r, w.anchor[epoch])
	b = append(b, `},"metrics":{`...)
	b = appendMeasurement(b, r, m)
	b = append(b, '}')
	if !r.OK() {
		b = appendError(b, r)
	}
	b = append(b, `,"loadgen":{`...)
	b = appendOwn(b, r, m)
	return append(b, "}}\n"...)
}

// appendMetadata appends who sent the request, and when by the wall clock.
func appendMetadata(b []byte, r *loadgen.Record, anchor int64) []byte {
	start := anchor + int64(r.Sent)
	b = appendKeyInt(b, `,"session_num":`, int64(r.Index))
	if q := r.Request; q != nil {
		b = appendKeyText(b, `,"x_request_id":"`, q.ID)
		b = appendKeyText(b, `,"x_correlation_id":"`, q.Correlation)
		b = appendKeyText(b, `,"conversation_id":"`, q.Session)
		b = appendKeyInt(b, `,"turn_index":`, int64(q.Turn))
	}
	b = appendKeyInt(b, `,"credit_issued_ns":`, anchor+int64(r.Due))
	b = appendKeyInt(b, `,"request_start_ns":`, start)
	if r.Head > 0 {
		b = appendKeyInt(b, `,"request_ack_ns":`, start+int64(r.Head))
	}
	b = appendKeyInt(b, `,"request_end_ns":`, start+int64(r.Took))
	b = appendKeyInt(b, `,"worker_id":"worker_`, int64(r.Worker))
	b = append(b, `","record_processor_id":"loadgen`...)
	if r.By > 0 {
		b = appendInt(append(b, '-'), int64(r.By-1))
	}
	b = append(b, `","benchmark_phase":"`...)
	b = append(b, r.Phase.String()...)
	if !r.Cancelled() {
		return append(b, `","was_cancelled":false`...)
	}
	return appendKeyInt(b, `","was_cancelled":true,"cancellation_time_ns":`, start+int64(r.Took))
}

func appendMeasurement(b []byte, r *loadgen.Record, m *metrics.Measurement) []byte {
	for i := range lineMetrics {
		d := &lineMetrics[i]
		v, ok := m.Value(d.id)
		switch {
		case d.gaps && m.Gaps:
			b = appendKey(b, d.open)
			b = appendGaps(b, r.Chunks)
			b = append(b, d.close...)
		case ok && !d.gaps && finite(v):
			b = appendKey(b, d.open)
			b = appendNumber(b, v, d.integer)
			b = append(b, d.close...)
		}
	}
	return b
}

func appendGaps(b []byte, chunks []loadgen.Chunk) []byte {
	b = append(b, '[')
	for i := 1; i < len(chunks); i++ {
		if gap := chunks[i].At - chunks[i-1].At; gap != 0 {
			b = appendMillis(b, gap)
			b = append(b, ',')
		} else {
			b = append(b, '0', ',')
		}
	}
	b[len(b)-1] = ']'
	return b
}

func appendError(b []byte, r *loadgen.Record) []byte {
	code, kind, message := aiperfError(r.Failure.Kind, r.Failure.Status, r.Failure.Message)
	if r.Cancelled() {
		message = fmt.Sprintf("Request was cancelled after %.3f seconds", r.Took.Seconds())
	}
	b = append(b, `,"error":{`...)
	b = appendPositive(b, `,"code":`, int64(code))
	b = appendKeyText(b, `,"type":"`, kind)
	b = appendKeyText(b, `,"message":"`, message)
	return append(b, '}')
}

// aiperfError returns a failure as AIPerf names it: 499 for what the client
// cancelled.
func aiperfError(kind loadgen.FailureKind, status int, message string) (code int, name, text string) {
	if kind == loadgen.FailCancelled {
		return 499, "RequestCancellationError", message
	}
	return status, string(kind), message
}

// appendOwn appends what AIPerf's part of the line does not carry and a reader
// needs to make the same record again.
func appendOwn(b []byte, r *loadgen.Record, m *metrics.Measurement) []byte {
	b = appendKeyInt(b, `,"due_ns":`, int64(r.Due))
	b = appendKeyInt(b, `,"sent_ns":`, int64(r.Sent))
	b = appendKeyInt(b, `,"ended_ns":`, int64(r.Ended))
	b = appendKeyInt(b, `,"took_ns":`, int64(r.Took))
	if r.Over != r.Took {
		b = appendKeyInt(b, `,"over_ns":`, int64(r.Over))
	}
	b = appendPositive(b, `,"held_ns":`, int64(r.Held))
	b = appendFlag(b, `,"ramp":true`, r.Ramp)
	b = appendFlag(b, `,"first":true`, r.First)
	b = appendFlag(b, `,"crossing":true`, r.Crossing)
	b = appendPositive(b, `,"status":`, int64(r.Status))
	b = appendFlag(b, `,"streamed":true`, r.Streamed)
	if len(r.Chunks) > 0 {
		if !m.Gaps {
			b = appendArrivals(b, r.Chunks, false)
		}
		b = appendKinds(b, r.Chunks)
	}
	if q := r.Request; q != nil {
		b = appendPositive(b, `,"input_tokens":`, int64(q.InputTokens))
		b = appendPositive(b, `,"shared_tokens":`, int64(q.SharedTokens))
		b = appendPositive(b, `,"template_tokens":`, int64(q.TemplateTokens))
		b = appendPositive(b, `,"max_tokens":`, int64(q.MaxTokens))
		b = appendPositive(b, `,"delay_ns":`, int64(q.Delay))
	}
	b = appendCount(b, `,"output_tokens":`, r.OutputTokens)
	b = appendCount(b, `,"reasoning_tokens":`, r.ReasoningTokens)
	if r.Usage != loadgen.NoUsage {
		b = appendUsage(b, &r.Usage)
	}
	b = appendKeyText(b, `,"finish_reason":"`, r.FinishReason)
	b = appendKeyText(b, `,"model":"`, r.Model)
	b = appendKeyText(b, `,"timing_source":"`, r.Timing.String())
	b = appendPositive(b, `,"reader_delay_ns":`, int64(r.ReaderDelay))
	if r.FirstDelay != r.ReaderDelay {
		b = appendKeyInt(b, `,"first_delay_ns":`, int64(r.FirstDelay))
	}
	if r.MeanDelay != r.ReaderDelay {
		b = appendKeyInt(b, `,"mean_delay_ns":`, int64(r.MeanDelay))
	}
	b = appendPositive(b, `,"reads":`, int64(r.Reads))
	b = appendPositive(b, `,"merged_reads":`, int64(r.MergedReads))
	b = appendPositive(b, `,"bytes_out":`, int64(r.BytesOut))
	b = appendPositive(b, `,"bytes_in":`, int64(r.BytesIn))
	if r.Conn != (loadgen.Conn{}) {
		b = appendConn(b, &r.Conn)
	}
	if f := r.Failure; f != nil {
		b = append(b, `,"failure":{`...)
		b = appendKeyText(b, `,"kind":"`, string(f.Kind))
		b = appendPositive(b, `,"status":`, int64(f.Status))
		b = appendKeyText(b, `,"message":"`, f.Message)
		b = appendPositive(b, `,"retry_after_ns":`, int64(f.RetryAfter))
		b = append(b, '}')
	}
	return b
}

// appendArrivals appends the time of each chunk, or of each that began a read:
// the kinds tell which ones came out of the same read, and have its time.
// Should one of these have a time of its own, all times are appended.
func appendArrivals(b []byte, chunks []loadgen.Chunk, each bool) []byte {
	from := len(b)
	b = appendKey(b, `,"chunk_ns":[`)
	for i, c := range chunks {
		if !each && shares(chunks, i) {
			if c.At != chunks[i-1].At {
				return appendArrivals(b[:from], chunks, true)
			}
			continue
		}
		b = appendInt(b, int64(c.At))
		b = append(b, ',')
	}
	b[len(b)-1] = ']'
	return b
}

// shares reports whether a chunk came out of the same read as the one before.
func shares(chunks []loadgen.Chunk, i int) bool { return i > 0 && chunks[i].Merged }

// appendKinds appends the kinds in runs, but nothing where all chunks are
// content of a read of its own.
func appendKinds(b []byte, chunks []loadgen.Chunk) []byte {
	from := len(b)
	b = appendKey(b, `,"chunk_kinds":"`)
	for i := 0; i < len(chunks); {
		kind, merged, next := chunks[i].Kind, chunks[i].Merged, i+1
		for next < len(chunks) && chunks[next].Kind == kind && chunks[next].Merged == merged {
			next++
		}
		run := next - i
		if run == len(chunks) && kind == loadgen.Content && !merged {
			return b[:from]
		}
		b = append(b, letter(chunks[i]))
		if run > 1 {
			b = appendInt(b, int64(run))
		}
		i = next
	}
	return append(b, '"')
}

// kindLetters names the kinds of chunks in their order: content, reasoning,
// tool call; then several of them at once. A capital is a chunk that came out
// of the same read as the one before it.
const kindLetters = "crtxyzwCRTXYZW"

func letter(c loadgen.Chunk) byte {
	i := int(c.Kind)
	if c.Merged {
		i += len(kindLetters) / 2
	}
	return kindLetters[i]
}

func appendUsage(b []byte, u *loadgen.Usage) []byte {
	b = append(b, `,"usage":{`...)
	b = appendCount(b, `,"prompt_tokens":`, u.PromptTokens)
	b = appendCount(b, `,"completion_tokens":`, u.CompletionTokens)
	b = appendCount(b, `,"reasoning_tokens":`, u.ReasoningTokens)
	b = appendCount(b, `,"cached_tokens":`, u.CachedTokens)
	b = appendPositive(b, `,"total_tokens":`, int64(u.TotalTokens))
	return append(b, '}')
}

func appendConn(b []byte, c *loadgen.Conn) []byte {
	b = append(b, `,"conn":{`...)
	b = appendFlag(b, `,"reused":true`, c.Reused)
	b = appendPositive(b, `,"wait_ns":`, int64(c.Wait))
	b = appendPositive(b, `,"dns_ns":`, int64(c.DNS))
	b = appendPositive(b, `,"dial_ns":`, int64(c.Dial))
	b = appendPositive(b, `,"tls_ns":`, int64(c.TLS))
	b = appendPositive(b, `,"wrote_ns":`, int64(c.Wrote))
	b = appendKeyText(b, `,"local":"`, c.Local)
	return append(b, '}')
}
