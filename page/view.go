package page

import (
	"cmp"
	"encoding/json"
	"fmt"
	"html/template"
	"sort"
	"strings"

	"loadgen/analyze"
	"loadgen/internal/outside"
	"loadgen/metrics"
	"loadgen/report"
)

// longest is how many characters a text from outside may take on a page.
const longest = 400

// clean makes a text from outside one harmless line that is not too long. That
// it is text and no markup is the template's care.
func clean(text string) string { return cut(outside.Line(text[:min(len(text), 8*longest)]), longest) }

// view draws a batch. left are the bytes that the page has room for, shared
// among so many runs that are still to come.
func (b *Batch) view(id string, left, runs *int) *batchView {
	v := &batchView{
		ID: id, Name: b.Name, About: b.about(), Answers: b.answers(), Table: b.table(id),
		Comparison: b.Comparison, Notes: b.Broken, Measured: b.measured(),
	}
	for i := range b.Findings {
		v.Findings = append(v.Findings, viewFinding(&b.Findings[i]))
	}
	for i, r := range b.Runs {
		v.Runs = append(v.Runs, r.view(fmt.Sprintf("%s-r%d", id, i+1), len(b.Runs) == 1))
	}
	*left -= v.Table.size() + fit(v.Runs, *left/2)
	share := *left / 3
	v.Searches, v.Sweep = b.searches(id, left), figures(id, b.sweepCharts(), &share)
	for i, r := range b.Runs {
		room := *left / max(*runs, 1)
		before := room
		r.draw(v.Runs[i], &room)
		*left -= before - room
		*runs--
	}
	return v
}

// fit takes tables out of runs until what they say takes no more than so many
// bytes, and returns how many it takes.
func fit(runs []*runView, most int) int {
	size := func() int {
		n := 0
		for _, r := range runs {
			n += r.size()
		}
		return n
	}
	for _, shorten := range []func(*runView){
		func(r *runView) { r.Signs.Rows = nil },
		func(r *runView) { r.Figures.Rows = nil },
		func(r *runView) { r.Notes, r.Errors.Rows = nil, nil },
	} {
		if size() <= most {
			break
		}
		for _, r := range runs {
			shorten(r)
			r.LeftOut = "Tables and charts are left out to keep the page small: loadgen report makes a page of this run alone."
		}
	}
	return size()
}

// size is about how many bytes a table takes on the page.
func (t *table) size() int {
	n := 0
	for _, r := range t.Rows {
		n += 40
		for _, c := range r.Cells {
			n += min(len(c), 2*longest) + 12
		}
	}
	return n
}

func (v *runView) size() int {
	n := 300 + v.Signs.size() + v.Errors.size() + v.Workers.size() + v.Figures.size()
	for _, list := range [][]string{v.Words, v.Reasons, v.Notes, v.Missed} {
		for _, text := range list {
			n += min(len(text), 2*longest) + 12
		}
	}
	return n
}

// about says when and on what the batch was made.
func (b *Batch) about() string {
	r := b.Runs[0]
	var parts []string
	if !b.Started.IsZero() {
		parts = append(parts, b.Started.Format("2 January 2006, 15:04"))
	}
	parts = append(parts, report.Count(len(b.Runs), "run"))
	if r.Meta.Version != "" {
		parts = append(parts, "loadgen "+r.Meta.Version)
	}
	if r.Foreign {
		parts = append(parts, "AIPerf")
	}
	if r.Meta.Label != "" {
		parts = append(parts, "label "+r.Meta.Label)
	}
	return strings.Join(parts, " · ")
}

