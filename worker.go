package loadgen

import "time"

// A Worker is what one of several that made a run together made of its portion.
type Worker struct {
	Portion
	Host    string `json:"host,omitempty"`
	Process int    `json:"pid,omitempty"`

	Issued    int `json:"issued"`
	OK        int `json:"ok"`
	Failed    int `json:"failed"`
	Cancelled int `json:"cancelled"`
	// Lost are requests that it is known to have sent, and of which no record came
	// home.
	Lost int `json:"lost,omitempty"`

	// Gone says why it was lost before it had made its portion; empty where it
	// was not.
	Gone string `json:"gone,omitempty"`
	// Late is how long after the moment that was agreed on it began.
	Late time.Duration `json:"late_ns"`
	// Offset is how far its clock was ahead of that of who gathered the records,
	// Bound the most by which that may be wrong, and Drift how much the two moved
	// apart while the run lasted.
	Offset time.Duration `json:"clock_offset_ns"`
	Bound  time.Duration `json:"clock_bound_ns"`
	Drift  time.Duration `json:"clock_drift_ns"`

	// Behind is the longest that a record of it was on its way home.
	Behind time.Duration `json:"behind_ns,omitempty"`

	// Verdict is what it found of itself, with the reasons in a sentence each.
	Verdict string   `json:"verdict,omitempty"`
	Reasons []string `json:"reasons,omitempty"`
}
