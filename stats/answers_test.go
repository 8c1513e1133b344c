package stats_test

import (
	"encoding/json"
	"math"

	"loadgen/stats"
)

func meanInterval(in input) object {
	iv := stats.MeanInterval(in.Values, in.Confidence)
	return object{"n": iv.N, "mean": iv.Mean, "sd": iv.SD, "half_width": iv.HalfWidth, "lower": iv.Lower, "upper": iv.Upper}
}

func logRatio(in input) object {
	r := stats.PooledRatio(in.Base, in.New, in.Confidence)
	if in.Method == "paired" {
		r = stats.PairedRatio(in.Base, in.New, in.Confidence)
	}
	return object{"d": r.D, "se": r.SE, "df": r.DF, "ratio": r.Ratio, "lower": r.Lower, "upper": r.Upper}
}

func moderated(in input) object {
	m := stats.Moderate(in.Variances, in.DF)
	return object{
		"d0": m.PriorDF, "d0_infinite": math.IsInf(m.PriorDF, 1), "s02": m.PriorVariance,
		"shrunk": list(m.Shrunk), "df_total": list(m.DF),
	}
}

func holm(in input) object {
	adjusted := stats.Holm(in.P)
	var reject []any
	for _, p := range adjusted {
		reject = append(reject, p <= in.Alpha)
	}
	return object{"adjusted": list(adjusted), "reject": reject}
}

func tost(in input) object {
	d, se, df := in.D, in.SE, in.scalarDF
	if in.hasBase {
		r := stats.PooledRatio(in.Base, in.New, 0.95)
		d, se, df = r.D, r.SE, r.DF
	}
	e := stats.TOST(d, se, df, in.Margin)
	return object{
		"d": d, "se": se, "df": df, "lower90": e.Lower, "upper90": e.Upper,
		"p_lower": e.PLower, "p_upper": e.PUpper, "p": e.P, "equivalent": e.Equivalent,
	}
}

func compareDecision(in input) object {
	var samples []stats.Sample
	for _, c := range in.Cells {
		for _, m := range c.Metrics {
			samples = append(samples, stats.Sample{
				Cell: c.Name, Metric: m.Name, Higher: m.Better == "higher", Margin: in.Margin,
				Base: m.Base, New: m.New, History: m.History, Paired: in.Paired,
			})
		}
	}
	decisions := stats.Decide(samples, in.Alpha)
	var results []any
	for i, d := range decisions {
		results = append(results, object{
			"cell": samples[i].Cell, "metric": samples[i].Metric, "d": d.D, "df": d.DF, "ratio": d.Ratio,
			"shrunk_variance": d.Variance, "df_total": d.TotalDF, "se": d.SE,
			"p_worse": d.PWorse, "p_better": d.PBetter,
			"adj_p_worse": d.AdjustedWorse, "adj_p_better": d.AdjustedBetter,
			"lower": d.Lower, "upper": d.Upper, "verdict": string(d.Verdict),
		})
	}
	return object{"results": results, "gate": string(stats.Gate(decisions))}
}

func mannWhitney(raw json.RawMessage) object {
	var in struct {
		Base, New []float64
		N         []int
	}
	must(json.Unmarshal(raw, &in))
	if in.N != nil {
		var least []any
		for _, n := range in.N {
			least = append(least, stats.MannWhitney(make([]float64, n), make([]float64, n)).LeastP)
		}
		return object{"min_attainable_p": least}
	}
	t := stats.MannWhitney(in.Base, in.New)
	return object{"u": t.U, "u_base": t.UBase, "p": t.P, "min_attainable_p": t.LeastP}
}

func hodgesLehmann(in input) object {
	s := stats.HodgesLehmann(in.Base, in.New, in.Confidence)
	return object{"shift": s.Shift, "rank": some(s.Rank), "lower": s.Lower, "upper": s.Upper, "achieved": s.Achieved}
}

func binomialBound(raw json.RawMessage) object {
	var lists struct{ P, Confidence []float64 }
	if json.Unmarshal(raw, &lists) == nil {
		var required []any
		for i, p := range lists.P {
			required = append(required, stats.RequiredN(p, lists.Confidence[i]))
		}
		return object{"required_n": required}
	}
	var in struct {
		N             int
		P, Confidence float64
	}
	must(json.Unmarshal(raw, &in))
	upper := stats.UpperRank(in.N, in.P, in.Confidence)
	return object{
		"upper_rank": some(upper), "lower_rank": some(stats.LowerRank(in.N, in.P, in.Confidence)),
		"upper_confidence": stats.RankConfidence(upper, in.N, in.P),
	}
}

