package guide_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"loadgen/guide"
	"loadgen/sweep"
)

// allKeys is every key with the blocks that hold others.
func allKeys(keys []sweep.Key) []sweep.Key {
	var all []sweep.Key
	for _, k := range keys {
		all = append(all, k)
		all = append(all, allKeys(k.Shape.Keys)...)
		if item := k.Shape.Item; item != nil {
			all = append(all, allKeys(item.Keys)...)
			if item.Or != nil {
				all = append(all, allKeys(item.Or.Keys)...)
			}
		}
	}
	return all
}

// TestTheDocumentationSaysWhatTheRulesDo compares each row of the documentation,
// which explain shows, with the rules that check the key.
func TestTheDocumentationSaysWhatTheRulesDo(t *testing.T) {
	for _, k := range allKeys(sweep.Describe()) {
		e, ok := guide.EntryOf(k.Path)
		if !ok || e.Meaning == "" {
			t.Errorf("%s: no table of docs/ has a row for it", k.Path)
			continue
		}
		if k.Required != strings.Contains(e.Default, "required") && k.Path != "base_config.benchmark_duration" && k.Path != "search.slos" {
			t.Errorf("%s: required is %v, its row says default %q", k.Path, k.Required, e.Default)
		}
		if got, want := strings.Trim(e.Default, "`"), written(&k); want != "" && got != want && !depends(got) {
			t.Errorf("%s: the default is %s, its row says %q", k.Path, want, e.Default)
		}
		for _, word := range k.Shape.Words {
			if n := len(k.Shape.Words); n < 6 && word != "" && !strings.Contains(e.Type+e.Meaning, word) {
				t.Errorf("%s: its row does not say that %s is a value", k.Path, word)
			}
		}
		if k.Shape.Kind == sweep.Boolean && e.Type != "" && e.Type != "boolean" {
			t.Errorf("%s: is a boolean, its row says %q", k.Path, e.Type)
		}
		if unit := k.Shape.Unit; unit != "" && e.Type != unit && !strings.HasPrefix(e.Type, unit+",") {
			t.Errorf("%s: is in %s, its row says %q", k.Path, unit, e.Type)
		}
	}
}

// depends reports whether a default is told in words, as it comes from elsewhere.
func depends(text string) bool {
	return slices.Contains([]string{"by type", "drawn for each batch", "see below", "the model's", "seen from the file", "main figures, 5 %"}, text) ||
		strings.HasPrefix(text, "required")
}

// written is a default as a row has it; empty where the rules say none.
func written(k *sweep.Key) string {
	switch d := k.Default.(type) {
	case nil:
		return ""
	case float64:
		return strconv.FormatFloat(d, 'f', -1, 64)
	case string:
		if x, err := time.ParseDuration(d); err == nil && k.Shape.Kind == sweep.Duration {
			return x.String()
		}
		return d
	case []string:
		return "[" + strings.Join(d, ", ") + "]"
	default:
		return fmt.Sprint(d)
	}
}

func TestAKeyIsExplained(t *testing.T) {
	tests := []struct {
		name string
		want []string
	}{
		{"concurrency", []string{"base_config.concurrency\n", "users of a closed loop", "type      whole number", "bounds    at least 1; at most 1000000", "sweeps    may be varied", "example   concurrency: 1", "docs/batch-file.md"}},
		{"base_config.grace_period", []string{"type      number (s)", "default   30"}},
		{"model", []string{"default   required\n", "example   model: meta/llama-3.3-70b-instruct"}},
		{"warmup_request_count", []string{"required, unless warmup_duration is there"}},
		{"request_rate_mode", []string{"one of constant, poisson, gamma", "default   constant"}},
		{"mock.ttft", []string{"mock.ttft\n", "type      duration", "default   0s"}},
		{"search.over", []string{"one of concurrency, num_prefix_prompts, num_users"}},
		{"sweeps.concurrency", []string{"base_config.concurrency\n"}},
		{"slos", []string{"base_config.slos\n", "search.slos\n"}},
		{"base_config.slos", []string{"keys: request_latency, time_to_first_token"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := guide.Explain(tt.name)
			if err != nil {
				t.Fatal(err)
			}
			for _, want := range tt.want {
				if !strings.Contains(got, want) {
					t.Errorf("%q is missing in\n%s", want, got)
				}
			}
		})
	}
	if _, err := guide.Explain("concurency"); err == nil || !strings.Contains(err.Error(), "did you mean concurrency?") {
		t.Errorf("a misspelt key: %v", err)
	}
}

// TestExamplesAreSound holds every example against the schema.
func TestExamplesAreSound(t *testing.T) {
	c := newChecker(t)
	shown := 0
	for _, k := range allKeys(sweep.Describe()) {
		example := guide.ExampleOf(&k)
		if example == "" || strings.HasPrefix(k.Path, "mock.faults.") || strings.HasPrefix(k.Path, "export.") || strings.HasPrefix(k.Path, "hooks.") || k.Shape.Kind == sweep.Block {
			continue
		}
		shown++
		doc := decode(t, minimal)
		name, value, _ := strings.Cut(example, ": ")
		if name != k.Name {
			t.Errorf("%s: the example %q sets another key", k.Path, example)
		}
		put(doc.(map[string]any), strings.Split(k.Path, "."), decode(t, value))
		complete(doc.(map[string]any))
		if err := c.Validate(doc); err != nil {
			t.Errorf("%s: the example %q: %v", k.Path, example, err)
		}
	}
	if shown < 100 {
		t.Errorf("only %d keys have an example", shown)
	}
}

// complete adds the required keys of blocks that an example stands in.
func complete(doc map[string]any) {
	for block, keys := range map[string]map[string]any{
		"search":       {"over": "concurrency"},
		"repeat_until": {"metric": "request_latency.p95", "half_width": 0.05},
	} {
		if b, ok := doc[block].(map[string]any); ok {
			for k, v := range keys {
				if _, written := b[k]; !written {
					b[k] = v
				}
			}
		}
	}
}
