package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"loadgen"
	"loadgen/analyze"
	"loadgen/metrics"
)

// BatchTable returns the runs of a batch as one table, a row per run: the swept
// values, the main metrics, how many requests failed and the verdict. The
// valid run with the highest throughput is marked best, unless a tenth of its
// requests failed. Where one number was
// swept, each throughput also says what it gained over the load before, and
// the knee is marked: the load with the largest throughput per latency.
func BatchTable(runs []*Run, o Options) string {
	if len(runs) == 0 {
		return o.paint(Faint, "no run has finished") + "\n"
	}
	main := mainMetrics(runs)
	gains, knee := alongLoad(runs, main[0])
	best, frontier := bestRun(runs, main[0]), onFrontier(runs)

	g := grid{}
	for _, v := range runs[0].Values {
		g.columns = append(g.columns, column{head: broken(v.Key)})
	}
	if len(g.columns) == 0 {
		g.columns = []column{{head: "run", left: true}}
	}
	repeated := slices.ContainsFunc(runs, func(r *Run) bool { return r.Repeat > 0 })
	if repeated {
		g.columns = append(g.columns, column{head: runs[0].number()})
	}
	swept := len(g.columns)
	g.labels = swept
	throughput := swept // the column of the first main metric
	for i, m := range main {
		g.columns = append(g.columns, m.column)
		if i == 0 && len(gains) > 0 {
			g.columns = append(g.columns, column{head: "gain"})
		}
	}
	g.columns = append(g.columns, column{head: "errors"}, column{head: "verdict", left: true})
	verdicts := len(g.columns) - 1

	between := " " // verdict and remark
	if narrow := 100; o.Width > 0 && o.Width < narrow {
		between = "\n"
	}
	for i, r := range runs {
		var row []string
		for _, v := range r.Values {
			row = append(row, fmt.Sprint(v.Value))
		}
		if len(row) == 0 {
			row = []string{"run"}
		}
		if repeated {
			row = append(row, fmt.Sprint(r.Repeat))
		}
		for k, m := range main {
			text := absent
			if v, ok := m.value(r); ok {
				text = decimal(v, m.decimals)
			}
			row = append(row, text)
			if k == 0 && len(gains) > 0 {
				gain := ""
				if change, ok := gains[i]; ok {
					gain = percent(change)
				}
				row = append(row, gain)
			}
		}
		g.rows = append(g.rows, append(row, r.errors(), strings.TrimSpace(r.standing()+between+remark(i == best, i == knee, len(r.Missed) > 0, frontier[i]))))
	}
	g.tone = func(row, i int) Tone {
		switch {
		case i == verdicts:
			return runs[row].standingTone()
		case i == verdicts-1 && runs[row].errors() != "0":
			return Bad
		case i == throughput && row == best:
			return Good
		case i < swept:
			return Strong
		}
		return Plain
	}
	text, dropped := g.draw(o)
	return text + leftOut(dropped, o) + legend(best, knee, len(gains), frontierText(frontier, main), main[0].head, o) + troublesOf(runs, o)
}

// broken breaks a long key after an underscore, so that its column is narrow.
func broken(key string) string {
	const most = 14
	var b strings.Builder
	length := 0
	for _, word := range strings.SplitAfter(key, "_") {
		if length > 0 && length+len(word) > most {
			b.WriteByte('\n')
			length = 0
		}
		b.WriteString(word)
		length += len(word)
	}
	return b.String()
}

// troublesOf lists below the table which runs failed and which missed a limit.
func troublesOf(runs []*Run, o Options) string {
	text := ""
	for _, r := range runs {
		if r.Failed != "" {
			text += o.paint(Bad, o.wrap(2, " FAILED "+r.Name()+": "+r.Failed)) + "\n"
		}
		for _, limit := range r.Missed {
			text += o.paint(Bad, o.wrap(2, " MISSED "+r.Name()+": "+limit)) + "\n"
		}
	}
	return text
}

// errors is the run's place in the column of failed requests.
func (r *Run) errors() string {
	if r.Summary == nil {
		return absent
	}
	return failedShare(&r.Summary.Counts)
}

func (r *Run) standingTone() Tone {
	switch {
	case r.Skipped != "":
		return Doubtful
	case r.Failed != "" || r.Summary == nil:
		return Bad
	}
	return verdictTone(r.Summary.Validity.Verdict)
}

