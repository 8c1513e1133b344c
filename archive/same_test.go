package archive_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"loadgen"
	"loadgen/archive"
	"loadgen/internal/memnet"
	"loadgen/internal/secret"
	"loadgen/metrics"
	"loadgen/mockllm"
	"loadgen/results"
	"loadgen/runner"
	"loadgen/sweep"
)

// known is a batch file whose endpoint's times are known.
const known = `batch_name: same
output_base_dir: unused
base_config:
  model: mock-model
  tokenizer: cl100k_base
  url: mock://
  streaming: true
  warmup_request_count: 0
  random_seed: 7
  prompt_output_tokens_mean: 11
mock: {timing: fixed, ttft: 100ms, itl: 10ms}
`

// TestARunReadBackIsTheRunThatWasMade makes runs of every kind, and asks that
// their directories tell the very summary that they had.
func TestARunReadBackIsTheRunThatWasMade(t *testing.T) {
	dataset := filepath.Join(t.TempDir(), "trace.jsonl")
	var lines strings.Builder
	for i := range 30 {
		fmt.Fprintf(&lines, `{"timestamp": %d, "input_length": %d, "output_length": %d}`+"\n", i*i*10, 5+i, 1+i%7)
	}
	if err := os.WriteFile(dataset, []byte(lines.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		name     string
		settings string // paths below base_config, but for mock's
		stop     time.Duration
		kill     time.Duration // the second interrupt
		status   loadgen.Status
	}{
		{"a closed loop", "concurrency=4 benchmark_duration=3", 0, 0, loadgen.Completed},
		{"with a ramp and SLOs", "concurrency=8 concurrency_ramp_duration=2 benchmark_duration=6 slos={time_to_first_token:99,inter_token_latency:50} require_slos=true", 0, 0, loadgen.Completed},
		{"with a warm-up", "concurrency=4 request_count=40 warmup_request_count=8", 0, 0, loadgen.Completed},
		{"without streaming", "streaming=false concurrency=2 request_count=12", 0, 0, loadgen.Completed},
		{"of completions", "endpoint_type=completions concurrency=2 request_count=12", 0, 0, loadgen.Completed},
		{"a constant rate", "request_rate=20 request_rate_mode=constant benchmark_duration=3", 0, 0, loadgen.Completed},
		{"Poisson arrivals", "request_rate=50 request_rate_mode=poisson request_count=200", 0, 0, loadgen.Completed},
		{"gamma arrivals under a ceiling", "request_rate=40 request_rate_mode=gamma request_rate_smoothness=2 concurrency=3 benchmark_duration=4", 0, 0, loadgen.Completed},
		{"a rate that the warm-up decides", "request_rate=auto concurrency=4 warmup_request_count=8 benchmark_duration=3", 0, 0, loadgen.Completed},
		{"users with a pace", "num_users=5 user_request_rate=2 benchmark_duration=4", 0, 0, loadgen.Completed},
		{"a trace's times", "fixed_schedule=true custom_dataset_type=mooncake_trace input_file=" + dataset, 0, 0, loadgen.Completed},
		{"conversations", "concurrency=3 request_count=60 session_turns_mean=4 session_turns_stddev=1 session_turn_delay_mean=50", 0, 0, loadgen.Completed},
		{"lengths from a mixture", "concurrency=4 request_count=60 prompt_input_tokens_stddev=5 prompt_output_tokens_stddev=4", 0, 0, loadgen.Completed},
		{"some failures", "concurrency=4 request_count=80 mock.faults=[{kind:status,status:503,every:5},{kind:cut,after:3,every:7}]", 0, 0, loadgen.Completed},
		{"nothing but failures", "concurrency=2 request_count=10 mock.faults=[{kind:status,status:500,every:1}]", 0, 0, loadgen.Failed},
		{"a warm-up of failures", "concurrency=2 request_count=6 warmup_request_count=4 mock.faults=[{kind:status,status:500,every:2}]", 0, 0, loadgen.Completed},
		{"answers that the end cuts off", "concurrency=8 benchmark_duration=1 grace_period=0.25 mock.faults=[{kind:stall,after:3,every:4}]", 0, 0, loadgen.Completed},
		{"nothing that was finished", "concurrency=2 benchmark_duration=1 grace_period=0.5 mock.ttft=60s", 0, 0, loadgen.Failed},
		{"nothing that was due", "request_rate=0.5 request_rate_mode=poisson random_seed=3 benchmark_duration=1 budgets={request_throughput:2}", 0, 0, loadgen.Failed},
		{"an interrupt", "concurrency=4 benchmark_duration=60", 3100 * time.Millisecond, 0, loadgen.Interrupted},
		{"two interrupts", "concurrency=4 benchmark_duration=60", 3100 * time.Millisecond, 3150 * time.Millisecond, loadgen.Interrupted},
		{"an interrupt in the warm-up", "concurrency=2 benchmark_duration=60 warmup_request_count=100", 1100 * time.Millisecond, 0, loadgen.Interrupted},
		{"an interrupt before anything", "concurrency=2 benchmark_duration=60", time.Nanosecond, 0, loadgen.Interrupted},
		{"a warm-up that drains", "concurrency=4 request_count=40 warmup_request_count=8 warmup_handover=drain start=together", 0, 0, loadgen.Completed},
		{"a warm-up of some time with users of its own", "concurrency=4 request_count=40 warmup_duration=2 warmup_concurrency=2", 0, 0, loadgen.Completed},
		{"a warm-up into an open loop", "request_rate=30 request_rate_mode=poisson benchmark_duration=3 warmup_request_count=20", 0, 0, loadgen.Completed},
		{"a warm-up at a rate of its own", "request_rate=30 benchmark_duration=3 warmup_duration=2 warmup_request_rate=10", 0, 0, loadgen.Completed},
		{"a warm-up of conversations", "concurrency=3 request_count=40 warmup_request_count=9 session_turns_mean=3", 0, 0, loadgen.Completed},
		{"an endpoint that is given up", "concurrency=2 benchmark_duration=60 give_up_after=3 mock.faults=[{kind:status,status:503,every:1}]", 0, 0, loadgen.Failed},
		{"too many errors", "concurrency=2 benchmark_duration=60 max_error_rate=0.2 mock.faults=[{kind:status,status:503,every:2}]", 0, 0, loadgen.Failed},
		{"overridden limits of the verdict", "concurrency=4 request_count=40 validity={cancelled:0.5}", 0, 0, loadgen.Completed},
		{"chunks that come together", "concurrency=2 request_count=20 mock.itl=0", 0, 0, loadgen.Completed},
		{"prompts that are used again", "concurrency=4 request_count=90 custom_dataset_type=mooncake_trace input_file=" + dataset, 0, 0, loadgen.Completed},
	} {
		t.Run(row.name, func(t *testing.T) {
			var settings []string
			for _, s := range strings.Fields(row.settings) {
				if !strings.HasPrefix(s, "mock.") {
					s = "base_config." + s
				}
				settings = append(settings, strings.NewReplacer(":", ": ").Replace(s))
			}
			run, dir := made(t, settings, row.stop, row.kill)
			if run.Status() != row.status {
				t.Fatalf("%s: %v; want %s", run.Status(), run.Err, row.status)
			}
			isTold(t, run, dir)
		})
	}
}

// made makes the run of a batch in virtual time, with the recorder that batches
// have, and returns it with its directory.
func made(t *testing.T, settings []string, stop, kill time.Duration) (run *sweep.Run, dir string) {
	t.Helper()
	words, base := *archive.Vocabulary(), t.TempDir()
	words.Note = "counted by another tokenizer"
	synctest.Test(t, func(t *testing.T) {
		batch, err := sweep.Parse("same.yaml", []byte(known), sweep.Options{Overrides: settings})
		if err != nil {
			t.Fatal(err)
		}
		batch.Mock.Precise = false // time is virtual
		endpoint, err := mockllm.New(batch.Mock)
		if err != nil {
			t.Fatal(err)
		}
		network := memnet.Listen()
		ctx, leave := context.WithCancel(t.Context())
		served := make(chan error, 1)
		go func() { served <- endpoint.Serve(ctx, network) }()
		stopping, interrupt := context.WithCancel(t.Context())
		cancelled, cancel := context.WithCancel(t.Context())
		defer interrupt()
		defer cancel()
		for after, do := range map[time.Duration]func(){stop: interrupt, kill: cancel} {
			if after > 0 {
				timer := time.AfterFunc(after, do)
				defer timer.Stop()
			}
		}
		root, err := results.CreateBatch(base, "same", time.Now())
		if err != nil {
			t.Fatal(err)
		}
		defer root.Close()
		log := slog.New(slog.DiscardHandler)
		recorder := &archive.Recorder{
			Batch: batch, Root: root, ConfigFile: "same.yaml", Version: "test", Command: []string{"loadgen"}, Log: log,
			Tee: &archive.Tee{}, Profiler: archive.Profiler{Profiler: batch.Profiler, Now: time.Now(), Fine: 0.25}, Secrets: &secret.Set{},
		}
		r := &runner.Runner{
			Batch: batch, Recorder: recorder, Endpoint: "http://endpoint", Dial: network.DialContext,
			LookupEnv:  func(string) (string, bool) { return "", false },
			Vocabulary: func(context.Context, string, string) *runner.Vocabulary { return &words },
			Stop:       stopping, Log: log,
		}
		runs, err := r.Run(cancelled)
		if err != nil || len(runs) == 0 {
			t.Fatalf("%d runs: %v", len(runs), err)
		}
		if err := recorder.Finish(runs); err != nil {
			t.Error(err)
		}
		leave()
		if err := <-served; err != nil {
			t.Error(err)
		}
		run, dir = runs[0], root.Dir
	})
	return run, dir
}

// isTold asks that a directory tells the run that was made.
func isTold(t *testing.T, run *sweep.Run, dir string) {
	t.Helper()
	read, err := results.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(run.Facts, read.Meta.Facts); diff != "" {
		t.Errorf("facts (-made +read):\n%s", diff)
	}
	if read.Status != run.Status() || !read.Whole || len(read.Truncated()) > 0 {
		t.Errorf("read as %s, whole %v; was %s", read.Status, read.Whole, run.Status())
	}
	if diff := cmp.Diff(run.Missed(), read.Missed, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("limits missed (-made +read):\n%s", diff)
	}
	again, err := read.Summary()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(run.Summary, &again, cmpopts.EquateNaNs()); diff != "" {
		t.Errorf("summary (-made +read):\n%s", diff)
	}
	was, is := written(t, run.Summary), written(t, &again)
	if was != is {
		t.Error("the summaries read alike, but not byte for byte")
	}
	recording, err := archive.Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	if got := written(t, &recording.Summarized); got != was {
		t.Error("the recording's summary is another")
	}
}

// written is a summary as JSON, its metrics included.
func written(t *testing.T, s *metrics.Summary) string {
	t.Helper()
	text, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	return string(text) + fmt.Sprintf("%v %v", shown(s.Metrics), shown(s.Warmup))
}

func shown(ms []metrics.Metric) (text []string) {
	for _, m := range ms {
		if m.Value != nil {
			text = append(text, fmt.Sprint(m.Tag, *m.Value))
		} else {
			text = append(text, fmt.Sprint(m.Tag, *m.Stats))
		}
	}
	return text
}
