package metrics

import (
	"encoding/json"
	"math"
)

// A Bound is a load that may be unknown (NaN) or open (infinite); in JSON both
// are null.
type Bound float64

// Known reports whether there is a bound.
func (b Bound) Known() bool { return !math.IsNaN(float64(b)) && !math.IsInf(float64(b), 0) }

// MarshalJSON writes null for what is unknown or open.
func (b Bound) MarshalJSON() ([]byte, error) {
	if !b.Known() {
		return []byte("null"), nil
	}
	return json.Marshal(float64(b))
}

// UnmarshalJSON reads null as unknown.
func (b *Bound) UnmarshalJSON(data []byte) error {
	if string(data) == "null" {
		*b = Bound(math.NaN())
		return nil
	}
	return json.Unmarshal(data, (*float64)(b))
}
