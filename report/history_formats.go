package report

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"strconv"
	"strings"
	"time"

	"loadgen/analyze"
	"loadgen/compare"
	"loadgen/internal/outside"
	"loadgen/metrics"
)

// HistoryAs is the history as a table, markdown, csv or json; the first two show
// the last nights only, 0 for all.
func HistoryAs(format string, h *compare.History, shown []metrics.Figure, last int, o Options) (string, error) {
	switch format {
	case "markdown":
		return HistoryMarkdown(h, shown, last), nil
	case "csv":
		data, err := HistoryCSV(h, shown)
		return string(data), err
	case "json":
		return jsonText(HistoryJSON(h))
	}
	return HistoryTable(h, shown, last, o), nil
}

// HistoryMarkdown shows the last nights and all changes of level.
func HistoryMarkdown(h *compare.History, shown []metrics.Figure, last int) string {
	shown = present(h, shown)
	var b strings.Builder
	b.WriteString("| night | label | verdict |")
	for _, f := range shown {
		fmt.Fprintf(&b, " %s (%s) |", markdown(f.String()), h.Unit(f))
	}
	b.WriteString("\n|---|---|---|" + strings.Repeat("---:|", len(shown)) + "\n")
	from := 0
	if last > 0 {
		from = max(0, len(h.Nights)-last)
	}
	for i := from; i < len(h.Nights); i++ {
		n := &h.Nights[i]
		fmt.Fprintf(&b, "| %s | %s | %s |", markdown(n.Dir), markdown(outside.Line(n.Label)), NightVerdict(n))
		for _, f := range shown {
			fmt.Fprintf(&b, " %s |", nightFigure(h, n, f))
		}
		b.WriteString("\n")
	}
	if others := otherQuestions(h); others != "" {
		fmt.Fprintf(&b, "\n%s\n", markdown(others))
	}
	b.WriteString("\n**Changes of level**\n\n")
	for _, line := range changeLines(h) {
		fmt.Fprintf(&b, "- %s\n", markdown(line.text))
	}
	return b.String()
}

// HistoryCSV has a row for each night and cell, with all figures shown; a
// change of level stands in the row of its first night.
func HistoryCSV(h *compare.History, shown []metrics.Figure) ([]byte, error) {
	shown = present(h, shown)
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	head := []string{"night", "started", "label", "version", "verdict", "cell"}
	for _, f := range shown {
		head = append(head, f.String())
	}
	if err := w.Write(append(head, "changed")); err != nil {
		return nil, err
	}
	changed := map[string][]string{} // by night and cell
	for _, s := range h.Series {
		for _, c := range s.Changes {
			key := fmt.Sprintf("%d %s", c.Night, s.Cell)
			changed[key] = append(changed[key], fmt.Sprintf("%s %s", s.Figure, percent(c.After/c.Before-1)))
		}
	}
	for i := range h.Nights {
		n := &h.Nights[i]
		for _, cell := range n.Cells {
			row := []string{n.Dir, started(n), outside.Cell(n.Label), outside.Cell(n.Version), NightVerdict(n), outside.Cell(cell.Key)}
			for _, f := range shown {
				text := ""
				if v, ok := cell.Figures[f]; ok {
					text = strconv.FormatFloat(v, 'g', -1, 64)
				}
				row = append(row, text)
			}
			if err := w.Write(append(row, strings.Join(changed[fmt.Sprintf("%d %s", i, cell.Key)], "; "))); err != nil {
				return nil, err
			}
		}
	}
	w.Flush()
	return b.Bytes(), w.Error()
}

func started(n *compare.Night) string {
	if n.Started.IsZero() {
		return ""
	}
	return n.Started.Format(time.RFC3339)
}

// A HistoryFile is the history as JSON.
type HistoryFile struct {
	SchemaVersion string          `json:"schema_version"`
	Nights        []historyNight  `json:"nights"`
	Series        []historySeries `json:"series"`
	// OtherLimits are nights whose capacities are left out of the series: they were
	// sought within other limits than last.
	OtherLimits []string `json:"other_limits,omitempty"`
}

type historyNight struct {
	Night   string `json:"night"`
	Started string `json:"started,omitempty"`
	Label   string `json:"label,omitempty"`
	Version string `json:"version,omitempty"`
	Verdict string `json:"verdict"`
	Runs    int    `json:"runs"`
}

type historySeries struct {
	Cell   string           `json:"cell"`
	Metric string           `json:"metric"`
	Unit   string           `json:"unit"`
	Values []analyze.Number `json:"values"` // of each night; null where it has none
	Noise  analyze.Number   `json:"night_noise"`
	// Changes of level, oldest first.
	Changes []historyChange `json:"changes"`
}

type historyChange struct {
	Night   string  `json:"night"`
	Before  float64 `json:"before"`
	After   float64 `json:"after"`
	Ratio   float64 `json:"ratio"`
	P       float64 `json:"p"`
	Verdict string  `json:"verdict"`
}

// HistoryJSON is the whole history.
func HistoryJSON(h *compare.History) HistoryFile {
	file := HistoryFile{SchemaVersion: "1.0", Nights: []historyNight{}, Series: []historySeries{}, OtherLimits: h.Others}
	for i := range h.Nights {
		n := &h.Nights[i]
		file.Nights = append(file.Nights, historyNight{n.Dir, started(n), n.Label, n.Version, NightVerdict(n), n.Runs})
	}
	for i := range h.Series {
		s := &h.Series[i]
		out := historySeries{Cell: s.Cell, Metric: s.Figure.String(), Unit: h.Unit(s.Figure), Noise: s.Noise, Changes: []historyChange{}}
		out.Values = analyze.Undefined(len(h.Nights))
		for k, night := range s.At {
			out.Values[night] = analyze.Number(s.Values[k])
		}
		for _, c := range s.Changes {
			verdict := "better"
			if c.Worse {
				verdict = "worse"
			}
			out.Changes = append(out.Changes, historyChange{h.Nights[c.Night].Dir, c.Before, c.After, c.After / c.Before, c.P, verdict})
		}
		file.Series = append(file.Series, out)
	}
	return file
}
