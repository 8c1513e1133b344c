package results

import (
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"

	"loadgen"
	"loadgen/metrics"
)

// The files of a batch.
const (
	BatchJSONName = "batch_summary.json"
	BatchCSVName  = "batch_summary.csv"
)

// A Row is what became of one run of a batch.
type Row struct {
	Cell loadgen.Cell
	// Repeat and Dir are as in Metadata.
	Repeat int
	Dir    string
	Status loadgen.Status
	// Skipped is why the run was not made; empty for one that was.
	Skipped string
	// Err is why the run failed; empty for one that did not.
	Err string
	// Missed are the stated limits that it missed, a sentence each.
	Missed []string
	// Summary is nil for a run without figures.
	Summary *metrics.Summary
}

// batchFile is batch_summary.json.
type batchFile struct {
	Name      string     `json:"batch_name"`
	Timestamp string     `json:"timestamp"`
	Total     int        `json:"total_runs"`
	Completed int        `json:"completed"`
	Failed    int        `json:"failed"`
	Cancelled int        `json:"cancelled,omitempty"`
	Skipped   int        `json:"skipped,omitempty"`
	Runs      []batchRow `json:"runs"`
	Findings  any        `json:"findings,omitempty"`
}

type batchRow struct {
	Index  int             `json:"run_index"`
	Dir    string          `json:"dir"`
	Repeat int             `json:"repeat,omitempty"`
	Params json.RawMessage `json:"sweep_params"`
	Status loadgen.Status  `json:"status"`
	Error  string          `json:"error,omitempty"`
	// SkipReason is why the run was not made.
	SkipReason string          `json:"skip_reason,omitempty"`
	Verdict    metrics.Verdict `json:"verdict,omitempty"`
	Reasons    []string        `json:"reasons,omitempty"`
	Missed     []string        `json:"limits_missed,omitempty"`
	Counts     *metrics.Counts `json:"counts,omitempty"`
	Loaded     *metrics.Window `json:"under_load,omitempty"`
	GPUs       int             `json:"gpus,omitempty"`
	Pareto     *bool           `json:"pareto_optimal,omitempty"` // where the GPUs are known
	PerJoule   *float64        `json:"output_tokens_per_joule,omitempty"`
	Metrics    json.RawMessage `json:"metrics,omitempty"`
}

// Finish writes the batch's summary: a row for every cell that was begun, in
// the order given.
func (b *Batch) Finish(rows []Row) error {
	return errors.Join(
		b.finishJSON(filepath.Join(b.Dir, BatchJSONName), rows),
		b.keepFile(filepath.Join(b.Dir, BatchCSVName), batchCSV(rows)),
	)
}

func (b *Batch) finishJSON(path string, rows []Row) error {
	file := batchFile{Name: b.Name, Timestamp: localTime(b.started), Total: len(rows), Runs: []batchRow{}, Findings: b.Findings}
	frontier := frontierOf(rows)
	for i := range rows {
		row := &rows[i]
		params, err := sweepParams(row.Cell.Values)
		if err != nil {
			return failed(path, err)
		}
		out := batchRow{
			Index: row.Cell.Index, Dir: filepath.Join(".", row.Dir), Repeat: row.Repeat, Params: params,
			Status: row.Status, Error: row.Err, SkipReason: row.Skipped, Missed: row.Missed,
		}
		if s := row.Summary; s != nil {
			out.Verdict, out.Reasons, out.Counts, out.Loaded = s.Validity.Verdict, reasons(s), &s.Counts, s.Loaded
			if out.GPUs = s.GPUs; s.GPUs > 0 {
				out.Pareto = &frontier[i]
			}
			if perJoule, ok := s.TokensPerJoule(); ok {
				out.PerJoule = &perJoule
			}
			var o object
			o.open()
			appendMetrics(&o, s.Metrics)
			o.close()
			out.Metrics = o.b
		}
		file.count(row.Status)
		file.Runs = append(file.Runs, out)
	}
	return b.keepJSON(path, file)
}

// frontierOf reports which runs lie on the Pareto frontier of their work.
func frontierOf(rows []Row) []bool {
	points := make([]metrics.FrontierRun, len(rows))
	for i, row := range rows {
		points[i].Values = row.Cell.Values
		if row.Status == loadgen.Completed {
			points[i].Summary = row.Summary
		}
	}
	return metrics.Frontier(points)
}

