package page

import (
	"fmt"
	"html/template"
	"strings"
	"time"

	"loadgen"
	"loadgen/analyze"
	"loadgen/metrics"
	"loadgen/report"
	"loadgen/results"
)

// view says of a run what is told without a picture.
func (r *Run) view(id string, open bool) *runView {
	v := &runView{ID: id, Name: r.Name(), Standing: r.standing(), Tone: toneOf(r), Open: open, Missed: r.Missed}
	if r.Skipped != "" {
		v.Words = append(v.Words, "Not made: "+r.Skipped)
		return v
	}
	if r.Failed != "" {
		v.Words = append(v.Words, "Failed: "+r.Failed)
	}
	if r.Summary != nil {
		r.words(v)
	}
	return v
}

// words are those of a run with figures.
func (r *Run) words(v *runView) {
	s := r.Summary
	c := &s.Counts
	v.Words = append(v.Words, fmt.Sprintf("%s: %d ok, %d failed, %d cancelled.", report.Count(c.Issued, "request"), c.OK, c.Failed, c.Cancelled))
	if w := s.Loaded; w != nil {
		text := fmt.Sprintf("Under load from %.4g to %.4g s: %s requests/s", w.From, w.To, number(w.RequestThroughput))
		if w.TokenThroughput != nil {
			text += ", " + number(*w.TokenThroughput) + " tokens/s"
		}
		v.Words = append(v.Words, text+fmt.Sprintf(", %s in flight.", number(w.InFlight)))
	}
	if made := report.WorkersLine(s.Workers); made != "" {
		v.Words = append(v.Words, strings.ToUpper(made[:1])+made[1:]+".")
		v.Workers = workersTable(s.Workers)
	}
	for _, certificate := range s.Certificates {
		v.Words = append(v.Words, certificate.String())
	}
	for _, sign := range s.Validity.Reasons {
		v.Reasons = append(v.Reasons, sign.Text)
	}
	v.Notes = append(v.Notes, s.Validity.Notes...)
	if len(s.Validity.Signs) > 0 {
		v.Signs = table{Caption: "What the verdict rests on", Words: true, Head: []string{"sign", "verdict", "value", "limit", "unit"}}
		for _, sign := range s.Validity.Signs {
			v.Signs.Rows = append(v.Signs.Rows, row{Cells: []string{sign.Name, string(sign.Verdict), number(sign.Value), number(sign.Limit), sign.Unit}})
		}
	}
	if len(s.Errors) > 0 {
		v.Errors = table{Caption: "Errors by kind", Words: true, Head: []string{"kind", "status", "count", "the first message"}}
		for _, e := range s.Errors {
			status := "–"
			if e.Status > 0 {
				status = fmt.Sprint(e.Status)
			}
			v.Errors.Rows = append(v.Errors.Rows, row{Cells: []string{string(e.Kind), status, fmt.Sprint(e.Count), e.Message}})
		}
	}
	r.figures(v)
}

// workersTable is what each of several workers made of a run, and found of itself.
func workersTable(workers []loadgen.Worker) table {
	t := table{Caption: "Workers", Words: true, Head: []string{
		"worker", "verdict", "host", "requests", "ok", "failed", "cancelled", "lost", "began late, ms", "clock ahead, ms", "known within, ms", "why",
	}}
	millis := func(d time.Duration) string { return number(d.Seconds() * 1e3) }
	for _, w := range workers {
		verdict, why := w.Verdict, strings.Join(w.Reasons, "; ")
		if w.Gone != "" {
			verdict, why = "lost", w.Gone
		}
		t.Rows = append(t.Rows, row{Cells: []string{
			fmt.Sprint(w.Worker), verdict, w.Host, fmt.Sprint(w.Issued), fmt.Sprint(w.OK), fmt.Sprint(w.Failed), fmt.Sprint(w.Cancelled), fmt.Sprint(w.Lost),
			millis(w.Late), millis(w.Offset), millis(w.Bound), why,
		}})
	}
	return t
}

