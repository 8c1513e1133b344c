package analyze

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"

	"loadgen"
	"loadgen/metrics"
)

// A SizingPoint is what one run of a sweep measured.
type SizingPoint struct {
	// Load is the requests in flight, or for an open loop requests per second.
	Load float64 `json:"load"`
	// Interrupted runs are listed but left out of every fit.
	Interrupted bool `json:"interrupted,omitempty"`
	// P95 of each metric by its tag, in the metric's unit. SizingOf fills in
	// those that it has samples of.
	P95 map[string]float64 `json:"p95"`
	// Mean of each metric, likewise.
	Mean map[string]float64 `json:"mean,omitempty"`
	// Samples of each metric in the order of issue; they are what intervals
	// are drawn from.
	Samples map[string][]float64 `json:"-"`
}

// A SizingQuestion is what is to be found out from a sweep.
type SizingQuestion struct {
	// OpenLoop says that the loads are rates.
	OpenLoop bool
	// Targets are the limits on the p95 by metric, in the metric's unit.
	Targets map[string]float64
	// ResponseTime names the metric that a user waits for and how many of its
	// units a second has; by default request_latency in ms.
	ResponseTime   string
	UnitsPerSecond float64
	// ThinkTime is the seconds a user waits between an answer and the next
	// request.
	ThinkTime float64
	// Users to serve, and the GPUs of the deployment tested; 0 is not asked.
	Users, TestGPUs int
	// Seed draws the intervals.
	Seed loadgen.Seed
}

// A SizingReach says how the p95 of a metric stands to its target over the
// loads tested.
type SizingReach string

const (
	// SizingAt: the target is met up to a load within the tested range.
	SizingAt SizingReach = "at"
	// SizingAtLeast: the target is met at every load tested, the capacity is
	// the highest of them or more.
	SizingAtLeast SizingReach = "at_least"
	// SizingUnreachable: the target is missed at the lowest load tested.
	SizingUnreachable SizingReach = "unreachable"
	// SizingUnknown: there is no point to judge by.
	SizingUnknown SizingReach = "unknown"
)

// A SizingInterval holds a number with 95 % confidence. An open end lies
// beyond the loads tested.
type SizingInterval struct {
	Low      float64 `json:"low"`
	High     float64 `json:"high"`
	OpenLow  bool    `json:"open_low,omitempty"`
	OpenHigh bool    `json:"open_high,omitempty"`
}

// A SizingAnswer is the load up to which one metric keeps its target.
type SizingAnswer struct {
	Metric   string          `json:"metric"`
	Target   float64         `json:"target"`
	Fit      KneeFit         `json:"fit"`
	Knee     *SizingInterval `json:"knee_interval"` // of Fit.Knee; null without one or without samples
	Reach    SizingReach     `json:"reach"`
	Load     float64         `json:"load"`          // capacity c*; 0 where unreachable or unknown
	Interval *SizingInterval `json:"interval"`      // of Load; null where it cannot be drawn
	Measured float64         `json:"measured_load"` // the highest load tested up to which all met the target
	Users    float64         `json:"users"`         // that the capacity serves with the think time; 0 unknown
	GPUs     int             `json:"gpus"`          // for the users asked for, rounded up; 0 not asked or unknown
	LoadUnit string          `json:"load_unit"`     // of Load: requests in flight, or requests/s
	Text     string          `json:"text"`          // the answer as a sentence
}

// A SizingReport is the raw points and, per target, what follows from them.
type SizingReport struct {
	Points  []SizingPoint  `json:"points"` // by ascending load
	Answers []SizingAnswer `json:"answers"`
	// Binding is the index of the answer that allows the least load, -1 where
	// there is none.
	Binding int      `json:"binding"`
	Notes   []string `json:"notes"` // what weakens the answers
}

