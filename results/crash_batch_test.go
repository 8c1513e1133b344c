package results_test

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"loadgen"
	"loadgen/metrics"
	"loadgen/results"
)

// TestWhateverACrashLeavesOfABatchIsWhole plays the changes of the disk that a
// batch with repeats and a search makes, which was broken off and went on, back
// to every point between two of them. Each file is then whole, absent, or, of
// those that grow, a prefix of lines; and whoever reads the batch finds no error.
func TestWhateverACrashLeavesOfABatchIsWhole(t *testing.T) {
	for name, night := range map[string]func(*testing.T, string){"repeats and a search": brokenNight, "a single run": brokenRun} {
		base := t.TempDir()
		changes := notes(t, func() { night(t, base) })
		all := replay(base, changes)
		published := map[int]bool{} // the files that appear under a name of their own
		for _, c := range changes {
			if file, ok := all.names[c.To]; ok && c.Op == "rename" && strings.HasPrefix(filepath.Base(c.Path), ".") {
				published[file] = true
			}
		}
		if len(published) == 0 || len(changes) < 50 {
			t.Fatalf("%s: %d changes, %d files", name, len(changes), len(published))
		}
		for _, crash := range crashes {
			t.Run(name+", "+crash.name, func(t *testing.T) {
				t.Parallel()
				v := replay(base, nil)
				most, before := 0, map[string]string{"": ""}
				for n := range len(changes) + 1 {
					if n > 0 {
						v.make(changes[n-1])
					}
					files, _ := v.found(crash.names)
					now := map[string]string{}
					for path, file := range files {
						left := crash.left(v.files[file])
						now[path] = string(left)
						isWhole(t, path, left, all.files[file].data, publishedAlready(path, published[file]))
					}
					if maps.Equal(now, before) {
						continue
					}
					before = now
					left := t.TempDir()
					v.restore(t, left, crash.names, crash.left)
					ids := reread(t, left)
					if most = max(most, ids); crash.name == "a kill" && ids < most {
						t.Errorf("%d records, and there were %d before", ids, most)
					}
					if os.RemoveAll(left); t.Failed() {
						t.Fatalf("after %d of %d changes, the last %s %s %s", n, len(changes), changes[max(n-1, 0)].Op, changes[max(n-1, 0)].Path, changes[max(n-1, 0)].To)
					}
				}
				if most == 0 {
					t.Error("no record was ever found")
				}
			})
		}
	}
}

// publishedAlready reports whether a file has its own name by now.
func publishedAlready(path string, ever bool) bool {
	return ever && !strings.HasPrefix(filepath.Base(path), ".")
}

// isWhole checks what is left of a file that came to hold something in the end.
func isWhole(t *testing.T, path string, left, end []byte, published bool) {
	t.Helper()
	switch {
	case published && !bytes.Equal(left, end):
		t.Errorf("%s is not whole: %d of %d bytes", path, len(left), len(end))
	case filepath.Ext(path) == ".jsonl" && !strings.HasPrefix(filepath.Base(path), "."):
		if lines := left[:bytes.LastIndexByte(left, '\n')+1]; !bytes.HasPrefix(end, lines) {
			t.Errorf("%s is no prefix of its lines: %q", path, lines)
		}
	}
}

