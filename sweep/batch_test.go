package sweep_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"loadgen"
	"loadgen/sweep"
)

// seedExample is the complete example of the runner that loadgen replaces.
const seedExample = `# Name for this batch of benchmarks
batch_name: my_benchmark

# Base directory where all benchmark results will be stored
output_base_dir: aiperf_results

# Base configuration applied to all benchmark runs
base_config:
  # Model and service configuration
  model: meta/llama-3.3-70b-instruct
  tokenizer: meta-llama/Llama-3.3-70B-Instruct
  url: "https://integrate.api.nvidia.com"
  endpoint: "/v1/chat/completions"
  endpoint_type: chat
  api_key_env_var: NVIDIA_API_KEY
  streaming: true

  # Load generation settings
  warmup_request_count: 20
  benchmark_duration: 60
  concurrency: 1
  request_rate_mode: "constant"

  # Synthetic data generation
  random_seed: 12345
  prompt_input_tokens_mean: 100
  prompt_input_tokens_stddev: 10
  prompt_output_tokens_mean: 50
  prompt_output_tokens_stddev: 5
`

// minimal holds the required keys, below which a test writes its own.
const minimal = `batch_name: b
output_base_dir: out
base_config:
  model: m
  url: http://localhost:8000
  warmup_request_count: 1
  benchmark_duration: 60
  concurrency: 4
`

func parse(t *testing.T, text string) *sweep.Batch {
	t.Helper()
	batch, err := sweep.Parse("batch.yaml", []byte(text), sweep.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return batch
}

// faults returns what is wrong with a file, or nil.
func faults(t *testing.T, text string, o sweep.Options) []*sweep.Fault {
	t.Helper()
	_, err := sweep.Parse("batch.yaml", []byte(text), o)
	if err == nil {
		return nil
	}
	list := &sweep.Faults{}
	if !errors.As(err, &list) {
		t.Fatalf("the error is a %T, not *Faults: %v", err, err)
	}
	return list.List
}

func dirs(batch *sweep.Batch) []string {
	var names []string
	for _, cell := range batch.Cells() {
		names = append(names, cell.Dir)
	}
	return names
}

func TestSeedExampleLoadsUnchanged(t *testing.T) {
	batch := parse(t, seedExample)
	want := sweep.Config{
		Model:                    "meta/llama-3.3-70b-instruct",
		Tokenizer:                "meta-llama/Llama-3.3-70B-Instruct",
		URL:                      "https://integrate.api.nvidia.com",
		Endpoint:                 "/v1/chat/completions",
		EndpointType:             "chat",
		HealthCheckEndpoint:      "/v1/models",
		APIKeyEnvVar:             "NVIDIA_API_KEY",
		Transport:                "auto",
		HTTPVersion:              "auto",
		Streaming:                true,
		WarmupRequestCount:       20,
		BenchmarkDuration:        time.Minute,
		GracePeriod:              30 * time.Second,
		RequestTimeout:           10 * time.Minute,
		WarmupHandover:           "seamless",
		Start:                    "staggered",
		Preconnect:               true,
		GiveUpAfter:              sweep.Limit{Value: 10, On: true},
		Concurrency:              1,
		RequestRateMode:          "constant",
		RequestRateSmoothness:    1,
		RandomSeed:               12345,
		PromptInputTokensMean:    100,
		PromptInputTokensStddev:  10,
		PromptOutputTokensMean:   50,
		PromptOutputTokensStddev: 5,
		SessionTurnsMean:         1,
		ConversationHistory:      "server",
		CacheBust:                "batch",
		ServerMetricsInterval:    time.Second,
		ServerMetricsFormats:     []string{"json", "csv"},
	}
	cells := batch.Cells()
	if len(cells) != 1 {
		t.Fatalf("%d cells, want 1", len(cells))
	}
	if diff := cmp.Diff(want, cells[0].Config, cmpopts.IgnoreUnexported(sweep.Config{})); diff != "" {
		t.Errorf("config (-want +got):\n%s", diff)
	}
	if cells[0].Dir != "" {
		t.Errorf("a single run has the directory %q, want none", cells[0].Dir)
	}
	if batch.BatchName != "my_benchmark" || batch.OutputBaseDir != "aiperf_results" {
		t.Errorf("got %q in %q", batch.BatchName, batch.OutputBaseDir)
	}
	wantNote := []string{"request_rate_mode has no effect: without request_rate there are no gaps to shape"}
	if diff := cmp.Diff(wantNote, batch.Notes); diff != "" {
		t.Errorf("notes (-want +got):\n%s", diff)
	}
}

func TestSeedSweepsExpandAsDocumented(t *testing.T) {
	tests := []struct {
		name, sweeps string
		cells        int
		first        []string
		parameters   string
	}{
		{
			name:       "basic sweep",
			sweeps:     "  concurrency: [1, 2, 4, 8, 16]\n",
			cells:      5,
			first:      []string{"concurrency1", "concurrency2", "concurrency4", "concurrency8", "concurrency16"},
			parameters: "{'concurrency': [1, 2, 4, 8, 16]}",
		},
		{
			name:   "multi-parameter sweep",
			sweeps: "  concurrency: [1, 4, 16]\n  prompt_input_tokens_mean: [100, 500, 1000]\n",
			cells:  9,
			first: []string{
				"concurrency1_prompt_input_tokens_mean100", "concurrency1_prompt_input_tokens_mean500",
				"concurrency1_prompt_input_tokens_mean1000", "concurrency4_prompt_input_tokens_mean100",
			},
			parameters: "{'concurrency': [1, 4, 16], 'prompt_input_tokens_mean': [100, 500, 1000]}",
		},
		{
			name:       "complete example",
			sweeps:     "  concurrency: [1, 2, 4, 8, 16]\n  prompt_input_tokens_mean: [100, 500, 1000]\n",
			cells:      15,
			first:      []string{"concurrency1_prompt_input_tokens_mean100"},
			parameters: "{'concurrency': [1, 2, 4, 8, 16], 'prompt_input_tokens_mean': [100, 500, 1000]}",
		},
		{
			name:       "concurrency scaling test",
			sweeps:     "  concurrency: [1, 2, 4, 8, 16, 32, 64]\n",
			cells:      7,
			first:      []string{"concurrency1", "concurrency2"},
			parameters: "{'concurrency': [1, 2, 4, 8, 16, 32, 64]}",
		},
		{
			name:       "token length impact test",
			sweeps:     "  prompt_input_tokens_mean: [50, 100, 500, 1000, 2000]\n  prompt_output_tokens_mean: [50, 100, 500, 1000]\n",
			cells:      20,
			first:      []string{"prompt_input_tokens_mean50_prompt_output_tokens_mean50", "prompt_input_tokens_mean50_prompt_output_tokens_mean100"},
			parameters: "{'prompt_input_tokens_mean': [50, 100, 500, 1000, 2000], 'prompt_output_tokens_mean': [50, 100, 500, 1000]}",
		},
		{
			name:   "request rate comparison: first key slowest, directory in sorted key order",
			sweeps: "  request_rate_mode: [\"constant\", \"poisson\"]\n  concurrency: [4, 8, 16]\n",
			cells:  6,
			first: []string{
				"concurrency4_request_rate_modeconstant", "concurrency8_request_rate_modeconstant",
				"concurrency16_request_rate_modeconstant", "concurrency4_request_rate_modepoisson",
			},
			parameters: "{'request_rate_mode': ['constant', 'poisson'], 'concurrency': [4, 8, 16]}",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			batch := parse(t, seedExample+"sweeps:\n"+tt.sweeps)
			got := dirs(batch)
			if len(got) != tt.cells {
				t.Errorf("%d cells, want %d", len(got), tt.cells)
			}
			if diff := cmp.Diff(tt.first, got[:len(tt.first)]); diff != "" {
				t.Errorf("directories (-want +got):\n%s", diff)
			}
			if got := batch.Sweeps.String(); got != tt.parameters {
				t.Errorf("sweeps are printed as %s, want %s", got, tt.parameters)
			}
		})
	}
}

