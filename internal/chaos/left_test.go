//go:build unix

package chaos_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"loadgen"
	"loadgen/metrics"
	"loadgen/runner"
	"loadgen/sweep"
)

// TestNothingIsLeft makes runs within this process, so that what they leave
// behind can be seen, against endpoints that do something wrong: when the runs
// are over, no goroutine of theirs is left and no descriptor.
func TestNothingIsLeft(t *testing.T) {
	before := descriptors()
	t.Run("runs", func(t *testing.T) {
		for i, fault := range wireFaults {
			for k, m := range modes {
				if times(0, 1) == 0 && i%len(modes) != k {
					continue
				}
				t.Run(fault.name+"/"+m.name, func(t *testing.T) {
					t.Parallel()
					within(t, fault, m)
				})
			}
		}
	})
	var left []string
	for range 100 {
		if left = goroutines(); len(left) == 0 && descriptors() <= before {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Errorf("%d descriptors, %d before; %d goroutines are left:\n%s", descriptors(), before, len(left), strings.Join(left, "\n\n"))
}

// within makes a run whose endpoint goes wrong in its middle.
func within(t *testing.T, fault wireFault, m mode) {
	dir, begins := t.TempDir(), lasts/2
	if fault.alone {
		begins = 0
	}
	w := serveWire(t, fault, begins)
	settings := strings.ReplaceAll(m.settings, "trace.jsonl", filepath.Join(dir, "trace.jsonl")) + impatient
	for name, text := range map[string]string{"trace.jsonl": trace, "batch.yaml": batchText(w.url, settings)} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	batch, err := sweep.Load(filepath.Join(dir, "batch.yaml"), sweep.Options{LookupEnv: os.LookupEnv})
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	r := &runner.Runner{
		Batch: batch, Recorder: nobody{}, LookupEnv: os.LookupEnv, Stop: t.Context(), Log: log,
		Vocabulary: runner.NewVocabularies(false, log).Get,
	}
	ctx, cancel := context.WithTimeout(t.Context(), mostTime)
	defer cancel()
	runs, err := r.Run(ctx)
	if err != nil || len(runs) != 1 || ctx.Err() != nil {
		t.Errorf("%d runs: %v, %v", len(runs), err, ctx.Err())
	}
}

// nobody keeps nothing of a batch.
type nobody struct{}

func (nobody) StartRun(*sweep.Run) (runner.RunRecorder, error)    { return nobody{}, nil }
func (nobody) Session(*loadgen.Session) error                     { return nil }
func (nobody) Record(*loadgen.Record, *metrics.Measurement) error { return nil }
func (nobody) End(*sweep.Run) error                               { return nil }

// goroutines returns the stacks of those that a run has started.
func goroutines() (left []string) {
	stacks := make([]byte, 4<<20)
	stacks = stacks[:runtime.Stack(stacks, true)]
	for _, stack := range strings.Split(string(stacks), "\n\n") {
		for _, of := range []string{"loadgen/client.", "loadgen/load.", "loadgen/runner.", "loadgen/synth.", "net/http.(*persistConn)", "net/http.(*Transport)"} {
			if strings.Contains(stack, of) {
				left = append(left, stack)
				break
			}
		}
	}
	return left
}

// descriptors counts the open ones of this process; 0 where the system does not
// say.
func descriptors() int {
	open, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", os.Getpid()))
	if err != nil {
		return 0
	}
	return len(open)
}
