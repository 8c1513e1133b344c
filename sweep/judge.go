package sweep

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"loadgen"
	"loadgen/metrics"
)

// The ways in which a batch that was carried out can come short. A caller of
// loadgen can tell them apart.
type (
	// FailedError is a run that failed.
	FailedError struct{ Err error }
	// InvalidError is a measurement that proves nothing: the client was the
	// bottleneck.
	InvalidError struct{ Err error }
	// LimitError is a stated limit that was missed: an SLO, a budget.
	LimitError struct{ Err error }
	// CannotTellError is an answer that was to be sure and is not.
	CannotTellError struct{ Err error }
)

func (e FailedError) Error() string     { return e.Err.Error() }
func (e InvalidError) Error() string    { return e.Err.Error() }
func (e LimitError) Error() string      { return e.Err.Error() }
func (e CannotTellError) Error() string { return e.Err.Error() }

func (e FailedError) Unwrap() error     { return e.Err }
func (e InvalidError) Unwrap() error    { return e.Err }
func (e LimitError) Unwrap() error      { return e.Err }
func (e CannotTellError) Unwrap() error { return e.Err }

// Judge returns what a batch that is over came short of: failed runs, invalid
// ones and missed limits, joined. Runs of cells that were not picked, which an
// earlier night has made, are not judged again.
func (b *Batch) Judge(runs []*Run, allowInvalid bool) error {
	if b.Search.Asked() {
		return b.judgeSearch(runs, allowInvalid)
	}
	var errs []error
	for _, run := range runs {
		if slices.ContainsFunc(b.leftOut, func(c Cell) bool { return c.Index == run.Cell.Index }) {
			continue
		}
		name := run.Name()
		if run.Err != nil {
			errs = append(errs, FailedError{Err: fmt.Errorf("%s failed: %w", name, run.Err)})
		} else if s := run.Summary; s != nil && s.Validity.Verdict == metrics.Invalid && !allowInvalid {
			errs = append(errs, InvalidError{Err: fmt.Errorf("the measurement of %s is INVALID: %s", name, s.Validity.Reasons[0].Text)})
		}
		for _, missed := range run.Missed() {
			errs = append(errs, LimitError{Err: fmt.Errorf("%s: %s", name, missed)})
		}
		for _, unproved := range run.unproved() {
			errs = append(errs, CannotTellError{Err: fmt.Errorf("%s: %s", name, unproved)})
		}
	}
	return errors.Join(errs...)
}

// unproved returns the budgets that the run kept and does not prove, where it was
// to certify them, a sentence each.
func (r *Run) unproved() []string {
	if r.Summary == nil || r.Status() != loadgen.Completed {
		return nil
	}
	var all []string
	for _, c := range r.Summary.Certificates {
		if c.Limit == nil || c.Certified {
			continue
		}
		if value, _, ok := figure(r.Summary, c.Name); ok && value <= *c.Limit {
			all = append(all, c.String())
		}
	}
	return all
}

// judgeSearch returns what a search that is over came short of: a capacity that
// was sought and not found. That probes above it break their limits, fail or are
// INVALID is how it is found.
func (b *Batch) judgeSearch(runs []*Run, allowInvalid bool) error {
	var errs []error
	for _, c := range b.Capacities(runs) {
		for _, tier := range c.Tiers {
			name := strings.TrimSpace(c.Cell.Dir + " " + tier.Name)
			if name == "" {
				name = "the search"
			}
			switch {
			case tier.Status == CapacityNoPass && !answered(&c):
				errs = append(errs, FailedError{Err: fmt.Errorf("%s: no request of any probe succeeded", name)})
			case tier.Status == CapacityNoPass:
				errs = append(errs, LimitError{Err: fmt.Errorf("%s: even the least load that was tried broke a limit", name)})
			case tier.Status != CapacityOpen:
			case c.Wall == "" || c.Stopped == "time_limit":
				errs = append(errs, CannotTellError{Err: fmt.Errorf("%s did not come to its end: %s", name, c.Stopped)})
			case strings.HasPrefix(c.Wall, "INVALID"):
				if !allowInvalid {
					errs = append(errs, InvalidError{Err: fmt.Errorf("%s has no answer: a probe was %s", name, c.Wall)})
				}
			default:
				errs = append(errs, FailedError{Err: fmt.Errorf("%s has no answer: a probe %s", name, c.Wall)})
			}
		}
	}
	return errors.Join(errs...)
}

// answered reports whether any request of a search succeeded.
func answered(c *Capacity) bool {
	return slices.ContainsFunc(c.Probes, func(p ProbeResult) bool { return p.Run.Summary != nil && p.Run.Summary.Counts.OK > 0 })
}
