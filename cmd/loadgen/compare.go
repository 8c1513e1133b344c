package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"

	"loadgen/archive"
	"loadgen/compare"
	"loadgen/internal/outside"
	"loadgen/metrics"
	"loadgen/report"
	"loadgen/stats"
)

type compareCommand struct {
	Base string `arg:"" help:"What to compare against: the directory of a batch or run of loadgen or AIPerf, or a result file of AIPerf, vLLM or guidellm."`
	New  string `arg:"" help:"What to compare."`

	MoreBase []string `name:"base" placeholder:"PATH" help:"A further directory or file of BASE's side; may be given several times."`
	MoreNew  []string `name:"new" placeholder:"PATH" help:"Likewise of NEW's side."`

	Format     string   `enum:"table,markdown,json,junit" default:"table" help:"How to print: table, markdown (for a pull request), json or junit."`
	All        bool     `help:"Also print the results without a difference of a long comparison."`
	FailOn     []string `sep:"none" placeholder:"RULE" help:"Fail only on this, such as 'time_to_first_token.p95 > +5%'; may be given several times. Default: the gate of NEW's batch file, or any main figure worse by 5%."`
	Metric     []string `placeholder:"METRIC" help:"Also compare and show this figure, such as inter_token_latency.p99; may be given several times."`
	Margin     string   `placeholder:"PERCENT" help:"The least change that matters, where no rule says otherwise. Default: 5%."`
	Strict     bool     `help:"Exit with 98 where the runs cannot tell."`
	ReportOnly bool     `help:"Exit with 0 whatever the verdict."`
	History    []string `placeholder:"PATH" help:"Earlier nights to learn the noise from where a side has one run; none for none. Default: the batches beside BASE."`
	Records    bool     `help:"Compute the figures again from the records: for runs of different versions."`
}

func (c *compareCommand) Run(_ context.Context, std streams) error {
	compared, err := c.compare()
	if err != nil {
		if compared != nil {
			for _, line := range report.LeftOutLines(compared) {
				fmt.Fprintf(std.err, "left out: %s\n", outside.Line(line))
			}
		}
		return usageError{err}
	}
	if err := c.print(std.out, compared); err != nil {
		return err
	}
	return c.verdict(compared)
}

// compare reads both sides and compares them. Where nothing can be compared,
// what was left out comes back beside the error.
func (c *compareCommand) compare() (*compare.Comparison, error) {
	basePaths, newPaths := append([]string{c.Base}, c.MoreBase...), append([]string{c.New}, c.MoreNew...)
	if len(c.FailOn) == 0 {
		c.FailOn = archive.GateOf(newPaths)
	}
	rules, err := c.rules()
	if err != nil {
		return nil, err
	}
	reader := &archive.SideReader{Records: c.Records, Each: onAllCPUs}
	for _, r := range rules {
		reader.Figures = append(reader.Figures, r.Figure)
	}
	base, err := reader.Read("BASE", basePaths)
	if err != nil {
		return nil, err
	}
	fresh, err := reader.Read("NEW", newPaths)
	if err != nil {
		return nil, err
	}
	if err := disjoint(base, fresh); err != nil {
		return nil, err
	}
	o := compare.CompareOptions{Rules: rules}
	if single(base) || single(fresh) {
		o.History = reader.History(c.nights(base, fresh))
	}
	return compare.Compare(base, fresh, o)
}

// onAllCPUs calls do with 0 to n−1, on as many goroutines as there are CPUs to
// use.
func onAllCPUs(n int, do func(i int)) {
	var next atomic.Int64
	var workers sync.WaitGroup
	for range min(n, granted) {
		workers.Go(func() {
			for i := next.Add(1) - 1; i < int64(n); i = next.Add(1) - 1 {
				do(int(i))
			}
		})
	}
	workers.Wait()
}

