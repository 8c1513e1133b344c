package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"loadgen/sweep"
)

// judgeSearch returns what a finished search exits with: a capacity that was
// sought and not found. That probes above it break their limits, fail or are
// INVALID is how it is found.
func judgeSearch(batch *sweep.Batch, runs []*sweep.Run, allowInvalid bool) error {
	var errs []error
	for _, c := range batch.Capacities(runs) {
		for _, tier := range c.Tiers {
			name := strings.TrimSpace(c.Cell.Dir + " " + tier.Name)
			if name == "" {
				name = "the search"
			}
			switch {
			case tier.Status == sweep.CapacityNoPass && !answered(&c):
				errs = append(errs, failedError{fmt.Errorf("%s: no request of any probe succeeded", name)})
			case tier.Status == sweep.CapacityNoPass:
				errs = append(errs, limitError{fmt.Errorf("%s: even the least load that was tried broke a limit", name)})
			case tier.Status != sweep.CapacityOpen:
			case c.Wall == "":
				errs = append(errs, cannotTellError{fmt.Errorf("%s did not come to its end: %s", name, c.Stopped)})
			case strings.HasPrefix(c.Wall, "INVALID"):
				if !allowInvalid {
					errs = append(errs, invalidError{fmt.Errorf("%s has no answer: a probe was %s", name, c.Wall)})
				}
			default:
				errs = append(errs, failedError{fmt.Errorf("%s has no answer: a probe %s", name, c.Wall)})
			}
		}
	}
	return errors.Join(errs...)
}

// answered reports whether any request of a search succeeded.
func answered(c *sweep.Capacity) bool {
	return slices.ContainsFunc(c.Probes, func(p sweep.ProbeResult) bool { return p.Run.Summary != nil && p.Run.Summary.Counts.OK > 0 })
}

// searchedLimits are the limits of a search in words.
func searchedLimits(batch *sweep.Batch) string {
	var parts []string
	for _, tier := range batch.Search.AllTiers() {
		var limits []string
		for _, l := range tier.Limits {
			limits = append(limits, l.String())
		}
		text := strings.Join(limits, ", ")
		if tier.Name != "" {
			text = tier.Name + ": " + text
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, "; ")
}
