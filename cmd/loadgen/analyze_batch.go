package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"loadgen/analyze"
	"loadgen/metrics"
	"loadgen/report"
	"loadgen/results"
)

// The files of a batch's analysis.
const (
	sizingName   = "sizing.json"
	findingsName = "findings.json"
	aiqSizing    = "calc_runner_output.json"
)

// batch analyses every run of a batch and what they say together.
func (c *analyzeCommand) batch(std streams) error {
	dirs, err := cellDirs(c.Path)
	if err != nil {
		return err
	}
	var runs []*recording
	var errs []error
	for _, dir := range dirs {
		r, err := readRun(dir)
		errs = append(errs, err)
		if r == nil {
			continue
		}
		runs = append(runs, r)
		p := c.profiler(r.Meta.Seed)
		if !c.NoFiles {
			errs = append(errs, c.keep(io.Discard, p, r.profile(p), c.dirOfCell(dir), c.events(r)))
		}
	}
	if len(runs) == 0 {
		return errors.Join(errs...)
	}
	slices.SortStableFunc(runs, func(a, b *recording) int { return cmp.Compare(a.Meta.Cell.Index, b.Meta.Cell.Index) })

	p := c.profiler(runs[0].Meta.Seed)
	out := c.dirOf(c.Path)
	if c.NoFiles {
		out = ""
	}
	sweeps, err := c.sizing(runs, out)
	errs = append(errs, err)
	var cells []analyze.CellFacts
	var shown []*report.Run
	for _, r := range runs {
		cells = append(cells, r.facts)
		shown = append(shown, &report.Run{Values: r.Meta.Cell.Values, Summary: &r.summary})
	}
	findings := analyze.Findings(cells, p.options())
	if out != "" {
		errs = append(errs, results.WriteJSON(filepath.Join(out, findingsName), findings))
	}

	o := reportOptions(std.out)
	fmt.Fprintf(std.out, "%s: a batch of %d runs\n", c.Path, len(runs))
	fmt.Fprint(std.out, report.BatchTable(shown, o))
	fmt.Fprintf(std.out, "\nFindings\n%s", report.FindingsText(findings, o))
	for _, s := range sweeps {
		if len(s.Answers) == 0 {
			continue
		}
		fmt.Fprintln(std.out, "\n"+s.title())
		fmt.Fprint(std.out, report.SizingText(&s.SizingReport, o))
	}
	if out != "" {
		fmt.Fprintf(std.out, "\nFiles: %s\n", out)
	}
	return errors.Join(errs...)
}

func (c *analyzeCommand) dirOfCell(cell string) string {
	if c.OutputDir == "" {
		return cell
	}
	return filepath.Join(c.OutputDir, filepath.Base(cell))
}

// targets are the limits asked for, by metric in milliseconds.
func (c *analyzeCommand) targets() map[string]float64 {
	targets := map[string]float64{}
	for metric, limit := range map[string]time.Duration{
		"time_to_first_token": c.TargetTTFT, "inter_token_latency": c.TargetITL,
		"request_latency": c.TargetLatency, "session_duration": c.TargetRuntime,
	} {
		if limit > 0 {
			targets[metric] = float64(limit) / 1e6
		}
	}
	return targets
}

// A sized is what a sweep of one load, with all else the same, says of the
// load that its endpoint bears.
type sized struct {
	At       string `json:"at,omitempty"` // the swept values that are no load
	OpenLoop bool   `json:"open_loop"`
	analyze.SizingReport
}

func (s *sized) title() string {
	if s.At == "" {
		return "Sizing"
	}
	return "Sizing at " + s.At
}

