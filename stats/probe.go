package stats

import "math"

// An Answer is what a look at a probe says of its limit.
type Answer string

// The answers. Undecided asks for a longer look.
const (
	Pass      Answer = "pass"
	Fail      Answer = "fail"
	Undecided Answer = "undecided"
)

const (
	twoSided95 = 1.96
	oneSided95 = 1.645
)

// A Margin is how far a probe's quantile lies from its limit, in logarithms,
// with its standard error.
type Margin struct {
	Quantile              float64
	Inflation, EffectiveN float64
	Y                     float64 // log of quantile over limit: below 0 is within
	SE                    float64 // of the quantile in this run
	S                     float64 // of Y, with what differs from run to run
	Answer                Answer
}

// ProbeMargin looks at the p quantile of the positive values of one run, in
// order of issue, against a limit. runSD is the standard deviation of the
// log quantile from run to run. Its answer is sure at 95 % to one side.
func ProbeMargin(values []float64, p, limit, runSD float64) Margin {
	asc := sorted(values)
	q := Quantile(asc, p)
	n := float64(len(values))
	m := Margin{Quantile: q, Inflation: 1, Answer: Undecided}
	if len(values) >= inflationBatches {
		m.Inflation = max(1, batchScatter(values, q)/(p*(1-p)))
	}
	m.EffectiveN = max(2, n/m.Inflation)
	half := twoSided95 * math.Sqrt(p*(1-p)/m.EffectiveN)
	low := Quantile(asc, max(0, p-half))
	var high float64
	if p+half < 1 {
		high = Quantile(asc, p+half)
	} else if len(asc) > 0 {
		// No order statistic bounds it: as far again above the greatest as
		// that lies above the quantile.
		greatest := asc[len(asc)-1]
		high = greatest * greatest / q
	}
	m.SE = max(math.Log(high/q), math.Log(q/low)) / twoSided95
	m.Y = math.Log(q / limit)
	m.S = math.Sqrt(m.SE*m.SE + runSD*runSD)
	switch {
	case m.Y+oneSided95*m.S <= 0:
		m.Answer = Pass
	case m.Y-oneSided95*m.S >= 0:
		m.Answer = Fail
	}
	return m
}
