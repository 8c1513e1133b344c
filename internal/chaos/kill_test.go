//go:build unix

package chaos_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// cells is the batch that is killed: three cells, the sessions of one of which
// have two turns. It takes about a second.
const cells = `  warmup_request_count: 4
  request_count: 24
  concurrency: 4
sweeps:
  session_turns_mean: [1, 2]
  concurrency: [1, 4]
profiler: {enable: false}
`

// long is one that goes on for some seconds, so that there are records old
// enough to be missed.
const long = `  warmup_request_count: 4
  request_count: 600
  concurrency: 4
profiler: {enable: false}
`

// repeats is one of two rounds of two cells, with analyses of every run.
const repeats = `  warmup_request_count: 2
  request_count: 12
  concurrency: 4
repeats: 2
sweeps:
  concurrency: [1, 4]
`

// search is one that looks for a capacity, and asks for what it needs by what it
// has found.
const search = `  warmup_request_count: 0
  benchmark_duration: 0.3
search: {over: concurrency, to: 4, slos: {ttft.p95: 500}}
profiler: {enable: false}
`

// grace is how old a record may be that a kill takes with it. What the endpoint
// calls the end of an answer comes a moment before this side knows of it.
const grace = time.Second + 100*time.Millisecond

// TestKilledNightsGoOn kills batches at random moments, goes on with each until
// it is through, some of them killed again on the way, and holds what is left
// against the batch that nobody killed.
func TestKilledNightsGoOn(t *testing.T) {
	t.Parallel()
	for _, kind := range []struct {
		name, settings string
		nights         int
		ends           []int // what it may exit with
	}{
		{"short", cells, times(12, 500), []int{0}},
		{"long", long, times(6, 250), []int{0}},
		{"repeats", repeats, times(3, 150), []int{0}},
		{"search", search, times(3, 100), []int{0, 1, 98, 99}},
	} {
		t.Run(kind.name, func(t *testing.T) {
			whole, began := t.TempDir(), time.Now()
			batchFile(t, whole, serve(t, nil).url, kind.settings)
			n := begin(t, whole, "--config-file", "batch.yaml", "--ui", "none", "--allow-invalid")
			if status := n.end(t, time.Minute); !slices.Contains(kind.ends, status) {
				t.Fatalf("the unbroken night ends with %d:\n%s", status, n.err.String())
			}
			took := time.Since(began)
			rng := rand.New(rand.NewPCG(10, uint64(len(kind.name))))
			var sum toll
			for night := range kind.nights {
				at := rng.Float64()
				again := rng.IntN(4) == 0
				t.Run(fmt.Sprintf("%d at %.3f of the night", night, at), func(t *testing.T) {
					t.Parallel()
					batch := sum.killed(t, kind.settings, kind.ends, time.Duration(at*float64(took)), again)
					if batch != "" && kind.name != "search" { // what that finds is up to the machine
						sameNight(t, batchDir(whole), batch)
					}
				})
			}
			t.Cleanup(func() {
				t.Logf("%d kills, %d nights were over before; %d answers older than %v were looked for, %d had no record",
					sum.kills.Load(), sum.over.Load(), sum.answers.Load(), grace, sum.lost.Load())
			})
		})
	}
}

// A toll counts what was done to all nights, and what came of it.
type toll struct{ kills, over, answers, lost atomic.Int64 }

// killed kills a night at a moment, perhaps again while it goes on, goes on with
// it until it is through, and returns its directory; empty where it was killed
// before there was anything to go on with.
func (sum *toll) killed(t *testing.T, settings string, ends []int, at time.Duration, again bool) string {
	t.Helper()
	end, dir := serve(t, nil), t.TempDir()
	batchFile(t, dir, end.url, settings)
	sum.kill(t, end, dir, at, "--config-file", "batch.yaml")
	batch := batchDir(dir)
	if batch == "" {
		return ""
	}
	wholeJSON(t, batch)
	if _, err := os.Stat(filepath.Join(batch, "batch.json")); err != nil {
		return ""
	}
	if again {
		sum.kill(t, end, dir, at/2, "--resume", batch)
		wholeJSON(t, batch)
	}
	last := begin(t, dir, "--resume", batch, "--ui", "none", "--allow-invalid")
	if status := last.end(t, time.Minute); !slices.Contains(ends, status) {
		t.Errorf("going on ends with %d:\n%s", status, last.err.String())
		return ""
	}
	wholeJSON(t, batch)
	return batch
}

