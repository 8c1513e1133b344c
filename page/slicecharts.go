package page

import (
	"encoding/json"
	"path/filepath"

	"gonum.org/v1/plot/plotter"

	"loadgen/results"
)

// sliceCharts are AIPerf's pictures of a run in slices of its time, with a line
// at the mean over the slices; nil for a run without such files.
func sliceCharts(dir string) ([]Chart, error) {
	var file struct {
		Slices []map[string]json.RawMessage `json:"timeslices"`
	}
	if err := readOptional(filepath.Join(dir, results.SlicesJSONName), &file); err != nil || len(file.Slices) == 0 {
		return nil, err
	}
	first := nanoseconds(file.Slices[0]["start_ns"])
	var charts []Chart
	for _, t := range []struct{ name, title, tag, unit string }{
		{"timeslices_ttft", "Time to first token, mean of each slice", "time_to_first_token", "ms"},
		{"timeslices_itl", "Inter token latency, mean of each slice", "inter_token_latency", "ms"},
		{"timeslices_throughput", "Request throughput of each slice", "request_throughput", "requests/s"},
		{"timeslices_latency", "Request latency, mean of each slice", "request_latency", "ms"},
	} {
		ch := Chart{Name: t.name, Title: t.title, XLabel: "seconds since the first request", YLabel: t.unit, FromZero: true}
		bars := Series{Kind: Bars, Color: 0}
		sum, n, end := 0.0, 0, 0.0
		for _, s := range file.Slices {
			from, to := float64(nanoseconds(s["start_ns"])-first)/1e9, float64(nanoseconds(s["end_ns"])-first)/1e9
			var m struct {
				Avg *float64 `json:"avg"`
			}
			if json.Unmarshal(s[t.tag], &m) != nil || m.Avg == nil {
				continue
			}
			if from > end && n > 0 { // slices without requests are left out of the file
				bars.Points = append(bars.Points, plotter.XY{X: end, Y: 0})
			}
			const gap = 0.06 // between bars, as a share of a slice
			bars.Points = append(bars.Points, plotter.XY{X: from, Y: *m.Avg}, plotter.XY{X: to - gap*(to-from), Y: 0})
			sum, n, end = sum+*m.Avg, n+1, to
		}
		if n == 0 {
			continue
		}
		bars.Points = append(bars.Points, plotter.XY{X: end, Y: 0})
		ch.Series = []Series{bars}
		ch.Levels = []Level{{At: sum / float64(n), Name: "mean of the slices", Color: 1}}
		charts = append(charts, ch)
	}
	return charts, nil
}

func nanoseconds(raw json.RawMessage) int64 {
	var n int64
	_ = json.Unmarshal(raw, &n)
	return n
}
