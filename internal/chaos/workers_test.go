//go:build unix

package chaos_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// together is a batch that workers make, and that nobody waits for the end of.
const together = `  warmup_request_count: 4
  request_count: 100000
  concurrency: 4
profiler: {enable: false}
`

// TestKilledWorkers kills a worker of a run, or its coordinator, at a random
// moment. The others end by themselves, each request that was issued is accounted
// for, by worker, and of each answer that is older than a second there is a
// record: in the run, or in that which was broken off, when the batch goes on.
func TestKilledWorkers(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("pgrep"); err != nil {
		t.Skip("the processes of a batch are found by pgrep")
	}
	rng := rand.New(rand.NewPCG(15, 1))
	var answers, lost atomic.Int64
	for i := range times(4, 200) {
		kind, kill := "a worker", killAWorker
		if i%2 == 1 {
			kind, kill = "the coordinator", killTheCoordinator
		}
		pick, at := rng.IntN(2), time.Duration(rng.Float64()*float64(1500*time.Millisecond))
		t.Run(fmt.Sprintf("%d %s after %v", i, kind, at.Round(time.Millisecond)), func(t *testing.T) {
			t.Parallel()
			end, dir := serve(t, nil), t.TempDir()
			batchFile(t, dir, end.url, together)
			var killed time.Time
			old := end.answersOf(func() { killed = kill(t, dir, pick, at) })
			ids := recorded(t, dir)
			for _, a := range old {
				if age := killed.Sub(a.end); age > grace {
					answers.Add(1)
					if !ids[a.id] {
						lost.Add(1)
						t.Errorf("a record is lost that was %v old", age.Round(time.Millisecond))
					}
				}
			}
		})
	}
	t.Cleanup(func() {
		t.Logf("%d answers older than %v were looked for, %d had no record", answers.Load(), grace, lost.Load())
	})
}

// killAWorker kills one of two workers, and returns when it did.
func killAWorker(t *testing.T, dir string, pick int, at time.Duration) time.Time {
	n := begin(t, dir, "--config-file", "batch.yaml", "--ui", "none", "--workers", "2")
	workers := workersOf(t, n)
	time.Sleep(at)
	killed := time.Now()
	if err := syscall.Kill(workers[pick], syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if status := n.end(t, 30*time.Second); status != 4 {
		t.Errorf("the batch ends with %d, want 4: it is INVALID\n%s", status, n.err.String())
	}
	addsUp(t, batchDir(dir), 1)
	return killed
}

// killTheCoordinator kills it, waits for its workers to end, and goes on with the
// batch. It returns when it killed it.
func killTheCoordinator(t *testing.T, dir string, _ int, at time.Duration) time.Time {
	n := begin(t, dir, "--config-file", "batch.yaml", "--ui", "none", "--workers", "2")
	workers := workersOf(t, n)
	time.Sleep(at)
	killed := time.Now()
	n.Process.Kill()
	<-n.waited
	for deadline := killed.Add(10 * time.Second); len(workers) > 0; {
		if syscall.Kill(workers[0], 0) != nil || zombie(workers[0]) {
			workers = workers[1:]
		} else if time.Now().After(deadline) {
			t.Fatalf("worker %d goes on 10 s after its coordinator was killed", workers[0])
		} else {
			time.Sleep(10 * time.Millisecond)
		}
	}
	again := begin(t, dir, "--resume", batchDir(dir), "--ui", "none", "--allow-invalid", "--workers", "2",
		"--set", "base_config.request_count=8", "--resume-anyway")
	if status := again.end(t, time.Minute); status != 0 {
		t.Errorf("going on ends with %d:\n%s", status, again.err.String())
	}
	addsUp(t, batchDir(dir), 0)
	return killed
}

// workersOf waits until workers have begun to send, and returns their processes.
func workersOf(t *testing.T, n *night) (workers []int) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		if lines, _ := os.ReadFile(filepath.Join(batchDir(n.dir), "profile_export.jsonl")); len(lines) > 0 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("no record came home within a minute:\n%s", n.err.String())
		}
	}
	children, err := exec.Command("pgrep", "-P", strconv.Itoa(n.Process.Pid)).Output()
	if err != nil {
		t.Fatal(err)
	}
	for pid := range strings.FieldsSeq(string(children)) {
		number, err := strconv.Atoi(pid)
		if err != nil {
			t.Fatal(err)
		}
		workers = append(workers, number)
	}
	if len(workers) != 2 {
		t.Fatalf("%d workers are there, want 2", len(workers))
	}
	return workers
}

// zombie reports whether a process has ended that nobody has waited for.
func zombie(pid int) bool {
	state, err := exec.Command("ps", "-o", "state=", "-p", strconv.Itoa(pid)).Output()
	return err != nil || strings.HasPrefix(strings.TrimSpace(string(state)), "Z")
}

// addsUp holds the counts of a run against each other, against its lines, and
// those of its workers, so many of whom were lost.
func addsUp(t *testing.T, batch string, lost int) {
	t.Helper()
	type counts struct {
		Issued, OK, Failed, Cancelled, Lost int
		Gone                                string
	}
	var export struct {
		Own struct {
			Counts  counts
			Outcome struct{ Workers []counts }
		} `json:"loadgen"`
	}
	data, err := os.ReadFile(filepath.Join(batch, "profile_export_aiperf.json"))
	if err == nil {
		err = json.Unmarshal(data, &export)
	}
	if err != nil {
		t.Errorf("the run has no export: %v", err)
		return
	}
	sum, gone := 0, 0
	for i, w := range export.Own.Outcome.Workers {
		if w.Issued != w.OK+w.Failed+w.Cancelled+w.Lost || w.Gone == "" && w.Lost > 0 {
			t.Errorf("the requests of worker %d do not add up: %+v", i, w)
		}
		if sum += w.Issued; w.Gone != "" {
			gone++
		}
	}
	all := export.Own.Counts
	if all.Issued != sum || all.Issued != all.OK+all.Failed+all.Cancelled+all.Lost || gone != lost {
		t.Errorf("the requests do not add up: %+v, of workers %d, of whom %d were lost, want %d", all, sum, gone, lost)
	}
	ids := map[string]bool{}
	for _, l := range readLines(t, filepath.Join(batch, "profile_export.jsonl"), false) {
		ids[l.Metadata.RequestID] = true
	}
	if want := all.Issued - all.Lost; len(ids) != want {
		t.Errorf("%d requests have a line, want %d", len(ids), want)
	}
}