// reread reads what is below a directory as the commands do that need it, and
// returns how many records there are in all.
func reread(t *testing.T, base string) (records int) {
	t.Helper()
	batches, err := filepath.Glob(filepath.Join(base, "out", "crash", "2*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range batches {
		records += reopen(t, dir)
		b, m, text, err := results.Continue(dir)
		_, declared := os.Stat(filepath.Join(dir, results.ManifestName))
		switch {
		case declared != nil && (err == nil || !strings.Contains(err.Error(), "no directory of a batch that can be continued")):
			t.Errorf("without a manifest: %v", err)
		case declared != nil:
		case err != nil:
			t.Error(err)
		default:
			if string(text) != source || m.Salt != "pepper" || len(m.Cells) != 1 {
				t.Errorf("it goes on with %q, %+v", text, m)
			}
			b.Close()
		}
	}
	return records
}

// reopen reads all runs of a batch, those that were set aside, too.
func reopen(t *testing.T, dir string) (records int) {
	t.Helper()
	dirs, err := results.RunDirs(dir)
	if err != nil {
		t.Error(err)
	}
	aside, _ := filepath.Glob(filepath.Join(dir, "aborted_*"))
	for _, a := range aside {
		more, err := results.RunDirs(a)
		if err != nil {
			t.Error(err)
		}
		dirs = append(dirs, more...)
	}
	for _, d := range dirs {
		run, err := results.Open(d)
		if moved, _ := filepath.Glob(filepath.Join(dir, "aborted_*", results.RecordsName)); err != nil && d == dir && len(moved) > 0 && strings.Contains(err.Error(), results.RecordsName) {
			continue // it is on its way there, its records first
		}
		if err != nil {
			t.Error(err)
			continue
		}
		n := 0
		for _, err := range run.Records() {
			if err != nil {
				t.Error(err)
				break
			}
			n++
		}
		if run.Status != loadgen.Incomplete && n != len(handmade()) {
			t.Errorf("%s has ended with %d records", d, n)
		}
	}
	// Lines are counted where they are: a run on its way is read by nobody.
	_ = filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
		if filepath.Ext(path) == ".jsonl" {
			data, _ := os.ReadFile(path)
			records += bytes.Count(data, []byte("\n"))
		}
		return err
	})
	return records
}

const source = "batch_name: crash\n"

// notes returns what the disk is told meanwhile.
func notes(t *testing.T, do func()) (changes []results.Change) {
	t.Helper()
	defer results.Note(func(c results.Change) error {
		changes = append(changes, c)
		return nil
	})()
	do()
	return changes
}

// brokenNight makes a batch of two repeats, of which the second is broken off,
// set aside and made again.
func brokenNight(t *testing.T, base string) {
	b := began(t, base)
	first, second := metadata(), metadata()
	first.Repeat, second.Repeat = 1, 2
	first.Dir, second.Dir = results.RunDir(first.Cell, 1, false), results.RunDir(second.Cell, 2, false)
	s := makeRun(t, b, first, true)
	row := results.Row{Cell: first.Cell, Repeat: 1, Dir: first.Dir, Status: loadgen.Completed, Summary: &s}
	must(t, b.WriteCapacities(searched()))
	must(t, b.Finish([]results.Row{row}))
	makeRun(t, b, second, false)
	must(t, b.Close())

	b = goneOn(t, b.Dir, second.Dir)
	makeRun(t, b, second, true)
	again := row
	again.Repeat, again.Dir = 2, second.Dir
	must(t, b.WriteCapacities(searched()))
	must(t, b.WriteAggregates([]results.Aggregate{{
		Cell: first.Cell, Confidence: 0.95, Labels: []string{"run_0001", "run_0002"},
		Figures: metrics.Repeats([]*metrics.Summary{&s, &s}, 0.95),
	}}, false))
	must(t, b.Finish([]results.Row{row, again}))
	must(t, b.WriteText("batch_report.txt", []byte("all is well\n")))
	must(t, results.WriteFile(filepath.Join(filepath.Dir(b.Dir), "history_index.jsonl"), []byte("{\"schema_version\":\"1\"}\n{}\n")))
	must(t, b.Close())
}

// brokenRun makes a batch whose only run lies among the batch's own files, and
// is broken off.
func brokenRun(t *testing.T, base string) {
	b, meta := began(t, base), metadata()
	meta.Dir = ""
	makeRun(t, b, meta, false)
	must(t, b.Close())
	b = goneOn(t, b.Dir, "")
	s := makeRun(t, b, meta, true)
	must(t, b.Finish([]results.Row{{Cell: meta.Cell, Status: loadgen.Completed, Summary: &s}}))
	must(t, b.Close())
}

