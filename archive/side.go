package archive

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"loadgen"
	"loadgen/compare"
	"loadgen/metrics"
	"loadgen/results"
	"loadgen/trace"
)

// A SideReader reads the sides of a comparison.
type SideReader struct {
	// Figures are those that are compared; what the guess at a cause needs is
	// read besides.
	Figures []metrics.Figure
	// Records computes the figures again from the records, for runs that
	// were summarised by different versions.
	Records bool
	// Each calls do with 0 to n−1, perhaps several at once, and returns after
	// the last; nil calls one after the other.
	Each func(n int, do func(i int))
}

// Read returns the runs under some paths: directories of runs and of batches
// in any layout, of loadgen or AIPerf, and result files of vLLM or guidellm.
func (r *SideReader) Read(name string, paths []string) (compare.CompareSide, error) {
	side := compare.CompareSide{Name: name, Paths: paths}
	seen := map[string]bool{}
	for _, path := range paths {
		runs, err := r.path(path)
		if err != nil {
			return side, err
		}
		for _, run := range runs {
			if seen[run.Dir] {
				return side, fmt.Errorf("%s stands twice on one side", run.Dir)
			}
			seen[run.Dir] = true
		}
		side.Runs = append(side.Runs, runs...)
	}
	return side, nil
}

func (r *SideReader) path(path string) ([]compare.CompareRun, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("comparing: %w", err)
	}
	if !info.IsDir() {
		return r.file(path)
	}
	dirs, err := results.PublishedDirs(path)
	if err != nil {
		return nil, fmt.Errorf("comparing: %w", err)
	}
	if len(dirs) == 0 {
		return r.files(path)
	}
	dirs, searches := r.searches(path, dirs)
	runs := make([]compare.CompareRun, len(dirs))
	r.each(len(dirs), func(i int) {
		var err error
		if runs[i], err = r.run(dirs[i]); err != nil {
			runs[i] = compare.CompareRun{Dir: dirs[i], Unfit: "it cannot be read: " + err.Error()}
		}
	})
	return append(runs, searches...), nil
}

func (r *SideReader) each(n int, do func(i int)) {
	if r.Each != nil {
		r.Each(n, do)
		return
	}
	for i := range n {
		do(i)
	}
}

// GateOf returns the rules that the batch files of runs under some paths state
// for a comparison: those of the first run of each that has any.
func GateOf(paths []string) []string {
	for _, path := range paths {
		dirs, err := results.PublishedDirs(path)
		if err != nil || len(dirs) == 0 {
			continue
		}
		if p, err := results.ReadPublished(dirs[0]); err == nil && len(p.Meta.Gate) > 0 {
			return p.Meta.Gate
		}
	}
	return nil
}

// run reads the directory of a run. One that is spoilt does not keep the others
// from being compared.
func (r *SideReader) run(dir string) (compare.CompareRun, error) {
	p, err := results.ReadPublished(dir)
	if err != nil {
		return compare.CompareRun{}, err
	}
	run := published(p)
	figure := p.Figure
	if r.Records && p.Version != "" && run.Unfit == "" {
		recorded, err := results.Open(dir)
		if err != nil {
			return run, err
		}
		summary, err := recorded.Summary()
		if err != nil {
			return run, err
		}
		run.Validity = summary.Validity
		figure = func(f metrics.Figure) (float64, bool) { return summarized(&summary, f) }
	}
	r.fill(&run, figure)
	return run, nil
}

func (r *SideReader) fill(run *compare.CompareRun, figure func(metrics.Figure) (float64, bool)) {
	run.Figures = map[metrics.Figure]float64{}
	for _, f := range slices.Concat(r.Figures, compare.CauseFigures()) {
		if v, ok := figure(f); ok {
			run.Figures[f] = v
		}
	}
}

// summarized is a figure of a summary.
func summarized(s *metrics.Summary, f metrics.Figure) (float64, bool) {
	if f.Tag == metrics.ErrorRate {
		n := s.Counts.OK + s.Counts.Failed
		return float64(s.Counts.Failed) / float64(n), n > 0
	}
	switch m := s.Metric(f.Tag); {
	case m == nil:
		return 0, false
	case m.Value != nil:
		return *m.Value, f.Stat == "avg"
	default:
		return m.Stats.Named(f.Stat)
	}
}

