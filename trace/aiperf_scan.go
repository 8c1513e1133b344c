package trace

import (
	"slices"

	"loadgen/internal/jsonstream"
)

// scan reads a line as encoding/json would, several times as fast. It reports
// false for a line that it leaves to that: one with an escape in a text it
// needs, a record of loadgen, and whatever is no JSON.
func (l *profileLine) scan(line []byte) bool {
	s := jsonstream.NewScan(line)
	s.Object(func(key []byte) {
		switch string(key) {
		case "metadata":
			s.OrNull(func() { s.Object(func(key []byte) { l.scanMetadata(s, key) }) })
		case "metrics":
			s.OrNull(func() { s.Object(func(key []byte) { l.scanMetric(s, key) }) })
		case "error":
			l.Error = slices.Clone(s.Raw())
		case "loadgen":
			s.Refuse()
		default:
			s.Skip()
		}
	})
	return s.Done()
}

func (l *profileLine) scanMetadata(s *jsonstream.Scan, key []byte) {
	m := &l.Metadata
	switch string(key) {
	case "x_request_id":
		s.String(&m.RequestID)
	case "x_correlation_id":
		s.String(&m.CorrelationID)
	case "conversation_id":
		s.String(&m.Conversation)
	case "benchmark_phase":
		s.String(&m.Phase)
	case "request_start_ns":
		s.Int(&m.Start)
	case "request_end_ns":
		s.Int(&m.End)
	default:
		s.Skip()
	}
}

func (l *profileLine) scanMetric(s *jsonstream.Scan, key []byte) {
	m := &l.Metrics
	var to *millis
	switch string(key) {
	case "time_to_first_token":
		to = &m.TTFT
	case "request_latency":
		to = &m.Latency
	case "input_sequence_length":
		to = &m.Input
	case "output_sequence_length":
		to = &m.Output
	case "reasoning_token_count":
		to = &m.Reasoning
	case "usage_prompt_tokens":
		to = &m.Prompt
	case "usage_completion_tokens":
		to = &m.Complete
	case "usage_prompt_cache_read_tokens":
		to = &m.Cached
	default:
		s.Skip()
		return
	}
	s.OrNull(func() {
		s.Object(func(key []byte) {
			if string(key) == "value" {
				s.Float(&to.Value)
			} else {
				s.Skip()
			}
		})
	})
}
