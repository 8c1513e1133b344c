package metrics

import (
	"fmt"
	"math"
	"slices"
)

// A Verdict says whether a run's numbers describe the server.
type Verdict string

const (
	Valid    Verdict = "VALID"
	Degraded Verdict = "DEGRADED" // to be read with the reasons beside them
	Invalid  Verdict = "INVALID"  // they do not: the generator was the bottleneck, or next to nothing was measured
)

// Validity is the verdict with what led to it.
type Validity struct {
	Verdict Verdict `json:"verdict"`
	// Reasons are the signs beyond their limits, worst first in the order of
	// the thresholds.
	Reasons []Sign `json:"reasons,omitempty"`
	// Signs are all that could be judged, in the order of the thresholds.
	Signs []Sign `json:"signs,omitempty"`
	// Notes are circumstances that are no fault of the generator.
	Notes []string `json:"notes,omitempty"`
}

// A Sign is one threshold held against a run.
type Sign struct {
	Name    string  `json:"name"`
	Verdict Verdict `json:"verdict"`
	Value   float64 `json:"value"`
	Limit   float64 `json:"limit"` // that it broke; the one for DEGRADED where it broke none
	Unit    string  `json:"unit"`
	Text    string  `json:"text"`
}

// ofEndpoint are the signs that say something about the endpoint, or about the load
// on it as a whole. All others are about whoever measured it.
var ofEndpoint = map[string]bool{
	"unfinished": true, "nothing_measured": true, "failed": true, "cancelled": true, "overstated_rate": true, "stall": true,
	"start_burst": true, "bunching": true, "warm_cache": true, "foreign_load": true, "littles_law": true, "unstarted": true,
}

// OfEndpoint reports whether the sign speaks of the endpoint, or of the load on it,
// and not of whoever measured it.
func (s Sign) OfEndpoint() bool { return ofEndpoint[s.Name] }

// Own is the verdict on whoever measured alone, with its reasons. How an endpoint
// fares is to be seen in all of a run: in a portion of it one failure weighs as
// much as chance makes it.
func (v Validity) Own() (Verdict, []Sign) {
	verdict, reasons := Valid, slices.DeleteFunc(slices.Clone(v.Reasons), Sign.OfEndpoint)
	if len(reasons) > 0 {
		verdict = reasons[0].Verdict
	}
	return verdict, reasons
}

// A judge holds signs against the thresholds.
type judge struct {
	limits map[string]Threshold
	signs  map[string]Sign
	notes  []string
}

func (j *judge) sign(name string, value float64) { j.decide(name, value, true) }

// decide judges a value. One that rests on too little is no more than a
// weakness, however large it is.
func (j *judge) decide(name string, value float64, conclusive bool) {
	if math.IsNaN(value) || math.IsInf(value, 0) {
		return
	}
	t := j.limits[name]
	s := Sign{Name: name, Verdict: Valid, Value: value, Limit: t.Degraded, Unit: t.Unit}
	switch {
	case value > t.Invalid && conclusive:
		s.Verdict, s.Limit = Invalid, t.Invalid
	case value > t.Degraded:
		s.Verdict = Degraded
	}
	s.Text = fmt.Sprintf("%s: %.3g, limit %.3g %s", t.What, value, s.Limit, t.Unit)
	if value > t.Invalid && !conclusive {
		s.Text += ", of too little to call it INVALID"
	}
	j.signs[name] = s
}

// say gives a sign that broke its limit words of its own.
func (j *judge) say(name, text string) {
	if s, ok := j.signs[name]; ok && s.Verdict != Valid {
		s.Text = text
		j.signs[name] = s
	}
}

// conclusiveCount is how many requests a median must be of to make a run
// INVALID; other percentiles need as many as support them.
const conclusiveCount = 10

// delays judges a percentile of delays in milliseconds, as far as it exceeds
// the noise floor, as a share of a measured time.
func (j *judge) delays(name string, of *distribution, level, measured float64) {
	if n := of.count(); n > 0 && measured > 0 {
		j.decide(name, j.excess(of.percentile(level))/measured, n >= conclusiveCount && Supported(level, n))
	}
}

// excess is what of a delay in milliseconds lies above the noise floor.
func (j *judge) excess(delay float64) float64 {
	return max(delay-j.limits[NoiseFloor].Degraded, 0)
}

// share judges a part of a whole that may be empty.
func (j *judge) share(name string, part, whole float64) {
	if whole > 0 {
		j.sign(name, part/whole)
	}
}

func (j *judge) note(format string, args ...any) {
	j.notes = append(j.notes, fmt.Sprintf(format, args...))
}

func (j *judge) validity() Validity {
	v := Validity{Verdict: Valid, Notes: j.notes}
	for _, level := range []Verdict{Invalid, Degraded} {
		for _, t := range table {
			if s, ok := j.signs[t.Name]; ok && s.Verdict == level {
				v.Reasons = append(v.Reasons, s)
			}
		}
	}
	for _, t := range table {
		if s, ok := j.signs[t.Name]; ok {
			v.Signs = append(v.Signs, s)
		}
	}
	if len(v.Reasons) > 0 {
		v.Verdict = v.Reasons[0].Verdict
	}
	return v
}
