package metrics

import "loadgen"

// Facts are what was asked of a run, as far as its summary depends on it.
type Facts struct {
	// Load is what the endpoint was asked to bear.
	Load loadgen.Load `json:"load"`
	// Paused says that users have a pace of their own or think times, of the
	// batch file's or of their dataset's: those of a closed loop are then not
	// always in flight.
	Paused bool `json:"paused,omitempty"`
	// Resent says that the batch may have sent this run's prompts before: those
	// of a dataset, or of a repeat of the same seed.
	Resent bool `json:"resent,omitempty"`
	// SLOs are limits by tag in the tag's unit, for goodput.
	SLOs map[string]float64 `json:"slos,omitempty"`
	// Limits override the verdict's thresholds; see [Thresholds].
	Limits map[string]float64 `json:"limits,omitempty"`
	// Sought are the limits of a search for capacity, which the run is a probe of.
	Sought []Limit `json:"sought,omitempty"`
	// Certified are the percentiles to certify, with the limits that are promised;
	// a bound of 0 is none.
	Certified []Limit `json:"certified,omitempty"`
	// CertifyBy is the rule for them.
	CertifyBy CertifyRule `json:"certify_by,omitempty"`
	// GPUs are those of the deployment; 0 where it is not known.
	GPUs int `json:"gpus,omitempty"`
	// GPUHourCost is what one of them costs for an hour, in whatever money.
	GPUHourCost float64 `json:"cost_per_gpu_hour,omitempty"`
	// Ceiling is what calibration found that this machine's client can
	// measure truthfully.
	Ceiling Ceiling `json:"ceiling,omitzero"`
	// ServerInput says that the length of a prompt is the server's count of it,
	// where there is one, and not the tokenizer's.
	ServerInput bool `json:"server_input,omitempty"`
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

func (f Facts) closedLoop() bool { return !f.Load.Scheduled() }