// A mainMetric is a metric of a run that the batch table has a column for.
type mainMetric struct {
	column
	tag        string
	percentile float64 // 50 or 99; 0 takes the value, or the mean
	decimals   int
}

var requestThroughput = mainMetric{column{head: "requests\n(req/s)"}, "request_throughput", 0, 2}

var allMainMetrics = []mainMetric{
	{column{head: "goodput\n(req/s)"}, "goodput", 0, 2},
	{column{head: "output\n(tok/s)"}, "output_token_throughput", 0, 1},
	{column{head: "output\n(tok/s/GPU)"}, metrics.PerGPU, 0, 1},
	{column{head: "output\n(tok/s/user)"}, "output_token_throughput_per_user", 0, 1},
	{column{head: "output\n(tok/J)"}, metrics.TokensPerJoule, 0, 3},
	{column{head: "price\n(/Mtok)"}, metrics.CostPerOutput, 0, 2},
	requestThroughput,
	{column{head: "TTFT p50\n(ms)"}, "time_to_first_token", 50, 1},
	{column{head: "TTFT p99\n(ms)"}, "time_to_first_token", 99, 1},
	{column{head: "ITL p50\n(ms)"}, "inter_token_latency", 50, 2},
	{column{head: "ITL p99\n(ms)"}, "inter_token_latency", 99, 2},
	{column{head: "latency p50\n(ms)"}, "request_latency", 50, 1},
	{column{head: "latency p99\n(ms)"}, "request_latency", 99, 1},
}

// mainMetrics returns those that any run has, the measure of throughput first:
// goodput where there are limits to be good by, else tokens, else requests.
func mainMetrics(runs []*Run) []mainMetric {
	var present []mainMetric
	perGPU := slices.ContainsFunc(runs, func(r *Run) bool { return r.Summary != nil && r.Summary.GPUs > 0 })
	for _, m := range allMainMetrics {
		if m.tag == "output_token_throughput_per_user" && !perGPU {
			continue // the other axis of the frontier
		}
		if slices.ContainsFunc(runs, func(r *Run) bool { _, ok := m.value(r); return ok }) {
			present = append(present, m)
		}
	}
	if len(present) == 0 {
		present = []mainMetric{requestThroughput} // N/A throughout says what is missing
	}
	return present
}

func (m mainMetric) value(r *Run) (float64, bool) {
	if r.Summary == nil {
		return 0, false
	}
	if rate, ok := r.Summary.UnderLoad(m.tag); ok {
		return rate, true
	}
	if m.tag == metrics.TokensPerJoule {
		return r.Summary.TokensPerJoule()
	}
	metric := r.Summary.Metric(m.tag)
	switch {
	case metric == nil:
		return 0, false
	case metric.Value != nil:
		return *metric.Value, true
	case metric.Stats == nil:
		return 0, false
	case m.percentile == 50:
		return metric.Stats.P50, true
	case m.percentile == 99:
		return metric.Stats.P99, true
	}
	return metric.Stats.Avg, true
}

// byLoad returns the runs' positions in ascending order of the swept value,
// and whether there is such an order: a single key of numbers.
func byLoad(runs []*Run) (order []int, numeric bool) {
	for i, r := range runs {
		if len(r.Values) != 1 {
			return nil, false
		}
		if _, ok := number(r.Values[0]); !ok {
			return nil, false
		}
		order = append(order, i)
	}
	slices.SortStableFunc(order, func(a, b int) int {
		x, _ := number(runs[a].Values[0])
		y, _ := number(runs[b].Values[0])
		return cmp.Compare(x, y)
	})
	for k := 1; k < len(order); k++ {
		if runs[order[k]].Values[0].Value == runs[order[k-1]].Values[0].Value {
			return nil, false // repeats: none gained anything over the other
		}
	}
	return order, true
}

func number(v loadgen.Value) (float64, bool) {
	switch n := v.Value.(type) {
	case int:
		return float64(n), true
	case float64:
		return n, true
	}
	return 0, false
}

