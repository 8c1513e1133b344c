package page

import (
	"math"
	"strconv"

	"gonum.org/v1/plot"

	"loadgen/report"
)

// ticks are at most so many round numbers on an axis, none unnamed between
// them.
type ticks struct{ most int }

// Ticks returns steps of 1, 2 or 5 times a power of ten.
func (t ticks) Ticks(low, high float64) []plot.Tick {
	span := high - low
	if !(span > 0) || math.IsInf(span, 0) {
		return []plot.Tick{{Value: low, Label: short(low)}}
	}
	step := math.Pow(10, math.Floor(math.Log10(span/float64(t.most))))
	for _, m := range []float64{1, 2, 5, 10} {
		if span <= m*step*float64(t.most) {
			step *= m
			break
		}
	}
	var out []plot.Tick
	for k := math.Ceil(low/step - 1e-9); len(out) <= 2*t.most; k++ {
		v := k * step
		if v > high+step*1e-9 {
			break
		}
		if math.Abs(v) < step*1e-9 {
			v = 0
		}
		out = append(out, plot.Tick{Value: v, Label: short(v)})
	}
	return out
}

// logTicks are powers of ten, and 2 and 5 times these where there is room.
type logTicks struct{}

// Ticks returns those within the axis.
func (logTicks) Ticks(low, high float64) []plot.Tick {
	if !(low > 0) || !(high > low) || math.IsInf(high, 0) {
		return []plot.Tick{{Value: max(low, 1), Label: short(max(low, 1))}}
	}
	decades := math.Log10(high / low)
	between := []float64{1}
	switch {
	case decades < 0.7:
		return ticks{5}.Ticks(low, high)
	case decades < 3:
		between = []float64{1, 2, 5}
	}
	every := math.Ceil(decades / 8)
	var out []plot.Tick
	first := math.Floor(math.Log10(low))
	for power := first; power <= math.Ceil(math.Log10(high)); power += every {
		for _, m := range between {
			if v := m * math.Pow(10, power); v >= low*(1-1e-9) && v <= high*(1+1e-9) {
				out = append(out, plot.Tick{Value: v, Label: short(v)})
			}
		}
	}
	return out
}

// short writes a number on an axis: 1500, 20k, 1.5M, 0.02.
func short(v float64) string {
	a := math.Abs(v)
	switch {
	case a >= 1e15 || a > 0 && a < 1e-4:
		return strconv.FormatFloat(v, 'g', 3, 64)
	case a >= 1e9:
		return digits(v/1e9) + "G"
	case a >= 1e6:
		return digits(v/1e6) + "M"
	case a >= 1e4:
		return digits(v/1e3) + "k"
	}
	return digits(v)
}

func digits(v float64) string {
	return strconv.FormatFloat(math.Round(v*1e6)/1e6, 'f', -1, 64)
}

// number writes a figure with about four digits that count: 1,235, 23.1, 0.0123.
func number(v float64) string {
	if !finite(v) {
		return "–"
	}
	if a := math.Abs(v); a >= 1000 || a == math.Trunc(a) {
		return report.Amount(math.Round(v))
	}
	return strconv.FormatFloat(roundedTo(v, 4), 'f', -1, 64)
}

// roundedTo cuts to so many digits.
func roundedTo(v float64, count int) float64 {
	if v == 0 {
		return 0
	}
	power := math.Pow(10, float64(count-1)-math.Floor(math.Log10(math.Abs(v))))
	return math.Round(v*power) / power
}
