//go:build unix

package chaos_test

import (
	"fmt"
	"math/rand/v2"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestSignalsInEveryPhase interrupts batches at random moments, from before the
// service is asked until after the last request.
func TestSignalsInEveryPhase(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(11, 0))
	signals := []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP}
	for i := range times(12, 150) {
		signal, at := signals[i%len(signals)], time.Duration(rng.Int64N(int64(2500*time.Millisecond)))
		twice := rng.IntN(3) == 0
		t.Run(fmt.Sprintf("%v at %v, twice %v", signal, at.Round(time.Millisecond), twice), func(t *testing.T) {
			t.Parallel()
			interrupted(t, signal, at, twice)
		})
	}
}

func interrupted(t *testing.T, signal syscall.Signal, at time.Duration, twice bool) {
	dir, end := t.TempDir(), serve(t, nil)
	batchFile(t, dir, end.url, "  warmup_request_count: 20\n  benchmark_duration: 1.5\n  concurrency: 4\n  grace_period: 2\nprofiler: {enable: false}\n")
	n := begin(t, dir, "--config-file", "batch.yaml", "--ui", "none", "--allow-invalid")
	time.Sleep(at)
	n.Process.Signal(signal)
	if twice {
		time.Sleep(50 * time.Millisecond)
		n.Process.Signal(signal)
	}
	status := n.end(t, time.Minute)
	// Before its handlers are there a program is ended by the signal itself.
	early := status == -1 && !strings.Contains(n.err.String(), "Results root directory")
	if !slices.Contains([]int{0, 130}, status) && !early {
		t.Errorf("exit status %d:\n%s", status, n.err.String())
	}
	batch := batchDir(dir)
	if batch == "" || early {
		return
	}
	wholeJSON(t, batch)
	if status == 130 && strings.Contains(n.err.String(), "panic") {
		t.Errorf("it ended badly:\n%s", n.err.String())
	}
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

// TestReadersMayLeave closes what the program prints to: a run goes on and is
// kept.
func TestReadersMayLeave(t *testing.T) {
	t.Parallel()
	for name, script := range map[string]string{
		"stdout is closed":         `exec "$0" "$@" >&-`,
		"stderr is closed":         `exec "$0" "$@" 2>&-`,
		"both are":                 `exec "$0" "$@" >&- 2>&-`,
		"the reader leaves":        `"$0" "$@" 2>&1 | head -c 10 >/dev/null; sleep 3`,
		"the reader reads no more": `"$0" "$@" 2>&1 | sleep 6`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir, end := t.TempDir(), serve(t, nil)
			batchFile(t, dir, end.url, "  warmup_request_count: 2\n  request_count: 40\n  concurrency: 4\n")
			cmd := exec.Command("sh", "-c", script, program, "--config-file", "batch.yaml", "--allow-invalid", "--verbose")
			beginAs(t, dir, cmd).end(t, 30*time.Second)
			batch := batchDir(dir)
			if batch == "" {
				t.Fatal("there are no results")
			}
			if n := len(readLines(t, filepath.Join(batch, "profile_export.jsonl"), false)); n != 40 {
				t.Errorf("%d lines of 40 requests", n)
			}
			if s := readSummary(t, batch); len(s.Runs) != 1 || s.Runs[0].Status != "completed" {
				t.Errorf("the summary says %+v", s)
			}
		})
	}
}

// TestAStoppedProgramGoesOn stops the program for a while, as a suspended
// terminal or machine does, or several times for a moment: its figures must not
// pass for sound.
func TestAStoppedProgramGoesOn(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		settings string
		stops    int
		stop     time.Duration
	}{
		"once for 1.5 s":              {"", 1, 1500 * time.Millisecond},
		"three times for 0.4 s":       {"  transport: std\n", 3, 400 * time.Millisecond},
		"eight times for 150 ms each": {"  transport: std\n", 8, 150 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir, end := t.TempDir(), serve(t, nil)
			batchFile(t, dir, end.url, "  warmup_request_count: 2\n  benchmark_duration: 8\n  concurrency: 4\n"+c.settings)
			n := begin(t, dir, "--config-file", "batch.yaml", "--ui", "none")
			time.Sleep(2500 * time.Millisecond)
			for range c.stops {
				n.Process.Signal(syscall.SIGSTOP)
				time.Sleep(c.stop)
				n.Process.Signal(syscall.SIGCONT)
				time.Sleep(300 * time.Millisecond)
			}
			n.end(t, 30*time.Second)
			if batchDir(dir) == "" {
				t.Fatal("there are no results")
			}
			if text := n.out.String(); strings.Contains(text, "\nVALID") || !strings.Contains(text, "did not run at all") {
				t.Errorf("a run that stood still is told as sound:\n%s", text)
			}
		})
	}
}
