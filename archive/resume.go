package archive

import (
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"loadgen"
	"loadgen/fleet"
	"loadgen/metrics"
	"loadgen/results"
	"loadgen/sweep"
)

// A Resume says how a batch that was broken off goes on.
type Resume struct {
	Manifest *results.Manifest
	Text     []byte // of the batch file that was begun, without secrets
	// Failed and Invalid ask for the runs that failed, or whose measurement was
	// INVALID, to be made again.
	Failed, Invalid bool
	// Anyway goes on although the batch is not what was begun.
	Anyway bool
}

// Restore checks that the batch is the one that was begun, sets aside the runs
// that are to be made again, and returns the others, with those of cells that
// were not picked. The error of a batch that
// is another one is an [ErrNotTheSame].
func (k *Recorder) Restore(r Resume) ([]*sweep.Run, error) {
	differ, err := differences(r.Manifest, r.Text, k.Batch)
	if err != nil {
		return nil, err
	}
	note := strings.Join(differ, "; ")
	if note != "" && !r.Anyway {
		return nil, fmt.Errorf("%w: %s. Undo that, or go on all the same with --resume-anyway", ErrNotTheSame, note)
	}
	if note != "" {
		k.Log.Warn("Going on with a batch that is not what was begun: " + note)
	}
	if err := results.SweepUp(k.Root.Dir); err != nil {
		return nil, err
	}
	restore := k.restoreRuns
	if k.Batch.Search.Asked() {
		restore = k.restoreProbes
	}
	done, err := restore(r)
	if err != nil {
		return nil, err
	}
	others, err := k.restoreOthers()
	if err != nil {
		return nil, err
	}
	done = append(done, others...)
	k.over = append(k.over, done...)
	r.Manifest.Resumed = append(r.Manifest.Resumed, results.ManifestStart{At: time.Now(), Note: note})
	return done, k.Root.Amend(r.Manifest)
}

// restoreRuns returns the runs of a batch without a search that are there.
func (k *Recorder) restoreRuns(r Resume) (done []*sweep.Run, err error) {
	for _, ask := range k.Batch.Runs() {
		run, err := k.restoreRun(ask, r)
		if err != nil {
			return nil, err
		}
		if run != nil {
			done = append(done, run)
		}
	}
	k.Log.Info(fmt.Sprintf("Going on with %s: %d of %d runs are there", k.Root.Dir, len(done), len(k.Batch.Runs())))
	return done, nil
}

// restoreProbes returns the runs of a search as the planner asks for them, up to
// the first that is not there. What then lies behind it, such as after a run
// that is made again, is no longer what the search would have made, and is set
// aside.
func (k *Recorder) restoreProbes(r Resume) (done []*sweep.Run, err error) {
	plan := k.Batch.Plan()
	known := map[string]bool{}
	for {
		ask, ok := plan.Next(done)
		if !ok {
			break
		}
		run, err := k.restoreRun(ask, r)
		if err != nil {
			return nil, err
		}
		if run == nil {
			break
		}
		done = append(done, run)
		known[filepath.FromSlash(k.dirOf(run))] = true
	}
	dirs, err := results.RunDirs(k.Root.Dir)
	if err != nil {
		return nil, err
	}
	for _, dir := range dirs {
		below, err := filepath.Rel(k.Root.Dir, dir)
		if err != nil {
			return nil, err
		}
		if known[below] || k.unpicked(below) {
			continue
		}
		to, err := k.Root.SetAside(filepath.ToSlash(below))
		if err != nil {
			return nil, fmt.Errorf("setting %s aside: %w", dir, err)
		}
		k.Log.Info(fmt.Sprintf("%s is not what the search needs next; it is in %s", below, to))
	}
	k.Log.Info(fmt.Sprintf("Going on with %s: %d runs of the search are there", k.Root.Dir, len(done)))
	return done, nil
}

// unpicked reports whether a directory below the batch's is that of a run of a
// cell that was not picked.
func (k *Recorder) unpicked(below string) bool {
	return slices.ContainsFunc(k.Batch.LeftOut(), func(c sweep.Cell) bool {
		return strings.HasPrefix(filepath.ToSlash(below), results.SearchDir(c.Cell)+"/")
	})
}

