package archive

import (
	"os"
	"path/filepath"
	"slices"
	"time"

	"loadgen/compare"
	"loadgen/metrics"
	"loadgen/stats"
)

// stamped reports whether a directory is named like a batch's.
func stamped(name string) bool {
	const stamp = "20060102_150405"
	if len(name) < len(stamp) {
		return false
	}
	_, err := time.Parse(stamp, name[:len(stamp)])
	return err == nil && (len(name) == len(stamp) || name[len(stamp)] == '_')
}

// maxNights are read to learn the noise: more would tell it no better, and
// reach back into other times.
const maxNights = 60

// EarlierNights returns the directories beside a batch's that were made before
// it, oldest first, at most the last 60; those named are left out. None where
// the directory is not named like a batch's.
func EarlierNights(batch string, leaveOut []string) []string {
	batch = filepath.Clean(batch)
	if !stamped(filepath.Base(batch)) {
		return nil
	}
	entries, err := os.ReadDir(filepath.Dir(batch))
	if err != nil {
		return nil
	}
	var nights []string
	for _, e := range entries {
		dir := filepath.Join(filepath.Dir(batch), e.Name())
		if !e.IsDir() || !stamped(e.Name()) || e.Name() >= filepath.Base(batch) {
			continue
		}
		if !slices.ContainsFunc(leaveOut, func(other string) bool { return filepath.Clean(other) == dir }) {
			nights = append(nights, dir)
		}
	}
	return nights[max(0, len(nights)-maxNights):]
}

// LatestValid returns the newest of some batches, oldest first, of which no run
// is INVALID or without figures; empty for none.
func (r *SideReader) LatestValid(nights []string) string {
	for _, night := range slices.Backward(nights) {
		side, err := r.Read(night, []string{night})
		if err == nil && len(side.Runs) > 0 && !slices.ContainsFunc(side.Runs, compare.CompareRun.Mute) {
			return night
		}
	}
	return ""
}

// History reads earlier nights and returns what they tell of the noise, as
// [historyOf] says. A night that cannot be read does not count.
func (r *SideReader) History(nights []string) map[string]map[metrics.Figure][]float64 {
	var sides []compare.CompareSide
	for _, night := range nights {
		if side, err := r.Read(night, []string{night}); err == nil {
			sides = append(sides, side)
		}
	}
	return historyOf(sides, r.Figures)
}

// historyOf returns, for each cell and figure, those of some nights since the
// last change of level: what stable nights differ by is the noise of a night. A
// night counts once however many repeats it has; a run without a say does not
// count.
func historyOf(nights []compare.CompareSide, figures []metrics.Figure) map[string]map[metrics.Figure][]float64 {
	history := map[string]map[metrics.Figure][]float64{}
	for _, night := range nights {
		seen := map[string]bool{}
		for _, run := range night.Runs {
			key := compare.CellKey(run.Cell)
			if run.Mute() || seen[key] {
				continue
			}
			seen[key] = true
			if history[key] == nil {
				history[key] = map[metrics.Figure][]float64{}
			}
			for _, f := range withCapacities(figures, run) {
				if v, ok := run.Figures[f]; ok && (v > 0 || f.Tag == metrics.ErrorRate) {
					history[key][f] = append(history[key][f], v)
				}
			}
		}
	}
	for _, cell := range history {
		for f, values := range cell {
			if f.Tag != metrics.ErrorRate {
				cell[f] = lastLevel(values)
			}
		}
	}
	return history
}

// lastLevel are the values since the last change point.
func lastLevel(values []float64) []float64 {
	points, _ := stats.ChangePoints(values, stats.DefaultChangeRule)
	if len(points) == 0 {
		return values
	}
	return values[points[len(points)-1].Index:]
}

// withCapacities are some figures and the capacities that a run has besides.
func withCapacities(figures []metrics.Figure, run compare.CompareRun) []metrics.Figure {
	all := figures
	for f := range run.Figures {
		if f.Tag == metrics.Capacity && !slices.Contains(all, f) {
			all = append(all[:len(all):len(all)], f)
		}
	}
	return all
}
