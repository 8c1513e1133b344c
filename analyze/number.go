package analyze

import (
	"bytes"
	"encoding/json"
	"math"
	"strconv"
)

// A Number is a float64 whose undefined values (NaN, ±Inf) are null in JSON:
// no data is never written as 0.
type Number float64

// undefined is the Number that is written as null.
var undefined = Number(math.NaN())

// Undefined returns so many numbers that are null.
func Undefined(n int) []Number {
	all := make([]Number, n)
	for i := range all {
		all[i] = undefined
	}
	return all
}

// Defined reports whether the number has a value.
func (n Number) Defined() bool { return !math.IsNaN(float64(n)) && !math.IsInf(float64(n), 0) }

// IsZero reports whether the number has no value, so that omitzero leaves it
// out of a file. The number 0 is one.
func (n Number) IsZero() bool { return !n.Defined() }

// MarshalJSON writes the shortest form that reads back the same, or null.
func (n Number) MarshalJSON() ([]byte, error) {
	if !n.Defined() {
		return []byte("null"), nil
	}
	return strconv.AppendFloat(nil, float64(n), 'f', -1, 64), nil
}

// UnmarshalJSON reads a number, or null as an undefined one.
func (n *Number) UnmarshalJSON(data []byte) error {
	if string(data) == "null" {
		*n = undefined
		return nil
	}
	return json.Unmarshal(data, (*float64)(n))
}

// An Interval is a lower and an upper bound; null in JSON where undefined.
type Interval [2]Number

// MarshalJSON writes [lo, hi] or null.
func (iv Interval) MarshalJSON() ([]byte, error) {
	if !iv[0].Defined() || !iv[1].Defined() {
		return []byte("null"), nil
	}
	return json.Marshal([2]Number(iv))
}

// UnmarshalJSON reads [lo, hi], or null as an undefined interval.
func (iv *Interval) UnmarshalJSON(data []byte) error {
	if string(data) == "null" {
		*iv = Interval{undefined, undefined}
		return nil
	}
	return json.Unmarshal(data, (*[2]Number)(iv))
}

// An Object is a JSON object whose keys keep their order.
type Object[V any] []Member[V]

// A Member is one key of an Object.
type Member[V any] struct {
	Key   string
	Value V
}

// Get returns the value of a key.
func (o Object[V]) Get(key string) (V, bool) {
	for i := range o {
		if o[i].Key == key {
			return o[i].Value, true
		}
	}
	var zero V
	return zero, false
}

// MarshalJSON writes the members in order; null where there is no object at
// all.
func (o Object[V]) MarshalJSON() ([]byte, error) {
	if o == nil {
		return []byte("null"), nil
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false) // whoever encodes the whole escapes, if at all
	b.WriteByte('{')
	for i, m := range o {
		if i > 0 {
			b.WriteByte(',')
		}
		if err := e.Encode(m.Key); err != nil {
			return nil, err
		}
		b.WriteByte(':')
		if err := e.Encode(m.Value); err != nil {
			return nil, err
		}
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}