// figures are the metrics of AIPerf's table.
func (r *Run) figures(v *runView) {
	v.Figures = table{Caption: "Metrics", Head: []string{"metric", "avg", "min", "p50", "p90", "p99", "max"}}
	for _, m := range r.Summary.Metrics {
		if m.Console == 0 {
			continue
		}
		cells := []string{m.Header + ", " + m.Unit}
		if m.Value != nil {
			cells = append(cells, number(*m.Value), "", "", "", "", "")
		} else {
			for _, x := range []float64{m.Stats.Avg, m.Stats.Min, m.Stats.P50, m.Stats.P90, m.Stats.P99, m.Stats.Max} {
				cells = append(cells, number(x))
			}
		}
		v.Figures.Rows = append(v.Figures.Rows, row{Cells: cells})
	}
}

// draw draws as much of how the run went as there is room for: a run among a
// hundred has fewer and coarser charts than one alone.
func (r *Run) draw(v *runView, room *int) {
	if r.Summary == nil {
		return
	}
	course, err := r.course()
	if err != nil {
		v.Notes = append(v.Notes, "How the run went cannot be read: "+err.Error())
	}
	if course == nil {
		return
	}
	if r.Foreign {
		v.Notes = append(v.Notes, "The charts are made of AIPerf's records by loadgen's rules: the input length is the server's count where it told one, and a request whose tokens came all at once has no ITL.")
	}
	const fullRoom, pointsOfFull, pointsOfSmall = 90_000, 240, 60
	points := pointsOfSmall
	if *room >= fullRoom {
		points = pointsOfFull
	}
	series, shapes := courseCharts(course, points), shapeCharts(course)
	lines, err := results.ReadServerSeries(r.Dir)
	if err != nil {
		v.Notes = append(v.Notes, "What the server said cannot be read: "+err.Error())
	}
	series = append(series, serverCharts(lines, course, points)...)
	v.Series = figures(v.ID, series, room)
	v.Shapes = figures(v.ID, shapes, room)
	if left := drawable(series) + drawable(shapes) - len(v.Series) - len(v.Shapes); left > 0 {
		v.LeftOut = fmt.Sprintf("%s left out to keep the page small: loadgen report %s makes a page of this run alone.", report.Count(left, "chart"), r.Dir)
	}
	r.drawGantt(v, room)
}

func (r *Run) drawGantt(v *runView, room *int) {
	calls, err := r.calls(ganttCalls)
	if err != nil || len(calls) == 0 {
		return
	}
	gantt := report.NewGantt(calls, report.GanttOptions{Title: "Requests over time", Width: 960, Rows: 30})
	picture, err := drawn(func() ([]byte, error) { return restyle(gantt.SVG(), "Requests over time, a bar for each", "") })
	if err != nil || len(picture) > *room {
		return
	}
	*room -= len(picture)
	v.Gantt = template.HTML(picture) //nolint:gosec // every text in it was escaped by restyle
	v.GanttSays = fmt.Sprintf("The first %s that ended.", report.Count(len(calls), "request"))
}

func drawable(charts []Chart) int {
	n := 0
	for i := range charts {
		if !charts[i].empty() {
			n++
		}
	}
	return n
}

// ganttCalls is of how many requests a page has bars.
const ganttCalls = 100

// course is how the run went: from its file, or of a run without one from its
// records.
func (r *Run) course() (*metrics.Course, error) {
	if r.Foreign {
		course, first, err := foreignCourse(r.Dir)
		r.firstCalls = first
		return course, err
	}
	c, err := results.ReadSeries(r.Dir)
	if c != nil || err != nil {
		return c, err
	}
	recorded, err := results.Open(r.Dir)
	if err != nil {
		return nil, err
	}
	return recorded.Course()
}

// calls are the first requests of a run that ended; of AIPerf's once its course
// was read.
func (r *Run) calls(most int) ([]loadgen.Call, error) {
	if r.Foreign {
		return r.firstCalls[:min(len(r.firstCalls), most)], nil
	}
	recorded, err := results.Open(r.Dir)
	if err != nil {
		return nil, err
	}
	tracer := &analyze.Tracer{Epoch: float64(recorded.Outcome.Epoch) / 1e9, Model: modelOf(r.Meta.Config)}
	n := 0
	for rec, err := range recorded.Records() {
		if err != nil {
			return nil, err
		}
		if rec.Phase != loadgen.Profiling {
			continue
		}
		tracer.Add(rec)
		if n++; n == most {
			break
		}
	}
	return tracer.Trace().Calls, nil
}

func modelOf(config any) string {
	settings, _ := config.(map[string]any)
	text, _ := settings["model"].(string)
	return cut(text, longest)
}
