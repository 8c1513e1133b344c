package results

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"math"
	"strconv"
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

func (o *object) int(k string, v int64) {
	o.key(k)
	o.b = appendInt(o.b, v)
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
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false) // the files are no web pages
	if err := e.Encode(v); err != nil {
		return err
	}
	o.key(k)
	o.b = append(o.b, bytes.TrimSuffix(b.Bytes(), []byte("\n"))...)
	return nil
}

// appendKey appends a key, given with the comma before it and the colon and
// whatever else behind it. The comma is left out where the object is empty.
func appendKey(b []byte, key string) []byte {
	if b[len(b)-1] == '{' {
		key = key[1:]
	}
	return append(b, key...)
}

func appendKeyInt(b []byte, key string, v int64) []byte { return appendInt(appendKey(b, key), v) }

// appendKeyText appends a text whose opening quote is in the key; nothing for
// an empty one.
func appendKeyText(b []byte, key, v string) []byte {
	if v == "" {
		return b
	}
	return append(appendEscaped(appendKey(b, key), v), '"')
}

// appendCount appends a number that is absent below zero.
func appendCount(b []byte, key string, v int) []byte {
	if v < 0 {
		return b
	}
	return appendKeyInt(b, key, int64(v))
}

// appendPositive appends a number that is absent at zero.
func appendPositive(b []byte, key string, v int64) []byte {
	if v <= 0 {
		return b
	}
	return appendKeyInt(b, key, v)
}

// appendFlag appends a key that has its value with it where the flag is set.
func appendFlag(b []byte, key string, set bool) []byte {
	if !set {
		return b
	}
	return appendKey(b, key)
}

func finite(v float64) bool { return math.Abs(v) <= math.MaxFloat64 } // nor NaN

// appendText appends a JSON string. Bytes that are no UTF-8 become U+FFFD.
func appendText(b []byte, s string) []byte {
	return append(appendEscaped(append(b, '"'), s), '"')
}

// appendEscaped appends what stands between the quotes of a JSON string.
func appendEscaped(b []byte, s string) []byte {
	from := len(b)
	b = append(b, s...) // all there is to nearly every text
	if allPlain(b[from:]) {
		return b
	}
	b = b[:from]
	for _, r := range s {
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
	return b
}

// allPlain reports whether all bytes stand for themselves in a JSON string. It
// looks at eight of them at once: in each test below, a byte that does not
// pass has its highest bit set.
func allPlain(b []byte) bool {
	const ones = 0x0101010101010101
	for ; len(b) >= 8; b = b[8:] {
		eight := binary.LittleEndian.Uint64(b)
		below := eight - ' '*ones
		quote := (eight ^ '"'*ones) - ones
		backslash := (eight ^ '\\'*ones) - ones
		if (eight|below|quote|backslash)&(utf8.RuneSelf*ones) != 0 {
			return false
		}
	}
	for _, c := range b {
		if c < ' ' || c >= utf8.RuneSelf || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}

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
