package metrics

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

var errNoSLO = errors.New("write METRIC.STATISTIC<NUMBER, such as ttft.p95<500ms, error_rate<1% or output_token_throughput_per_user.p5>20")

// ParseSLO reads a limit in one word: METRIC.STATISTIC, one of < <= > >=, and a
// number, of times with ms or s behind it if that is wanted, of shares with %.
func ParseSLO(text string) (Limit, error) {
	at := strings.IndexAny(text, "<>")
	if at < 0 {
		return Limit{}, errNoSLO
	}
	name, number := strings.TrimSpace(text[:at]), strings.TrimSpace(strings.TrimPrefix(text[at+1:], "="))
	digits := strings.TrimRight(number, "ms% ")
	unit := strings.TrimSpace(number[len(digits):])
	bound, err := strconv.ParseFloat(digits, 64)
	if err != nil {
		return Limit{}, errNoSLO
	}
	share := name == ErrorRate || name == GoodShare
	if unit == "%" && share {
		bound /= 100
	}
	l, err := ParseLimit(name, bound)
	if err != nil {
		return l, err
	}
	d, _ := l.definition()
	switch {
	case unit == "", unit == "%" && share, unit == "ms" && d.Unit == "ms":
	case unit == "s" && d.Unit == "ms":
		l.Bound *= 1000
	case share:
		return l, fmt.Errorf("%s is a share of requests: write it in %%, or between 0 and 1", name)
	default:
		return l, fmt.Errorf("%s is in %s, not in %s", l.Subject(), d.Unit, unit)
	}
	if minimum := text[at] == '>'; minimum != l.AtLeast() {
		return l, fmt.Errorf("%s is better where it is %s: turn the sign", l.Subject(), map[bool]string{true: "larger", false: "smaller"}[l.AtLeast()])
	}
	return l, nil
}
