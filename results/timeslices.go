package results

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"loadgen"
	"loadgen/metrics"
)

// AIPerf's files of a run in slices of its time.
const (
	SlicesJSONName = "profile_export_aiperf_timeslices.json"
	SlicesCSVName  = "profile_export_aiperf_timeslices.csv"
)

// WriteSlices writes the files of a run in slices of a width, from its records.
// Both can be made again from these and are not waited for until they are on the
// disk. input is AIPerf's input_config.
func WriteSlices(dir string, width time.Duration, input any) error {
	r, err := Open(dir)
	if err != nil {
		return err
	}
	slicer, err := r.planSlices(width)
	if err != nil {
		return err
	}
	return derive(filepath.Join(dir, SlicesCSVName), func(table *os.File) error {
		return derive(filepath.Join(dir, SlicesJSONName), func(file *os.File) error {
			w := sliceWriter{epoch: r.Outcome.Epoch, json: bufio.NewWriter(file), csv: bufio.NewWriter(table)}
			return w.write(r, slicer, input)
		})
	})
}

// planSlices reads the records once to learn which slices they belong to.
func (r *Recorded) planSlices(width time.Duration) (*metrics.Slicer, error) {
	first, end, found := time.Duration(0), time.Duration(0), false
	for rec, err := range r.Records() {
		if err != nil {
			return nil, err
		}
		if rec.Phase != loadgen.Profiling {
			continue
		}
		if !found || rec.Sent < first {
			first = rec.Sent
		}
		found = true
		end = max(end, rec.Ended)
	}
	slicer, err := metrics.NewSlicer(r.Meta.Facts, r.Outcome, width, first, end)
	if err != nil {
		return nil, fmt.Errorf("run %s: %w", r.Dir, err)
	}
	for rec, err := range r.Records() {
		if err != nil {
			return nil, err
		}
		slicer.Plan(rec)
	}
	return slicer, nil
}

// A sliceWriter writes both files side by side, a slice at a time.
type sliceWriter struct {
	epoch     int64 // of the run, of the year
	json, csv *bufio.Writer
	n         int // slices written
}

func (w *sliceWriter) write(r *Recorded, slicer *metrics.Slicer, input any) error {
	w.json.WriteString(`{"timeslices":[`)
	w.csv.WriteString("Timeslice,Start_NS,End_NS,Metric,Unit,Stat,Value\r\n")
	for rec, err := range r.Records() {
		if err != nil {
			return err
		}
		for _, s := range slicer.Add(rec) {
			w.slice(&s)
		}
	}
	var o object
	o.open()
	if err := o.any("input_config", input); err != nil {
		return err
	}
	w.json.WriteString("],")
	w.json.Write(o.b[1:])
	w.json.WriteString("}\n")
	return errors.Join(w.json.Flush(), w.csv.Flush())
}

func (w *sliceWriter) slice(s *metrics.Slice) {
	start, end := w.epoch+int64(s.From), w.epoch+int64(s.To)
	var o object
	o.open()
	o.int("start_ns", start)
	o.int("end_ns", end)
	o.bool("is_complete", s.Complete)
	appendMetrics(&o, s.Metrics)
	o.close()
	if w.n > 0 {
		w.json.WriteString(",")
	}
	w.json.WriteString("\n")
	w.json.Write(o.b)
	head := fmt.Sprintf("%d,%d,%d,", w.n, start, end)
	for i := range s.Metrics {
		w.csv.Write(sliceRows(nil, head, &s.Metrics[i]))
	}
	w.n++
}

// sliceRows has a row for every figure of a metric.
func sliceRows(b []byte, head string, m *metrics.Metric) []byte {
	row := func(stat string, v float64) {
		if !finite(v) {
			return
		}
		b = append(b, head...)
		b = append(appendField(b, m.Header), ',')
		b = append(appendField(b, m.Unit), ',')
		b = append(append(b, stat...), ',')
		b = append(strconv.AppendFloat(b, v, 'f', 2, 64), "\r\n"...)
	}
	if m.Value != nil {
		row("avg", *m.Value)
		return b
	}
	for _, stat := range []string{"avg", "p1", "p5", "p10", "p25", "p50", "p75", "p90", "p95", "p99", "min", "max", "std"} {
		if v, ok := m.Stats.Named(stat); ok {
			row(stat, v)
		}
	}
	return b
}