func earlyStopping(in input) object {
	var under, needed []any
	for _, over := range in.Over {
		h := stats.EarlyStopping(over, in.scalarP, in.Tolerance, in.Confidence)
		under, needed = append(under, h), append(needed, h+over)
	}
	least := stats.EstimateN(in.scalarP, in.Tolerance, in.Confidence)
	return object{"h": under, "needed_n": needed, "least_n_for_estimate": least}
}

func varianceInflation(in input) object {
	i := stats.InflationOf(in.Values, in.Threshold)
	return object{"n": i.N, "exceed": i.Exceed, "vif": i.Factor, "effective_n": i.EffectiveN}
}

func certified(in input) object {
	c := stats.Certify(in.Values, in.scalarP, in.Confidence)
	return object{
		"quantile": c.Quantile, "vif": c.Inflation, "effective_n": some(c.EffectiveN),
		"rank": some(c.Rank), "bound": c.Bound,
	}
}

func probeMargin(in input) object {
	m := stats.ProbeMargin(in.Values, in.scalarP, in.Limit, in.RunSD)
	return object{
		"quantile": m.Quantile, "vif": m.Inflation, "effective_n": m.EffectiveN,
		"y": m.Y, "se_quantile": m.SE, "s": m.S, "verdict": string(m.Answer),
	}
}

func eDivisive(in input) object {
	rule := stats.ChangeRule{PMax: in.PMax, MinSegment: in.MinSegment, MinChange: in.MinChange}
	points, candidates := stats.ChangePoints(in.Values, rule)
	indices, ratios, ps := []any{}, []any{}, []any{}
	for _, p := range points {
		indices, ratios, ps = append(indices, p.Index), append(ratios, p.Ratio), append(ps, p.P)
	}
	return object{"indices": indices, "ratios": ratios, "p": ps, "candidates_before_pruning": list(candidates)}
}

func isotonic(in input) object {
	points := make([]stats.Point, len(in.X))
	for i := range points {
		points[i] = stats.Point{X: in.X[i], Y: in.Y[i], W: in.W[i]}
	}
	var x, fitted []any
	for _, p := range stats.Isotonic(points) {
		x, fitted = append(x, p.X), append(fitted, p.Y)
	}
	return object{"x": x, "fitted": fitted}
}

func isotonicCrossing(in input) object {
	loads := make([]stats.Load, len(in.X))
	for i := range loads {
		loads[i] = stats.Load{X: in.X[i], Y: in.Y[i], S: in.S[i]}
	}
	c := stats.IsotonicCrossing(loads, 1.96)
	return object{"capacity": c.Capacity, "status": string(c.Status), "lower": c.Lower, "upper": c.Upper}
}

func bisectionTrace(in input) object {
	b := stats.Bisection{
		Integer: in.Unit == "integer", Start: in.Start,
		Resolution: in.Resolution, MaxProbes: in.MaxProbes,
	}
	var probes []stats.Probe
	trace, total := []any{}, 0.0
	load, stop := b.Next(nil)
	for ; stop == ""; load, stop = b.Next(probes) {
		if len(probes) == len(in.Answers) {
			return object{"probes": trace, "stop": "asks for more probes than the case has"}
		}
		look, answer := 0, stats.Undecided
		for i, a := range in.Answers[len(probes)] {
			if look, answer = i, a; a != stats.Undecided {
				break
			}
		}
		probes = append(probes, stats.Probe{Load: load, Answer: answer})
		trace = append(trace, object{"load": load, "seconds": in.Looks[look], "verdict": string(answer)})
		total += in.Looks[look]
	}
	low, high := stats.Bracket(probes)
	return object{
		"probes": trace, "bracket_low": low, "bracket_high": high,
		"stop": string(stop), "total_seconds": total,
	}
}

func pareto(in input) object {
	points := make([][]float64, len(in.Points))
	for i, p := range in.Points {
		for _, v := range p {
			points[i] = append(points[i], orNaN(v))
		}
	}
	maximize := make([]bool, len(in.Directions))
	for k, d := range in.Directions {
		maximize[k] = d == "max"
	}
	return object{"frontier": list(stats.Pareto(points, maximize))}
}

func mergeMoments(in input) object {
	m := stats.MomentsOf(nil)
	for _, w := range in.Workers {
		m = m.Merge(stats.Moments{N: w.N, Mean: orNaN(w.Mean), M2: orNaN(w.M2), Min: orNaN(w.Min), Max: orNaN(w.Max)})
	}
	return object{"n": m.N, "mean": m.Mean, "m2": m.M2, "variance": m.Variance(), "sd": m.SD(), "min": m.Min, "max": m.Max}
}

func orNaN(v *float64) float64 {
	if v == nil {
		return math.NaN()
	}
	return *v
}
