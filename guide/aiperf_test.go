package guide_test

import (
	"strings"
	"testing"
	"time"

	"loadgen/guide"
	"loadgen/sweep"
)

// fromAIPerf converts and reads the batch file that comes of it.
func fromAIPerf(t *testing.T, text string) (*sweep.Batch, string) {
	t.Helper()
	draft, _, err := guide.FromAIPerf([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	file, err := draft.Write()
	if err != nil {
		t.Fatal(err)
	}
	nothing := func(name string) (string, bool) { return map[string]string{"KEY": "a key"}[name], name == "KEY" }
	batch, err := sweep.Parse("b.yaml", file, sweep.Options{LookupEnv: nothing})
	if err != nil {
		t.Fatalf("%v\nin\n%s", err, file)
	}
	if err := newChecker(t).check(t, string(file)); err != nil {
		t.Errorf("the schema refuses it: %v", err)
	}
	return batch, string(file)
}

// documented is the example of AIPerf's own description of its file.
const documentedAIPerf = `
schemaVersion: "2.0"
randomSeed: ${SEED:42}
variables: {c: 8}
multiRun: {numRuns: 3}
sweep: {type: grid, parameters: {concurrency: [1, 4]}}
benchmark:
  model: m
  endpoint: {url: http://h:8000, type: chat, streaming: true}
  dataset: {type: synthetic, entries: 100, isl: {mean: 512, stddev: 50}, osl: 128}
  warmup: {type: concurrency, requests: 20, concurrency: 4}
  profiling: {type: poisson, rate: 5, duration: 60s, gracePeriod: 30s}
  slos: {time_to_first_token: 500}
  artifacts: {dir: ./out, summary: [json], records: [jsonl], sliceDuration: 10}
`

func TestAConfigurationOfAIPerfBecomesABatch(t *testing.T) {
	batch, _ := fromAIPerf(t, documentedAIPerf)
	if batch.Repeats != 3 || batch.VarySeed || batch.OutputBaseDir != "./out" {
		t.Errorf("repeats %d, vary_seed %v, output_base_dir %q", batch.Repeats, batch.VarySeed, batch.OutputBaseDir)
	}
	cells := batch.Cells()
	if len(cells) != 2 {
		t.Fatalf("%d cells, want 2", len(cells))
	}
	c := cells[1].Config
	if c.Model != "m" || c.URL != "http://h:8000" || !c.Streaming || c.RandomSeed != 42 {
		t.Errorf("the service: %q %q %v, seed %d", c.Model, c.URL, c.Streaming, c.RandomSeed)
	}
	if c.PromptInputTokensMean != 512 || c.PromptInputTokensStddev != 50 || c.PromptOutputTokensMean != 128 {
		t.Errorf("the prompts: %g ± %g, %g", c.PromptInputTokensMean, c.PromptInputTokensStddev, c.PromptOutputTokensMean)
	}
	if c.WarmupRequestCount != 20 || c.WarmupConcurrency != 4 || c.WarmupHandover != "drain" {
		t.Errorf("the warm-up: %d by %d, %s", c.WarmupRequestCount, c.WarmupConcurrency, c.WarmupHandover)
	}
	if c.RequestRate.PerSecond != 5 || c.RequestRateMode != "poisson" || c.Concurrency != 4 || c.BenchmarkDuration != time.Minute || c.GracePeriod != 30*time.Second {
		t.Errorf("the load: %v", cells[1].Pacing)
	}
	if c.SLOs["time_to_first_token"] != 500 {
		t.Errorf("slos: %v", c.SLOs)
	}
}

func TestACommandLineOfAIPerfBecomesABatch(t *testing.T) {
	batch, file := fromAIPerf(t, `#!/bin/bash
# The night.
aiperf profile --model meta/llama --url localhost:8000/v1/chat/completions \
  --endpoint-type chat --streaming --request-rate 2.5 --arrival-pattern constant \
  --concurrency 10,20 --no-gpu-telemetry --benchmark-duration 120 --isl 100 --osl 50 --api-key $KEY \
  --goodput "time_to_first_token:500 request_latency:2000" \
  --extra-inputs ignore_eos:true --extra-inputs '{"top_k": 5}' -H 'X-Team: night shift' # done
`)
	cells := batch.Cells()
	if len(cells) != 2 {
		t.Fatalf("%d cells, want 2", len(cells))
	}
	c := cells[0].Config
	if c.URL != "http://localhost:8000" || c.APIKeyEnvVar != "KEY" || c.Headers["X-Team"] != "night shift" {
		t.Errorf("the service: %q, key in %q, headers %v", c.URL, c.APIKeyEnvVar, c.Headers)
	}
	if c.RequestRate.PerSecond != 2.5 || c.RequestRateMode != "constant" || c.Concurrency != 10 || c.BenchmarkDuration != 2*time.Minute || c.WarmsUp() {
		t.Errorf("the load: %v\n%s", cells[0].Pacing, file)
	}
	if c.ExtraInputs["ignore_eos"] != true || c.ExtraInputs["top_k"] != 5 || len(c.SLOs) != 2 {
		t.Errorf("extra %v, slos %v", c.ExtraInputs, c.SLOs)
	}
}

func TestAIPerfsDefaultsAreWrittenDown(t *testing.T) {
	batch, _ := fromAIPerf(t, "aiperf profile -m m\n")
	c := batch.Cells()[0].Config
	if c.Concurrency != 1 || c.RequestCount != 10 || c.URL != "http://localhost:8000" || c.Streaming {
		t.Errorf("%d users, %d requests to %s, streaming %v", c.Concurrency, c.RequestCount, c.URL, c.Streaming)
	}
	batch, _ = fromAIPerf(t, "aiperf profile -m m --request-rate 3 --request-count 30\n")
	if c := batch.Cells()[0].Config; c.RequestRateMode != "poisson" || c.Concurrency != 0 {
		t.Errorf("a rate: %s, %d users", c.RequestRateMode, c.Concurrency)
	}
}

func TestMoreOfAIPerfsFile(t *testing.T) {
	tests := []struct {
		name, text string
		sound      func(c *sweep.Config) bool
	}{
		{
			"keys at the top, where they once stood", "model: m\nendpoint: {url: 'h:1', headers: {X-Team: a}}\nphases: {type: concurrency, concurrency: 3, requests: 9}\n",
			func(c *sweep.Config) bool {
				return c.Concurrency == 3 && c.RequestCount == 9 && c.URL == "http://h:1" && c.Headers["X-Team"] == "a"
			},
		},
		{
			"a list of phases", "benchmark: {model: m, phases: [{name: warmup, type: concurrency, duration: 5}, {name: x, kind: profiling, type: gamma, rate: 2, smoothness: 3, duration: 1m, seamless: true}]}\n",
			func(c *sweep.Config) bool {
				return c.WarmupDuration == 5*time.Second && c.WarmupHandover == "seamless" && c.RequestRateSmoothness == 3 && c.BenchmarkDuration == time.Minute
			},
		},
		{
			"users with a pace", "benchmark: {model: m, profiling: {type: user_centric, users: 10, rate: 5, duration: 60}}\n",
			func(c *sweep.Config) bool { return c.NumUsers == 10 && c.UserRequestRate == 0.5 },
		},
		{
			"a variable", "variables: {n: 7}\nbenchmark: {model: m, profiling: {type: concurrency, concurrency: '{{ n }}', requests: 70}}\n",
			func(c *sweep.Config) bool { return c.Concurrency == 7 },
		},
		{
			"a mixture, prefixes and turns", "benchmark: {model: m, dataset: {prompts: {sequenceDistribution: [{isl: 100, osl: 10, probability: 40}, {isl: {mean: 200, stddev: 5}, osl: 20, probability: 60}]}, prefixPrompts: {sharedSystemLength: 50}, turns: {mean: 3, stddev: 1}}, profiling: {type: concurrency, requests: 5}}\n",
			func(c *sweep.Config) bool {
				return c.SequenceDistribution == "100,10:40;200|5,20:60" && c.SharedSystemPromptLength == 50 && c.SessionTurnsMean == 3
			},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			batch, file := fromAIPerf(t, tt.text)
			if c := batch.Cells()[0].Config; !tt.sound(&c) {
				t.Errorf("it became\n%s", file)
			}
		})
	}
}

func TestWhatHasNoCounterpartIsRefusedByName(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"an unknown flag", "aiperf profile -m m --prefill-concurrency 4 --gpu-telemetry x\n", "--prefill-concurrency: has no counterpart"},
		{"all of them at once", "aiperf profile -m m --prefill-concurrency 4 --gpu-telemetry x\n", "--gpu-telemetry: has no counterpart"},
		{"a key", "benchmark: {model: m, otel: {url: x}}\n", "benchmark.otel: has no counterpart"},
		{"a key in camel case", "benchmark: {model: m, gpuTelemetry: {}}\n", "benchmark.gpu_telemetry: has no counterpart"},
		{"another schema", "schemaVersion: '3.0'\nbenchmark: {model: m}\n", "schema_version: 3.0 has no counterpart"},
		{"a search", "benchmark: {model: m}\nsweep: {type: adaptive_search}\n", "sweep.type: adaptive_search has no counterpart"},
		{"a swept key that is none", "benchmark: {model: m}\nsweep: {type: grid, parameters: {prefill_concurrency: [1]}}\n", "sweep.parameters.prefill_concurrency: has no counterpart"},
		{"another distribution", "benchmark: {model: m, dataset: {isl: {mean: 5, median: 4}}}\n", "dataset.isl.median: has no counterpart"},
		{"peaks", "benchmark: {model: m, dataset: {isl: {peaks: []}}}\n", "dataset.isl: is no normal distribution"},
		{"a template", "benchmark: {model: '{{ a | upper }}'}\n", "is a template: write the value"},
		{"a key for the service", "benchmark: {model: m, endpoint: {api_key: sk-secret}}\n", "a batch file holds no key"},
		{"a key in a header", "benchmark: {model: m, endpoint: {headers: {Authorization: Bearer sk-secret}}}\n", "holds a key"},
		{"two measurements", "benchmark: {model: m, phases: [{kind: profiling, requests: 1}, {kind: profiling, requests: 1}]}\n", "a run has one measurement"},
		{"no configuration", "hello\n", "neither a command line"},
		{"a list", "[1]\n", "neither a command line"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, _, err := guide.FromAIPerf([]byte(tt.text))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("got %v, want %q in it", err, tt.want)
			}
			if strings.Contains(err.Error(), "sk-secret") {
				t.Errorf("a secret is shown: %v", err)
			}
		})
	}
}

