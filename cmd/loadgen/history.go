package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"loadgen/archive"
	"loadgen/compare"
	"loadgen/metrics"
	"loadgen/report"
	"loadgen/results"
)

type historyCommand struct {
	Dir string `arg:"" help:"The nights of a batch: <output_base_dir>/<batch_name>, or the directory of one of them."`

	Format  string   `enum:"table,markdown,csv,json" default:"table" help:"How to print: table, markdown, csv or json."`
	Last    int      `default:"30" placeholder:"N" help:"Nights to show in table and markdown; 0 for all. Changes are looked for in all."`
	Metric  []string `placeholder:"METRIC" help:"Also follow this figure, such as request_latency.p99; may be given several times."`
	Rebuild bool     `help:"Read every night again instead of the index."`
}

func (c *historyCommand) Run(_ context.Context, std streams) error {
	if c.Last < 0 {
		return usageError{errors.New("--last cannot be negative")}
	}
	rules := compare.DefaultCompareRules()
	var more []metrics.Figure
	for _, text := range c.Metric {
		figure, err := metrics.ParseFigure(text)
		if err != nil {
			return usageError{fmt.Errorf("--metric: %w", err)}
		}
		more = append(more, figure)
		rules = compare.WithFigure(rules, figure)
	}
	dir, err := archive.NightsDir(c.Dir)
	if err != nil {
		return usageError{err}
	}
	nights, lacks := archive.Nights(dir, c.Rebuild, more)
	if lacks != nil {
		fmt.Fprintf(std.err, "left out: %v\n", lacks)
	}
	if len(nights) == 0 {
		return usageError{fmt.Errorf("%s holds no night that can be read", dir)}
	}
	err = c.print(std.out, compare.HistoryOf(nights, rules))
	if results.NoRoom(lacks) {
		err = errors.Join(err, errors.New("the disk is full: what is shown is whole, and the index of the nights is the old one"))
	}
	return err
}

func (c *historyCommand) print(w io.Writer, h *compare.History) error {
	text, err := report.HistoryAs(c.Format, h, h.Figures, c.Last, reportOptions(w))
	if err != nil {
		return err
	}
	_, err = io.WriteString(w, text)
	return err
}
