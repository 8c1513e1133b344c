package results

import (
	"time"

	"loadgen/internal/jsonstream"
)

// scan reads a line as encoding/json would, several times as fast. It reports
// false for a line that it leaves to that, such as one with an escape.
func (l *line) scan(text []byte) bool {
	s := jsonstream.NewScan(text)
	s.Object(func(key []byte) {
		switch string(key) {
		case "metadata":
			inObject(s, l.scanMetadata)
		case "metrics":
			inObject(s, l.scanMetric)
		case "loadgen":
			s.OrNull(func() {
				if l.Own == nil {
					l.Own = &ownLine{}
				}
				s.Object(func(key []byte) { l.Own.scan(s, key) })
			})
		default:
			s.Skip()
		}
	})
	return s.Done()
}

// inObject reads an object, or null.
func inObject(s *jsonstream.Scan, field func(*jsonstream.Scan, []byte)) {
	s.OrNull(func() { s.Object(func(key []byte) { field(s, key) }) })
}

func (l *line) scanMetadata(s *jsonstream.Scan, key []byte) {
	m := &l.Metadata
	switch string(key) {
	case "session_num":
		scanInt(s, &m.SessionNum)
	case "x_request_id":
		s.String(&m.RequestID)
	case "x_correlation_id":
		s.String(&m.Correlation)
	case "conversation_id":
		s.String(&m.Conversation)
	case "turn_index":
		scanInt(s, &m.Turn)
	case "request_start_ns":
		s.Int(&m.Start)
	case "request_ack_ns":
		s.Int(&m.Ack)
	case "worker_id":
		s.String(&m.Worker)
	case "benchmark_phase":
		s.String(&m.Phase)
	default:
		s.Skip()
	}
}

func (l *line) scanMetric(s *jsonstream.Scan, key []byte) {
	value := s.Skip
	switch string(key) {
	case "time_to_first_token":
		value = func() { scanFloat(s, &l.Metrics.TTFT.Value) }
	case "inter_chunk_latency":
		value = func() {
			s.OrNull(func() {
				l.Metrics.Gaps.Value = []float64{}
				s.List('[', ']', func() {
					v := 0.0
					scanFloat(s, &v)
					l.Metrics.Gaps.Value = append(l.Metrics.Gaps.Value, v)
				})
			})
		}
	default:
		s.Skip()
		return
	}
	inObject(s, func(s *jsonstream.Scan, key []byte) {
		if string(key) == "value" {
			value()
		} else {
			s.Skip()
		}
	})
}

func (o *ownLine) scan(s *jsonstream.Scan, key []byte) {
	switch string(key) {
	case "due_ns":
		scanInt(s, &o.Due)
	case "sent_ns":
		scanInt(s, &o.Sent)
	case "ended_ns":
		scanInt(s, &o.Ended)
	case "took_ns":
		scanInt(s, &o.Took)
	case "over_ns":
		scanOptional(s, &o.Over)
	case "held_ns":
		scanInt(s, &o.Held)
	case "ramp":
		s.Bool(&o.Ramp)
	case "first":
		s.Bool(&o.First)
	case "crossing":
		s.Bool(&o.Crossing)
	case "status":
		scanInt(s, &o.Status)
	case "streamed":
		s.Bool(&o.Streamed)
	case "chunk_ns":
		s.OrNull(func() {
			o.Chunks = []time.Duration{}
			s.List('[', ']', func() {
				var at time.Duration
				scanInt(s, &at)
				o.Chunks = append(o.Chunks, at)
			})
		})
	case "chunk_kinds":
		s.String(&o.Kinds)
	case "delay_ns":
		scanInt(s, &o.Delay)
	case "finish_reason":
		s.String(&o.Finish)
	case "model":
		s.String(&o.Model)
	case "timing_source":
		s.String(&o.Timing)
	case "reader_delay_ns":
		scanInt(s, &o.ReaderDelay)
	case "first_delay_ns":
		scanOptional(s, &o.FirstDelay)
	case "mean_delay_ns":
		scanOptional(s, &o.MeanDelay)
	default:
		o.scanCounts(s, key)
	}
}

// scanCounts reads what is counted, and the connection.
func (o *ownLine) scanCounts(s *jsonstream.Scan, key []byte) {
	switch string(key) {
	case "input_tokens":
		scanInt(s, &o.Input)
	case "shared_tokens":
		scanInt(s, &o.Shared)
	case "template_tokens":
		scanInt(s, &o.Template)
	case "max_tokens":
		scanInt(s, &o.Max)
	case "output_tokens":
		scanOptional(s, &o.Output)
	case "reasoning_tokens":
		scanOptional(s, &o.Reasoning)
	case "reads":
		scanInt(s, &o.Reads)
	case "merged_reads":
		scanInt(s, &o.MergedReads)
	case "bytes_out":
		scanInt(s, &o.BytesOut)
	case "bytes_in":
		scanInt(s, &o.BytesIn)
	case "usage":
		inObject(s, o.Usage.scan)
	case "conn":
		inObject(s, o.Conn.scan)
	default:
		// A failure's message is the server's, and a key that is not known
		// here may be one that encoding/json knows.
		s.Refuse()
	}
}

func (u *usage) scan(s *jsonstream.Scan, key []byte) {
	switch string(key) {
	case "prompt_tokens":
		scanOptional(s, &u.Prompt)
	case "completion_tokens":
		scanOptional(s, &u.Completion)
	case "reasoning_tokens":
		scanOptional(s, &u.Reasoning)
	case "cached_tokens":
		scanOptional(s, &u.Cached)
	case "total_tokens":
		scanOptional(s, &u.Total)
	default:
		s.Refuse()
	}
}

func (c *conn) scan(s *jsonstream.Scan, key []byte) {
	switch string(key) {
	case "reused":
		s.Bool(&c.Reused)
	case "wait_ns":
		scanInt(s, &c.Wait)
	case "dns_ns":
		scanInt(s, &c.DNS)
	case "dial_ns":
		scanInt(s, &c.Dial)
	case "tls_ns":
		scanInt(s, &c.TLS)
	case "wrote_ns":
		scanInt(s, &c.Wrote)
	case "local":
		s.String(&c.Local)
	default:
		s.Refuse()
	}
}

// scanInt reads a whole number that its type can hold, or leaves it at null.
func scanInt[T ~int | ~int64](s *jsonstream.Scan, to *T) {
	n := int64(*to)
	s.Int(&n)
	if *to = T(n); int64(*to) != n {
		s.Refuse()
	}
}

// scanOptional reads a whole number; null is nil.
func scanOptional[T ~int | ~int64](s *jsonstream.Scan, to **T) {
	*to = nil
	s.OrNull(func() {
		v := new(T)
		scanInt(s, v)
		*to = v
	})
}

// scanFloat reads a number, or leaves it at null.
func scanFloat(s *jsonstream.Scan, to *float64) {
	var v *float64
	if s.Float(&v); v != nil {
		*to = *v
	}
}
