//go:build unix

package chaos_test

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"loadgen/mockllm"
)

// A trouble is an endpoint that does something wrong.
type trouble struct {
	name     string
	harmless bool
	// always says that it is so from the beginning; unasked that the check, which
	// asks for the list of models, does not meet it.
	always, unasked bool
	// serve starts it. answered returns how many requests were answered well,
	// nil where that is not known.
	serve func(t *testing.T, begins time.Duration) (url string, answered func() int64)
}

// troubles returns all that are tried.
func troubles() (all []trouble) {
	for _, f := range faults {
		name := f.Kind
		if f.Status > 0 {
			name += fmt.Sprintf(" %d", f.Status)
		}
		switch {
		case f.After > 0 && f.For > 0:
			name += fmt.Sprintf(" for %v after %d events", f.For, f.After)
		case f.After > 0:
			name += fmt.Sprintf(" after %d events", f.After)
		case f.For > 0:
			name += fmt.Sprintf(" for %v", f.For)
		}
		if f.Every > 0 {
			name += fmt.Sprintf(", 1 of %d", f.Every)
		}
		all = append(all, trouble{name, slices.Contains(harmless, f.Kind), true, f.Kind != "refuse", func(t *testing.T, _ time.Duration) (string, func() int64) {
			return serve(t, func(c *mockllm.Config) { c.Faults = []mockllm.Fault{f} }).url, nil
		}})
	}
	for _, f := range wireFaults {
		all = append(all, trouble{f.name, f.harmless, f.alone, false, func(t *testing.T, begins time.Duration) (string, func() int64) {
			w := serveWire(t, f, begins)
			return w.url, w.answered.Load
		}})
	}
	none := func() int64 { return 0 }
	return append(all,
		trouble{"nobody listens", false, true, false, func(t *testing.T, _ time.Duration) (string, func() int64) { return unheard(t), none }},
		trouble{"accepts no connection", false, true, false, func(t *testing.T, _ time.Duration) (string, func() int64) { return crowded(t), none }},
	)
}

// A phase is when a trouble begins.
type phase struct {
	name   string
	begins time.Duration
	check  bool // while the service is asked whether it is there
}

var phases = []phase{
	{"check", 0, true},
	{"warm-up", 0, false},
	{"middle", lasts / 2, false},
	{"drain", lasts - 100*time.Millisecond, false},
}

// A trial is a place in the matrix.
type trial struct {
	trouble
	mode
	phase
}

// trials returns the whole matrix, or a seeded sample of it.
func trials() (all []trial) {
	for _, tr := range troubles() {
		for i, m := range modes {
			for _, p := range phases {
				// The check is the same in all modes, and no mock begins to be
				// bad later on.
				if p.check && (i > 0 || tr.unasked) || tr.always && p.begins > 0 {
					continue
				}
				all = append(all, trial{tr, m, p})
			}
		}
	}
	if sample := times(30, 0); sample > 0 {
		rng := rand.New(rand.NewPCG(12, 0))
		rng.Shuffle(len(all), func(i, k int) { all[i], all[k] = all[k], all[i] })
		all = all[:sample]
	}
	return all
}

// TestFaultsOfTheEndpoint tries what an endpoint may do wrong, in every mode
// and every phase.
func TestFaultsOfTheEndpoint(t *testing.T) {
	t.Parallel()
	var all chart
	t.Run("trials", func(t *testing.T) {
		for _, tr := range trials() {
			t.Run(fmt.Sprintf("%s/%s/%s", tr.trouble.name, tr.mode.name, tr.phase.name), func(t *testing.T) {
				t.Parallel()
				all.add(tr, tr.run(t))
			})
		}
	})
	all.log(t)
}

// impatient ends a run soon, whatever its endpoint does. A request of the drain
// does not live to see its timeout.
const impatient = "  request_timeout: 1\n  grace_period: 0.7\nprofiler: {enable: false}\n"

// patient gives a request the time that it may need on a busy machine.
const patient = "  request_timeout: 30\n  grace_period: 20\nprofiler: {enable: false}\n"

