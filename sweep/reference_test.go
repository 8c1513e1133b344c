package sweep_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"loadgen/sweep"
)

// variables are what the references of these tests find.
var variables = map[string]string{
	"HOST": "gpu-7", "USERS": "8", "LEVELS": "[1, 2]", "ON": "yes", "EMPTY": "", "MAP": "{a: 1}", "KEY": "k-secret-123456",
	"LINES": "a\nb", "NIGHT": "20261129", "SERVICE": "https://llm.example/v1", "YES": "true",
}

func lookUp(name string) (string, bool) { v, ok := variables[name]; return v, ok }

func parseWith(t *testing.T, text string) *sweep.Batch {
	t.Helper()
	batch, err := sweep.Parse("batch.yaml", []byte(text), sweep.Options{LookupEnv: lookUp})
	if err != nil {
		t.Fatal(err)
	}
	return batch
}

func TestReferencesInAnyValue(t *testing.T) {
	batch := parseWith(t, `batch_name: night-${HOST}
output_base_dir: ${RESULTS:-out}
base_config:
  model: ${MODEL:-meta/llama}
  url: http://${HOST}:${PORT:-8000}
  streaming: ${ON}
  warmup_request_count: "${USERS}"
  benchmark_duration: ${DURATION:-1.5}
  request_rate: ${EMPTY:-2}
  extra_inputs: {user: "${HOST}", seed: "${USERS}", template: "$${x}"}
  headers: {X-Key: "Bearer ${KEY:-none}", X-Other: "${NONE:-fallback} $${y}"}
sweeps:
  concurrency: ${LEVELS}
profiler: {prediction_trie: {output_filename: "${HOST}.json"}}
`)
	cell := batch.Cells()[0]
	c := cell.Config
	if len(batch.Cells()) != 2 || batch.BatchName != "night-gpu-7" || batch.OutputBaseDir != "out" || cell.Dir != "concurrency1" {
		t.Errorf("%d cells of %s in %s, the first in %s", len(batch.Cells()), batch.BatchName, batch.OutputBaseDir, cell.Dir)
	}
	if c.Model != "meta/llama" || c.URL != "http://gpu-7:8000" || !c.Streaming || c.WarmupRequestCount != 8 ||
		c.BenchmarkDuration != 1500*time.Millisecond || c.RequestRate.PerSecond != 2 || batch.Profiler.PredictionTrie.OutputFilename != "gpu-7.json" {
		t.Errorf("got %+v", c)
	}
	if diff := cmp.Diff(map[string]any{"user": "gpu-7", "seed": "8", "template": "${x}"}, c.ExtraInputs); diff != "" {
		t.Errorf("extra_inputs (-want +got):\n%s", diff)
	}
	headers, err := c.ExpandedHeaders(lookUp)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{"X-Key": "Bearer k-secret-123456", "X-Other": "fallback ${y}"}, headers); diff != "" {
		t.Errorf("headers (-want +got):\n%s", diff)
	}
}

func TestNumbersFromTheEnvironmentMayBeTexts(t *testing.T) {
	text := strings.Replace(minimal, "batch_name: b", "batch_name: ${NIGHT}", 1)
	batch := parseWith(t, text+"  tokenizer: ${YES}\nsweeps: {model: [\"${NIGHT}\", a]}\n")
	if c := batch.Cells()[0].Config; batch.BatchName != "20261129" || c.Tokenizer != "true" || c.Model != "20261129" {
		t.Errorf("got %s, %+v", batch.BatchName, c)
	}
}

func TestReferencesInOverrides(t *testing.T) {
	batch, err := sweep.Parse("batch.yaml", []byte(minimal), sweep.Options{LookupEnv: lookUp, Overrides: []string{"base_config.concurrency=${USERS}"}})
	if err != nil || batch.Cells()[0].Config.Concurrency != 8 || batch.Overrides[0] != "base_config.concurrency=${USERS}" {
		t.Errorf("got %+v, %v", batch, err)
	}
}

func TestReferencesAtFault(t *testing.T) {
	tests := []struct{ name, key, want, hint string }{
		{"not set", "tokenizer: ${NOBODY}", "refers to environment variable NOBODY, which is not set", "export it before the run, or write ${NOBODY:-default}"},
		{"empty", "tokenizer: ${EMPTY}", "refers to environment variable EMPTY, which is not set", ""},
		{"no name", "tokenizer: a${}b", "${ is no environment variable", "write ${NAME} or ${NAME:-default}; $${ stands for ${ itself"},
		{"not closed", "tokenizer: ${HOST", "${HOST is no environment variable", ""},
		{"another shell's form", "tokenizer: ${HOST:=x}", "${HOST:=x is no environment variable", ""},
		{"a reference in a default", "tokenizer: ${A:-${HOST}}", "${A:-${HOST is no environment variable", ""},
		{"a text for a number", "request_count: ${HOST}", "must be a whole number, not the text \"gpu-7\"", ""},
		{"a map", "request_count: ${MAP}", "must be a whole number, not the text \"{a: 1}\"", ""},
		{"a list for a number", "request_count: ${LEVELS}", "must be a whole number, not a list", ""},
		{"a service with a path", "endpoint: ${NONE:-/v1/completions}", "does not serve endpoint_type chat", ""},
		{"a key in the request", "extra_inputs: {api_key: \"${KEY}\"}", "would stand in inputs.json", ""},
		{"a header of two lines", "headers: {A: \"${LINES}\"}", "holds a line break or another control character", "export it without"},
		{"a key for its name", "api_key_env_var: ${KEY}", "is not the name of an environment variable", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			found := faults(t, minimal+"  "+tt.key+"\n", sweep.Options{LookupEnv: lookUp})
			if len(found) != 1 || !strings.Contains(found[0].Message, tt.want) || !strings.Contains(found[0].Hint, tt.hint) {
				t.Errorf("got %v, want %q with %q", found, tt.want, tt.hint)
			}
			if len(found) == 1 && strings.Contains(found[0].Error(), "k-secret") {
				t.Errorf("the key is shown: %v", found[0])
			}
		})
	}
}

// TestReferencesWithoutAnEnvironment checks that nothing is said of values that
// are not known.
func TestReferencesWithoutAnEnvironment(t *testing.T) {
	text := strings.Replace(minimal, "concurrency: 4", "concurrency: ${USERS}", 1)
	text = strings.Replace(text, "http://localhost:8000", "${SERVICE}", 1)
	parse(t, text+"  tls: {insecure_skip_verify: \"${ON}\"}\nsweeps: {model: [\"${A}\"]}\n")
	found := faults(t, text+"  tokenizer: ${}\n", sweep.Options{})
	if len(found) != 1 {
		t.Errorf("a malformed one: got %v", found)
	}
	found = faults(t, minimal+"  tls: {ca_file: ${X}}\n", sweep.Options{})
	if len(found) != 1 || !strings.Contains(found[0].Hint, "in quotes") {
		t.Errorf("without quotes between braces: got %v", found)
	}
}

func TestAURLFromTheEnvironmentIsJudged(t *testing.T) {
	found := faults(t, strings.Replace(minimal, "http://localhost:8000", "${SERVICE}", 1), sweep.Options{LookupEnv: lookUp})
	if len(found) != 1 || !strings.Contains(found[0].Message, "ends in /v1") || found[0].Width != len("${SERVICE}") {
		t.Errorf("got %v", found)
	}
}
