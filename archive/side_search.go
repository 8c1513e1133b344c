package archive

import (
	"math"
	"path/filepath"
	"slices"
	"strings"

	"loadgen/compare"
	"loadgen/metrics"
	"loadgen/results"
	"loadgen/stats"
	"loadgen/sweep"
)

// searches takes the runs of searches out of some directories of runs, and returns
// each search as one run: its probes are at loads of its own choice, and end when
// their answer is sure, so that they are no figures to compare. A single directory is
// what was asked for.
func (r *SideReader) searches(path string, dirs []string) (others []string, found []compare.CompareRun) {
	probes := map[string][]string{} // by batch
	var batches []string
	for _, dir := range dirs {
		batch, ok := results.SearchedBatch(dir)
		if !ok || dir == filepath.Clean(path) {
			others = append(others, dir)
			continue
		}
		if probes[batch] == nil {
			batches = append(batches, batch)
		}
		probes[batch] = append(probes[batch], dir)
	}
	for _, batch := range batches {
		found = append(found, searchesOf(batch, probes[batch])...)
	}
	return others, found
}

// searchesOf are the searches of a batch that some directories are probes of.
func searchesOf(batch string, probes []string) []compare.CompareRun {
	capacities, err := results.ReadCapacities(batch)
	if err != nil {
		return []compare.CompareRun{{Dir: filepath.Join(batch, results.CapacityJSONName), Unfit: "it cannot be read: " + err.Error()}}
	}
	if len(capacities) == 0 {
		return []compare.CompareRun{{Dir: filepath.Join(batch, "search"), Unfit: "its search was broken off before its first probe ended"}}
	}
	var runs []compare.CompareRun
	for i := range capacities {
		c := &capacities[i]
		of := func(p results.CapacityProbe) bool {
			return slices.Contains(probes, filepath.Join(batch, filepath.FromSlash(p.Dir)))
		}
		if slices.ContainsFunc(c.Probes, of) {
			runs = append(runs, searchOf(batch, c))
		}
	}
	return runs
}

// searchOf is a search as a run of a comparison. It ran under what its first probe
// did, but for the load, and within its limits.
func searchOf(batch string, c *results.Capacity) compare.CompareRun {
	at := func(i int) string { return filepath.Join(batch, filepath.FromSlash(c.Probes[i].Dir)) }
	run := compare.CompareRun{Dir: filepath.Dir(filepath.Dir(at(0))), Cell: c.Cell.Values}
	first, err := results.ReadPublished(at(0))
	if err != nil {
		run.Unfit = "it cannot be read: " + err.Error()
		return run
	}
	probe := published(first)
	run.Started, run.Conditions = probe.Started, probe.Conditions
	if last, err := results.ReadPublished(at(len(c.Probes) - 1)); err == nil {
		run.Ended = last.Ended
	}
	run.Conditions = append(run.Conditions, compare.Setting{Key: "search.over", Value: c.Over})
	run.Search = &compare.Search{Unit: c.Unit, Found: map[metrics.Figure]compare.Found{}}
	run.Validity.Verdict = metrics.Valid
	var without []string
	for i := range c.Tiers {
		t := &c.Tiers[i]
		limits := make([]string, len(t.Limits))
		for k, l := range t.Limits {
			limits[k] = l.String()
		}
		found := foundIn(c, t)
		found.Limits = strings.Join(limits, ", ")
		run.Search.Found[metrics.Figure{Tag: metrics.Capacity, Stat: t.Name}] = found
		if found.Why != "" {
			without = append(without, found.Why)
		}
		if !t.Certified {
			run.Validity.Verdict = metrics.Degraded
		}
		run.Conditions = append(run.Conditions, compare.Setting{Key: strings.TrimSuffix("search.limits."+t.Name, "."), Value: found.Limits})
	}
	if len(without) == len(c.Tiers) {
		run.Unfit = "its search has no answer: " + without[0]
	}
	run.Figures = run.Search.Figures()
	return run
}

// foundIn is the answer of a tier.
func foundIn(c *results.Capacity, t *results.CapacityTier) compare.Found {
	f := compare.Found{
		Value: float64(t.Capacity), Lower: orElse(t.Lower, 0), Upper: orElse(t.Upper, math.Inf(1)), Confidence: c.Confidence,
	}
	for _, x := range t.ByLimit {
		switch x.Status {
		case stats.Crossed:
			f.Reached = append(f.Reached, compare.Reached{Limit: x.Limit, At: float64(x.Capacity)})
		case stats.Below:
			f.Reached = append(f.Reached, compare.Reached{Limit: x.Limit})
		}
	}
	switch t.Status {
	case sweep.CapacityFound:
	case sweep.CapacityNoFail:
		f.Bound = compare.AtLeast
	case sweep.CapacityNoPass:
		f.Bound, f.Value = compare.Below, float64(t.FailedAt)
	default:
		f.Why = "it ended without one (" + c.Stopped + ")"
	}
	if f.Why == "" && !(f.Value > 0) {
		f.Why = "no load was measured"
	}
	return f
}

func orElse(b metrics.Bound, otherwise float64) float64 {
	if !b.Known() {
		return otherwise
	}
	return float64(b)
}