func TestCellsCarryTheirValues(t *testing.T) {
	batch := parse(t, minimal+"  slos: {time_to_first_token: 900}\n  streaming: true\nsweeps:\n  slos.time_to_first_token: [100, 250.5]\n  streaming: [true]\n")
	var got []loadgen.Value
	for _, cell := range batch.Cells() {
		got = append(got, cell.Values...)
		if limit := cell.Config.SLOs["time_to_first_token"]; limit != 100 && limit != 250.5 {
			t.Errorf("%s runs with a limit of %v", cell.Dir, limit)
		}
	}
	want := []loadgen.Value{
		{Key: "slos.time_to_first_token", Value: 100},
		{Key: "streaming", Value: true},
		{Key: "slos.time_to_first_token", Value: 250.5},
		{Key: "streaming", Value: true},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("values (-want +got):\n%s", diff)
	}
	if limit := batch.Base.SLOs["time_to_first_token"]; limit != 900 {
		t.Errorf("the base was changed to %v", limit)
	}
}

func TestDirectoryNamesAreSafeAndUnique(t *testing.T) {
	long := strings.Repeat("x", 300)
	tests := []struct {
		name, sweeps string
		want         []string
	}{
		{"slashes and spaces", "model: [meta/llama 3, 'a:b']", []string{"modelmeta_llama_3", "modela_b"}},
		{"collisions get a number", "model: [a/b, a_b, 'a b']", []string{"modela_b", "modela_b-2", "modela_b-3"}},
		{"names that differ in case only", "model: [Llama, llama]", []string{"modelLlama", "modelllama-2"}},
		{"floats", "request_rate: [0.5, 2, 10.25]", []string{"request_rate0.5", "request_rate2", "request_rate10.25"}},
		{"booleans", "streaming: [true, false]", []string{"streamingtrue", "streamingfalse"}},
		{"nested keys", "extra_inputs.temperature: [0, 0.7]", []string{"extra_inputs.temperature0", "extra_inputs.temperature0.7"}},
		{"long texts are cut", "model: [" + long + "a, " + long + "b]", []string{("model" + long)[:200], ("model" + long)[:200] + "-2"}},
		{"no dot at the end", "model: [a.]", []string{"modela_"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, dirs(parse(t, minimal+"sweeps:\n  "+tt.sweeps+"\n"))); diff != "" {
				t.Errorf("directories (-want +got):\n%s", diff)
			}
		})
	}
}