// SizingOf answers how much load the deployment of a sweep bears. The points
// come back whatever the fits are like.
//
// Capacity is where the curve of [FitKnee] through the p95s first exceeds the
// target, never beyond the loads tested; of up to four loads without a trend
// that can be told from chance, where the lines between them do. Its interval comes from resampling
// each run's samples in blocks (values of neighbouring requests depend on each
// other) or, where there are only p95s, the fit's residuals. Users follow from
// Little's law: each is in flight for R of every R+Z seconds, so that c
// requests in flight serve c·(R+Z)/R users and a rate λ serves λ·(R+Z). GPUs
// assume that users spread evenly over copies of the deployment.
func SizingOf(points []SizingPoint, q SizingQuestion) SizingReport {
	if q.ResponseTime == "" {
		q.ResponseTime, q.UnitsPerSecond = "request_latency", 1000
	}
	report := SizingReport{Points: sizingRaw(points), Answers: []SizingAnswer{}, Binding: -1, Notes: []string{}}
	usable := slices.DeleteFunc(slices.Clone(report.Points), func(p SizingPoint) bool { return p.Interrupted })
	if n := len(report.Points) - len(usable); n > 0 {
		report.Notes = append(report.Notes, fmt.Sprintf("%d interrupted or unusable runs are left out of the fits", n))
	}
	for _, metric := range slices.Sorted(maps.Keys(q.Targets)) {
		a := sizingAnswer(usable, metric, q)
		report.Answers = append(report.Answers, a)
		if a.Reach == SizingUnknown {
			continue
		}
		if report.Binding < 0 || a.Load < report.Answers[report.Binding].Load {
			report.Binding = len(report.Answers) - 1
		}
		if a.Fit.Shape == KneeFlat && a.Fit.Points <= fewLoads && a.Reach == SizingAt {
			report.Notes = append(report.Notes, fmt.Sprintf("%d loads are too few for a curve through %s: the answer lies on the straight line between two of them", a.Fit.Points, metric))
		}
		if a.Fit.RSquared != nil && a.Fit.Monotone != nil && *a.Fit.Monotone < 0.8 {
			report.Notes = append(report.Notes, metric+" falls with load in places: the endpoint was not in the same state in all runs (a cache warmed up, another user left); repeat the sweep")
		}
	}
	for _, p := range usable {
		for _, metric := range slices.Sorted(maps.Keys(q.Targets)) {
			if n := len(p.Samples[metric]); n > 0 && n < 20 {
				report.Notes = append(report.Notes, fmt.Sprintf("the p95 of %s at %g %s rests on %d values: it needs at least 20", metric, p.Load, q.loadUnit(), n))
			}
		}
	}
	return report
}

// sizingRaw returns the points by ascending load with what their samples say
// filled in; a load that is no number counts as interrupted.
func sizingRaw(points []SizingPoint) []SizingPoint {
	out := make([]SizingPoint, 0, len(points))
	for _, p := range points {
		p95, means := map[string]float64{}, map[string]float64{}
		for metric, v := range p.P95 {
			if kneeUsable(v) {
				p95[metric] = v
			}
		}
		for metric, v := range p.Mean {
			if kneeUsable(v) {
				means[metric] = v
			}
		}
		for metric, samples := range p.Samples {
			if samples = slices.DeleteFunc(slices.Clone(samples), func(v float64) bool { return !kneeUsable(v) }); len(samples) > 0 {
				p95[metric] = metrics.Percentile(metrics.Sorted(samples), 95)
				means[metric] = metrics.Mean(samples)
			}
		}
		p.P95, p.Mean = p95, means
		if !kneeUsable(p.Load) || p.Load <= 0 {
			p.Load, p.Interrupted = 0, true
		}
		out = append(out, p)
	}
	slices.SortStableFunc(out, func(a, b SizingPoint) int { return cmp.Compare(a.Load, b.Load) })
	return out
}

