package results

import (
	"bytes"
	"math"
	"slices"
	"strings"

	"github.com/parquet-go/parquet-go"

	"loadgen/observe"
)

// ServerParquetName is AIPerf's name of a server's metrics as Parquet.
const ServerParquetName = "server_metrics_export.parquet"

// serverColumn is the kind of each fixed column; those of labels are texts.
var serverColumn = map[string]parquet.Node{
	"endpoint_url": parquet.String(), "metric_name": parquet.String(), "metric_type": parquet.String(),
	"unit": parquet.Optional(parquet.String()), "description": parquet.Optional(parquet.String()),
	"timestamp_ns": parquet.Int(64),
	"value":        parquet.Optional(parquet.Leaf(parquet.DoubleType)),
	"sum":          parquet.Optional(parquet.Leaf(parquet.DoubleType)),
	"count":        parquet.Optional(parquet.Leaf(parquet.DoubleType)),
	"bucket_le":    parquet.Optional(parquet.String()),
	"bucket_count": parquet.Optional(parquet.Leaf(parquet.DoubleType)),
}

// A serverTable is a table of samples under way.
type serverTable struct {
	columns []string // in the order of the file: by name
	node    map[string]parquet.Node
	w       *parquet.GenericWriter[any]
	rows    []parquet.Row
	err     error
}

// serverParquet is server_metrics_export.parquet: a row for each sample of the
// measured phase that was kept, and for each bucket of a histogram. Counters and
// histograms count from the last scrape before it, as in AIPerf's file.
func (r *Run) serverParquet(rec *observe.Recording) ([]byte, error) {
	var b bytes.Buffer
	t := newServerTable(rec, &b,
		parquet.KeyValueMetadata("aiperf.schema_version", "1.0"),
		parquet.KeyValueMetadata("aiperf.version", "loadgen "+r.meta.Version),
		parquet.KeyValueMetadata("aiperf.benchmark_id", r.batch.benchmarkID(r.meta.Dir)),
	)
	for _, e := range endpoints(rec) {
		reference, from, to, ok := e.Stretch(observe.Measured)
		if !ok {
			continue
		}
		for _, s := range e.Sorted() {
			if isInfo(s) {
				continue
			}
			for point := from; point <= to; point++ {
				t.sample(rec, e, s, point, reference)
			}
		}
	}
	err := t.close()
	return b.Bytes(), err
}

func newServerTable(rec *observe.Recording, b *bytes.Buffer, options ...parquet.WriterOption) *serverTable {
	t := &serverTable{node: map[string]parquet.Node{}}
	for name, node := range serverColumn {
		t.node[name] = node
	}
	for _, e := range endpoints(rec) {
		for _, s := range e.Series {
			for _, l := range s.Labels {
				t.node[labelColumn(l.Name)] = parquet.Optional(parquet.String())
			}
		}
	}
	group := parquet.Group{}
	for name, node := range t.node {
		group[name] = parquet.Compressed(node, &parquet.Snappy)
		t.columns = append(t.columns, name)
	}
	slices.Sort(t.columns)
	t.w = parquet.NewGenericWriter[any](b, append(options, parquet.NewSchema("server_metrics", group))...)
	return t
}

// labelColumn is the column of a label; one that is called like a fixed column
// stands apart.
func labelColumn(name string) string {
	if serverColumn[name] != nil {
		return "label_" + name
	}
	return name
}

// sample adds the rows of one series at one point.
func (t *serverTable) sample(rec *observe.Recording, e *observe.Endpoint, s *observe.Series, point, reference int) {
	row := map[string]any{
		"endpoint_url": e.URL, "metric_name": metricName(s), "metric_type": s.Family.Kind.String(), "timestamp_ns": at(rec, e.Points[point].At),
	}
	optional := func(name, text string) {
		if text != "" {
			row[name] = text
		}
	}
	optional("unit", s.Family.Unit)
	optional("description", s.Family.Help)
	for _, l := range s.Labels {
		optional(labelColumn(l.Name), l.Value)
	}
	if s.Values != nil {
		v := s.Values[point]
		if math.IsNaN(v) {
			return
		}
		if before := s.Values[reference]; s.Family.Kind == observe.Counter && !math.IsNaN(before) {
			v -= before
		}
		row["value"] = v
		t.add(row)
		return
	}
	spread, ok := e.Between(s, reference, point)
	if !ok {
		return
	}
	row["sum"], row["count"] = spread.Sum, spread.Count
	if len(spread.Bounds) == 0 {
		t.add(row)
	}
	for i, bound := range spread.Bounds {
		row["bucket_le"], row["bucket_count"] = le(bound), spread.Counts[i]
		t.add(row)
	}
}

// rowsAtOnce are handed to the writer together.
const rowsAtOnce = 1024

func (t *serverTable) add(values map[string]any) {
	row := make(parquet.Row, len(t.columns))
	for i, name := range t.columns {
		v, there := values[name]
		switch {
		case !there:
			row[i] = parquet.NullValue().Level(0, 0, i)
		case t.node[name].Optional():
			row[i] = parquet.ValueOf(v).Level(0, 1, i)
		default:
			row[i] = parquet.ValueOf(v).Level(0, 0, i)
		}
		if text, ok := v.(string); ok {
			row[i] = parquet.ByteArrayValue([]byte(strings.ToValidUTF8(text, "\ufffd"))).Level(0, row[i].DefinitionLevel(), i)
		}
	}
	if t.rows = append(t.rows, row); len(t.rows) >= rowsAtOnce {
		t.flush()
	}
}

func (t *serverTable) flush() {
	if t.err == nil && len(t.rows) > 0 {
		_, t.err = t.w.WriteRows(t.rows)
	}
	t.rows = t.rows[:0]
}

func (t *serverTable) close() error {
	t.flush()
	if t.err != nil {
		return t.err
	}
	return t.w.Close()
}