// Bounds of a trial. What a run takes is its second and a half, a second until
// requests time out, ten of the check; the rest is for a busy machine.
const (
	mostTime   = 90 * time.Second
	mostMemory = 400 << 20
)

// An upshot is what became of a trial.
type upshot struct {
	exit    int
	status  string
	failed  []string // kinds of failure, the most frequent first
	ok, bad int
	took    time.Duration
	memory  int64
}

func (tr trial) run(t *testing.T) (u upshot) {
	t.Helper()
	dir := t.TempDir()
	url, answered := tr.serve(t, tr.begins)
	if err := os.WriteFile(filepath.Join(dir, "trace.jsonl"), []byte(trace), 0o600); err != nil {
		t.Fatal(err)
	}
	patience := impatient
	if tr.harmless {
		patience = patient
	}
	batchFile(t, dir, url, tr.settings+patience)
	args := []string{"--config-file", "batch.yaml", "--ui", "none"}
	if !tr.check {
		args = append(args, "--no-check")
	}
	began := time.Now()
	n := begin(t, dir, args...)
	u.exit = n.end(t, mostTime)
	u.took, u.memory = time.Since(began), n.memory.Load()
	if u.memory > mostMemory {
		t.Errorf("it took %d MiB of memory", u.memory>>20)
	}
	if strings.Contains(n.err.String(), "panic:") || strings.Contains(n.err.String(), "\ngoroutine ") {
		t.Errorf("it ended badly:\n%s", n.err.String())
	}
	batch := batchDir(dir)
	if batch == "" {
		if !tr.check || u.exit != 3 {
			t.Errorf("there are no results, exit status %d:\n%s", u.exit, n.err.String())
		}
		u.status = "not begun"
		return u
	}
	wholeJSON(t, batch)
	s := readSummary(t, batch)
	if len(s.Runs) != 1 {
		t.Fatalf("%d runs in the summary, want 1:\n%s", len(s.Runs), n.err.String())
	}
	run := s.Runs[0]
	c := run.Counts
	u.status, u.ok, u.bad = run.Status, c.OK, c.Failed
	if c.Issued != c.OK+c.Failed+c.Cancelled {
		t.Errorf("%d requests were issued, of which %d are ok, %d failed, %d cancelled", c.Issued, c.OK, c.Failed, c.Cancelled)
	}
	lines := readLines(t, filepath.Join(batch, "profile_export.jsonl"), false)
	if len(lines) != c.Issued {
		t.Errorf("%d lines of %d requests", len(lines), c.Issued)
	}
	u.failed = kinds(lines)
	if want := exitOf(run.Status, run.Verdict); u.exit != want {
		t.Errorf("exit status %d, want %d of a run that is %s and %s:\n%s", u.exit, want, run.Status, run.Verdict, n.err.String())
	}
	if (run.Status == "completed") != (c.OK > 0) && run.Error == "" {
		t.Errorf("%d requests succeeded, and the run is %s", c.OK, run.Status)
	}
	if tr.harmless && (c.Failed > 0 || c.OK == 0) {
		t.Errorf("%d ok, %d failed (%v): the fault is none for a client", c.OK, c.Failed, u.failed)
	}
	if answered != nil && int64(c.OK) > answered() {
		t.Errorf("%d requests are ok, and %d were answered", c.OK, answered())
	}
	return u
}

// exitOf is what one run exits with.
func exitOf(status, verdict string) int {
	switch {
	case status == "failed":
		return 1
	case verdict == "INVALID":
		return 4
	}
	return 0
}

// kinds returns the kinds of failure of some lines, the most frequent first.
func kinds(lines []line) (all []string) {
	count := map[string]int{}
	for _, l := range lines {
		if f := l.Own.Failure; f != nil && f.Kind != "cancelled" {
			if count[f.Kind]++; count[f.Kind] == 1 {
				all = append(all, f.Kind)
			}
		}
	}
	slices.SortStableFunc(all, func(a, b string) int { return cmp.Compare(count[b], count[a]) })
	return all
}

// unheard returns the URL of a port that nobody listens on.
func unheard(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return "http://" + l.Addr().String()
}
