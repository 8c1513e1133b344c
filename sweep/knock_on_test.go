package sweep_test

import (
	"fmt"
	"strings"
	"testing"

	"loadgen/sweep"
)

// related are keys that depend on each other: an endpoint's on its url, a mode
// on its rate, limits on streaming.
var related = []string{
	`model: m
url: https://example.com
endpoint: /v1/completions
endpoint_type: completions
tls: {insecure_skip_verify: true}
streaming: true
slos: {time_to_first_token: 500}
require_slos: true
warmup_request_count: 2
benchmark_duration: 60
request_rate: 4
request_rate_mode: gamma
request_rate_smoothness: 2
request_rate_ramp_duration: 5
concurrency: 8
concurrency_ramp_duration: 5
prompt_output_tokens_mean: 50
prompt_output_tokens_stddev: 5
session_turns_mean: 3
session_turn_delay_mean: 100
conversation_history: synthetic
num_prefix_prompts: 2
prefix_prompt_length: 64`,
	`model: m
url: http://example.com
warmup_request_count: 2
fixed_schedule: true
input_file: testdata/keys.yaml
custom_dataset_type: multi_turn
conversation_history: synthetic`,
	`model: m
url: http://example.com
warmup_request_count: 2
request_count: 10
concurrency: 2
sequence_distribution: "256,128:100"
min_output_tokens: true
num_users: 2
user_request_rate: 1`,
}

// without leaves keys out that contradict those of the last group.
var without = map[int]string{2: "concurrency: 2\n"}

// TestOneMistakeIsToldOnce breaks every key in turn: what depends on it is not
// reported as well.
func TestOneMistakeIsToldOnce(t *testing.T) {
	for i, group := range related {
		lines := strings.Split(strings.Replace(group, without[i], "", 1), "\n")
		file := func(at int, line string) string {
			var b strings.Builder
			b.WriteString("base_config:\n")
			for k, other := range lines {
				if k == at {
					other = line
				}
				b.WriteString("  " + other + "\n")
			}
			return b.String()
		}
		if found := faults(t, file(-1, ""), sweep.Options{}); found != nil {
			t.Fatalf("the keys themselves are at fault: %v", found)
		}
		for at, line := range lines {
			key, value, _ := strings.Cut(line, ":")
			for name, broken := range map[string]string{
				"of a wrong type": key + ": [[wrong]]",
				"misspelt":        key[:len(key)-1] + ":" + value,
			} {
				t.Run(fmt.Sprintf("%s %s", key, name), func(t *testing.T) {
					if found := faults(t, file(at, broken), sweep.Options{}); len(found) != 1 {
						t.Errorf("%d faults, want 1:", len(found))
						for _, fault := range found {
							t.Error(fault)
						}
					}
				})
			}
		}
	}
}

// TestFaultySweepsAreToldOnce checks that a sweep that gives no values is not
// followed by what the base then lacks.
func TestFaultySweepsAreToldOnce(t *testing.T) {
	for _, placeholder := range []string{"", "  concurrency: 0\n", "  concurrency:\n", "  concurrency: to be swept\n"} {
		for name, sweeps := range map[string]string{
			"empty":        "{concurrency: []}",
			"no list":      "{concurrency: 4}",
			"no value":     "{concurrency: }",
			"misspelt":     "{concurency: [1, 2]}",
			"bad values":   "{concurrency: [{a: 1}]}",
			"fractions":    "{concurrency: [1.5]}",
			"out of range": "{concurrency: [0]}",
		} {
			text := strings.Replace(minimal, "  concurrency: 4\n", placeholder, 1) + "sweeps: " + sweeps + "\n"
			found := faults(t, text, sweep.Options{})
			if len(found) != 1 || !strings.HasPrefix(found[0].Key, "sweeps.") {
				t.Errorf("%s, with %q in the base: %v", name, placeholder, found)
			}
		}
	}
	for _, sweeps := range []string{"[concurrency]", "{users: [1, 2]}"} {
		text := strings.Replace(minimal, "  concurrency: 4\n", "", 1) + "sweeps: " + sweeps + "\n"
		if found := faults(t, text, sweep.Options{}); len(found) != 1 {
			t.Errorf("%s: %v", sweeps, found)
		}
	}
}
