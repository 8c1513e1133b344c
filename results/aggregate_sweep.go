package results

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sort"
	"strconv"

	"loadgen"
	"loadgen/metrics"
	"loadgen/stats"
)

// A sweepAggregate is profile_export_aiperf_sweep: the cells of a sweep beside
// each other. AIPerf's own is without the best cells and the frontier where a
// cell has one run; this has them for any number.
type sweepAggregate struct {
	cells   []Aggregate
	mode    string
	keys    []string // the swept keys
	best    []bestCell
	optimal []*Aggregate
}

type bestCell struct {
	name, metric string
	cell         *Aggregate
	value        float64
	unit         string
}

func sweepFile(cells []Aggregate, blocked bool) *sweepAggregate {
	s := &sweepAggregate{cells: cells, mode: "repeated"}
	if blocked {
		s.mode = "independent"
	}
	for _, v := range cells[0].Cell.Values {
		s.keys = append(s.keys, v.Key)
	}
	const throughput = "request_throughput_avg"
	latency := "time_to_first_token_p99"
	if !s.all(latency) {
		latency = "request_latency_p99"
	}
	s.choose("best_throughput", throughput, func(a, b float64) bool { return a > b })
	s.choose("best_latency_p99", latency, func(a, b float64) bool { return a < b })
	if s.all(throughput) && s.all(latency) {
		var points [][]float64
		for i := range cells {
			points = append(points, []float64{cells[i].figure(throughput).Mean, cells[i].figure(latency).Mean})
		}
		for _, i := range stats.Pareto(points, []bool{true, false}) {
			s.optimal = append(s.optimal, &cells[i])
		}
	}
	return s
}

// figure returns a figure of a cell by its key; nil where it has none.
func (a *Aggregate) figure(key string) *metrics.Repeated {
	i := slices.IndexFunc(a.Figures, func(r metrics.Repeated) bool { return r.Key() == key })
	if i < 0 {
		return nil
	}
	return &a.Figures[i]
}

// all reports whether every cell has a figure.
func (s *sweepAggregate) all(key string) bool {
	return !slices.ContainsFunc(s.cells, func(a Aggregate) bool { return a.figure(key) == nil })
}

// choose notes the best cell by a figure that all cells have.
func (s *sweepAggregate) choose(name, key string, better func(a, b float64) bool) {
	if !s.all(key) {
		return
	}
	best := &s.cells[0]
	for i := range s.cells {
		if better(s.cells[i].figure(key).Mean, best.figure(key).Mean) {
			best = &s.cells[i]
		}
	}
	f := best.figure(key)
	s.best = append(s.best, bestCell{name, key, best, f.Mean, f.Unit})
}

func (s *sweepAggregate) json() ([]byte, error) {
	runs, failed, trials := 0, []FailedRun{}, 0
	var combinations, optimal []json.RawMessage
	for i := range s.cells {
		a := &s.cells[i]
		runs += len(a.Labels) + len(a.Failed)
		trials = max(trials, len(a.Labels)+len(a.Failed))
		for _, f := range a.Failed {
			failed = append(failed, FailedRun{a.Cell.Dir + "/" + f.Label, f.Error})
		}
		params, err := sweepParams(a.Cell.Values)
		if err != nil {
			return nil, err
		}
		var o object
		o.open()
		if err := o.any("parameters", params); err != nil {
			return nil, err
		}
		o.begin("metrics")
		appendRepeated(&o, a.Figures, false)
		o.close()
		o.close()
		combinations = append(combinations, o.b)
	}
	for _, a := range s.optimal {
		params, err := sweepParams(a.Cell.Values)
		if err != nil {
			return nil, err
		}
		optimal = append(optimal, params)
	}
	var o object
	o.open()
	o.text("aggregation_type", "sweep")
	o.count("num_profile_runs", runs)
	o.count("num_successful_runs", runs-len(failed))
	err := errors.Join(o.any("failed_runs", failed), s.metadata(&o, trials), o.any("per_combination_metrics", combinations), s.bestJSON(&o), o.any("pareto_optimal", orEmpty(optimal)))
	o.close()
	if err != nil {
		return nil, err
	}
	return indented(o.b)
}

func orEmpty(list []json.RawMessage) []json.RawMessage {
	if list == nil {
		return []json.RawMessage{}
	}
	return list
}