// file reads a result file.
func (r *SideReader) file(path string) ([]compare.CompareRun, error) {
	found, err := trace.ReadResults(path)
	if err == nil {
		return r.foreign(path, found), nil
	}
	if p, otherwise := results.ReadExport(path); otherwise == nil && len(p.Input()) > 0 {
		run := published(p)
		r.fill(&run, p.Figure)
		return []compare.CompareRun{run}, nil
	}
	return nil, fmt.Errorf("comparing: %w, or a profile_export_aiperf.json", err)
}

// files reads the result files in a directory without runs.
func (r *SideReader) files(dir string) ([]compare.CompareRun, error) {
	names, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil {
		return nil, fmt.Errorf("comparing: %w", err)
	}
	var runs []compare.CompareRun
	for _, name := range names {
		found, err := trace.ReadResults(name)
		if errors.Is(err, trace.ErrNoResult) {
			continue
		}
		if err != nil {
			return nil, err
		}
		runs = append(runs, r.foreign(name, found)...)
	}
	if len(runs) == 0 {
		return nil, fmt.Errorf("comparing: %s holds no run of loadgen or AIPerf and no result of vLLM or guidellm", dir)
	}
	return runs, nil
}

func (r *SideReader) foreign(path string, found []trace.Result) []compare.CompareRun {
	var runs []compare.CompareRun
	for i, f := range found {
		run := compare.CompareRun{
			Dir: path, Cell: f.Values, Started: f.Started, Ended: f.Ended,
			Conditions: []compare.Setting{{Key: compare.SettingTool, Value: f.Tool}},
		}
		if len(found) > 1 {
			run.Dir = fmt.Sprintf("%s#%d", path, i+1)
		}
		if f.Model != "" {
			run.Conditions = append(run.Conditions, compare.Setting{Key: "model", Value: f.Model})
		}
		if f.OK == 0 {
			run.Unfit = "no request succeeded"
		}
		r.fill(&run, func(g metrics.Figure) (float64, bool) {
			if g.Tag == metrics.ErrorRate {
				return f.Failed / (f.OK + f.Failed), f.OK > 0 && f.Failed >= 0
			}
			v, ok := f.Figures[g.Tag+"."+g.Stat]
			return v, ok
		})
		runs = append(runs, run)
	}
	return runs
}

// published turns what a run published into a run of a comparison.
func published(p *results.Published) compare.CompareRun {
	run := compare.CompareRun{
		Dir: p.Dir, Cell: p.Meta.Cell.Values, Started: p.Started, Ended: p.Ended,
		Unfit: p.Unfit, Validity: p.Validity,
	}
	if run.Started.IsZero() {
		run.Started = p.Meta.Timestamp
	}
	version := cmp.Or(p.Version, p.Meta.Version)
	if version == "" {
		run.Cell = leaves(run.Cell)
		run.Conditions = foreignSettings(p.Input(), run.Cell)
		return run
	}
	run.Conditions = []compare.Setting{
		{Key: compare.SettingTool, Value: "loadgen"},
		{Key: "version", Value: version},
		{Key: compare.SettingLabel, Value: p.Meta.Label},
		{Key: compare.SettingTokens, Value: countedBy(p)},
	}
	swept := map[string]bool{}
	for _, v := range run.Cell {
		swept[v.Key] = true
	}
	run.Conditions = flatten(run.Conditions, "", p.Meta.Config, func(key string) bool { return swept[key] || key == "random_seed" || key == "cache_bust_salt" })
	every := func(string) bool { return false }
	run.Conditions = flatten(run.Conditions, "mock.", p.Meta.Endpoint, every)
	run.Conditions = flatten(run.Conditions, "", p.Meta.Rounds, every)
	run.Conditions = flatten(run.Conditions, "host.", p.Meta.Host, every)
	return run
}

// countedBy says what counted the answers' tokens.
func countedBy(p *results.Published) string {
	switch s := p.Sources; {
	case s.OSLTokenizer == 0 && s.OSLUsage > 0:
		return "the server"
	case s.OSLTokenizer > 0 && s.OSLUsage > 0:
		return "the server and " + s.Tokenizer
	case s.OSLTokenizer > 0:
		return cmp.Or(s.Tokenizer, "a tokenizer")
	}
	return "nothing"
}

// leaves shortens AIPerf's paths to their last part, where these differ.
func leaves(values []loadgen.Value) []loadgen.Value {
	short := make([]loadgen.Value, len(values))
	seen := map[string]bool{}
	for i, v := range values {
		key := v.Key[strings.LastIndexByte(v.Key, '.')+1:]
		if seen[key] {
			return values
		}
		seen[key] = true
		short[i] = loadgen.Value{Key: key, Value: v.Value}
	}
	return short
}