// alongLoad returns what each run's throughput gained over the run before it
// in the order of the one swept number, by position, and the position of the
// knee: no gains and -1 where there is no such order or no knee.
func alongLoad(runs []*Run, measure mainMetric) (gains map[int]float64, knee int) {
	order, ok := byLoad(runs)
	if !ok {
		return nil, -1
	}
	gains = map[int]float64{}
	throughput, latency := make([]float64, len(order)), make([]float64, len(order))
	for k, i := range order {
		if runs[i].invalid() {
			continue // proves nothing about the endpoint
		}
		throughput[k], _ = measure.value(runs[i])
		latency[k], _ = mainMetric{tag: "request_latency", percentile: 50}.value(runs[i])
		if k > 0 && throughput[k-1] > 0 && throughput[k] > 0 {
			gains[i] = throughput[k]/throughput[k-1] - 1
		}
	}
	key := runs[0].Values[0].Key
	if key != "concurrency" && key != "request_rate" {
		return gains, -1 // only a load has a knee
	}
	if knee = analyze.KneeByPower(throughput, latency); knee >= 0 {
		knee = order[knee]
	}
	return gains, knee
}

// bestRun returns the valid run with the highest throughput, -1 for none, for
// those of a search, which may carry it beyond its limits, or for a
// single run.
func bestRun(runs []*Run, measure mainMetric) int {
	best, most := -1, 0.0
	for i, r := range runs {
		if v, ok := measure.value(r); ok && r.whole() && !r.Probe && v > most {
			best, most = i, v
		}
	}
	if len(runs) == 1 {
		return -1
	}
	return best
}

// onFrontier reports which runs lie on the frontier of tokens/s per user, per GPU
// and tokens per joule: none where the GPUs are not known, or of a single run.
func onFrontier(runs []*Run) []bool {
	var points []metrics.FrontierRun
	known := len(runs) > 1
	for _, r := range runs {
		p := metrics.FrontierRun{Values: r.Values, Summary: r.Summary}
		if r.invalid() {
			p.Summary = nil
		}
		known = known && (p.Summary == nil || p.Summary.GPUs > 0)
		points = append(points, p)
	}
	if !known {
		return make([]bool, len(runs))
	}
	return metrics.Frontier(points)
}

// Best returns the position of the run that BatchTable marks as the best, -1 for
// none, and the figure by which it is.
func Best(runs []*Run) (at int, measure metrics.Figure) {
	main := mainMetrics(runs)[0]
	return bestRun(runs, main), metrics.Figure{Tag: main.tag, Stat: "avg"}
}

func (r *Run) invalid() bool {
	return r.Summary == nil || r.Failed != "" || r.Summary.Validity.Verdict == metrics.Invalid
}

// whole reports whether a run is worth to be the best.
func (r *Run) whole() bool { return !r.invalid() && r.Summary.Sound() }

// failedShare writes the failures with their share of all requests: 12 (3.1%).
func failedShare(c *metrics.Counts) string {
	text := decimal(float64(c.Failed), 0)
	if c.Failed > 0 && c.Issued > 0 {
		text += fmt.Sprintf(" (%s%%)", decimal(100*float64(c.Failed)/float64(c.Issued), 1))
	}
	return text
}

func remark(best, knee, missed, frontier bool) string {
	var words []string
	for _, w := range []struct {
		is   bool
		word string
	}{{missed, "missed"}, {best, "best"}, {knee, "knee"}, {frontier, "frontier"}} {
		if w.is {
			words = append(words, w.word)
		}
	}
	return strings.Join(words, ", ")
}

// frontierText says what the mark of the frontier means; nothing where no run has it.
func frontierText(frontier []bool, main []mainMetric) string {
	switch {
	case !slices.Contains(frontier, true):
		return ""
	case slices.ContainsFunc(main, func(m mainMetric) bool { return m.tag == metrics.TokensPerJoule }):
		return "frontier: no valid run of the same work is better in one of tokens/s per user, tokens/s per GPU and (where all of them tell it) tokens/J, and no worse in the others"
	}
	return "frontier: no valid run of the same work has more tokens/s per user and no fewer per GPU, or the other way round"
}

func legend(best, knee, gains int, frontier, measure string, o Options) string {
	measure = strings.ReplaceAll(measure, "\n", " ")
	var notes []string
	if best >= 0 {
		notes = append(notes, "best: highest "+measure+" of the valid runs")
	}
	if knee >= 0 {
		notes = append(notes, "knee: most "+measure+" per median latency")
	}
	if frontier != "" {
		notes = append(notes, frontier)
	}
	if gains > 0 {
		notes = append(notes, "gain: against the row with the next lower value")
	}
	if len(notes) == 0 {
		return ""
	}
	return o.paint(Faint, o.wrap(1, " "+strings.Join(notes, "; "))) + "\n"
}