// tableFigures are the columns of a batch's table.
var tableFigures = []struct {
	head string
	metrics.Figure
}{
	{"goodput, requests/s", metrics.Figure{Tag: "goodput", Stat: "avg"}},
	{"output, tokens/s", metrics.Figure{Tag: "output_token_throughput", Stat: "avg"}},
	{"requests/s", metrics.Figure{Tag: "request_throughput", Stat: "avg"}},
	{"TTFT p50, ms", metrics.Figure{Tag: "time_to_first_token", Stat: "p50"}},
	{"TTFT p99, ms", metrics.Figure{Tag: "time_to_first_token", Stat: "p99"}},
	{"ITL p50, ms", metrics.Figure{Tag: "inter_token_latency", Stat: "p50"}},
	{"ITL p99, ms", metrics.Figure{Tag: "inter_token_latency", Stat: "p99"}},
	{"latency p50, ms", metrics.Figure{Tag: "request_latency", Stat: "p50"}},
	{"latency p99, ms", metrics.Figure{Tag: "request_latency", Stat: "p99"}},
	{"errors, %", metrics.Figure{Tag: metrics.ErrorRate, Stat: "avg"}},
}

// table has a row for every run.
func (b *Batch) table(id string) table {
	t := table{Caption: "The runs of " + b.Name, Head: []string{"run", "verdict"}}
	var columns []metrics.Figure
	for _, f := range tableFigures {
		for _, r := range b.Runs {
			if _, ok := r.figure(f.Figure); ok {
				t.Head, columns = append(t.Head, f.head), append(columns, f.Figure)
				break
			}
		}
	}
	best, _ := report.Best(b.shown())
	for i, r := range b.Runs {
		standing := r.standing()
		if i == best {
			standing += ", best"
		}
		line := row{Link: fmt.Sprintf("#%s-r%d", id, i+1), Tone: cmp.Or(toneOf(r), "plain"), Cells: []string{r.Name(), standing}}
		for _, f := range columns {
			text := "–"
			if v, ok := r.figure(f); ok {
				text = number(v)
			}
			line.Cells = append(line.Cells, text)
		}
		t.Rows = append(t.Rows, line)
	}
	return t
}

// A findingView is a finding in words.
type findingView struct {
	Title, Standing string
	Evidence, Try   []string
}

func viewFinding(f *analyze.Finding) findingView {
	v := findingView{Title: f.Title, Standing: report.Standing(f), Try: f.Try}
	for _, e := range f.Evidence {
		v.Evidence = append(v.Evidence, report.EvidenceLine(e))
	}
	return v
}

// A runView is a run on a page.
type runView struct {
	ID, Name, Standing, Tone string
	Open                     bool
	Words                    []string
	Reasons, Notes, Missed   []string
	Signs                    table
	Errors                   table
	Workers                  table
	Figures                  table
	Series, Shapes           []figure
	Gantt                    template.HTML
	GanttSays                string
	LeftOut                  string
}

// measured says how the batch was made.
func (b *Batch) measured() []fact {
	r := b.Runs[0]
	m := &r.Meta
	var facts []fact
	add := func(name, value string) {
		if value != "" {
			facts = append(facts, fact{name, value})
		}
	}
	add("directory", b.Dir)
	add("batch file", m.ConfigFile)
	if len(m.Command) > 0 {
		add("command", strings.Join(m.Command, " "))
	}
	add("version", m.Version)
	add("label", m.Label)
	if m.Version != "" {
		add("seed", fmt.Sprint(uint64(m.Seed)))
	}
	add("overrides", strings.Join(m.Overrides, ", "))
	add("tokenizer", m.Facts.Tokenizer)
	facts = append(facts, flat("host ", m.Host)...)
	return append(facts, flat("", m.BaseConfig)...)
}

// flat lists the values of a configuration by their paths.
func flat(prefix string, v any) []fact {
	object, ok := v.(map[string]any)
	if !ok {
		if v == nil {
			return nil
		}
		text, err := json.Marshal(v)
		if err != nil {
			return nil
		}
		return []fact{{strings.TrimSpace(strings.TrimSuffix(prefix, ".")), strings.Trim(string(text), `"`)}}
	}
	var facts []fact
	for key := range object {
		facts = append(facts, flat(prefix+key+".", object[key])...)
	}
	sort.Slice(facts, func(i, j int) bool { return facts[i].Name < facts[j].Name })
	const most = 200
	return facts[:min(len(facts), most)]
}
