package analyze

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"loadgen"
)

// crowding looks, within one run, at what crowded moments do to TTFT.
func (s *study) crowding() []Finding {
	if len(s.loaded) != 1 || s.views[0].trace.Untimed {
		return nil
	}
	v := s.views[0]
	spikes := v.spikes()
	in, out := spikes.More.Inside, spikes.More.Outside
	const few = 10
	if in.Calls < few || out.Calls < few || !(in.TTFT > grown*out.TTFT) {
		return nil
	}
	f := Finding{
		ID: "crowding", Control: Deployment, Confidence: Medium, Tokens: undefined,
		Seconds: (in.TTFT - out.TTFT) * Number(in.Calls),
		Title:   fmt.Sprintf("the first token takes %.1f times as long when %d or more requests are in flight", float64(in.TTFT/out.TTFT), spikes.Threshold),
		Try: []string{
			"spread the requests out: a schedule without bursts, or a limit in flight",
			"run a sweep of concurrency to see whether the server queues or slows down",
		},
		Evidence: []Evidence{
			{"mean TTFT inside spikes", in.TTFT, "s", "concurrency_spike_analysis.loadgen.inside_spikes"},
			{"mean TTFT outside", out.TTFT, "s", "concurrency_spike_analysis.loadgen.outside_spikes"},
			{"mean ITL inside spikes", in.ITL, "s", "concurrency_spike_analysis.loadgen.inside_spikes"},
			{"mean ITL outside", out.ITL, "s", "concurrency_spike_analysis.loadgen.outside_spikes"},
			{"rank correlation of latency and concurrency", spikes.More.Spearman, "ρ", "concurrency_spike_analysis.loadgen"},
		},
	}
	return []Finding{f}
}

// failures looks for requests that failed, and counts the time lost on them.
func (s *study) failures() []Finding {
	seconds, failed := 0.0, 0
	kinds := map[string]int{}
	for i := range s.cells {
		failed += s.cells[i].Failed
		if s.cells[i].Trace == nil {
			continue
		}
		for k := range s.cells[i].Trace.Calls {
			c := &s.cells[i].Trace.Calls[k]
			switch {
			case !c.Failed || c.Kind != loadgen.LLMCall:
			case c.Error == string(loadgen.FailCancelled):
				failed-- // by loadgen itself, at the end of the run
			default:
				seconds += c.Duration()
				kinds[c.Error]++
			}
		}
	}
	if failed <= 0 || float64(failed) < 0.01*float64(s.requests()) {
		return nil
	}
	names := sortedKeys(kinds)
	slices.SortStableFunc(names, func(a, b string) int { return cmp.Compare(kinds[b], kinds[a]) })
	f := Finding{
		ID: "failures", Control: Deployment, Confidence: High, Seconds: Number(seconds), Tokens: undefined,
		Title:    fmt.Sprintf("%d of %d requests failed", failed, s.requests()),
		Try:      []string{"read the failures by kind, and the server's log at their times"},
		Evidence: []Evidence{{"failed requests", Number(failed), "count", "all cells"}},
	}
	if len(names) > 0 {
		f.Title += ", most with " + strings.ReplaceAll(names[0], "_", " ")
		if names[0] == string(loadgen.FailRateLimited) {
			f.Control, f.Try = Client, []string{"ask for less than the provider's quota, or have it raised"}
		}
	}
	for _, kind := range names {
		f.Evidence = append(f.Evidence, Evidence{"failed with " + kind, Number(kinds[kind]), "count", "all cells"})
	}
	return []Finding{f}
}

// lag looks for requests that left late: the generator's fault, or the
// ceiling's.
func (s *study) lag() []Finding {
	var worst *CellFacts
	seconds := 0.0
	for i := range s.cells {
		c := &s.cells[i]
		if c.LagMean < 0 || !(c.LagP99 > 0.05 && c.LagP99 > 0.1*positive(float64(c.TTFT.Median))) {
			continue
		}
		seconds += c.LagMean * float64(c.Requests)
		if worst == nil || c.LagP99 > worst.LagP99 {
			worst = c
		}
	}
	if worst == nil {
		return nil
	}
	return []Finding{{
		ID: "late-sends", Control: Client, Confidence: High, Seconds: Number(seconds), Tokens: undefined,
		Title: "requests left later than they were due",
		Try: []string{
			"raise the ceiling of requests in flight, or leave it out, if the rate is what matters",
			"give the generator more CPU, or lower the rate",
		},
		Evidence: []Evidence{
			{"99th percentile of sent − due", Number(worst.LagP99), "s", worst.where()},
			{"mean of sent − due", Number(worst.LagMean), "s", worst.where()},
		},
	}}
}

// sessions looks at how each session goes about its calls: in bursts of small
// ones, or one after another though none builds on the last.
func (s *study) sessions() []Finding {
	var out []Finding
	for i, v := range s.views {
		where := s.loaded[i].where()
		for _, b := range v.bursts() {
			out = append(out, Finding{
				ID: "bursts", Control: Client, Confidence: Low, Seconds: undefined, Tokens: undefined,
				Title:    fmt.Sprintf("%d sessions fire %s in bursts of %.1f", b.Sessions, b.Operation, float64(b.AvgSize)),
				Try:      []string{"ask once for what the calls of a burst ask for one by one"},
				Evidence: []Evidence{{"bursts", Number(b.Clusters), "count", where + " bursts"}, {"largest", Number(b.MaxSize), "calls", where + " bursts"}},
			})
		}
		serial := v.serialization()
		if serial.BackToBack == 0 || v.conversations() {
			continue
		}
		out = append(out, Finding{
			ID: "serial-calls", Control: Client, Confidence: Low, Seconds: serial.SavingBound, Tokens: undefined,
			Title: fmt.Sprintf("%d sessions make their calls strictly one after another", serial.BackToBack),
			Try:   []string{"run calls side by side that do not need each other's answers"},
			Evidence: []Evidence{
				{"sessions back to back", Number(serial.BackToBack), "count", where + " serialization"},
				{"at most saved, if all are independent", serial.SavingBound, "s", where + " serialization"},
			},
		})
	}
	return out
}

// conversations reports whether calls build on the one before, or whether
// that cannot be told: a prompt that carries the last one needs its answer.
func (v *view) conversations() bool {
	for _, calls := range v.sessions {
		var last *loadgen.Call
		for _, c := range calls {
			if c.Kind != loadgen.LLMCall {
				continue
			}
			if last != nil {
				return last.Input == "" || strings.HasPrefix(c.Input, last.Input)
			}
			last = c
		}
	}
	return true
}
