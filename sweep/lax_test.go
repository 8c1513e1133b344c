package sweep_test

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"loadgen/sweep"
)

func TestValuesThatCanMeanOneThingOnly(t *testing.T) {
	tests := []struct {
		written string
		read    func(c sweep.Config) any
		want    any
	}{
		{`streaming: yes`, func(c sweep.Config) any { return c.Streaming }, true},
		{`streaming: "On"`, func(c sweep.Config) any { return c.Streaming }, true},
		{`streaming: 1`, func(c sweep.Config) any { return c.Streaming }, true},
		{`streaming: n`, func(c sweep.Config) any { return c.Streaming }, false},
		{`request_count: "20"`, func(c sweep.Config) any { return c.RequestCount }, 20},
		{`request_count: " 1_000 "`, func(c sweep.Config) any { return c.RequestCount }, 1000},
		{`request_count: 20.0`, func(c sweep.Config) any { return c.RequestCount }, 20},
		{`request_count: 2e3`, func(c sweep.Config) any { return c.RequestCount }, 2000},
		{`request_count: "2e3"`, func(c sweep.Config) any { return c.RequestCount }, 2000},
		{`grace_period: "1.5"`, func(c sweep.Config) any { return c.GracePeriod }, 1500 * time.Millisecond},
		{`session_turns_mean: "2.5"`, func(c sweep.Config) any { return c.SessionTurnsMean }, 2.5},
		{`request_rate: "2.5"`, func(c sweep.Config) any { return c.RequestRate.PerSecond }, 2.5},
		{`slos: {request_latency: "500"}`, func(c sweep.Config) any { return c.SLOs["request_latency"] }, 500.0},
	}
	for _, tt := range tests {
		t.Run(tt.written, func(t *testing.T) {
			if got := tt.read(parse(t, minimal+"  "+tt.written+"\n").Cells()[0].Config); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

func TestValuesThatCanMeanSeveralThings(t *testing.T) {
	for _, written := range []string{
		`streaming: ja`, `streaming: 2`, `streaming: 0.5`, `streaming: "2"`,
		`request_count: true`, `request_count: 1.5`, `request_count: "1.5"`, `request_count: "017"`, `request_count: 017`,
		`request_count: "0x10"`, `request_count: "10 requests"`, `request_count: "1e30"`, `request_count: ""`,
		`grace_period: "30s"`, `grace_period: "nan"`, `session_turns_mean: "inf"`,
		`tokenizer: 7`, `tokenizer: true`, `slos: {request_latency: null}`,
	} {
		t.Run(written, func(t *testing.T) {
			if found := faults(t, minimal+"  "+written+"\n", sweep.Options{}); len(found) != 1 {
				t.Errorf("got %v, want one fault", found)
			}
		})
	}
}

func TestSweptValuesAreReadAlike(t *testing.T) {
	batch := parse(t, minimal+"sweeps: {concurrency: [\"4\", 8.0], streaming: [yes, 0], tokenizer: [\"4\", a]}\n")
	want := []string{"concurrency4_streamingtrue_tokenizer4", "concurrency4_streamingtrue_tokenizera"}
	if diff := cmp.Diff(want, dirs(batch)[:2]); diff != "" {
		t.Errorf("directories (-want +got):\n%s", diff)
	}
	if got := batch.Sweeps.String(); got != "{'concurrency': [4, 8], 'streaming': [True, False], 'tokenizer': ['4', 'a']}" {
		t.Errorf("the sweeps are %s", got)
	}
	found := faults(t, minimal+"sweeps: {concurrency: [4, \"4\"]}\n", sweep.Options{})
	if len(found) != 1 || !strings.Contains(found[0].Message, "in the list twice") {
		t.Errorf("4 and \"4\": got %v", found)
	}
}

// TestKeysWithoutAValue checks that they are as if they were not there.
func TestKeysWithoutAValue(t *testing.T) {
	bare := parse(t, minimal)
	batch := parse(t, minimal+"  tokenizer:\n  request_rate: null\n  random_seed: ~\n  streaming: null\n  request_rate_mode: null\n"+
		"  tls:\n  slos:\n  input_file: null\nsweeps:\nmock:\nmax_cells: null\n")
	if diff := cmp.Diff(bare.Cells()[0].Config, batch.Cells()[0].Config, cmpopts.IgnoreUnexported(sweep.Config{})); diff != "" {
		t.Errorf("config (-bare +with):\n%s", diff)
	}
	if batch.Cells()[0].Config.Given("request_rate") {
		t.Error("request_rate counts as written")
	}
	want := []string{"keys without a value count as not written: base_config.input_file, base_config.random_seed, base_config.request_rate, " +
		"base_config.request_rate_mode, base_config.slos, base_config.streaming, base_config.tls, base_config.tokenizer, max_cells, mock, sweeps", notStreaming}
	if diff := cmp.Diff(want, batch.Notes); diff != "" {
		t.Errorf("notes (-want +got):\n%s", diff)
	}
	found := faults(t, strings.Replace(minimal, "model: m", "model: null", 1), sweep.Options{})
	if len(found) != 1 || found[0].Key != "base_config.model" {
		t.Errorf("a required key: %v", found)
	}
}

// notStreaming is the note of batches without streaming.
const notStreaming = "without streaming answers come whole, so that there is no time to the first token nor between tokens: write streaming: true"

// runnerFile is one as the runner that loadgen replaces takes it.
const runnerFile = `base_config:
  model: nvidia/nemotron-3-nano        # Override per main model under test
  tokenizer: null
  url: "http://localhost:9000"
  health_check_endpoint: "/v1/rails/configs"
  endpoint: "/v1/chat/completions"
  endpoint_type: chat
  warmup_request_count: "10"
  benchmark_duration: 60.0
  concurrency: 0  # Overridden by sweep below
  request_rate_mode: "constant"
  use_legacy_max_tokens: true
  random_seed: null
  prompt_input_tokens_mean: 100
  prompt_output_tokens_mean: 50
sweeps:
  concurrency: [1, 2, 4]
`

func TestFilesOfTheRunnerLoadUnchanged(t *testing.T) {
	batch := parse(t, runnerFile)
	if diff := cmp.Diff([]string{"concurrency1", "concurrency2", "concurrency4"}, dirs(batch)); diff != "" {
		t.Errorf("directories (-want +got):\n%s", diff)
	}
	if batch.BatchName != "benchmark" || batch.OutputBaseDir != "aiperf_results" {
		t.Errorf("got %s in %s", batch.BatchName, batch.OutputBaseDir)
	}
	want := []string{
		"batch_name is not written: it is benchmark",
		"output_base_dir is not written: it is aiperf_results",
		"keys without a value count as not written: base_config.random_seed, base_config.tokenizer",
		"request_rate_mode has no effect: without request_rate there are no gaps to shape",
		notStreaming,
	}
	if diff := cmp.Diff(want, batch.Notes); diff != "" {
		t.Errorf("notes (-want +got):\n%s", diff)
	}
}

func TestPlaceholdersAreNotJudged(t *testing.T) {
	tests := []struct{ name, key, placeholder, sweeps string }{
		{"a number out of range", "benchmark_duration", "0", "benchmark_duration: [10, 20]"},
		{"a word for a number", "benchmark_duration", "swept", "benchmark_duration: [10, 20]"},
		{"nothing", "benchmark_duration", "", "benchmark_duration: [10, 20]"},
		{"a list", "benchmark_duration", "[10, 20]", "benchmark_duration: [10, 20]"},
		{"an unknown choice", "request_rate_mode", "swept", "{request_rate_mode: [constant, poisson], request_rate: [1]}"},
		{"a limit below a key", "slos", "{request_latency: -1}", "slos.request_latency: [100, 200]"},
		{"no URL", "url", "swept", "url: ['http://a', 'http://b']"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var b strings.Builder
			for line := range strings.Lines(minimal) {
				if !strings.HasPrefix(strings.TrimSpace(line), tt.key+":") {
					b.WriteString(line)
				}
			}
			sweeps := "sweeps:\n  " + tt.sweeps + "\n"
			if strings.HasPrefix(tt.sweeps, "{") {
				sweeps = "sweeps: " + tt.sweeps + "\n"
			}
			if batch := parse(t, b.String()+"  "+tt.key+": "+tt.placeholder+"\n"+sweeps); len(batch.Cells()) != 2 {
				t.Errorf("%d cells", len(batch.Cells()))
			}
		})
	}
	// What no cell replaces is judged.
	if found := faults(t, minimal+"  slos: {request_latency: -1, time_to_first_token: 0}\n  streaming: true\nsweeps: {slos.request_latency: [100]}\n", sweep.Options{}); len(found) != 1 {
		t.Errorf("got %v, want one fault", found)
	}
}

func TestOverrideWithoutAValue(t *testing.T) {
	text := []byte(minimal + "  tokenizer: gpt2\nsweeps: {concurrency: [1, 2]}\n")
	batch, err := sweep.Parse("b.yaml", text, sweep.Options{Overrides: []string{"base_config.tokenizer=", "sweeps= "}})
	if err != nil || batch.Base.Tokenizer != "" || len(batch.Cells()) != 1 {
		t.Errorf("got %+v, %v", batch, err)
	}
	_, err = sweep.Parse("b.yaml", text, sweep.Options{Overrides: []string{"base_config.model="}})
	if err == nil || !strings.Contains(err.Error(), "base_config.model: must be text, not empty") {
		t.Errorf("a required key: %v", err)
	}
}

func TestOverrideOfASweptKeyIsNoted(t *testing.T) {
	batch, err := sweep.Parse("b.yaml", []byte(minimal+"  streaming: true\nsweeps: {concurrency: [1, 2]}\n"), sweep.Options{Overrides: []string{"base_config.concurrency=8"}})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"--set base_config.concurrency has no effect: concurrency is swept; set sweeps.concurrency to run other values"}
	if diff := cmp.Diff(want, batch.Notes); diff != "" || len(batch.Cells()) != 2 {
		t.Errorf("%d cells, notes (-want +got):\n%s", len(batch.Cells()), diff)
	}
	// Where another override ends the sweep, there is nothing to note.
	batch, err = sweep.Parse("b.yaml", []byte(minimal+"  streaming: true\nsweeps: {concurrency: [1, 2]}\n"), sweep.Options{
		Overrides: []string{"base_config.concurrency=8", "sweeps={}"},
	})
	if err != nil || len(batch.Notes) > 0 || batch.Cells()[0].Config.Concurrency != 8 {
		t.Errorf("got %v, %v", batch, err)
	}
}

func TestURLsThatHoldThePathOfTheEndpoint(t *testing.T) {
	tests := []struct{ url, endpoint, want string }{
		{"http://h/v1", "", "ends in /v1, and so would be asked for /v1/v1/chat/completions"},
		{"http://h/v1/", "", "ends in /v1, and so would be asked for /v1/v1/chat/completions"},
		{"http://h/v1/chat/completions", "", "ends in /v1/chat/completions, and so would be asked for /v1/chat/completions/v1/chat/completions"},
		{"http://h/openai/v1/chat", "", "ends in /v1/chat, and so"},
		{"http://h/api/chat/completions", "", "ends in the path of an endpoint, to which /v1/chat/completions would be added"},
		{"http://h/v2/completions/", "/v1/chat/completions", "ends in the path of an endpoint"},
		{"http://h/api", "/api/chat/completions?v=1", "ends in /api, and so would be asked for /api/api/chat/completions"},
		{"http://h/openai", "", ""},
		{"http://v1", "", ""},
		{"http://h/openai/v1", "/chat/completions", ""},
		{"http://h/av1", "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.url, func(t *testing.T) {
			text := strings.Replace(minimal, "http://localhost:8000", tt.url, 1)
			if tt.endpoint != "" {
				text += "  endpoint: " + tt.endpoint + "\n"
			}
			found := faults(t, text, sweep.Options{})
			switch {
			case tt.want == "" && found != nil:
				t.Errorf("got %v", found)
			case tt.want != "" && (len(found) != 1 || !strings.Contains(found[0].Message, tt.want)):
				t.Errorf("got %v, want %q", found, tt.want)
			}
		})
	}
}

func TestWordsOfAnOlderYAMLAreTold(t *testing.T) {
	batch := parse(t, minimal+"  extra_inputs: {a: yes, b: [on, \"no\", {c: Off}], d: true, e: nothing, f: 'yes'}\n")
	told := strings.Join(batch.Notes, "\n")
	for _, want := range []string{
		`base_config.extra_inputs.a is sent as the text "yes"; write true for a boolean, or put it in quotes`,
		`base_config.extra_inputs.b[0] is sent as the text "on"; write true`,
		`base_config.extra_inputs.b[2].c is sent as the text "Off"; write false`,
	} {
		if !strings.Contains(told, want) {
			t.Errorf("no %q in %q", want, told)
		}
	}
	if n := strings.Count(told, "is sent as the text"); n != 3 {
		t.Errorf("%d notes, want 3: %q", n, told)
	}
	if a := batch.Cells()[0].Config.ExtraInputs["a"]; a != "yes" {
		t.Errorf("a is %v, want the text", a)
	}
}

func TestNumbersThatDoNotExist(t *testing.T) {
	for line, want := range map[string]string{
		"  random_seed: 99999999999999999999\n":         "it is too large: 9223372036854775807 is the largest there is",
		"  url: http://localhost:99999\n":               "has a port that does not exist: 99999",
		"  url: http://localhost:0/base\n":              "has a port that does not exist: 0",
		"  url: https://[::1]:70000\n":                  "has a port that does not exist: 70000",
		"  random_seed: [99999999999999999999, 1]\n":    "not a list",
		"  request_count: 99999999999999999999999999\n": "it is too large",
	} {
		text := minimal + line
		if key, _, _ := strings.Cut(strings.TrimSpace(line), ":"); strings.Contains(minimal, "\n  "+key+":") {
			text = regexp.MustCompile("(?m)^  "+key+":.*\n").ReplaceAllString(minimal, "") + line
		}
		if _, err := sweep.Parse("numbers.yaml", []byte(text), sweep.Options{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", line, err, want)
		}
	}
}
