package metrics

// Facts are what was asked of a run, as far as its summary depends on it.
type Facts struct {
	// Concurrency is the users of a closed loop, or the ceiling of an open
	// one; 0 for no ceiling.
	Concurrency int `json:"concurrency,omitempty"`
	// Scheduled says that requests have due times: an open loop, of a rate or
	// of a trace.
	Scheduled bool `json:"scheduled,omitempty"`
	// RequestRate is the asked rate per second; 0 where none was asked for.
	RequestRate float64 `json:"request_rate,omitempty"`
	// UserRate is the requests per second that users with a pace of their own
	// make together if they keep it; 0 where they have none.
	UserRate float64 `json:"user_rate,omitempty"`
	// Paused says that users have a pace of their own or think times, of the
	// batch file's or of their dataset's: those of a closed loop are then not
	// always in flight.
	Paused bool `json:"paused,omitempty"`
	// SLOs are limits by tag in the tag's unit, for goodput.
	SLOs map[string]float64 `json:"slos,omitempty"`
	// Limits override the verdict's thresholds; see [Thresholds].
	Limits map[string]float64 `json:"limits,omitempty"`
	// Ceiling is what calibration found that this machine's client can
	// measure truthfully.
	Ceiling Ceiling `json:"ceiling,omitzero"`
	// Tokenizer names what counted the tokens; empty for none.
	Tokenizer string `json:"tokenizer,omitempty"`
}

// A Ceiling is the most that calibration measured truthfully; 0 where unknown.
type Ceiling struct {
	Streams  float64 `json:"streams,omitempty"`  // at once
	Chunks   float64 `json:"chunks,omitempty"`   // per second, each out of a read of its own
	Requests float64 `json:"requests,omitempty"` // per second
	// StreamsOpen and RequestsOpen say that calibration ended with a step that
	// was still honest: what lies beyond was not tried. Chunks were counted in
	// the steps of streams.
	StreamsOpen  bool `json:"streams_open,omitempty"`
	RequestsOpen bool `json:"requests_open,omitempty"`
}

func (f Facts) closedLoop() bool { return !f.Scheduled }
