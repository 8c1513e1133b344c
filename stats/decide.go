package stats

import "math"

// A Verdict is what a comparison may say of one cell and metric.
type Verdict string

// The verdicts. CannotTell is an answer: the runs are too few or too noisy for
// any of the others.
const (
	Worse        Verdict = "worse"
	Better       Verdict = "better"
	NoDifference Verdict = "no difference"
	CannotTell   Verdict = "cannot tell"
)

const (
	// FamilyLevel is the chance of even one false alarm that a comparison may
	// have by Holm's rule; with it the simulated rate of whole comparisons
	// stays below 5 % also where the variances are unequal.
	FamilyLevel = 0.04
	// DefaultMargin is the least change that matters.
	DefaultMargin = 0.05

	leastSquares    = 1e-26 // below it a sum of squares is rounding
	leastDifference = 1e-12 // likewise a difference without noise
)

// A Sample is what both sides of a comparison measured of one metric in one
// cell: a positive figure per run.
type Sample struct {
	Cell, Metric string
	Higher       bool // higher is better
	Margin       float64
	Base, New    []float64
	// Paired says that Base[i] and New[i] ran in one round. It needs as many
	// runs on both sides and counts for nothing where they differ.
	Paired bool
	// History are figures of earlier runs in a stretch without change; they
	// tell the noise and nothing else.
	History []float64
	// Stated are the standard errors that the figures' logarithms are known to
	// have, each by itself, such as that of a search's answer; none where they
	// are not known.
	Stated []float64
}

// A Decision is the verdict on a sample with the figures it rests on.
type Decision struct {
	Verdict Verdict
	// D is the difference of mean logs, positive where New is worse.
	D float64
	// DF are the sample's own degrees of freedom, infinite where only stated
	// errors tell the noise. With none, all figures but D and Ratio are NaN,
	// and the sample is in no family.
	DF float64
	// Variance and TotalDF are moderated over the cells of the metric.
	Variance, TotalDF, SE         float64
	PWorse, PBetter               float64
	AdjustedWorse, AdjustedBetter float64
	Ratio, Lower, Upper           float64 // new over base with its 95 % interval
}

// Decide gives a verdict on every sample: one-sided t-tests on logs, the
// variance moderated over the cells of a metric, Holm's adjustment at level
// alpha over all samples, one family for worse and one for better; a
// rejection counts only if the change is at least the margin. No difference
// is said where two one-sided tests show it.
func Decide(samples []Sample, alpha float64) []Decision {
	decisions := make([]Decision, len(samples))
	for i, s := range samples {
		decisions[i] = s.weigh()
	}
	moderateMetrics(samples, decisions)
	for i := range decisions {
		decisions[i].test(samples[i])
	}
	adjust(decisions)
	for i := range decisions {
		decisions[i].judge(alpha, samples[i].Margin)
	}
	return decisions
}

// weigh computes what a sample says by itself: difference, variance, degrees
// of freedom.
func (s Sample) weigh() Decision {
	base, fresh := MomentsOf(s.logs(s.Base)), MomentsOf(s.logs(s.New))
	nan := math.NaN()
	d := Decision{
		D: fresh.Mean - base.Mean, Variance: nan, TotalDF: nan, SE: nan, PWorse: nan, PBetter: nan,
		AdjustedWorse: nan, AdjustedBetter: nan, Lower: nan, Upper: nan,
	}
	d.Ratio = math.Exp(s.own(d.D))
	if base.N == 0 || fresh.N == 0 {
		return d
	}
	squares, df := base.M2+fresh.M2, base.N+fresh.N-2
	if s.Paired && base.N == fresh.N {
		squares, df = MomentsOf(differences(s.logs(s.Base), s.logs(s.New))).M2/2, base.N-1
	}
	if history := MomentsOf(s.logs(s.History)); history.N > 0 {
		squares, df = squares+history.M2, df+history.N-1
	}
	if df == 0 {
		if len(s.Stated) > 0 {
			d.DF, d.TotalDF, d.Variance = math.Inf(1), math.Inf(1), s.stated()
		}
		return d
	}
	if squares < leastSquares {
		squares = 0
	}
	d.DF, d.Variance = float64(df), squares/float64(df)
	return d
}