// kill begins a night, kills it at a moment, and looks for a record of each
// answer that was old enough by then.
func (sum *toll) kill(t *testing.T, end *endpoint, dir string, at time.Duration, args ...string) {
	var now time.Time
	answers := end.answersOf(func() {
		n := begin(t, dir, append(args, "--ui", "none", "--allow-invalid")...)
		select {
		case <-time.After(at):
			sum.kills.Add(1)
		case <-n.waited:
			sum.over.Add(1)
		}
		now = time.Now()
		n.Process.Kill()
		<-n.waited
	})
	ids := recorded(t, dir)
	for _, a := range answers {
		age := now.Sub(a.end)
		if age <= grace {
			continue
		}
		sum.answers.Add(1)
		if !ids[a.id] {
			t.Errorf("a record is lost that was %v old", age.Round(time.Millisecond))
			sum.lost.Add(1)
		}
	}
}

// An answer is a request that the endpoint answered in full, and when.
type answer struct {
	id  string
	end time.Time
}

// answersOf returns what the endpoint answered while do was done.
func (e *endpoint) answersOf(do func()) []answer {
	from := time.Now().UnixNano()
	do()
	var answers []answer
	for _, s := range e.Stamps() {
		if s.Received >= from && len(s.Chunks) > 0 {
			answers = append(answers, answer{s.RequestID, time.Unix(0, s.Chunks[len(s.Chunks)-1])})
		}
	}
	return answers
}

// sameNight holds a night that was broken off against one that was not.
func sameNight(t *testing.T, whole, broken string) {
	t.Helper()
	want, got := readSummary(t, whole), readSummary(t, broken)
	for _, s := range []summary{want, got} {
		for i := range s.Runs {
			s.Runs[i].Verdict = "" // it is up to what else the machine does
		}
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("the summary is not that of the unbroken night (-want +got):\n%s", d)
		return
	}
	for _, run := range want.Runs {
		samePrompts(t, run.Dir, readPrompts(t, filepath.Join(whole, run.Dir)), readPrompts(t, filepath.Join(broken, run.Dir)), run.Counts.Issued)
		if n := len(readLines(t, filepath.Join(broken, run.Dir, "profile_export.jsonl"), false)); n != run.Counts.Issued {
			t.Errorf("%s: %d lines of %d requests", run.Dir, n, run.Counts.Issued)
		}
	}
}

// samePrompts holds the sessions of a run against those of another, by their names.
// Which of the four users begins a further conversation before all requests are
// sent is up to the answers: of the last ones each may lack some.
func samePrompts(t *testing.T, run string, want, got map[string]any, issued int) {
	t.Helper()
	const users = 4
	both := 0
	for name, session := range want {
		other, known := got[name]
		if !known {
			continue
		}
		both++
		if d := cmp.Diff(session, other); d != "" {
			t.Errorf("%s: the prompts of %s are not those of the unbroken night: %s", run, name, d)
		}
	}
	if both < issued/2-users || len(want)-both > users || len(got)-both > users {
		t.Errorf("%s: of %d and %d sessions %d are in both nights", run, len(want), len(got), both)
	}
}

// readPrompts returns the sessions of a run's inputs.json by their names.
func readPrompts(t *testing.T, run string) map[string]any {
	t.Helper()
	var inputs struct {
		Sessions []struct {
			ID       string `json:"session_id"`
			Payloads any    `json:"payloads"`
		} `json:"data"`
	}
	data, err := os.ReadFile(filepath.Join(run, "inputs.json"))
	if err == nil {
		err = json.Unmarshal(data, &inputs)
	}
	if err != nil {
		t.Errorf("the prompts of a run cannot be read: %v", err)
	}
	prompts := map[string]any{}
	for _, s := range inputs.Sessions {
		prompts[s.ID] = s.Payloads
	}
	if len(prompts) < len(inputs.Sessions) {
		t.Errorf("of %d sessions of a run some have one name", len(inputs.Sessions))
	}
	return prompts
}
