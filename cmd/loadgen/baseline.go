package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"loadgen/archive"
	"loadgen/compare"
	"loadgen/page"
	"loadgen/results"
)

// latestValid asks for the newest earlier batch of the same name of which every
// run can be trusted.
const latestValid = "latest-valid"

// checkBaseline refuses a baseline that is not there, before anything is run.
func (c *runCommand) checkBaseline() error {
	switch {
	case c.Baseline == "" && c.Strict:
		return errors.New("--strict says nothing without --baseline")
	case c.Baseline == "" || c.Baseline == latestValid:
		return nil
	}
	reader := &archive.SideReader{}
	side, err := reader.Read("BASE", []string{c.Baseline})
	switch {
	case err != nil:
		return fmt.Errorf("--baseline: %w", err)
	case !slices.ContainsFunc(side.Runs, func(r compare.CompareRun) bool { return !r.Mute() }):
		return fmt.Errorf("--baseline %s: none of its runs has figures to rely on", c.Baseline)
	}
	return nil
}

// against compares a batch that is over with its baseline.
func (c *runCommand) against(batch string, out io.Writer) error {
	base := c.Baseline
	if base == latestValid {
		reader := &archive.SideReader{}
		base = reader.LatestValid(archive.EarlierNights(batch, nil))
		if base == "" {
			fmt.Fprintln(out, "No earlier batch is valid: nothing to compare with")
			return nil
		}
	}
	if _, err := os.Stat(base); err != nil {
		return fmt.Errorf("comparing: %w", err)
	}
	comparing := compareCommand{Base: base, New: batch, Format: "table", Strict: c.Strict}
	compared, err := comparing.compare()
	if err != nil {
		return fmt.Errorf("comparing with %s: %w", base, err)
	}
	kept := results.WriteJSON(filepath.Join(batch, page.ComparisonName), comparisonFile{"1.0", compared})
	if err := errors.Join(kept, comparing.print(out, compared)); err != nil {
		return err
	}
	return comparing.verdict(compared)
}