// count takes in what became of a run.
func (f *batchFile) count(s loadgen.Status) {
	switch s {
	case loadgen.Completed:
		f.Completed++
	case loadgen.Failed:
		f.Failed++
	case loadgen.Interrupted:
		f.Cancelled++
	case loadgen.Skipped:
		f.Skipped++
	}
}

// reasons are those of a verdict, in words.
func reasons(s *metrics.Summary) []string {
	var texts []string
	for _, sign := range s.Validity.Reasons {
		texts = append(texts, sign.Text)
	}
	return texts
}

// batchColumns are the metrics of batch_summary.csv with the figures shown of
// each.
var batchColumns = []struct {
	tag     string
	figures []string
}{
	{"request_count", nil},
	{"error_request_count", nil},
	{"request_throughput", nil},
	{"output_token_throughput", nil},
	{"goodput", nil},
	{"good_request_fraction", nil},
	{"time_to_first_token", []string{"avg", "p50", "p99"}},
	{"inter_token_latency", []string{"avg", "p50", "p99"}},
	{"request_latency", []string{"avg", "p50", "p99"}},
	{"output_sequence_length", []string{"avg"}},
	{"input_sequence_length", []string{"avg"}},
	{"effective_concurrency", []string{"avg"}},
	{"benchmark_duration", nil},
}

// batchCSV has one row per cell: its place, its swept values, its verdict and
// the main metrics in their display units. What a cell lacks is empty.
func batchCSV(rows []Row) []byte {
	b := []byte("run_index,dir")
	var keys []string
	if len(rows) > 0 {
		for _, v := range rows[0].Cell.Values {
			keys = append(keys, v.Key)
			b = appendField(append(b, ','), v.Key)
		}
	}
	b = append(b, ",status,verdict"...)
	for _, c := range batchColumns {
		if c.figures == nil {
			b = append(append(b, ','), c.tag...)
		}
		for _, f := range c.figures {
			b = append(append(b, ','), c.tag+"_"+f...)
		}
	}
	b = append(b, ",gpus,output_token_throughput_per_gpu,output_token_throughput_per_user_avg,pareto_optimal,output_tokens_per_joule,cost_per_million_output_tokens,limits_missed,error\r\n"...)
	frontier := frontierOf(rows)
	for i := range rows {
		row := &rows[i]
		s := row.Summary
		if s == nil {
			s = new(metrics.Summary)
		}
		b = strconv.AppendInt(b, int64(row.Cell.Index), 10)
		b = appendField(append(b, ','), filepath.Join(".", row.Dir))
		for _, k := range keys {
			b = append(b, ',')
			for _, v := range row.Cell.Values {
				if v.Key == k {
					b = appendField(b, fmt.Sprint(v.Value))
				}
			}
		}
		b = append(append(b, ','), row.Status...)
		b = append(append(b, ','), s.Validity.Verdict...)
		for _, c := range batchColumns {
			b = appendFigures(b, s.Metric(c.tag), c.figures)
		}
		b = appendPerGPU(b, s, frontier[i])
		b = append(b, ',')
		if perJoule, ok := s.TokensPerJoule(); ok {
			b = strconv.AppendFloat(b, perJoule, 'g', -1, 64)
		}
		b = appendFigures(b, s.Metric(metrics.CostPerOutput), nil)
		b = appendField(append(b, ','), strings.Join(row.Missed, "; "))
		b = appendField(append(b, ','), row.Err)
		b = append(b, "\r\n"...)
	}
	return b
}

// appendPerGPU appends the place of a run on the plane of tokens/s per GPU and
// per user; empty where the GPUs are not known.
func appendPerGPU(b []byte, s *metrics.Summary, frontier bool) []byte {
	if s.GPUs == 0 {
		return append(b, ",,,,"...)
	}
	b = strconv.AppendInt(append(b, ','), int64(s.GPUs), 10)
	b = appendFigures(b, s.Metric(metrics.PerGPU), nil)
	b = appendFigures(b, s.Metric("output_token_throughput_per_user"), []string{"avg"})
	return strconv.AppendBool(append(b, ','), frontier)
}

func appendFigures(b []byte, m *metrics.Metric, figures []string) []byte {
	if m == nil {
		for range max(len(figures), 1) {
			b = append(b, ',')
		}
		return b
	}
	if m.Value != nil {
		return appendCells(b, m.Integer, *m.Value)
	}
	for _, f := range figures {
		b = appendCells(b, false, map[string]float64{"avg": m.Stats.Avg, "p50": m.Stats.P50, "p99": m.Stats.P99}[f])
	}
	return b
}