func (s *sweepAggregate) metadata(o *object, trials int) error {
	type parameter struct {
		Name   string `json:"name"`
		Values []any  `json:"values"`
	}
	var parameters []parameter
	combinations := 1
	for i, key := range s.keys {
		p := parameter{Name: key}
		for _, a := range s.cells {
			if v := a.Cell.Values[i].Value; !slices.Contains(p.Values, v) {
				p.Values = append(p.Values, v)
			}
		}
		combinations *= len(p.Values)
		parameters = append(parameters, p)
	}
	o.begin("metadata")
	err := o.any("sweep_parameters", parameters)
	o.count("num_combinations", combinations)
	o.text("aggregation_type", "sweep")
	o.text("sweep_mode", s.mode)
	o.number("confidence_level", s.cells[0].Confidence, false)
	o.count("num_trials_per_value", trials)
	o.close()
	return err
}

func (s *sweepAggregate) bestJSON(o *object) error {
	o.begin("best_configurations")
	defer o.close()
	for _, b := range s.best {
		params, err := sweepParams(b.cell.Cell.Values)
		if err != nil {
			return err
		}
		o.begin(b.name)
		if err := o.any("parameters", params); err != nil {
			return err
		}
		o.number("metric", b.value, false)
		o.text("unit", b.unit)
		o.close()
	}
	return nil
}

// csv is profile_export_aiperf_sweep.csv.
func (s *sweepAggregate) csv() []byte {
	keys := map[string]bool{}
	for i := range s.cells {
		for k := range s.cells[i].Figures {
			keys[s.cells[i].Figures[k].Key()] = true
		}
	}
	var figures []string
	for key := range keys {
		figures = append(figures, key)
	}
	sort.Strings(figures)
	var b []byte
	for i, key := range s.keys {
		b = appendField(separated(b, i), key)
	}
	for _, key := range figures {
		for _, of := range []string{"mean", "std", "min", "max", "cv"} {
			b = appendField(append(b, ','), key+"_"+of)
		}
	}
	b = append(b, "\r\n"...)
	for i := range s.cells {
		a := &s.cells[i]
		b = appendValues(b, a.Cell.Values)
		for _, key := range figures {
			r := a.figure(key)
			if r == nil {
				b = append(b, ",,,,,"...)
				continue
			}
			sd, _, _, _, _ := spread(r)
			for _, v := range []float64{r.Mean, sd, r.Min, r.Max} {
				b = appendFixed(append(b, ','), v, 2)
			}
			b = appendFixed(append(b, ','), cv(r), 4)
		}
		b = append(b, "\r\n"...)
	}
	return s.blocks(b)
}

// blocks appends the parts of the CSV below its table.
func (s *sweepAggregate) blocks(b []byte) []byte {
	header := func(first string, last ...string) {
		b = append(b, first...)
		for i, key := range s.keys {
			b = appendField(separated(b, i+len(first)), key)
		}
		for _, name := range last {
			b = append(append(b, ','), name...)
		}
		b = append(b, "\r\n"...)
	}
	b = append(b, "\r\nBest Configurations\r\n"...)
	header("Configuration", "Metric", "Unit")
	for _, best := range s.best {
		b = append(append(b, best.name...), ',')
		b = appendValues(b, best.cell.Cell.Values)
		b = appendFixed(append(b, ','), best.value, 2)
		b = append(appendField(append(b, ','), best.unit), "\r\n"...)
	}
	b = append(b, "\r\nPareto Optimal Points\r\n"...)
	header("")
	for _, a := range s.optimal {
		b = append(appendValues(b, a.Cell.Values), "\r\n"...)
	}
	if len(s.optimal) == 0 {
		b = append(b, "None\r\n"...)
	}
	b = append(b, "\r\nMetadata\r\nField,Value\r\nAggregation Type,sweep\r\nSweep Mode,"...)
	b = append(append(b, s.mode...), "\r\nConfidence Level,"...)
	b = strconv.AppendFloat(b, s.cells[0].Confidence, 'g', -1, 64)
	b = strconv.AppendInt(append(b, "\r\nNum Combinations,"...), int64(len(s.cells)), 10)
	return append(b, "\r\n"...)
}

// separated appends a comma, but before the first of a row.
func separated(b []byte, i int) []byte {
	if i == 0 {
		return b
	}
	return append(b, ',')
}

func appendValues(b []byte, values []loadgen.Value) []byte {
	for i, v := range values {
		b = appendField(separated(b, i), fmt.Sprint(v.Value))
	}
	return b
}
