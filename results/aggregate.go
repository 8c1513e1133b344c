package results

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"strconv"

	"loadgen"
	"loadgen/metrics"
)

// The files over the repeats of a cell, and over the cells of a sweep.
const (
	AggregateJSONName = "profile_export_aiperf_aggregate.json"
	AggregateCSVName  = "profile_export_aiperf_aggregate.csv"
	SweepJSONName     = "profile_export_aiperf_sweep.json"
	SweepCSVName      = "profile_export_aiperf_sweep.csv"
)

// An Aggregate is a cell with what its runs come to together.
type Aggregate struct {
	Cell       loadgen.Cell
	Labels     []string    // of the runs that are in the figures: run_0001
	Failed     []FailedRun // the others
	Confidence float64
	Rest       float64 // seconds between two runs
	Figures    []metrics.Repeated
	// UnderLoad are the figures with the rates while there was load: what
	// tables show, and no file of AIPerf's has.
	UnderLoad []metrics.Repeated
}

// A FailedRun is a run that is not in the figures.
type FailedRun struct {
	Label string `json:"label"`
	Error string `json:"error"`
}

// RunLabel is AIPerf's name of a run among the repeats of a cell.
func RunLabel(repeat int) string { return fmt.Sprintf("run_%04d", max(repeat, 1)) }

// aggregateDir is where the files over a cell's repeats lie, in AIPerf's
// layout.
func aggregateDir(cell loadgen.Cell, blocked bool) string {
	switch {
	case cell.Dir == "":
		return "aggregate"
	case blocked:
		return filepath.Join(cell.Dir, "aggregate")
	}
	return filepath.Join("aggregate", cell.Dir)
}

// WriteAggregates writes the files over the repeats of each cell, and over all
// cells of a sweep. blocked is as in RunDir.
func (b *Batch) WriteAggregates(cells []Aggregate, blocked bool) error {
	var errs []error
	for i := range cells {
		a := &cells[i]
		dir := filepath.Join(b.Dir, aggregateDir(a.Cell, blocked))
		if err := makeDirs(b.Dir, dir); err != nil {
			return failed(dir, err)
		}
		text, err := a.json()
		if err == nil {
			err = b.writeFile(filepath.Join(dir, AggregateJSONName), text)
		}
		errs = append(errs, err, b.writeFile(filepath.Join(dir, AggregateCSVName), a.csv()))
	}
	if len(cells) == 0 || cells[0].Cell.Dir == "" {
		return errors.Join(errs...)
	}
	dir := filepath.Join(b.Dir, "aggregate", "sweep_aggregate")
	if blocked {
		dir = filepath.Join(b.Dir, "sweep_aggregate")
	}
	if err := makeDirs(b.Dir, dir); err != nil {
		return failed(dir, err)
	}
	s := sweepFile(cells, blocked)
	text, err := s.json()
	if err == nil {
		err = b.writeFile(filepath.Join(dir, SweepJSONName), text)
	}
	return errors.Join(append(errs, err, b.writeFile(filepath.Join(dir, SweepCSVName), s.csv()))...)
}

// json is profile_export_aiperf_aggregate.json, schema 1.0.
func (a *Aggregate) json() ([]byte, error) {
	var o object
	o.open()
	o.text("schema_version", "1.0")
	o.text("aiperf_version", "loadgen")
	o.begin("metadata")
	o.text("aggregation_type", "confidence")
	o.count("num_profile_runs", len(a.Labels)+len(a.Failed))
	o.count("num_successful_runs", len(a.Labels))
	failed, labels := a.Failed, a.Labels
	if failed == nil {
		failed = []FailedRun{}
	}
	if labels == nil {
		labels = []string{}
	}
	params, err := sweepParams(a.Cell.Values)
	if err := errors.Join(err, o.any("failed_runs", failed)); err != nil {
		return nil, err
	}
	o.number("confidence_level", a.Confidence, false)
	if err := o.any("run_labels", labels); err != nil {
		return nil, err
	}
	o.number("cooldown_seconds", a.Rest, false)
	if len(a.Labels) == 1 {
		o.bool("single_run", true)
	}
	if a.Cell.Dir != "" {
		o.text("variation_label", a.Cell.Dir)
		if err := o.any("variation_values", json.RawMessage(params)); err != nil {
			return nil, err
		}
	}
	o.close()
	o.begin("metrics")
	appendRepeated(&o, a.Figures, true)
	o.close()
	o.close()
	return indented(o.b)
}

// appendRepeated appends figures as AIPerf's aggregates have them. Of one run
// the interval is the run's own value, as there.
func appendRepeated(o *object, figures []metrics.Repeated, whole bool) {
	for i := range figures {
		r := &figures[i]
		sd, se, low, high, t := spread(r)
		o.begin(r.Key())
		o.number("mean", r.Mean, false)
		o.number("std", sd, false)
		o.number("min", r.Min, false)
		o.number("max", r.Max, false)
		o.number("cv", cv(r), false)
		if whole {
			o.number("se", se, false)
		}
		o.number("ci_low", low, false)
		o.number("ci_high", high, false)
		if whole {
			o.number("t_critical", t, false)
		}
		o.text("unit", r.Unit)
		o.close()
	}
}

// spread returns the standard deviation and error, the interval and the t that
// it was made with; of one run there is neither spread nor t.
func spread(r *metrics.Repeated) (sd, se, low, high, t float64) {
	if r.N < 2 {
		return 0, 0, r.Mean, r.Mean, math.NaN()
	}
	return r.SD, r.SD / math.Sqrt(float64(r.N)), r.Lower, r.Upper, r.T
}

func cv(r *metrics.Repeated) float64 {
	if r.N < 2 {
		return 0
	}
	return r.CV()
}

// csv is profile_export_aiperf_aggregate.csv.
func (a *Aggregate) csv() []byte {
	b := []byte("metric,mean,std,min,max,cv,se,ci_low,ci_high,t_critical,unit\r\n")
	for i := range a.Figures {
		r := &a.Figures[i]
		sd, se, low, high, t := spread(r)
		b = appendField(b, r.Key())
		for _, cell := range []struct {
			value    float64
			decimals int
		}{{r.Mean, 2}, {sd, 2}, {r.Min, 2}, {r.Max, 2}, {cv(r), 4}, {se, 4}, {low, 2}, {high, 2}, {t, 4}} {
			b = appendFixed(append(b, ','), cell.value, cell.decimals)
		}
		b = append(appendField(append(b, ','), r.Unit), "\r\n"...)
	}
	b = append(b, "\r\nAggregation Type,confidence\r\nTotal Runs,"...)
	b = strconv.AppendInt(b, int64(len(a.Labels)+len(a.Failed)), 10)
	b = strconv.AppendInt(append(b, "\r\nSuccessful Runs,"...), int64(len(a.Labels)), 10)
	b = strconv.AppendFloat(append(b, "\r\nConfidence Level,"...), a.Confidence, 'g', -1, 64)
	b = strconv.AppendFloat(append(b, "\r\nCooldown Seconds,"...), a.Rest, 'f', 1, 64)
	return append(b, "\r\n"...)
}

// appendFixed appends a number with so many decimals, nothing for one that does
// not apply.
func appendFixed(b []byte, v float64, decimals int) []byte {
	switch {
	case math.IsNaN(v):
		return b
	case math.IsInf(v, 0):
		return append(b, "inf"...)
	}
	return strconv.AppendFloat(b, v, 'f', decimals, 64)
}
