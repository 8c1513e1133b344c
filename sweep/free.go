package sweep

import (
	"encoding/json"
	"math/big"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"
)

// free returns the value of a node below a key whose values go out as they are:
// map[string]any, []any, string, bool, nil, and numbers that keep their value,
// whatever their size: int or float64, and json.Number where neither holds it. A
// number that JSON does not have is reported.
func (b *binder) free(n *yaml.Node, path string) any {
	switch n.Kind {
	case yaml.MappingNode:
		m := make(map[string]any, len(n.Content)/2)
		for key, value := range pairs(n) {
			m[key.Value] = b.free(value, join(path, key.Value))
		}
		return m
	case yaml.SequenceNode:
		list := make([]any, len(n.Content))
		for i, item := range n.Content {
			list[i] = b.free(item, path)
		}
		return list
	}
	const written = yaml.SingleQuotedStyle | yaml.DoubleQuotedStyle | yaml.LiteralStyle | yaml.FoldedStyle | yaml.TaggedStyle
	tag := n.ShortTag()
	number := tag == "!!int" || tag == "!!float"
	if tag == "!!str" && n.Style&written != 0 || tag != "!!str" && !number {
		return plain(n)
	}
	value, known := exact(n.Value)
	switch {
	case known:
		return value
	case leadingZero.MatchString(n.Value):
		b.fail(n, path, "may be read as two numbers: "+n.Value, "write it without the leading zero, or in quotes to send it as text")
	case tag == "!!str":
		return n.Value
	default:
		b.fail(n, path, n.Value+" is no number that JSON has", "put it in quotes to send it as text")
	}
	return nil
}

var (
	decimalNumber = regexp.MustCompile(`^[-+]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]+)?$`)
	wholeNumber   = regexp.MustCompile(`^[-+]?(0[xX][0-9a-fA-F_]+|0[oO][0-7_]+|0[bB][01_]+|[0-9][0-9_]*)$`)
	leadingZero   = regexp.MustCompile(`^[-+]?0[0-9_]+$`)
)

// exact returns the value of a number as it is written.
func exact(s string) (value any, ok bool) {
	if leadingZero.MatchString(s) {
		return nil, false
	}
	if wholeNumber.MatchString(s) {
		i, ok := new(big.Int).SetString(strings.TrimPrefix(s, "+"), 0)
		switch {
		case !ok:
			return nil, false
		case i.IsInt64():
			return int(i.Int64()), true
		}
		return json.Number(i.String()), true
	}
	if !decimalNumber.MatchString(s) {
		return nil, false
	}
	if x, err := strconv.ParseFloat(s, 64); err == nil && sameDecimal(s, strconv.FormatFloat(x, 'e', -1, 64)) {
		return x, true
	}
	return json.Number(jsonNumber(s)), true
}

// sameDecimal reports whether two decimal numbers have the same value.
func sameDecimal(a, b string) bool {
	x, p := digitsOf(a)
	y, q := digitsOf(b)
	return x == y && (p == q || x == "" || x == "-")
}

// digitsOf returns a number's sign and digits without the zeros on either side,
// and the power of ten of the last of them.
func digitsOf(s string) (digits string, power int) {
	sign, mantissa, power := split(s)
	whole, fraction, _ := strings.Cut(mantissa, ".")
	all := whole + fraction
	power -= len(fraction)
	trimmed := strings.TrimRight(all, "0")
	power += len(all) - len(trimmed)
	return sign + strings.TrimLeft(trimmed, "0"), power
}

// split returns the parts of a decimal number; of a power that no int holds, a
// huge one.
func split(s string) (sign, mantissa string, power int) {
	if s[0] == '-' {
		sign = "-"
	}
	mantissa, exponent, found := strings.Cut(strings.ToLower(strings.TrimLeft(s, "+-")), "e")
	if found {
		power, _ = strconv.Atoi(exponent)
		power = min(max(power, -1<<40), 1<<40)
	}
	return sign, mantissa, power
}

// jsonNumber writes a decimal number as JSON has it.
func jsonNumber(s string) string {
	sign, mantissa, _ := split(s)
	whole, fraction, _ := strings.Cut(mantissa, ".")
	if whole = strings.TrimLeft(whole, "0"); whole == "" {
		whole = "0"
	}
	n := sign + whole
	if fraction != "" {
		n += "." + fraction
	}
	if e := strings.IndexAny(s, "eE"); e >= 0 {
		n += s[e:]
	}
	return n
}