// sizing answers how much load a batch's endpoint bears, for each of its
// sweeps of a load. What was measured is written before anything is fitted.
func (c *analyzeCommand) sizing(runs []*recording, dir string) ([]sized, error) {
	type sweepOf struct {
		at   string
		open bool
	}
	var order []sweepOf
	points := map[sweepOf][]analyze.SizingPoint{}
	for _, r := range runs {
		key := sweepOf{r.others(), r.Meta.Facts.RequestRate > 0}
		if _, known := points[key]; !known {
			order = append(order, key)
		}
		points[key] = append(points[key], r.sizingPoint())
	}
	answer := func(targets map[string]float64) []sized {
		var out []sized
		for _, key := range order {
			out = append(out, sized{key.at, key.open, analyze.SizingOf(points[key], analyze.SizingQuestion{
				OpenLoop: key.open, Targets: targets, ThinkTime: c.ThinkTime.Seconds(),
				Users: c.Users, TestGPUs: c.GPUs, Seed: runs[0].Meta.Seed,
			})})
		}
		return out
	}
	write := func(name string, v any) error {
		if dir == "" {
			return nil
		}
		return results.WriteJSON(filepath.Join(dir, name), v)
	}
	if dir != "" {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return nil, fmt.Errorf("making a place for the files: %w", err)
		}
	}
	raw := answer(nil)
	if err := write(sizingName, raw); err != nil || len(c.targets()) == 0 {
		return raw, err
	}
	answered := answer(c.targets())
	err := write(sizingName, answered)
	if c.AIQCompat {
		err = errors.Join(err, write(aiqSizing, c.sizingAIQ(runs)))
	}
	return answered, err
}

// sizingPoint is the run as a point of a sweep; samples in milliseconds.
func (r *recording) sizingPoint() analyze.SizingPoint {
	p := analyze.SizingPoint{
		Load: float64(r.Meta.Facts.Concurrency), Interrupted: r.Outcome.Cancelled || r.summary.Counts.OK == 0,
		Samples: map[string][]float64{},
	}
	if r.Meta.Facts.RequestRate > 0 {
		p.Load = r.Meta.Facts.RequestRate
	}
	add := func(metric string, seconds float64) { p.Samples[metric] = append(p.Samples[metric], 1000*seconds) }
	for i := range r.trace.Calls {
		c := &r.trace.Calls[i]
		if c.Failed || !c.Done() {
			continue
		}
		add("request_latency", c.Duration())
		if c.FirstToken >= c.Start {
			add("time_to_first_token", c.FirstToken-c.Start)
			if c.CompletionTokens > 1 {
				add("inter_token_latency", (c.End-c.FirstToken)/float64(c.CompletionTokens-1))
			}
		}
	}
	for _, s := range r.sessions() {
		if !s.failed {
			add("session_duration", s.to-s.from)
		}
	}
	return p
}

// A spell is a session from its first call to its last.
type spell struct {
	id       string
	from, to float64
	latency  []float64
	failed   bool
}

// sessions returns the run's sessions in order of their first call.
func (r *recording) sessions() []spell {
	var out []spell
	index := map[int]int{}
	for i := range r.trace.Calls {
		c := &r.trace.Calls[i]
		at, known := index[c.Example]
		if !known {
			at = len(out)
			index[c.Example] = at
			out = append(out, spell{id: c.FunctionID, from: c.Start})
		}
		s := &out[at]
		s.to = max(s.to, c.End)
		s.failed = s.failed || c.Failed || !c.Done()
		s.latency = append(s.latency, c.Duration())
	}
	return out
}

// sizingAIQ is AIQ's calculator over the closed loops of the batch.
func (c *analyzeCommand) sizingAIQ(runs []*recording) analyze.SizingReportAIQ {
	var measured []analyze.SizingRunAIQ
	for _, r := range runs {
		if r.Meta.Facts.RequestRate > 0 {
			continue
		}
		m := analyze.SizingRunAIQ{Concurrency: r.Meta.Facts.Concurrency, Interrupted: r.Outcome.Cancelled || r.summary.Counts.Failed > 0}
		var latencies, runtimes []float64
		for _, s := range r.sessions() {
			latencies, runtimes = append(latencies, s.latency...), append(runtimes, s.to-s.from)
			m.TotalRuntime = max(m.TotalRuntime, s.to)
			m.Items = append(m.Items, analyze.SizingItem{ID: s.id, Latency: p95(s.latency), Runtime: s.to - s.from})
		}
		m.LatencyP95, m.RuntimeP95 = p95(latencies), p95(runtimes)
		measured = append(measured, m)
	}
	return analyze.SizingAIQ(measured, analyze.SizingQuestionAIQ{
		TargetLatency: c.TargetLatency.Seconds(), TargetRuntime: c.TargetRuntime.Seconds(), Users: c.Users, TestGPUs: c.GPUs,
	})
}

func p95(seconds []float64) float64 {
	if len(seconds) == 0 {
		return 0
	}
	return metrics.Percentile(metrics.Sorted(seconds), 95)
}