func TestAFirstBatchFileIsSound(t *testing.T) {
	tests := []struct {
		name  string
		first guide.First
		cells int
	}{
		{"nothing said", guide.First{}, 3},
		{"a service", guide.First{URL: "http://localhost:8000", Model: "meta/llama-3.3-70b-instruct"}, 3},
		{"one number of users", guide.First{Users: []int{8}}, 1},
		{"odd names", guide.First{URL: "http://h:1", Model: "true: #x\"\n", Tokenizer: "a b", APIKeyEnvVar: "KEY", Name: "on"}, 3},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			draft, err := tt.first.Draft()
			if err != nil {
				t.Fatal(err)
			}
			file, err := draft.Write()
			if err != nil {
				t.Fatal(err)
			}
			batch, err := sweep.Parse("b.yaml", file, sweep.Options{})
			if err != nil {
				t.Fatal(err)
			}
			if n := len(batch.Cells()); n != tt.cells {
				t.Errorf("%d cells, want %d", n, tt.cells)
			}
			if len(batch.Notes) > 0 {
				t.Errorf("it should need no notes: %q", batch.Notes)
			}
			if want := tt.first.Model; want != "" && batch.Base.Model != want {
				t.Errorf("the model is %q, want %q", batch.Base.Model, want)
			}
			if err := newChecker(t).check(t, string(file)); err != nil {
				t.Errorf("the schema refuses it: %v", err)
			}
		})
	}
	draft, _ := guide.First{URL: "localhost:8000", Model: "m"}.Draft()
	if _, err := draft.Write(); err == nil || !strings.Contains(err.Error(), "must begin with http://") {
		t.Errorf("a URL without a scheme: %v", err)
	}
	if _, err := (guide.First{URL: "http://h"}).Draft(); err == nil {
		t.Error("a service without a model is taken")
	}
}

func TestATerminalIsAsked(t *testing.T) {
	var f guide.First
	var shown strings.Builder
	if err := f.Ask(strings.NewReader("http://h:8000\nm\n2 8\n"), &shown); err != nil {
		t.Fatal(err)
	}
	if f.URL != "http://h:8000" || f.Model != "m" || len(f.Users) != 2 || f.Users[1] != 8 {
		t.Errorf("got %+v", f)
	}
	f = guide.First{}
	if err := f.Ask(strings.NewReader("\n\n"), &shown); err != nil || f.URL != "mock://" || len(f.Users) != 3 {
		t.Errorf("empty answers give %+v, %v", f, err)
	}
	f = guide.First{}
	if err := f.Ask(strings.NewReader(""), &shown); err == nil {
		t.Error("no answer at all is taken")
	}
}
