package archive

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"loadgen/metrics"
	"loadgen/report"
	"loadgen/results"
	"loadgen/sweep"
)

// keepCapacities writes down what a search found so far, and tells who asks.
func (k *Recorder) keepCapacities(runs []*sweep.Run) error {
	all := k.capacities(runs)
	err := k.Root.WriteCapacities(all)
	if k.Found != nil && all != nil {
		k.Found(all)
	}
	return err
}

// capacities are what a search found so far, as its files have it.
func (k *Recorder) capacities(runs []*sweep.Run) []results.Capacity {
	var all []results.Capacity
	s := &k.Batch.Search
	unit, _ := sweep.LoadUnit(s.Over)
	for _, c := range k.whole().Capacities(runs) {
		out := results.Capacity{
			Cell: c.Cell.Cell, Over: c.Over, Unit: unit,
			Confidence: c.Confidence, Precision: c.Precision, Stopped: c.Stopped, MeasuredFor: c.Used.Seconds(), Notes: c.Notes,
			From: s.From, To: s.To, Whole: s.Whole(),
		}
		for i := range c.Tiers {
			out.Tiers = append(out.Tiers, k.capacityTier(&c, &c.Tiers[i]))
		}
		var points []metrics.FrontierRun
		for _, p := range c.Probes {
			out.Probes = append(out.Probes, k.capacityProbe(&c, p))
			point := metrics.FrontierRun{Values: p.Run.Cell.Values}
			if p.Void == "" {
				point.Summary = p.Run.Summary
			}
			points = append(points, point)
		}
		for i, on := range metrics.Frontier(points) {
			out.Probes[i].Pareto = on
		}
		all = append(all, out)
	}
	return all
}

func (k *Recorder) capacityTier(c *sweep.Capacity, t *sweep.TierCapacity) results.CapacityTier {
	shown := shownCapacity(c, t)
	out := results.CapacityTier{
		Name: t.Name, Answer: shown.Answer(), Status: t.Status, Limits: t.Limits,
		Capacity: t.Fit.Capacity, Lower: t.Lower, Upper: t.Upper, Binding: t.Binding, ByLimit: t.Crossings,
		PassedAt: t.Low, FailedAt: t.High, Confirmed: t.Confirmed, Certified: t.Certified,
		RefutedAt: metrics.Bound(math.NaN()), BreaksAt: metrics.Bound(math.NaN()), Breaks: t.Broken,
	}
	if t.Refuted {
		out.RefutedAt = metrics.Bound(t.RefutedAt)
	}
	if t.Broken != nil {
		out.BreaksAt = metrics.Bound(t.BreaksAt)
	}
	if o := t.OpenLoop; o != nil {
		out.OpenLoop = &results.CapacityOpenLoop{
			Rate: o.Rate, Words: shown.OpenLoopWords(), Answer: string(o.Answer), Void: o.Void, Broken: o.Broken, Margins: knownMargins(o.Run.Margins), RunDir: k.dirOf(o.Run),
		}
		if o.Run.Summary != nil {
			out.OpenLoop.Verdict = o.Run.Summary.Validity.Verdict
		}
	}
	if n := len(t.At); n > 0 {
		out.RunDir = k.dirOf(t.At[n-1])
		out.Tokens, out.Requests = known(t.Rate("output_token_throughput")), known(t.Rate("request_throughput"))
		out.PerGPU = known(t.Rate(metrics.PerGPU))
	}
	return out
}

func (k *Recorder) capacityProbe(c *sweep.Capacity, p sweep.ProbeResult) results.CapacityProbe {
	out := results.CapacityProbe{
		Load: p.Load, Number: p.Run.Number, Dir: k.dirOf(p.Run), Purpose: p.Purpose, Void: p.Void,
		Measured: p.Run.Outcome.Elapsed.Seconds(), Answers: map[string]string{},
	}
	for i, answer := range p.Answers {
		if p.Void == "" {
			out.Answers[c.Tiers[i].Name] = string(answer)
		}
	}
	out.Margins = knownMargins(p.Run.Margins)
	s := p.Run.Summary
	if s == nil {
		return out
	}
	out.Verdict = s.Validity.Verdict
	out.Tokens, out.Requests = rateOf(s, "output_token_throughput"), rateOf(s, "request_throughput")
	out.PerGPU = rateOf(s, metrics.PerGPU)
	out.PerUser = statOf(s, "output_token_throughput_per_user", "avg")
	out.TTFTP95, out.ITLP95 = statOf(s, "time_to_first_token", "p95"), statOf(s, "inter_token_latency", "p95")
	return out
}

