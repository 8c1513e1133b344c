package chaos_test

import (
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"loadgen/mockllm"
)

// TestScarceResources has runs with too little of what a process needs: each
// ends in bounded time, in words, with all of its lines, and none of them passes
// for sound.
func TestScarceResources(t *testing.T) {
	t.Parallel()
	const open = "  warmup_request_count: 0\n  benchmark_duration: 2\n  request_rate: 200\n  request_timeout: 5\n  grace_period: 2\nprofiler: {enable: false}\n"
	for _, c := range []struct {
		name, shell, settings string
		slow                  time.Duration // that the endpoint is
		exits                 []int
		says                  string
	}{
		{
			name: "fewer descriptors than users", shell: `ulimit -n 64; exec "$0" "$@"`,
			settings: "  warmup_request_count: 0\n  request_count: 400\n  concurrency: 200\n", exits: []int{1}, says: "needs 264 open files but the limit is 64: raise it (ulimit -n 264)",
		},
		{
			name: "descriptors run out under an open loop", shell: `ulimit -n 64; exec "$0" "$@"`,
			settings: open, slow: time.Second, exits: []int{1, 4}, says: "descriptor",
		},
		{
			name: "a quarter of the memory that it would take", shell: `GOMEMLIMIT=16MiB exec "$0" "$@"`,
			settings: open, exits: []int{0, 4},
		},
		{
			name: "one processor of the lowest priority", shell: `exec taskset -c 0 nice -n 19 "$0" "$@"`,
			settings: open, exits: []int{0, 4},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			batchFile(t, dir, slowly(t, c.slow), c.settings)
			cmd := exec.Command("sh", append([]string{"-c", c.shell, program}, "--config-file", "batch.yaml", "--ui", "none")...)
			n := beginAs(t, dir, cmd)
			status := n.end(t, 40*time.Second)
			if !slices.Contains(c.exits, status) || !strings.Contains(n.err.String()+n.out.String(), c.says) {
				t.Errorf("exit status %d, want one of %v, and %q:\n%s", status, c.exits, c.says, n.err.String())
			}
			allAccountedFor(t, dir)
		})
	}
}

// TestAQuotaOfTheProcessor lets the program run a fifth of the time only, as a
// control group with a quota does: its figures must not pass for sound.
func TestAQuotaOfTheProcessor(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	batchFile(t, dir, slowly(t, 0), "  warmup_request_count: 2\n  benchmark_duration: 4\n  concurrency: 4\n")
	n := begin(t, dir, "--config-file", "batch.yaml", "--ui", "none")
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for over := false; !over; {
		n.Process.Signal(syscall.SIGCONT)
		time.Sleep(20 * time.Millisecond)
		n.Process.Signal(syscall.SIGSTOP)
		select {
		case <-n.waited:
			over = true
		case <-tick.C:
		case <-time.After(time.Minute):
			t.Fatal("it does not end")
		}
	}
	n.Process.Signal(syscall.SIGCONT)
	if text := n.out.String(); strings.Contains(text, "\nVALID") {
		t.Errorf("a run that had a fifth of a processor is told as sound:\n%s", text)
	}
	allAccountedFor(t, dir)
}

// slowly starts an endpoint whose first token takes so long more.
func slowly(t *testing.T, more time.Duration) string {
	t.Helper()
	return serve(t, func(c *mockllm.Config) { c.TTFT += more }).url
}

// allAccountedFor checks what there is of the one run of a batch; there may be
// none.
func allAccountedFor(t *testing.T, dir string) {
	t.Helper()
	batch := batchDir(dir)
	if batch == "" {
		return
	}
	wholeJSON(t, batch)
	for _, run := range readSummary(t, batch).Runs {
		c := run.Counts
		if c.Issued != c.OK+c.Failed+c.Cancelled {
			t.Errorf("%d issued, %d ok, %d failed, %d cancelled", c.Issued, c.OK, c.Failed, c.Cancelled)
		}
		if n := len(readLines(t, filepath.Join(batch, run.Dir, "profile_export.jsonl"), false)); n != c.Issued {
			t.Errorf("%d lines of %d requests", n, c.Issued)
		}
	}
}