// restoreOthers returns the runs that have ended of cells that were not picked,
// and leaves them as they are: the batch's files are about all of its cells.
func (k *Recorder) restoreOthers() (done []*sweep.Run, err error) {
	for _, cell := range k.Batch.LeftOut() {
		var of []*sweep.Run
		for ask := range k.asks(k.Batch.With([]sweep.Cell{cell}), &of) {
			path := filepath.Join(k.Root.Dir, filepath.FromSlash(k.dirOf(&sweep.Run{Ask: ask})))
			ending, err := results.ReadEnding(path)
			if err != nil {
				return nil, err
			}
			if ending == nil {
				continue
			}
			run, err := k.readBack(ask, path, ending)
			if err != nil {
				return nil, err
			}
			of = append(of, run)
		}
		done = append(done, of...)
	}
	if len(done) > 0 {
		k.Log.Info(fmt.Sprintf("%d runs of cells that were not picked stay as they are", len(done)))
	}
	return done, nil
}

// asks yields the runs that a batch may have: those of a search as far as they
// are done, which the caller adds to.
func (k *Recorder) asks(batch *sweep.Batch, done *[]*sweep.Run) iter.Seq[sweep.Ask] {
	if !batch.Search.Asked() {
		return slices.Values(batch.Runs())
	}
	return func(yield func(sweep.Ask) bool) {
		plan := batch.Plan()
		for had := -1; had < len(*done); {
			had = len(*done)
			if ask, ok := plan.Next(*done); !ok || !yield(ask) {
				return
			}
		}
	}
}

// restoreRun returns a run as it was made; nil for one that is to be made,
// which has no directory then.
func (k *Recorder) restoreRun(ask sweep.Ask, r Resume) (*sweep.Run, error) {
	dir := k.dirOf(&sweep.Run{Ask: ask})
	path := filepath.Join(k.Root.Dir, filepath.FromSlash(dir))
	ending, err := results.ReadEnding(path)
	if err != nil {
		return nil, err
	}
	why := ""
	switch {
	case ending == nil:
		if _, err := os.Stat(filepath.Join(path, results.RecordsName)); errors.Is(err, fs.ErrNotExist) && !results.IsRun(path) {
			return nil, nil // never begun
		}
		why = "was broken off"
	case ending.Status == loadgen.Interrupted:
		why = "was interrupted"
	case ending.NotKept:
		why = "could not be written down"
	case ending.Status == loadgen.Failed && r.Failed:
		why = "failed"
	case ending.Verdict == metrics.Invalid && r.Invalid:
		why = "was INVALID"
	default:
		return k.readBack(ask, path, ending)
	}
	to, err := k.Root.SetAside(dir)
	if err != nil {
		return nil, fmt.Errorf("setting %s aside: %w", path, err)
	}
	k.Log.Info(fmt.Sprintf("%s %s and is made again; what there was is in %s", ask.Name(), why, to))
	k.gatherLeft(ask, to)
	return nil, nil
}

// gatherLeft adds to the lines of a run that was set aside what its workers have
// left and had not brought home. What goes wrong is a warning: the run counts no
// more.
func (k *Recorder) gatherLeft(ask sweep.Ask, dir string) {
	left := filepath.Join(dir, fleet.SpoolDir)
	if _, err := os.Stat(left); err != nil {
		return
	}
	n, err := results.AddRecords(dir, fleet.Left(left), k.Secrets)
	if err != nil {
		k.Log.Warn(fmt.Sprintf("%s: gathering what its workers have left in %s: %v", ask.Name(), left, err))
	}
	k.Log.Info(fmt.Sprintf("%s: %d records that its workers had not brought home are added to its lines", ask.Name(), n))
}

// readBack returns a finished run as the files of its directory tell it.
func (k *Recorder) readBack(ask sweep.Ask, dir string, ending *results.Ending) (*sweep.Run, error) {
	run := &sweep.Run{Ask: ask}
	if ending.Status == loadgen.Failed {
		run.Err = errors.New(ending.Error)
	}
	recorded, err := Read(dir)
	if recorded == nil {
		return nil, err
	}
	if err != nil {
		k.Log.Warn(err.Error())
	}
	run.Margins, run.Queue = recorded.Margins, recorded.Queue
	run.Facts, run.Outcome, run.Health, run.Transport = recorded.Meta.Facts, recorded.Outcome, recorded.Health, recorded.Transport
	if recorded.Whole {
		run.Summary = &recorded.Summarized
		if k.Profiler.Enable {
			recorded.Forget(k.whole().MostRuns())
			k.facts = append(k.facts, recorded.Facts)
		}
	}
	return run, nil
}
