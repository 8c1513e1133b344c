package sink

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"strconv"

	"github.com/parquet-go/parquet-go"

	"loadgen"
	"loadgen/metrics"
	"loadgen/sweep"
)

// ParquetName holds the records of all runs of a batch, a row per request.
const ParquetName = "records.parquet"

// rowGroup is how many rows are held in memory before they are written.
const rowGroup = 64 << 10

// A column is one of the table: how a record's value of it comes about.
type column struct {
	name  string
	node  parquet.Node
	value func(*row) (parquet.Value, bool) // false for none
}

// A row is what columns are made of.
type row struct {
	*loadgen.Record
	run *Run
	m   metrics.Measurement
}

func parquetFile(_ context.Context, b *Batch, _ *sweep.Export, _ *Options) (string, error) {
	path := filepath.Join(b.Dir, ParquetName)
	return path, file(path, func(w io.Writer) error { return writeParquet(w, b) })
}

func writeParquet(w io.Writer, b *Batch) error {
	columns := columnsOf(b)
	group := parquet.Group{}
	byName := map[string]*column{}
	for i := range columns {
		c := &columns[i]
		group[c.name], byName[c.name] = parquet.Optional(c.node), c
	}
	schema := parquet.NewSchema("request", group)
	var ordered []*column // as the schema has them
	for _, path := range schema.Columns() {
		ordered = append(ordered, byName[path[0]])
	}
	out := parquet.NewWriter(w, schema, parquet.Compression(&parquet.Zstd), parquet.CreatedBy("loadgen", "", ""))
	if b.Searches != nil {
		found, err := parquetCapacities(b)
		if err != nil {
			return err
		}
		out.SetKeyValueMetadata("loadgen.capacities", found)
	}
	rows := 0
	buffer := make(parquet.Row, len(ordered))
	for _, run := range b.Runs {
		r := &row{run: run}
		for rec, err := range run.Records() {
			if err != nil {
				return fmt.Errorf("reading %s: %w", run.Name, err)
			}
			r.Record, r.m = rec, metrics.Measurement{}
			r.m.ServerInput = run.Meta.Facts.ServerInput
			metrics.Measure(rec, &r.m)
			for i, c := range ordered {
				if v, ok := c.value(r); ok {
					buffer[i] = v.Level(0, 1, i)
				} else {
					buffer[i] = parquet.NullValue().Level(0, 0, i)
				}
			}
			if _, err := out.WriteRows([]parquet.Row{buffer}); err != nil {
				return err
			}
			if rows++; rows%rowGroup == 0 {
				if err := out.Flush(); err != nil {
					return err
				}
			}
		}
	}
	return out.Close()
}

// parquetCapacities are what searches found as JSON, for the file's own metadata: an
// answer is of no request.
func parquetCapacities(b *Batch) (string, error) {
	var list []object
	for _, a := range b.answers() {
		swept := object{}
		for _, v := range a.of.Cell.Values {
			swept[v.Key] = v.Value
		}
		entry := object{
			"sweep_params": swept, "over": a.of.Over, "unit": a.of.Unit, "tier": a.tier.Name, "limits": limitsText(a.tier),
			"status": a.tier.Status, "certified": a.tier.Certified, "confidence": a.of.Confidence, "answer": a.tier.Answer,
		}
		for name, v := range a.tier.Numbers() {
			entry[name] = v
		}
		list = append(list, entry)
	}
	data, err := json.Marshal(list)
	return string(data), err
}