func began(t *testing.T, base string) *results.Batch {
	t.Helper()
	b, err := results.CreateBatch(filepath.Join(base, "out"), "crash", time.Unix(0, epoch))
	must(t, err)
	cell, err := results.NewManifestCell(metadata().Cell, "digest")
	must(t, err)
	must(t, b.Declare(&results.Manifest{RecordFormat: results.RecordFormat, BatchName: "crash", Salt: "pepper", Cells: []results.ManifestCell{cell}}, []byte(source)))
	return b
}

// goneOn goes on with a batch whose run is set aside.
func goneOn(t *testing.T, dir, run string) *results.Batch {
	t.Helper()
	b, m, _, err := results.Continue(dir)
	must(t, err)
	must(t, results.SweepUp(dir))
	_, err = b.SetAside(run)
	must(t, err)
	m.Resumed = append(m.Resumed, results.ManifestStart{At: time.Unix(0, epoch)})
	must(t, b.Amend(m))
	return b
}

// makeRun makes a run to its end, or breaks it off.
func makeRun(t *testing.T, b *results.Batch, meta results.Metadata, toTheEnd bool) metrics.Summary {
	t.Helper()
	run, err := b.Begin(meta)
	must(t, err)
	in, err := run.Inputs()
	must(t, err)
	c, err := metrics.NewCollector(facts())
	must(t, err)
	for i, r := range handmade() {
		must(t, in.Add(&loadgen.Session{ID: fmt.Sprint(i), Turns: []*loadgen.Request{r.Request}}))
		must(t, run.Record(r, c.Add(r)))
		must(t, run.Sync())
	}
	s := c.Summary(theOutcome(), theHealth(), theTransport())
	if toTheEnd {
		must(t, errors.Join(in.Close(len(handmade())), run.Finish(result(s))))
	} else {
		must(t, run.Close())
	}
	return s
}

// searched is what a search has found.
func searched() []results.Capacity {
	return []results.Capacity{{
		Cell: loadgen.Cell{Dir: "isl100"}, Over: "concurrency", Unit: "users", Stopped: "resolution", Whole: true,
		Tiers:  []results.CapacityTier{{Answer: "carries 2 users", Status: "found", Capacity: 2, Lower: 2, Upper: 3}},
		Probes: []results.CapacityProbe{probed(1, -1, 90, 90)},
	}}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestAMoveThatWasBrokenOffGoesOn stops the move of a batch's only run at every
// point: the next one brings the rest to the same place.
func TestAMoveThatWasBrokenOffGoesOn(t *testing.T) {
	for stop := range 12 {
		base := t.TempDir()
		b, meta := began(t, base), metadata()
		meta.Dir = ""
		makeRun(t, b, meta, false)
		want := tree(t, b.Dir)
		made := 0
		done := results.Note(func(c results.Change) error {
			if made++; made > stop {
				return errors.New("killed")
			}
			return nil
		})
		_, err := b.SetAside("")
		done()
		if err == nil || results.IsRun(filepath.Join(b.Dir, "aborted_1")) {
			must(t, b.Close())
			continue // it was through
		}
		to, again := b.SetAside("")
		if again != nil || filepath.Base(to) != "aborted_1" && filepath.Base(to) != "aborted_2" {
			t.Errorf("stopped after %d changes, it goes on to %s: %v", stop, to, again)
		}
		got := tree(t, to)
		for _, own := range []string{results.ManifestName, results.SourceName, ".reserve"} {
			delete(want, own)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("stopped after %d changes (-want +got):\n%s", stop, d)
		}
		must(t, b.Close())
	}
}

// tree returns the sizes of the files below a directory.
func tree(t *testing.T, dir string) map[string]int64 {
	t.Helper()
	sizes := map[string]int64{}
	must(t, filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		below, _ := filepath.Rel(dir, path)
		sizes[below] = info.Size()
		return err
	}))
	return sizes
}
