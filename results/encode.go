package results

import (
	"bytes"
	"encoding/json"
	"math"
	"strconv"
	"time"
	"unicode/utf8"
)

// An object appends a JSON object key by key, in the order of the calls and
// without reflection. What is absent is not appended: a value that is not
// finite, a count below zero, an empty text.
type object struct {
	b     []byte
	first bool
}

func (o *object) open() {
	o.b = append(o.b, '{')
	o.first = true
}

func (o *object) close() {
	o.b = append(o.b, '}')
	o.first = false
}

func (o *object) key(k string) {
	b := o.b
	if !o.first {
		b = append(b, ',')
	}
	o.first = false
	b = append(b, '"')
	b = append(b, k...)
	o.b = append(b, '"', ':')
}

// begin opens an object as the value of a key.
func (o *object) begin(k string) {
	o.key(k)
	o.open()
}

func (o *object) text(k, v string) {
	if v != "" {
		o.key(k)
		o.b = appendText(o.b, v)
	}
}

func (o *object) bool(k string, v bool) {
	o.key(k)
	o.b = strconv.AppendBool(o.b, v)
}

// flag appends true, and nothing for false.
func (o *object) flag(k string, v bool) {
	if v {
		o.bool(k, v)
	}
}

func (o *object) int(k string, v int64) {
	o.key(k)
	o.b = strconv.AppendInt(o.b, v, 10)
}

// count appends a number that is absent below zero.
func (o *object) count(k string, v int) {
	if v >= 0 {
		o.int(k, int64(v))
	}
}

// positive appends a number that is absent at zero.
func (o *object) positive(k string, v int64) {
	if v > 0 {
		o.int(k, v)
	}
}

func (o *object) number(k string, v float64, integer bool) {
	if !finite(v) {
		return
	}
	o.key(k)
	o.b = appendNumber(o.b, v, integer)
}

// any appends what encoding/json makes of a value.
func (o *object) any(k string, v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return err
	}
	o.key(k)
	o.b = append(o.b, data...)
	return nil
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// appendNumber appends the shortest text that reads back as v; an integer
// stays one.
func appendNumber(b []byte, v float64, integer bool) []byte {
	if integer && v == math.Trunc(v) && math.Abs(v) < 1<<63 {
		return strconv.AppendInt(b, int64(v), 10)
	}
	if a := math.Abs(v); a != 0 && (a < 1e-6 || a >= 1e21) {
		return strconv.AppendFloat(b, v, 'e', -1, 64)
	}
	return strconv.AppendFloat(b, v, 'f', -1, 64)
}

// appendMillis appends a time in milliseconds, exact to the nanosecond.
func appendMillis(b []byte, d time.Duration) []byte {
	if d < 0 {
		b = append(b, '-')
		d = -d
	}
	b = strconv.AppendInt(b, int64(d/time.Millisecond), 10)
	rest := int64(d % time.Millisecond)
	if rest == 0 {
		return b
	}
	b = append(b, ".000000"...)
	for i := len(b) - 1; rest > 0; i-- {
		b[i] = byte('0' + rest%10)
		rest /= 10
	}
	for b[len(b)-1] == '0' {
		b = b[:len(b)-1]
	}
	return b
}

// appendText appends a JSON string. Bytes that are no UTF-8 become U+FFFD.
func appendText(b []byte, s string) []byte {
	b = append(b, '"')
	plain := 0
	for plain < len(s) && isPlain(s[plain]) {
		plain++
	}
	b = append(b, s[:plain]...) // all there is to nearly every text
	for _, r := range s[plain:] {
		switch {
		case r == '"' || r == '\\':
			b = append(b, '\\', byte(r))
		case r < ' ':
			const hex = "0123456789abcdef"
			b = append(b, '\\', 'u', '0', '0', hex[r>>4], hex[r&15])
		default:
			b = utf8.AppendRune(b, r)
		}
	}
	return append(b, '"')
}

// isPlain reports whether a byte stands for itself in a JSON string, whatever
// is before and behind it.
func isPlain(c byte) bool { return c >= ' ' && c < utf8.RuneSelf && c != '"' && c != '\\' }

// indented returns a compact JSON text with an indent of two and a newline at
// its end.
func indented(b []byte) ([]byte, error) {
	var out bytes.Buffer
	if err := json.Indent(&out, b, "", "  "); err != nil {
		return nil, err
	}
	out.WriteByte('\n')
	return out.Bytes(), nil
}
