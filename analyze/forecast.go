package analyze

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"slices"

	"loadgen"
	"loadgen/metrics"
)

const (
	forecastVersion = 1
	// forecastSessions is how many sessions with a next call it takes to
	// learn from some and be judged by others.
	forecastSessions = 20
	// forecastHeldOut is which share of the sessions judges: one in four.
	forecastHeldOut = 4
)

// A ForecastMethod names a way to forecast.
type ForecastMethod string

const (
	ForecastMedian ForecastMethod = "median" // of all values seen, whatever the call: the naive baseline
	ForecastLinear ForecastMethod = "linear" // ridge regression
	ForecastForest ForecastMethod = "forest" // random forest
)

// A Forecast tells, at the end of a call of a session, what comes next. It
// travels as JSON; [ReadForecast] reads it back.
type Forecast struct {
	Version  int              `json:"version"`
	Features []string         `json:"features"` // what it looks at, in the order of the models' inputs
	Sessions int              `json:"sessions"` // learned from and judged by
	HeldOut  int              `json:"held_out"` // of these, only judged by
	Targets  []ForecastTarget `json:"targets"`  // empty where Note says why
	Note     string           `json:"note,omitempty"`
}

// A ForecastTarget is one quantity with the models of it and how well each did
// on sessions that it had not seen.
type ForecastTarget struct {
	Name string `json:"name"`
	Unit string `json:"unit"`
	Rows int    `json:"rows"` // learned from

	// Errors are the mean absolute errors on the held-out sessions, in Unit.
	Errors map[ForecastMethod]float64 `json:"mean_absolute_errors"`
	// Best is the method with the least error if it beats the median by more
	// than chance, else the median.
	Best ForecastMethod `json:"best"`
	Note string         `json:"note"` // the same as a sentence

	Median float64        `json:"median"`
	Linear forecastLinear `json:"linear"`
	Forest forecastForest `json:"forest"`
}

// A ForecastValue is what a Forecast says of one target.
type ForecastValue struct {
	Name   string         `json:"name"`
	Unit   string         `json:"unit"`
	Value  float64        `json:"value"`
	Error  float64        `json:"mean_absolute_error"` // of the method, on held-out sessions
	Method ForecastMethod `json:"method"`
}

// ForecastOf learns from the sessions of a trace. Each fourth session, drawn
// by the seed, is kept out of the learning and judges it: rows of one session
// resemble each other, so that a split by rows would flatter the models. A
// method beats the median only where its error per held-out session is smaller
// by more than two standard errors. With too little data the Forecast has no
// targets and says so.
func ForecastOf(calls []loadgen.Call, seed loadgen.Seed) *Forecast {
	sessions := forecastSessionsOf(calls)
	f := &Forecast{Version: forecastVersion, Features: forecastFeatures, Sessions: len(sessions), Targets: []ForecastTarget{}}
	if len(sessions) < forecastSessions {
		f.Note = fmt.Sprintf("%d sessions have more than one call: at least %d are needed to learn from some and be judged by the others", len(sessions), forecastSessions)
		return f
	}
	rng := seed.Rand("forecast split")
	rng.Shuffle(len(sessions), func(i, j int) { sessions[i], sessions[j] = sessions[j], sessions[i] })
	f.HeldOut = len(sessions) / forecastHeldOut
	for _, t := range forecastTargets {
		f.Targets = append(f.Targets, learnTarget(t, sessions[f.HeldOut:], sessions[:f.HeldOut], seed))
	}
	return f
}

