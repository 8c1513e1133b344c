package report

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// absent stands where a run has no such number.
const absent = "N/A"

// decimal writes v with so many decimals and a comma between thousands:
// 1,234.50. A number that is not finite is absent.
func decimal(v float64, decimals int) string {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return absent
	}
	digits, fraction, _ := strings.Cut(strconv.FormatFloat(math.Abs(v), 'f', decimals, 64), ".")
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	if fraction != "" {
		fraction = "." + fraction
	}
	if v < 0 && strings.Trim(digits+fraction, "0.,") != "" {
		return "-" + digits + fraction
	}
	return digits + fraction
}

// percent writes a change as a signed percentage: +12.3%.
func percent(change float64) string {
	if math.IsNaN(change) || math.IsInf(change, 0) {
		return ""
	}
	sign := ""
	if change >= 0 {
		sign = "+"
	}
	return sign + decimal(100*change, 1) + "%"
}

// span writes a duration to the second, or finer where that says nothing:
// 2h5m, 1m30s, 250ms.
func span(d time.Duration) string {
	unit := time.Second
	if d < 10*time.Second {
		unit = time.Millisecond
	}
	s := d.Round(unit).String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// Count writes a number of things with the noun in the right form: 1 request,
// 2 requests.
func Count(n int, noun string) string {
	s := decimal(float64(n), 0) + " " + noun
	if n != 1 {
		s += "s"
	}
	return s
}

// Amount writes a number of unknown size with about four digits that count:
// 12,345, 12.35, 0.001235.
func Amount(v float64) string {
	switch a := math.Abs(v); {
	case math.IsNaN(v) || math.IsInf(v, 0):
		return absent
	case a < 1e15 && (a == math.Trunc(a) || a >= 1000):
		return decimal(v, 0)
	case a >= 1e15:
		return strconv.FormatFloat(v, 'g', 4, 64)
	case a >= 1:
		return decimal(v, 2)
	case a >= 1e-6:
		return strconv.FormatFloat(v, 'f', 3-int(math.Floor(math.Log10(a))), 64)
	}
	return strconv.FormatFloat(v, 'g', 4, 64)
}
