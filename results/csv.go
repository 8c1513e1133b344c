package results

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"loadgen/internal/outside"
	"loadgen/metrics"
)

const (
	csvDistributions = "Metric,avg,min,max,sum,p1,p5,p10,p25,p50,p75,p90,p95,p99,std\r\n"
	csvScalars       = "Metric,Value\r\n"
)

// appendCSV appends profile_export_aiperf.csv: the distributions, an empty
// line, the single values, each sorted by tag. Lines end as those of Python's
// csv module do.
func appendCSV(b []byte, ms []metrics.Metric) []byte {
	sorted := slices.Clone(ms)
	slices.SortFunc(sorted, func(a, b metrics.Metric) int { return strings.Compare(a.Tag, b.Tag) })
	b = append(b, csvDistributions...)
	for _, m := range sorted {
		if s := m.Stats; s != nil {
			b = appendField(b, csvName(m))
			b = appendCells(b, false, s.Avg)
			b = appendCells(b, m.Integer, s.Min, s.Max, s.Sum)
			b = appendCells(b, false, s.P1, s.P5, s.P10, s.P25, s.P50, s.P75, s.P90, s.P95, s.P99, s.Std)
			b = append(b, "\r\n"...)
		}
	}
	b = append(b, "\r\n"+csvScalars...)
	for _, m := range sorted {
		if m.Value != nil {
			b = appendField(b, csvName(m))
			b = appendCells(b, m.Integer, *m.Value)
			b = append(b, "\r\n"...)
		}
	}
	return b
}

// csvName is the metric's header with its unit, which counts do without.
func csvName(m metrics.Metric) string {
	if m.Unit == "count" || m.Unit == "requests" {
		return m.Header
	}
	return m.Header + " (" + m.Unit + ")"
}

// appendCells appends a comma and a number for each value: integers as such,
// others with two decimals, nothing for what does not apply.
func appendCells(b []byte, integer bool, values ...float64) []byte {
	for _, v := range values {
		b = append(b, ',')
		switch {
		case !finite(v):
		case integer && v == math.Trunc(v):
			b = strconv.AppendInt(b, int64(v), 10)
		default:
			b = strconv.AppendFloat(b, v, 'f', 2, 64)
		}
	}
	return b
}

// appendField appends a text, in quotes where CSV needs them, and such that no
// spreadsheet takes it for a formula.
func appendField(b []byte, s string) []byte {
	if cell := outside.Cell(s); cell != s {
		s = cell
	} else if !strings.ContainsAny(s, ",\"\r\n") {
		return append(b, s...)
	}
	b = append(b, '"')
	b = append(b, strings.ReplaceAll(s, `"`, `""`)...)
	return append(b, '"')
}
