package archive

import (
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"

	"loadgen/compare"
)

// A Comparing is a comparison of what lies on the disk.
type Comparing struct {
	// Base and New are the paths of the sides, as [SideReader.Read] takes them.
	Base, New []string
	// Asked says what is compared; where it has no rules to fail on, those of
	// the gate of New's batch file are taken.
	compare.Asked
	// History are earlier nights to learn the noise from where a side has one
	// run: those beside the first of Base where there are none, none at all
	// where the only one is "none".
	History []string
	// Records computes the figures again from the records.
	Records bool
	// CPUs is how many runs are read at a time.
	CPUs int
}

// Compare reads both sides and compares them. Where nothing can be compared,
// what was left out comes back beside the error.
func (c Comparing) Compare() (*compare.Comparison, error) {
	if len(c.FailOn) == 0 {
		c.FailOn = GateOf(c.New)
	}
	rules, err := c.Rules()
	if err != nil {
		return nil, err
	}
	reader := &SideReader{Records: c.Records, Each: c.each}
	for _, r := range rules {
		reader.Figures = append(reader.Figures, r.Figure)
	}
	base, err := reader.Read("BASE", c.Base)
	if err != nil {
		return nil, err
	}
	fresh, err := reader.Read("NEW", c.New)
	if err != nil {
		return nil, err
	}
	if err := disjoint(base, fresh); err != nil {
		return nil, err
	}
	o := compare.CompareOptions{Rules: rules}
	if base.Single() || fresh.Single() {
		o.History = reader.History(c.nights())
	}
	return compare.Compare(base, fresh, o)
}

// each calls do with 0 to n−1, on as many goroutines as there are CPUs to use.
func (c Comparing) each(n int, do func(i int)) {
	var next atomic.Int64
	var workers sync.WaitGroup
	for range min(n, max(c.CPUs, 1)) {
		workers.Go(func() {
			for i := next.Add(1) - 1; i < int64(n); i = next.Add(1) - 1 {
				do(int(i))
			}
		})
	}
	workers.Wait()
}

// nights are the earlier batches to learn the noise from.
func (c Comparing) nights() []string {
	switch {
	case len(c.History) == 1 && c.History[0] == "none":
		return nil
	case len(c.History) > 0:
		return c.History
	}
	return EarlierNights(c.Base[0], slices.Concat(c.Base, c.New))
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