func sizingAnswer(points []SizingPoint, metric string, q SizingQuestion) SizingAnswer {
	curve := sizingCurve{target: q.Targets[metric]}
	a := SizingAnswer{Metric: metric, Target: curve.target, Reach: SizingUnknown}
	met := true
	for _, p := range points {
		v, ok := p.P95[metric]
		if !ok {
			continue
		}
		curve.loads, curve.p95 = append(curve.loads, p.Load), append(curve.p95, v)
		curve.samples = append(curve.samples, p.Samples[metric])
		if met = met && v <= curve.target; met {
			a.Measured = p.Load
		}
	}
	a.Fit, a.Load, a.Reach = curve.capacity(curve.p95)
	if a.Reach != SizingUnknown {
		a.Interval, a.Knee = curve.intervals(&a.Fit, q.Seed.Rand("sizing "+metric))
	}
	a.Users = sizingUsers(points, a.Load, q)
	if q.Users > 0 && q.TestGPUs > 0 && a.Users > 0 {
		a.GPUs = int(math.Ceil(float64(q.Users)/a.Users*float64(q.TestGPUs) - 1e-9))
	}
	a.Text = a.sentence(q)
	return a
}

// sizingUsers returns how many users with the think time a load serves; 0
// where the response time at it is not known.
func sizingUsers(points []SizingPoint, load float64, q SizingQuestion) float64 {
	if load <= 0 {
		return 0
	}
	if !q.OpenLoop && q.ThinkTime <= 0 {
		return load
	}
	r := sizingResponse(points, load, q.ResponseTime) / q.UnitsPerSecond
	switch {
	case !(r > 0):
		return 0
	case q.OpenLoop:
		return load * (r + q.ThinkTime)
	}
	return load * (r + q.ThinkTime) / r
}

// sizingResponse returns the mean response time at a load, on the straight
// line between the loads tested; a p95 stands in for a mean that is not
// known and makes the users fewer, never more, in a closed loop.
func sizingResponse(points []SizingPoint, load float64, metric string) float64 {
	before, at := math.NaN(), math.NaN()
	for _, p := range points {
		v, ok := p.Mean[metric]
		if !ok {
			v, ok = p.P95[metric]
		}
		switch {
		case !ok:
		case p.Load >= load && math.IsNaN(before):
			return v
		case p.Load >= load:
			return before + (v-before)*(load-at)/(p.Load-at)
		default:
			before, at = v, p.Load
		}
	}
	return before
}

// loadUnit is what a load is counted in.
func (q *SizingQuestion) loadUnit() string {
	if q.OpenLoop {
		return "requests/s"
	}
	return "requests in flight"
}

// timeUnit is the unit of targets and samples.
func (q *SizingQuestion) timeUnit() string {
	switch q.UnitsPerSecond {
	case 1000:
		return "ms"
	case 1:
		return "s"
	}
	return fmt.Sprintf("of %g in a second", q.UnitsPerSecond)
}

func (a *SizingAnswer) sentence(q SizingQuestion) string {
	unit := q.loadUnit()
	a.LoadUnit = unit
	target := fmt.Sprintf("%g %s", a.Target, q.timeUnit())
	var s string
	switch a.Reach {
	case SizingUnknown:
		return fmt.Sprintf("no run measured %s", a.Metric)
	case SizingUnreachable:
		return fmt.Sprintf("the p95 of %s is above %s already at the lowest load tested, %g %s: not reachable with this deployment", a.Metric, target, a.Fit.From, unit)
	case SizingAtLeast:
		s = fmt.Sprintf("the p95 of %s stays within %s at every load tested: at least %g %s", a.Metric, target, a.Load, unit)
	default:
		s = fmt.Sprintf("the p95 of %s reaches %s at %.4g %s", a.Metric, target, a.Load, unit)
	}
	if a.Users > 0 && (q.ThinkTime > 0 || q.OpenLoop) {
		s += fmt.Sprintf(", that is %.0f users", math.Floor(a.Users))
	}
	if a.GPUs > 0 {
		s += fmt.Sprintf("; %d GPUs for %d users", a.GPUs, q.Users)
		if a.Reach == SizingAtLeast {
			s += " or fewer"
		}
	}
	return s
}
