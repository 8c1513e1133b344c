package metrics

// A Step is one load of a calibration and how far the client's figures were
// from what the endpoint stamped.
type Step struct {
	Name     string  `json:"name"`
	Streams  int     `json:"streams,omitempty"`
	Requests float64 `json:"requests_per_sec"`
	Chunks   float64 `json:"chunks_per_sec"`
	// FirstP50 and FirstP99 are percentiles of the error of the time to the
	// first output, in milliseconds.
	FirstP50 float64 `json:"first_output_error_p50_ms"`
	FirstP99 float64 `json:"first_output_error_p99_ms"`
	// Gap is the median error of the mean gap between chunks, as a share of
	// it; nil where answers are not streamed.
	Gap    *float64 `json:"gap_error_p50,omitempty"`
	Honest bool     `json:"honest"`
	Why    string   `json:"why,omitempty"` // it is not
}

// CeilingOf returns the highest load of the honest steps.
func CeilingOf(steps []Step) Ceiling {
	c := Ceiling{StreamsOpen: true, RequestsOpen: true}
	for _, s := range steps {
		switch {
		case s.Honest:
			c.Streams = max(c.Streams, float64(s.Streams))
			c.Chunks = max(c.Chunks, s.Chunks)
			c.Requests = max(c.Requests, s.Requests)
		case s.Streams > 0:
			c.StreamsOpen = false
		default:
			c.RequestsOpen = false
		}
	}
	return c
}
