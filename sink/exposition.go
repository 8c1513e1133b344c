package sink

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"loadgen"
	"loadgen/results"
)

// An exposition gathers gauges for Prometheus, by their families.
type exposition struct {
	order   []string
	helps   map[string]string
	samples map[string][]string
}

// add adds a sample; none where there is no number.
func (e *exposition) add(name, help, labels string, v float64) {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return
	}
	if e.samples == nil {
		e.helps, e.samples = map[string]string{}, map[string][]string{}
	}
	if e.samples[name] == nil {
		e.order, e.helps[name] = append(e.order, name), help
	}
	e.samples[name] = append(e.samples[name], fmt.Sprintf("%s{%s} %s", name, labels, strconv.FormatFloat(v, 'g', -1, 64)))
}

func (e *exposition) write(w io.Writer) {
	for _, name := range e.order {
		fmt.Fprintf(w, "# HELP %s %s\n# TYPE %[1]s gauge\n", name, e.helps[name])
		for _, sample := range e.samples[name] {
			fmt.Fprintln(w, sample)
		}
	}
}

// runs adds the figures of a batch's runs. They are told apart by
// their names and swept values; how far they are to be relied on is a figure
// too, so that an alarm can leave out what proves nothing.
func (e *exposition) runs(b *Batch) {
	for _, r := range b.Runs {
		labels := labelsOf(r)
		e.add("loadgen_valid", "1 where the figures of a run are to be relied on, else 0", labels, oneIf(r.Unfit == "" && r.Summary != nil))
		e.add("loadgen_limits_missed", "Stated limits that a run missed", labels, float64(len(r.Missed)))
		if r.Summary == nil {
			continue
		}
		e.add("loadgen_requests_failed", "Requests that failed", labels, float64(r.Summary.Counts.Failed))
		for _, m := range r.Summary.Metrics {
			name, scale := metricName(m.Tag, m.Unit)
			if m.Value != nil {
				e.add(name, m.Header, labels, *m.Value*scale)
				continue
			}
			for _, stat := range []string{"avg", "min", "max", "p50", "p90", "p95", "p99"} {
				if v, ok := m.Stats.Named(stat); ok {
					e.add(name, m.Header, labels+`,stat="`+stat+`"`, v*scale)
				}
			}
		}
	}
}

// capacityHelps say what the numbers of an answer are.
var capacityHelps = map[string]string{
	"capacity":       "The load that is borne within the limits, where a search found it",
	"capacity_lower": "The lower end of its interval, or the load that was borne where nothing broke",
	"capacity_upper": "The upper end of its interval",
}

const (
	certifiedHelp = "1 where the capacity was confirmed, refuted above, and is known as closely as was asked, else 0"
	statusHelp    = "1 for what became of the search: found, no_fail, no_pass or open"
)

// answers adds what searches found, with labels that a search has beside those of the
// answer. Where there is no answer, there is no number, and the status says so.
func (e *exposition) answers(all []answer, more func(*results.Capacity) []string) {
	for _, a := range all {
		labels := append(more(a.of), label("over", a.of.Over), label("unit", a.of.Unit))
		if a.tier.Name != "" {
			labels = append(labels, label("tier", a.tier.Name))
		}
		text := strings.Join(append(labels, sweepLabels(a.of.Cell.Values)...), ",")
		for name, v := range a.tier.Numbers() {
			e.add("loadgen_"+name, capacityHelps[name], text, v)
		}
		e.add("loadgen_capacity_certified", certifiedHelp, text, oneIf(a.tier.Certified))
		e.add("loadgen_capacity_status", statusHelp, text+","+label("status", a.tier.Status), 1)
	}
}

// WriteCapacities writes what searches have found so far as gauges for Prometheus.
func WriteCapacities(w io.Writer, searches []results.Capacity) {
	e := exposition{}
	e.answers(answersOf(searches), func(*results.Capacity) []string { return nil })
	e.write(w)
}

func oneIf(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}

// metricName is the name of a metric in Prometheus' base units, and what its
// values are multiplied by.
func metricName(tag, unit string) (name string, scale float64) {
	name = "loadgen_" + labelName(tag)
	if stem, counts := strings.CutSuffix(name, "_count"); counts {
		name = stem + "_number" // _count is a histogram's
	}
	switch unit {
	case "ms":
		return name + "_seconds", 1e-3
	case "sec":
		return name + "_seconds", 1
	case "ns":
		return name + "_seconds", 1e-9
	case "%":
		return strings.TrimSuffix(name, "_pct") + "_ratio", 1e-2
	}
	return name, 1
}

func labelsOf(r *Run) string {
	parts := []string{label("run", r.Name), label("model", r.setting("model"))}
	if r.Meta.Label != "" {
		parts = append(parts, label("label", r.Meta.Label))
	}
	if r.Probe != nil {
		parts = append(parts, label("probe", r.Probe.kind()))
	}
	return strings.Join(append(parts, sweepLabels(r.Meta.Cell.Values)...), ",")
}

func sweepLabels(swept []loadgen.Value) []string {
	var labels []string
	for _, v := range swept {
		labels = append(labels, label("sweep_"+labelName(v.Key), fmt.Sprint(v.Value)))
	}
	slices.Sort(labels)
	return labels
}

func label(name, value string) string { return name + `="` + labelValue(value) + `"` }

// labelName makes a name that Prometheus takes.
func labelName(name string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return '_'
	}, name)
}

var labelEscapes = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)

func labelValue(text string) string {
	return labelEscapes.Replace(strings.ToValidUTF8(cutText(text, 200), "\uFFFD"))
}
