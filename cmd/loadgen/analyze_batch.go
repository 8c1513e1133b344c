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

	"loadgen"
	"loadgen/analyze"
	"loadgen/archive"
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
	dirs, err := results.RunDirs(c.Path)
	if err != nil {
		return err
	}
	var runs []*archive.Recording
	var errs []error
	for _, dir := range dirs {
		r, err := archive.Read(dir)
		errs = append(errs, err)
		if r == nil {
			continue
		}
		runs = append(runs, r)
		p := c.profiler(r.Meta.Seed)
		if !c.NoFiles {
			errs = append(errs, c.keep(io.Discard, p, r.Profile(p), c.dirOfCell(dir), c.detail(r)))
		}
		r.Forget(len(dirs))
	}
	if len(runs) == 0 {
		return errors.Join(errs...)
	}
	slices.SortStableFunc(runs, func(a, b *archive.Recording) int { return cmp.Compare(a.Meta.Cell.Index, b.Meta.Cell.Index) })

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
		cells = append(cells, r.Facts)
		shown = append(shown, &report.Run{Values: r.Meta.Cell.Values, Repeat: r.Meta.Repeat, Summary: &r.Summarized, Missed: r.Missed})
	}
	findings := analyze.Findings(cells, p.Options())
	if out != "" {
		errs = append(errs, results.WriteJSON(filepath.Join(out, findingsName), findings))
	}

	o := reportOptions(std.out)
	fmt.Fprintf(std.out, "%s: a batch of %s\n", c.Path, report.Count(len(runs), "run"))
	for _, r := range runs {
		if r.Status != "" && r.Status != loadgen.Completed {
			fmt.Fprintf(std.out, "%s: %s\n", r.Facts.Name, r.Status)
		}
	}
	if slices.ContainsFunc(runs, func(r *archive.Recording) bool { return r.Status == loadgen.Incomplete }) {
		fmt.Fprintf(std.out, "the batch was broken off, or is still at work: loadgen --resume %s makes the rest of its runs\n", c.Path)
	}
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
func (c *analyzeCommand) sizing(runs []*archive.Recording, dir string) ([]sized, error) {
	type sweepOf struct {
		at   string
		open bool
	}
	var order []sweepOf
	points := map[sweepOf][]analyze.SizingPoint{}
	for _, r := range runs {
		key := sweepOf{r.Others(), r.Meta.Facts.Load.Mode == loadgen.OpenLoop}
		if _, known := points[key]; !known {
			order = append(order, key)
		}
		points[key] = append(points[key], r.SizingPoint())
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
		if err := os.MkdirAll(dir, 0o777); err != nil {
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
		err = errors.Join(err, write(aiqSizing, archive.SizingAIQ(runs, analyze.SizingQuestionAIQ{
			TargetLatency: c.TargetLatency.Seconds(), TargetRuntime: c.TargetRuntime.Seconds(), Users: c.Users, TestGPUs: c.GPUs,
		})))
	}
	return answered, err
}
