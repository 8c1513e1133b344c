package sweep_test

import (
	"strings"
	"testing"

	"loadgen/sweep"
)

func TestHooksSayOneThing(t *testing.T) {
	for written, fault := range map[string]string{
		"{before_run: [{run: 'echo ${HOME}'}]}":         "",
		"{before_cell: [{post: /reset, body: '{}'}]}":   "",
		"{after_batch: [{get: 'http://a:1/stop'}]}":     "",
		"{before_run: [{run: a, post: /b}]}":            "must have one of run, post and get",
		"{before_run: [{timeout: 5}]}":                  "must have one of run, post and get",
		"{before_run: [{get: /b, body: x}]}":            "only a post has a body",
		"{before_run: [{post: b}]}":                     "must be a path of the service, or the whole address",
		"{before_run: [{post: 'http://me:key@a/b'}]}":   "must be a path of the service, or the whole address",
		"{before_run: [{run: a, on_failure: explode}]}": "must be fail or warn",
		"{before_run: [{run: a, timeout: 100000}]}":     "must be between 0 and a day",
		"{before_runs: [{run: a}]}":                     "unknown key",
		"{before_run: [{ran: a}]}":                      "unknown key",
	} {
		batch, err := sweep.Parse("b.yaml", []byte("hooks: "+written+"\nbase_config:\n  model: m\n  url: http://a\n  streaming: true\n  benchmark_duration: 1\n  warmup_request_count: 1\n  concurrency: 1\n"), sweep.Options{LookupEnv: func(string) (string, bool) { return "", false }})
		switch {
		case fault == "" && err != nil:
			t.Errorf("%s: %v", written, err)
		case fault == "" && len(batch.Hooks.BeforeRun) > 0 && !strings.Contains(batch.Hooks.BeforeRun[0].Run, "${HOME}"):
			t.Errorf("%s: a variable of the shell is gone: %q", written, batch.Hooks.BeforeRun[0].Run)
		case fault != "" && (err == nil || !strings.Contains(err.Error(), fault)):
			t.Errorf("%s: error %v, want %q", written, err, fault)
		}
	}
}