// rules are what to compare, each figure once: the main figures, those to show
// and those to fail on.
func (c *compareCommand) rules() ([]compare.CompareRule, error) {
	rules := compare.DefaultCompareRules()
	if c.Margin != "" {
		margin, err := metrics.ParsePercent(c.Margin)
		if err != nil || margin <= 0 {
			return nil, fmt.Errorf("--margin %s: give a percentage above 0, such as 5%%", c.Margin)
		}
		for i := range rules {
			if rules[i].Figure.Tag != metrics.ErrorRate {
				rules[i].Margin = margin
			}
		}
	}
	if len(c.FailOn) > 0 {
		for i := range rules {
			rules[i].Gated = false
		}
	}
	var errs []error
	for _, text := range c.Metric {
		figure, err := metrics.ParseFigure(text)
		if err != nil {
			errs = append(errs, fmt.Errorf("--metric: %w", err))
			continue
		}
		shown := compare.RuleFor(figure)
		shown.Gated = false
		rules = withRule(rules, shown, false)
	}
	for _, text := range c.FailOn {
		rule, err := compare.ParseCompareRule(text)
		if err != nil {
			errs = append(errs, fmt.Errorf("--fail-on: %w", err))
			continue
		}
		rules = withRule(rules, rule, true)
	}
	return rules, errors.Join(errs...)
}

// withRule adds a rule; one of the same figure is replaced if asked for.
func withRule(rules []compare.CompareRule, rule compare.CompareRule, replace bool) []compare.CompareRule {
	i := slices.IndexFunc(rules, func(r compare.CompareRule) bool { return r.Figure == rule.Figure })
	switch {
	case i < 0:
		return append(rules, rule)
	case replace, rules[i].Unstreamed:
		rules[i] = rule
	}
	return rules
}

// disjoint refuses a run on both sides: it would agree with itself.
func disjoint(base, fresh compare.CompareSide) error {
	of := map[string]bool{}
	for _, r := range base.Runs {
		of[absolute(r.Dir)] = true
	}
	for _, r := range fresh.Runs {
		if of[absolute(r.Dir)] {
			return fmt.Errorf("%s stands on both sides", r.Dir)
		}
	}
	return nil
}

func absolute(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return path
}

// single reports whether a cell of a side has one run.
func single(s compare.CompareSide) bool {
	runs := map[string]int{}
	for _, r := range s.Runs {
		if !r.Mute() {
			runs[compare.CellKey(r.Cell)]++
		}
	}
	for _, n := range runs {
		if n == 1 {
			return true
		}
	}
	return false
}

// nights are the earlier batches to learn the noise from.
func (c *compareCommand) nights(base, fresh compare.CompareSide) []string {
	switch {
	case len(c.History) == 1 && c.History[0] == "none":
		return nil
	case len(c.History) > 0:
		return c.History
	}
	return archive.EarlierNights(c.Base, slices.Concat(base.Paths, fresh.Paths))
}

func (c *compareCommand) print(w io.Writer, compared *compare.Comparison) error {
	switch c.Format {
	case "markdown":
		_, err := io.WriteString(w, report.CompareMarkdown(compared, c.All))
		return err
	case "json":
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		e.SetEscapeHTML(false)
		return e.Encode(struct {
			SchemaVersion string `json:"schema_version"`
			*compare.Comparison
		}{"1.0", compared})
	case "junit":
		text, err := report.CompareJUnit(compared, c.Strict)
		if err != nil {
			return err
		}
		_, err = io.WriteString(w, text)
		return err
	}
	_, err := io.WriteString(w, report.CompareTable(compared, c.All, reportOptions(w)))
	return err
}

// verdict turns the verdict into the exit status that was asked for.
func (c *compareCommand) verdict(compared *compare.Comparison) error {
	switch {
	case c.ReportOnly:
		return nil
	case compared.Verdict == stats.Worse:
		return limitError{errors.New("NEW is worse than BASE")}
	case compared.Verdict == stats.CannotTell && c.Strict:
		return cannotTellError{errors.New("the runs cannot tell whether NEW is worse than BASE: repeat them")}
	}
	return nil
}
