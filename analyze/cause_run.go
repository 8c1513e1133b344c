package analyze

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"loadgen"
)

// worthwhile is the share of a latency that a crowd must cost to be named.
const worthwhile = 0.2

// crowding looks, within one run, at what crowded moments do to TTFT. A closed
// loop is as crowded as its users make it, at all times.
func (s *study) crowding() []Finding {
	if len(s.loaded) != 1 || s.loaded[0].Concurrency > 0 || s.views[0].trace.Untimed {
		return nil
	}
	v := s.views[0]
	spikes := v.spikes()
	in, out := spikes.More.Inside, spikes.More.Outside
	const few = 10
	latency := float64(s.loaded[0].Latency.Mean)
	if in.Calls < few || out.Calls < few || !(in.TTFT > grown*out.TTFT && float64(in.TTFT-out.TTFT) > worthwhile*latency) {
		return nil
	}
	f := Finding{
		ID: "crowding", Control: Deployment, Confidence: Medium, Tokens: undefined,
		Seconds: (in.TTFT - out.TTFT) * Number(float64(in.Calls)*s.scale(0)),
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
// Those cancelled by loadgen itself, at the end of a run, are none.
func (s *study) failures() []Finding {
	seconds, failed := 0.0, 0
	kinds := map[string]int{}
	for i := range s.cells {
		c := &s.cells[i]
		failed += c.Failed
		if c.Failed > 0 {
			seconds += c.FailedTime // NaN where not known
		}
		for kind, n := range c.Failures {
			kinds[kind] += n
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
		pressing: float64(failed) >= 0.1*float64(s.requests()),
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
// ceiling's, which only an open loop has.
func (s *study) lag() []Finding {
	var worst *CellFacts
	seconds := 0.0
	for i := range s.cells {
		c := &s.cells[i]
		if !c.late(c.LagP99) {
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
	f := Finding{
		ID: "late-sends", Control: Client, Confidence: High, Seconds: Number(seconds), Tokens: undefined,
		Title: "requests left later than they were due: the generator was late",
		Try:   []string{"give the generator more CPU, or lower the load"},
		Evidence: []Evidence{
			{"99th percentile of sent − due", Number(worst.LagP99), "s", worst.where()},
			{"mean of sent − due", Number(worst.LagMean), "s", worst.where()},
		},
	}
	if worst.OwnLagP99 >= 0 {
		f.Evidence = append(f.Evidence, Evidence{"of it the generator's own, 99th percentile", Number(worst.OwnLagP99), "s", worst.where()})
	}
	if worst.Ceiling > 0 && !worst.late(worst.OwnLagP99) {
		f.Title = fmt.Sprintf("requests left later than they were due: the ceiling of %d in flight held them back", worst.Ceiling)
		f.Try = []string{"raise the ceiling (concurrency), or leave it out, if the rate is what matters; lower the rate if the endpoint can take no more"}
	}
	return []Finding{f}
}

// late reports whether a lag is long beside what is measured.
func (f *CellFacts) late(lag float64) bool {
	return lag > 0.05 && lag > 0.1*positive(float64(f.TTFT.Median))
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