func knownMargins(margins []metrics.Margin) []metrics.Margin {
	return slices.DeleteFunc(slices.Clone(margins), func(m metrics.Margin) bool { return !m.Known() })
}

// rateOf is a rate under load; nil where there is none.
func rateOf(s *metrics.Summary, tag string) *float64 {
	return known(s.UnderLoad(tag))
}

func known(v float64, ok bool) *float64 {
	if !ok {
		return nil
	}
	return &v
}

func statOf(s *metrics.Summary, tag, stat string) *float64 {
	m := s.Metric(tag)
	if m == nil || m.Stats == nil {
		return nil
	}
	if v, ok := m.Stats.Named(stat); ok {
		return &v
	}
	return nil
}

func shownCapacity(c *sweep.Capacity, t *sweep.TierCapacity) report.Capacity {
	unit, one := sweep.LoadUnit(c.Over)
	shown := report.Capacity{
		Values: c.Cell.Values, Tier: t.Name, Unit: unit, One: one, Status: t.Status, Limits: t.Limits, Fit: t.Fit, Confidence: c.Confidence,
		Tokens: math.NaN(), PerGPU: math.NaN(), PassedAt: t.Low, FailedAt: t.High, Breaks: t.Broken, BreaksAt: t.BreaksAt, Confirmed: t.Confirmed, Refuted: t.Refuted,
		Certified: t.Certified, Precision: c.Precision, Lacks: t.Lacks,
	}
	if o := t.OpenLoop; o != nil {
		shown.OpenLoop = &report.OpenLoop{Rate: o.Rate, Answer: o.Answer, Void: o.Void, Broken: o.Broken}
	}
	if tokens, ok := t.Rate("output_token_throughput"); ok {
		shown.Tokens = tokens
	}
	if perGPU, ok := t.Rate(metrics.PerGPU); ok {
		shown.PerGPU = perGPU
	}
	return shown
}

// searchTables returns the answers of a search, and its runs by their load.
func (k *Recorder) searchTables(runs []*sweep.Run, o report.Options) string {
	var answers []report.Capacity
	var notes []string
	for _, c := range k.whole().Capacities(runs) {
		for i := range c.Tiers {
			shown := shownCapacity(&c, &c.Tiers[i])
			answers = append(answers, shown)
			if words := shown.OpenLoopWords(); words != "" {
				notes = append(notes, noteOf(&c, &c.Tiers[i], words))
			}
		}
		for _, note := range c.Notes {
			notes = append(notes, noteOf(&c, nil, note))
		}
		notes = append(notes, measured(&c))
	}
	var probes, arrivals []*report.Run
	sorted := slices.Clone(runs)
	slices.SortStableFunc(sorted, func(a, b *sweep.Run) int {
		return cmp.Or(cmp.Compare(a.Cell.Index, b.Cell.Index), cmp.Compare(a.Cell.Probe.Open, b.Cell.Probe.Open), cmp.Compare(a.Cell.Probe.Load, b.Cell.Probe.Load))
	})
	for _, run := range sorted {
		if run.Summary != nil {
			of := &probes
			if run.Cell.Probe.Open > 0 {
				of = &arrivals
			}
			*of = append(*of, &report.Run{Values: run.Cell.Values, Probe: true, Summary: run.Summary})
		}
	}
	text := report.CapacityText(answers, notes, o)
	for _, shown := range [][]*report.Run{probes, arrivals} {
		if len(shown) > 0 {
			text += "\n" + report.BatchTable(shown, o)
		}
	}
	if brief := report.FindingsBrief(k.findings, findingsShown, o); brief != "" {
		text += "\n" + brief
	}
	return text
}

// noteOf is a note on the search for a cell, or for one of its tiers.
func noteOf(c *sweep.Capacity, t *sweep.TierCapacity, note string) string {
	if t != nil && t.Name != "" {
		note = t.Name + ": " + note
	}
	if c.Cell.Dir != "" {
		note = c.Cell.Dir + ": " + note
	}
	return note
}

// measured says what a search took.
func measured(c *sweep.Capacity) string {
	probes := "1 probe"
	if n := len(c.Probes); n != 1 {
		probes = fmt.Sprintf("%d probes", n)
	}
	for i := range c.Tiers {
		if c.Tiers[i].OpenLoop != nil {
			return fmt.Sprintf("%s and an open loop, %.4g s of measurement", probes, c.Used.Seconds())
		}
	}
	return fmt.Sprintf("%s, %.4g s of measurement", probes, c.Used.Seconds())
}