func TestSeedsOfCells(t *testing.T) {
	few := parse(t, minimal+"sweeps: {concurrency: [1, 4]}\n").Cells()
	more := parse(t, minimal+"sweeps: {concurrency: [1, 2, 4]}\n").Cells()
	if few[0].Seed == few[1].Seed {
		t.Error("two cells share a seed, and with it their prompts")
	}
	if few[1].Seed != more[2].Seed {
		t.Error("a value added to the sweep changed the seed of another cell")
	}
	other := parse(t, minimal+"  random_seed: 7\nsweeps: {concurrency: [1, 4]}\n").Cells()
	if few[0].Seed == other[0].Seed {
		t.Error("random_seed has no effect")
	}
	written := parse(t, minimal+"  random_seed: 42\nsweeps: {concurrency: [1, 4]}\n").Cells()
	if few[0].Seed != written[0].Seed {
		t.Error("the default random_seed is not 42")
	}
}

func TestAnchorsAliasesAndMergeKeys(t *testing.T) {
	batch := parse(t, `batch_name: &name shared
output_base_dir: *name
base_config: &base
  <<: {warmup_request_count: 3, concurrency: 9, model: lost}
  model: kept
  url: http://localhost:8000
  benchmark_duration: 60
  extra_inputs: &extra {temperature: 0}
sweeps:
  concurrency: &levels [1, 2]
`)
	got := batch.Cells()[1].Config
	if got.Model != "kept" || got.WarmupRequestCount != 3 || got.Concurrency != 2 || batch.OutputBaseDir != "shared" {
		t.Errorf("got model %q, warm-up %d, concurrency %d, directory %q", got.Model, got.WarmupRequestCount, got.Concurrency, batch.OutputBaseDir)
	}
}

func TestOverrides(t *testing.T) {
	batch, err := sweep.Parse("batch.yaml", []byte(minimal+"sweeps: {request_count: [100, 200]}\n"), sweep.Options{
		Overrides: []string{
			"base_config.concurrency=8", "sweeps.request_count=[50]", "batch_name=other",
			" base_config.headers.X-Key=very secret", "base_config.extra_inputs.nvext.top_k=5",
		},
		OutputBaseDir: "elsewhere",
	})
	if err != nil {
		t.Fatal(err)
	}
	cells := batch.Cells()
	if len(cells) != 1 || cells[0].Config.Concurrency != 8 || cells[0].Dir != "request_count50" {
		t.Errorf("got %d cells, the first with concurrency %d in %q", len(cells), cells[0].Config.Concurrency, cells[0].Dir)
	}
	if batch.BatchName != "other" || batch.OutputBaseDir != "elsewhere" {
		t.Errorf("got %q in %q", batch.BatchName, batch.OutputBaseDir)
	}
	if diff := cmp.Diff(map[string]any{"nvext": map[string]any{"top_k": 5}}, cells[0].Config.ExtraInputs); diff != "" {
		t.Errorf("extra_inputs (-want +got):\n%s", diff)
	}
	want := []string{
		"base_config.concurrency=8", "sweeps.request_count=[50]", "batch_name=other",
		"base_config.headers.X-Key=<redacted>", "base_config.extra_inputs.nvext.top_k=5",
	}
	if diff := cmp.Diff(want, batch.Overrides); diff != "" {
		t.Errorf("recorded overrides (-want +got):\n%s", diff)
	}
}

func TestLoadReadsFilesAndStandardInput(t *testing.T) {
	path := filepath.Join(t.TempDir(), "batch.yaml")
	if err := os.WriteFile(path, []byte("\ufeff"+minimal), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, from := range []string{path, "-"} {
		if _, err := sweep.Load(from, sweep.Options{Stdin: strings.NewReader(minimal)}); err != nil {
			t.Errorf("%s: %v", from, err)
		}
	}
}
