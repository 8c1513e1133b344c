package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"loadgen/archive"
	"loadgen/compare"
	"loadgen/internal/outside"
	"loadgen/report"
	"loadgen/stats"
	"loadgen/sweep"
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
	comparing := archive.Comparing{
		Base: append([]string{c.Base}, c.MoreBase...), New: append([]string{c.New}, c.MoreNew...),
		Asked: compare.Asked{Margin: c.Margin, FailOn: c.FailOn, Metrics: c.Metric}, History: c.History, Records: c.Records, CPUs: granted,
	}
	return comparing.Compare()
}

// A comparisonFile is a comparison as JSON.
type comparisonFile struct {
	SchemaVersion string `json:"schema_version"`
	*compare.Comparison
}

func (c *compareCommand) print(w io.Writer, compared *compare.Comparison) error {
	text, err := report.CompareAs(c.Format, compared, report.CompareOptions{All: c.All, Strict: c.Strict, Options: reportOptions(w)})
	if err != nil {
		return err
	}
	_, err = io.WriteString(w, text)
	return err
}

// verdict turns the verdict into the exit status that was asked for.
func (c *compareCommand) verdict(compared *compare.Comparison) error {
	switch {
	case c.ReportOnly:
		return nil
	case compared.Verdict == stats.Worse:
		return sweep.LimitError{Err: errors.New("NEW is worse than BASE")}
	case compared.Verdict == stats.CannotTell && c.Strict:
		return sweep.CannotTellError{Err: errors.New("the runs cannot tell whether NEW is worse than BASE: repeat them")}
	}
	return nil
}
