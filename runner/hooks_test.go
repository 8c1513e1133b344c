package runner_test

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"loadgen/internal/memnet"
	"loadgen/metrics"
	"loadgen/mockllm"
	"loadgen/runner"
	"loadgen/sweep"
)

// TestHooksAreDoneInOrder writes down each hook of two cells of two runs.
func TestHooksAreDoneInOrder(t *testing.T) {
	file := filepath.Join(t.TempDir(), "done")
	line := func(key string) string {
		return "hooks." + key + "=[{run: 'echo $LOADGEN_HOOK $LOADGEN_PARAM_CONCURRENCY $LOADGEN_SERVER_MAX_SEQS $LOADGEN_REPEAT >> " + file + "'}]"
	}
	settings := []string{
		"sweeps.concurrency=[1, 2]", "base_config.request_count=4", "repeats=2", "repeat_order=blocked", "base_config.server_parameters={max-seqs: 64}",
		line("before_batch"), line("after_batch"), line("before_cell"), line("after_cell"), line("before_run"), line("after_run"),
	}
	inReality(t, settings, func(t *testing.T, m *measured) {
		done, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		want := "before_batch 64\n" +
			"before_cell 1 64 1\nbefore_run 1 64 1\nafter_run 1 64 1\nbefore_run 1 64 2\nafter_run 1 64 2\nafter_cell 1 64 1\n" +
			"before_cell 2 64 1\nbefore_run 2 64 1\nafter_run 2 64 1\nbefore_run 2 64 2\nafter_run 2 64 2\nafter_cell 2 64 1\n" +
			"after_batch 64\n"
		if got := strings.ReplaceAll(string(done), "  ", " "); got != want {
			t.Errorf("done\n%s, want\n%s", got, want)
		}
	})
}

// TestAServiceThatAHookStarts is there when a file is, and asked behind the hooks.
func TestAServiceThatAHookStarts(t *testing.T) {
	up := filepath.Join(t.TempDir(), "up")
	probe := func(context.Context, *sweep.Cell) error {
		_, err := os.Stat(up)
		return err
	}
	for _, row := range []struct {
		name, hook, fault string
	}{
		{"a hook that starts nothing", "true", "behind its hooks"},
		{"a hook that starts it", "touch " + up, ""},
	} {
		settings := []string{"base_config.concurrency=1", "base_config.request_count=4", "hooks.before_cell=[{run: '" + row.hook + "'}]"}
		probed(t, settings, probe, func(t *testing.T, m *measured) {
			text := ""
			if m.Err != nil {
				text = m.Err.Error()
			}
			if (text != "") != (row.fault != "") || !strings.Contains(text, row.fault) {
				t.Errorf("%s: error %q, want %q", row.name, text, row.fault)
			}
		})
	}
}

func TestAHookThatFails(t *testing.T) {
	count := []string{"base_config.concurrency=1", "base_config.request_count=4"}
	for name, c := range map[string]struct {
		hooks string
		fault string
	}{
		"before a run":           {"hooks.before_run=[{run: 'echo no room; exit 3'}]", "hook before_run[0] failed: exit status 3: no room"},
		"before a run, and told": {"hooks.before_run=[{run: 'exit 3', on_failure: warn}]", ""},
		"behind a run":           {"hooks.after_run=[{run: 'exit 3'}]", ""},
		"behind, and it matters": {"hooks.after_run=[{run: 'exit 3', on_failure: fail}]", "hook after_run[0] failed: exit status 3"},
		"too slow":               {"hooks.before_run=[{run: 'sleep 60 & sleep 60', timeout: 0.2}]", "not done within 200ms"},
		"a request that fails":   {"hooks.before_run=[{post: /nowhere}]", "hook before_run[0] failed: status 404"},
		"a request":              {"hooks.before_run=[{post: /reset_prefix_cache}]", ""},
	} {
		t.Run(name, func(t *testing.T) {
			began := time.Now()
			inReality(t, append(count, c.hooks), func(t *testing.T, m *measured) {
				text := ""
				if m.Err != nil {
					text = m.Err.Error()
				}
				if (text != "") != (c.fault != "") || !strings.Contains(text, c.fault) {
					t.Errorf("error %q, want %q", text, c.fault)
				}
				before := strings.HasPrefix(c.hooks, "hooks.before") && c.fault != ""
				if s := m.Summary; s == nil || before && (s.Validity.Verdict != metrics.Invalid || s.Counts.Issued > 0) || !before && s.Counts.OK != 4 {
					t.Errorf("summary %+v", m.Summary)
				}
			})
			if took := time.Since(began); took > 20*time.Second {
				t.Errorf("it took %v", took)
			}
		})
	}
}

// inReality makes a batch against the known endpoint, made quick, in real time:
// commands know no other.
func inReality(t *testing.T, settings []string, check func(*testing.T, *measured)) {
	t.Helper()
	probed(t, settings, nil, check)
}

// probed is likewise, with what the check of the service says later.
func probed(t *testing.T, settings []string, probe func(context.Context, *sweep.Cell) error, check func(*testing.T, *measured)) {
	t.Helper()
	batch, err := sweep.Parse("hooks.yaml", []byte(known), sweep.Options{Overrides: append([]string{"mock.ttft=1ms", "mock.itl=1ms"}, settings...)})
	if err != nil {
		t.Fatal(err)
	}
	endpoint, err := mockllm.New(batch.Mock)
	if err != nil {
		t.Fatal(err)
	}
	network := memnet.Listen()
	ctx, stop := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- endpoint.Serve(ctx, network) }()
	m, words := &measured{}, vocabulary()
	r := &runner.Runner{
		Batch: batch, Recorder: m, Endpoint: "http://endpoint", Dial: network.DialContext, Probe: probe,
		LookupEnv: func(string) (string, bool) { return "", false }, Version: "test",
		Vocabulary: func(context.Context, string, string) *runner.Vocabulary { return words },
		Stop:       t.Context(), Log: slog.New(slog.DiscardHandler),
	}
	runs, err := r.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	m.Run = runs[0]
	stop()
	if err := <-served; err != nil {
		t.Error(err)
	}
	check(t, m)
}
