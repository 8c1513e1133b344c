package loadgen

// A Server is what a server's own metrics said of a run, in the nouns that
// inference engines have in common. It is nil where nothing was observed.
type Server struct {
	// Engines names the kinds of server whose metrics were known, sorted.
	Engines []string `json:"engines,omitempty"`
	// Sources are the places that were asked.
	Sources []ServerSource `json:"sources"`
	// Whole is from before the first request until after the last, Warmup the
	// warm-up, Loaded the measured part while requests were started.
	Whole  ServerWindow  `json:"whole"`
	Warmup *ServerWindow `json:"warmup,omitempty"`
	Loaded *ServerWindow `json:"under_load,omitempty"`
	// Measured is the measured part until its last request had ended.
	Measured *ServerWindow `json:"measured,omitempty"`
	// Beside holds what the run had in flight against what the server says it had,
	// at the same moments under load; nil where the server does not say.
	Beside *Beside `json:"in_flight,omitempty"`
	GPUs   []GPU   `json:"gpus,omitempty"`
	// Workers is how many processes made the load, of which one observed: what it
	// has in flight is its own part. 0 and 1 are one.
	Workers int `json:"workers,omitempty"`
}

// A ServerSource is one place of metrics and how it answered.
type ServerSource struct {
	URL     string `json:"url"`
	GPU     bool   `json:"gpu,omitempty"`
	Scrapes int    `json:"scrapes"`
	Failed  int    `json:"failed,omitempty"`
	// Missed are the seconds of the run without an answer, Why the reason of the
	// first of them.
	Missed float64 `json:"missed_sec,omitempty"`
	Why    string  `json:"why,omitempty"`
	// Restarts is how often its counters began anew.
	Restarts int `json:"restarts,omitempty"`
	// ClockSteps is how often its clock was set back; its times are then left out.
	ClockSteps int `json:"clock_steps,omitempty"`
	// Step is the time between the samples that were kept.
	Step float64 `json:"step_sec"`
	// CPU is the CPU time that reading took, Took how long an answer took.
	CPU  float64 `json:"cpu_sec"`
	Took float64 `json:"scrape_ms"`
	// Least is the least time that an answer took.
	Least float64 `json:"scrape_ms_min"`
	// Odd counts samples that were left out: not finite, or given twice.
	Odd int `json:"odd_samples,omitempty"`
}

// A ServerWindow is a stretch of a run as the server saw it. Levels, Counts and
// Times are by noun; one that the server does not tell is absent.
type ServerWindow struct {
	From   float64                 `json:"from_sec"` // since the epoch of the measurement
	To     float64                 `json:"to_sec"`
	Levels map[string]ServerLevel  `json:"levels,omitempty"`
	Counts map[string]float64      `json:"counts,omitempty"`
	Times  map[string]ServerTiming `json:"times,omitempty"`
}

// A ServerLevel is how a gauge stood, over its samples.
type ServerLevel struct {
	Avg float64 `json:"avg"`
	Min float64 `json:"min"`
	Max float64 `json:"max"`
	N   int     `json:"samples"`
}

// A ServerTiming is a distribution of times in seconds by the server's own clock.
// The quantiles are estimates from buckets, 0 where there are none.
type ServerTiming struct {
	N    float64 `json:"count"`
	Mean float64 `json:"mean_sec"`
	P50  float64 `json:"p50_sec_estimate,omitempty"`
	P99  float64 `json:"p99_sec_estimate,omitempty"`
}

// A Beside compares two counts of the requests in flight, at N moments.
type Beside struct {
	N      int     `json:"samples"`
	Client float64 `json:"client"`
	Server float64 `json:"server"`
	// Error is the standard error of the mean difference.
	Error float64 `json:"standard_error"`
}

// A GPU is what was seen of one over the measured part, requests in flight at its
// end included.
type GPU struct {
	Source string                 `json:"source"`
	Index  string                 `json:"index,omitempty"`
	UUID   string                 `json:"uuid,omitempty"`
	Model  string                 `json:"model,omitempty"`
	Host   string                 `json:"host,omitempty"`
	Vendor string                 `json:"vendor"`
	Levels map[string]ServerLevel `json:"levels,omitempty"`
	// Joules is the energy used over Seconds; by its counter where Counted, else
	// mean power times the time.
	Joules  float64 `json:"energy_joules,omitempty"`
	Seconds float64 `json:"seconds,omitempty"`
	Counted bool    `json:"energy_counted,omitempty"`
	// Throttled is the share of the samples under load in which its clocks were
	// held back by heat or the hardware's own alarm; −1 where not known.
	Throttled float64 `json:"throttled_share"`
	// PowerCapped is likewise the share in which its power limit did, which is
	// usual for a GPU at full work.
	PowerCapped float64 `json:"power_capped_share"`
	// Reasons names why, most frequent first.
	Reasons []string `json:"throttle_reasons,omitempty"`
}

// Level returns how a gauge stood; false where the server does not tell. A nil
// window tells nothing.
func (w *ServerWindow) Level(noun string) (ServerLevel, bool) {
	if w == nil {
		return ServerLevel{}, false
	}
	l, ok := w.Levels[noun]
	return l, ok
}

// Count returns what was counted, likewise.
func (w *ServerWindow) Count(noun string) (float64, bool) {
	if w == nil {
		return 0, false
	}
	n, ok := w.Counts[noun]
	return n, ok
}

// Time returns how long something took, likewise.
func (w *ServerWindow) Time(noun string) (ServerTiming, bool) {
	if w == nil {
		return ServerTiming{}, false
	}
	t, ok := w.Times[noun]
	return t, ok
}