func learnTarget(target forecastQuantity, learn, judge [][]forecastRow, seed loadgen.Seed) ForecastTarget {
	x, y := target.matrix(learn)
	t := ForecastTarget{Name: target.name, Unit: target.unit, Rows: len(y), Best: ForecastMedian, Errors: map[ForecastMethod]float64{}}
	if len(y) == 0 {
		t.Note = "the trace does not say it of any call"
		return t
	}
	t.Median = metrics.Percentile(metrics.Sorted(y), 50)
	t.Linear = fitForecastLinear(x, y)
	t.Forest = growForecastForest(x, y, seed.Rand("forecast forest "+target.name))

	perSession := map[ForecastMethod][]float64{}
	for _, method := range []ForecastMethod{ForecastMedian, ForecastLinear, ForecastForest} {
		var all []float64
		for _, session := range judge {
			x, y := target.matrix([][]forecastRow{session})
			if len(y) == 0 {
				continue
			}
			sum := 0.0
			for i := range y {
				e := math.Abs(t.predict(method, x[i]) - y[i])
				sum, all = sum+e, append(all, e)
			}
			perSession[method] = append(perSession[method], sum/float64(len(y)))
		}
		if len(all) > 0 {
			t.Errors[method] = metrics.Mean(all)
		}
	}
	t.choose(perSession)
	return t
}

// choose sets Best and Note by the errors per held-out session.
func (t *ForecastTarget) choose(perSession map[ForecastMethod][]float64) {
	base := perSession[ForecastMedian]
	if len(base) < 2 {
		t.Note = "no held-out session says it: the median is not judged"
		return
	}
	best := slices.MinFunc([]ForecastMethod{ForecastLinear, ForecastForest}, func(a, b ForecastMethod) int {
		return cmp.Compare(t.Errors[a], t.Errors[b])
	})
	gains := make([]float64, len(base))
	for i := range base {
		gains[i] = base[i] - perSession[best][i]
	}
	gain, doubt := metrics.Mean(gains), 2*metrics.SampleStdDev(gains)/math.Sqrt(float64(len(gains)))
	if gain <= doubt || t.Errors[best] >= t.Errors[ForecastMedian] {
		t.Note = fmt.Sprintf("no model beats the median: it is off by %.4g %s on average, the %s model by %.4g", t.Errors[ForecastMedian], t.Unit, best, t.Errors[best])
		return
	}
	t.Best = best
	t.Note = fmt.Sprintf("the %s model is off by %.4g %s on average, the median by %.4g", best, t.Errors[best], t.Unit, t.Errors[ForecastMedian])
}

func (t *ForecastTarget) predict(method ForecastMethod, x forecastInput) float64 {
	v := t.Median
	switch method {
	case ForecastLinear:
		v = t.Linear.predict(x)
	case ForecastForest:
		v = t.Forest.predict(x)
	}
	return max(0, v) // every target is a count or a time
}

// Next says what comes after the calls that a session has made so far, in any
// order; nothing for a Forecast without targets or a session without a
// successful LLM call.
func (f *Forecast) Next(soFar []loadgen.Call) []ForecastValue {
	rows := forecastRowsOf(soFar)
	if len(rows) == 0 {
		return nil
	}
	var out []ForecastValue
	for i := range f.Targets {
		t := &f.Targets[i]
		v := ForecastValue{Name: t.Name, Unit: t.Unit, Method: t.Best, Error: t.Errors[t.Best]}
		v.Value = t.predict(t.Best, rows[len(rows)-1].input)
		out = append(out, v)
	}
	return out
}

// ReadForecast reads a Forecast from JSON and refuses one that was made for
// other features or whose trees cannot be walked.
func ReadForecast(data []byte) (*Forecast, error) {
	var f Forecast
	if err := json.Unmarshal(data, &f); err != nil {
		return nil, fmt.Errorf("reading a forecast: %w", err)
	}
	if f.Version != forecastVersion || !slices.Equal(f.Features, forecastFeatures) {
		return nil, fmt.Errorf("reading a forecast: version %d with features %q is not this program's version %d with %q; learn it again", f.Version, f.Features, forecastVersion, forecastFeatures)
	}
	for _, t := range f.Targets {
		if err := t.Forest.check(); err != nil {
			return nil, fmt.Errorf("reading a forecast: %s: %w", t.Name, err)
		}
	}
	return &f, nil
}