// stated is the mean of the variances that are stated; 0 for none.
func (s Sample) stated() float64 {
	sum := 0.0
	for _, e := range s.Stated {
		sum += e * e / float64(len(s.Stated))
	}
	return sum
}

// statedRuns is for how many runs more a stated variance counts.
const statedRuns = 4

// withStated joins the variance of so many degrees of freedom with one that the figures
// state of themselves, 0 for none. Where runs differ by more than that for sure, it is
// left aside; else it counts for some runs more, and the noise is not taken to be less.
func withStated(variance, df, stated float64) (float64, float64) {
	const level = 0.95
	if stated == 0 || df*variance > stated*chiSquaredQuantile(level, df) {
		return variance, df
	}
	return max(stated, (statedRuns*stated+df*variance)/(statedRuns+df)), statedRuns + df
}

// logs are oriented: larger is worse.
func (s Sample) logs(values []float64) []float64 {
	z := logs(values)
	for i := range z {
		z[i] = s.own(z[i])
	}
	return z
}

// own turns an oriented log into one of the metric itself, and back.
func (s Sample) own(d float64) float64 {
	if s.Higher {
		return -d
	}
	return d
}

// moderateMetrics replaces each variance by the moderated one of its metric.
func moderateMetrics(samples []Sample, decisions []Decision) {
	members := map[string][]int{}
	for i, s := range samples {
		if df := decisions[i].DF; df > 0 && !math.IsInf(df, 1) {
			members[s.Metric] = append(members[s.Metric], i)
		}
	}
	for _, of := range members {
		variances, df := make([]float64, len(of)), make([]float64, len(of))
		for k, i := range of {
			variances[k], df[k] = decisions[i].Variance, decisions[i].DF
		}
		m := Moderate(variances, df)
		for k, i := range of {
			decisions[i].Variance, decisions[i].TotalDF = withStated(m.Shrunk[k], m.DF[k], samples[i].stated())
		}
	}
}

// test sets standard error, interval and the two raw p-values.
func (d *Decision) test(s Sample) {
	if d.DF == 0 {
		return
	}
	d.SE = math.Sqrt(d.Variance * (1/float64(len(s.Base)) + 1/float64(len(s.New))))
	half := 0.0
	if d.SE == 0 {
		if math.Abs(d.D) < leastDifference {
			d.D, d.Ratio = 0, 1
		}
		d.PWorse, d.PBetter = certain(d.D > 0), certain(d.D < 0)
	} else {
		d.PWorse, d.PBetter = tTail(d.D/d.SE, d.TotalDF), tTail(-d.D/d.SE, d.TotalDF)
		half = StudentQuantile(0.975, d.TotalDF) * d.SE
	}
	d.Lower, d.Upper = math.Exp(s.own(d.D)-half), math.Exp(s.own(d.D)+half)
}

// certain is the p-value where there is no noise.
func certain(changed bool) float64 {
	if changed {
		return 0
	}
	return 1
}

// adjust corrects both families for their size.
func adjust(decisions []Decision) {
	var in []int
	var worse, better []float64
	for i, d := range decisions {
		if d.DF > 0 {
			in = append(in, i)
			worse, better = append(worse, d.PWorse), append(better, d.PBetter)
		}
	}
	worse, better = Holm(worse), Holm(better)
	for k, i := range in {
		decisions[i].AdjustedWorse, decisions[i].AdjustedBetter = worse[k], better[k]
	}
}

func (d *Decision) judge(alpha, margin float64) {
	limit := math.Log1p(margin)
	switch {
	case d.DF == 0:
		d.Verdict = CannotTell
	case d.AdjustedWorse <= alpha && d.D >= limit:
		d.Verdict = Worse
	case d.AdjustedBetter <= alpha && d.D <= -limit:
		d.Verdict = Better
	case TOST(d.D, d.SE, d.TotalDF, margin).Equivalent:
		d.Verdict = NoDifference
	default:
		d.Verdict = CannotTell
	}
}

// Gate is the verdict on all decisions together: worse if any is, else cannot
// tell if any is, else better if any is.
func Gate(decisions []Decision) Verdict {
	found := map[Verdict]bool{}
	for _, d := range decisions {
		found[d.Verdict] = true
	}
	for _, v := range []Verdict{Worse, CannotTell, Better} {
		if found[v] {
			return v
		}
	}
	return NoDifference
}
