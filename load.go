package loadgen

import (
	"fmt"
	"time"
)

// A LoadMode is what decides when requests are due.
type LoadMode uint8

const (
	// ClosedLoop keeps users busy: each sends its next request when its last
	// has ended.
	ClosedLoop LoadMode = iota
	// OpenLoop sends at a rate, whatever the endpoint does.
	OpenLoop
	// UserPaced gives each user a pace of its own.
	UserPaced
	// FixedSchedule sends at the times of a trace.
	FixedSchedule
)

var loadModes = [...]string{"closed_loop", "open_loop", "user_paced", "fixed_schedule"}

// String returns the mode's name in files: "closed_loop", "open_loop",
// "user_paced" or "fixed_schedule".
func (m LoadMode) String() string {
	if int(m) < len(loadModes) {
		return loadModes[m]
	}
	return fmt.Sprintf("LoadMode(%d)", uint8(m))
}

// MarshalText writes the mode's name.
func (m LoadMode) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

// UnmarshalText reads a mode's name.
func (m *LoadMode) UnmarshalText(text []byte) error {
	for i, name := range loadModes {
		if name == string(text) {
			*m = LoadMode(i)
			return nil
		}
	}
	return fmt.Errorf("no mode of load is called %q", text)
}

// A Load is how a run loads its endpoint: the one place that tells whether the
// loop is closed or open, and how much is asked.
type Load struct {
	Mode LoadMode `json:"mode"`
	// Users are those of a closed loop, or with a pace of their own; 0 in the
	// other modes.
	Users int `json:"users,omitempty"`
	// Rate is the sessions per second of an open loop, or the requests per
	// second that all users with a pace make together; 0 in the other modes,
	// and where it is not known yet.
	Rate float64 `json:"rate,omitempty"`
	// Ceiling is the most requests that an open loop or a trace may have in
	// flight, 0 for any number.
	Ceiling int `json:"ceiling,omitempty"`
	// Smoothness is the shape k of an open loop's gamma-distributed gaps: 1 for
	// Poisson arrivals, 0 for constant gaps.
	Smoothness float64 `json:"smoothness,omitempty"`
	// Ramp is the time in which users, rate or ceiling climb.
	Ramp time.Duration `json:"ramp_ns,omitempty"`
}

// Scheduled reports whether requests are due at times that no answer changes.
func (l Load) Scheduled() bool { return l.Mode == OpenLoop || l.Mode == FixedSchedule }

// Part is what a worker asks that makes a portion of the load.
func (l Load) Part(p Portion) Load {
	if p.Whole() {
		return l
	}
	if users := p.Part(l.Users); l.Mode == UserPaced {
		l.Rate *= float64(users) / float64(l.Users)
	} else {
		l.Rate /= float64(p.Workers)
	}
	l.Users, l.Ceiling = p.Part(l.Users), p.Part(l.Ceiling)
	return l
}

// Level is how much load is asked, to tell runs of one mode apart: the rate of
// an open loop, else the users, else the ceiling.
func (l Load) Level() float64 {
	switch {
	case l.Mode == OpenLoop:
		return l.Rate
	case l.Users > 0:
		return float64(l.Users)
	}
	return float64(l.Ceiling)
}