// columnsOf are the columns of a batch: what each record says of itself, the
// figures of each request, and the swept values.
func columnsOf(b *Batch) []column {
	columns := []column{
		text("run", func(r *row) string { return r.run.Name }),
		whole("cell", func(r *row) int64 { return int64(r.run.Meta.Cell.Index) }),
		whole("repeat", func(r *row) int64 { return int64(r.run.Meta.Repeat) }),
		text("probe", func(r *row) string {
			if r.run.Probe == nil {
				return ""
			}
			return r.run.Probe.kind()
		}),
		text("verdict", func(r *row) string { return r.run.Verdict() }),
		text("phase", func(r *row) string { return r.Phase.String() }),
		whole("index", func(r *row) int64 { return int64(r.Index) }),
		whole("worker", func(r *row) int64 { return int64(r.Worker) }),
		text("request_id", func(r *row) string { return r.Request.ID }),
		text("session", func(r *row) string { return r.Request.Session }),
		whole("turn", func(r *row) int64 { return int64(r.Request.Turn) }),
		{"start", parquet.Timestamp(parquet.Nanosecond), func(r *row) (parquet.Value, bool) {
			return parquet.Int64Value(r.Start.UnixNano()), true
		}},
		whole("due_ns", func(r *row) int64 { return int64(r.Due) }),
		whole("sent_ns", func(r *row) int64 { return int64(r.Sent) }),
		whole("ended_ns", func(r *row) int64 { return int64(r.Ended) }),
		yes("ramp", func(r *row) bool { return r.Ramp }),
		yes("crossing", func(r *row) bool { return r.Crossing }),
		yes("ok", func(r *row) bool { return r.OK() }),
		whole("status", func(r *row) int64 { return int64(r.Status) }),
		text("failure", func(r *row) string {
			if r.Failure == nil {
				return ""
			}
			return string(r.Failure.Kind)
		}),
		text("finish_reason", func(r *row) string { return r.FinishReason }),
		text("model", func(r *row) string { return r.Model }),
		text("timing", func(r *row) string { return r.Timing.String() }),
		whole("chunks", func(r *row) int64 { return int64(len(r.Chunks)) }),
	}
	for _, d := range metrics.Definitions() {
		if d.Kind != metrics.PerRequest {
			continue
		}
		columns = append(columns, column{d.Tag, parquet.Leaf(parquet.DoubleType), func(r *row) (parquet.Value, bool) {
			v, ok := r.m.Value(d.ID)
			return parquet.DoubleValue(v), ok
		}})
	}
	seen := map[string]bool{}
	for _, run := range b.Runs {
		for _, v := range run.Meta.Cell.Values {
			if name := "sweep." + v.Key; !seen[name] {
				seen[name] = true
				columns = append(columns, swept(b, name, v.Key))
			}
		}
	}
	return columns
}

func text(name string, of func(*row) string) column {
	return column{name, parquet.Encoded(parquet.String(), &parquet.RLEDictionary), func(r *row) (parquet.Value, bool) {
		v := of(r)
		return parquet.ByteArrayValue([]byte(v)), v != ""
	}}
}

func whole(name string, of func(*row) int64) column {
	return column{name, parquet.Int(64), func(r *row) (parquet.Value, bool) { return parquet.Int64Value(of(r)), true }}
}

func yes(name string, of func(*row) bool) column {
	return column{name, parquet.Leaf(parquet.BooleanType), func(r *row) (parquet.Value, bool) { return parquet.BooleanValue(of(r)), true }}
}

// swept is a column of a swept key: of numbers where all its values are.
func swept(b *Batch, name, key string) column {
	numbers := true
	for _, run := range b.Runs {
		if v, ok := run.swept(key); ok {
			_, number := asFloat(v)
			numbers = numbers && number
		}
	}
	if numbers {
		return column{name, parquet.Leaf(parquet.DoubleType), func(r *row) (parquet.Value, bool) {
			v, ok := r.run.swept(key)
			x, _ := asFloat(v)
			return parquet.DoubleValue(x), ok
		}}
	}
	return text(name, func(r *row) string {
		v, ok := r.run.swept(key)
		if !ok {
			return ""
		}
		return fmt.Sprint(v)
	})
}

// swept is the value that the run has of a swept key.
func (r *Run) swept(key string) (any, bool) {
	for _, v := range r.Meta.Cell.Values {
		if v.Key == key {
			return v.Value, true
		}
	}
	return nil, false
}

func asFloat(v any) (float64, bool) {
	switch v := v.(type) {
	case int:
		return float64(v), true
	case int64:
		return float64(v), true
	case float64:
		return v, true
	}
	return 0, false
}

func compact(v float64) string { return strconv.FormatFloat(v, 'g', 6, 64) }
