package guide_test

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v4"

	"loadgen/guide"
	"loadgen/sweep"
)

var (
	update = flag.Bool("update", false, "write the schema beside the sample files")
	every  = flag.Int("every", 6, "each key is tried with one of so many values")
)

const schemaFile = "../configs/batch.schema.json"

// minimal holds the required keys.
const minimal = `batch_name: b
output_base_dir: out
base_config:
  model: m
  url: http://localhost:8000
  warmup_request_count: 1
  benchmark_duration: 60
  concurrency: 4
`

func TestTheSchemaBesideTheSamplesIsCurrent(t *testing.T) {
	text, err := guide.Schema()
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(schemaFile, text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	kept, err := os.ReadFile(schemaFile)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(kept, text) {
		t.Errorf("%s is not what loadgen schema prints: run go test ./guide -update", schemaFile)
	}
}

// A checker validates texts against the schema, as an editor does.
type checker struct{ *jsonschema.Schema }

func newChecker(t *testing.T) checker {
	t.Helper()
	schema, err := compiled()
	if err != nil {
		t.Fatal(err)
	}
	return checker{schema}
}

// compiled is the schema, compiled once: that takes longer than most checks.
var compiled = sync.OnceValues(func() (*jsonschema.Schema, error) {
	text, err := guide.Schema()
	if err != nil {
		return nil, err
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("batch.schema.json", doc); err != nil {
		return nil, err
	}
	return compiler.Compile("batch.schema.json")
})

func (c checker) check(t *testing.T, text string) error {
	t.Helper()
	return c.Validate(decode(t, text))
}

// decode reads a YAML text as an editor does: into what JSON has.
func decode(t *testing.T, text string) any {
	t.Helper()
	var v any
	if err := yaml.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("%v\nin\n%s", err, text)
	}
	return asJSON(v)
}

func asJSON(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for k, x := range v {
			v[k] = asJSON(x)
		}
	case []any:
		for i, x := range v {
			v[i] = asJSON(x)
		}
	}
	return v
}

func TestSamplesAndDocumentedFilesFitTheSchema(t *testing.T) {
	c := newChecker(t)
	samples, err := filepath.Glob("../configs/*.yaml")
	if err != nil || len(samples) < 7 {
		t.Fatalf("found %q: %v", samples, err)
	}
	for _, path := range samples {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.check(t, string(text)); err != nil {
			t.Errorf("%s: %v", path, err)
		}
		if first, _, _ := strings.Cut(string(text), "\n"); first != "# yaml-language-server: $schema=batch.schema.json" {
			t.Errorf("%s does not name its schema: it begins %q", path, first)
		}
	}
	pages, err := filepath.Glob("../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, path := range append(pages, "../README.md") {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, block := range fences.FindAllStringSubmatch(string(text), -1) {
			if !strings.Contains(block[1], "batch_name:") || !strings.Contains(block[1], "base_config:") {
				continue
			}
			found++
			if err := c.check(t, block[1]); err != nil {
				t.Errorf("%s: %v\nin\n%s", path, err, block[1])
			}
		}
	}
	if found < 5 {
		t.Errorf("only %d batch files stand in the documentation", found)
	}
}

var fences = regexp.MustCompile("(?s)```yaml\n(.*?)```")

func TestFaultsOfOneValueAreRefused(t *testing.T) {
	c := newChecker(t)
	tests := []struct{ name, text string }{
		{"an empty file", "{}"},
		{"a list", "[batch_name]"},
		{"an unknown key", minimal + "concurency: 1\n"},
		{"an unknown key below base_config", minimal + "  concurency: 1\n"},
		{"a key of base_config at the top", "concurrency: 4\n" + minimal},
		{"no model", strings.Replace(minimal, "  model: m\n", "", 1)},
		{"no url", strings.Replace(minimal, "  url: http://localhost:8000\n", "", 1)},
		{"no warm-up", strings.Replace(minimal, "  warmup_request_count: 1\n", "", 1)},
		{"a URL without a scheme", minimal + "search: {over: num_users, slos: {ttft: 1}}\n  # \nsweeps: {url: [localhost:8000]}\n"},
		{"no users", strings.Replace(minimal, "concurrency: 4", "concurrency: 0", 1)},
		{"half a user", strings.Replace(minimal, "concurrency: 4", "concurrency: 4.5", 1)},
		{"a word for a number", strings.Replace(minimal, "concurrency: 4", "concurrency: many", 1)},
		{"a duration with a unit", strings.Replace(minimal, "benchmark_duration: 60", "benchmark_duration: 60s", 1)},
		{"a number for a text", strings.Replace(minimal, "batch_name: b", "batch_name: 2025", 1)},
		{"a path for a name", strings.Replace(minimal, "batch_name: b", "batch_name: a/b", 1)},
		{"an unknown word", minimal + "  endpoint_type: chats\n"},
		{"a boolean in another language", minimal + "  streaming: ja\n"},
		{"an unknown metric in slos", minimal + "  slos: {request_latncy: 100}\n"},
		{"a limit of nothing", minimal + "  slos: {request_latency: 0}\n"},
		{"an unknown percentile", minimal + "  budgets: {request_latency.p98: 1}\n"},
		{"a statistic of a single value", minimal + "  budgets: {request_throughput.p99: 1}\n"},
		{"an unknown threshold", minimal + "  validity: {lag_p98: 1}\n"},
		{"a sweep of nothing", minimal + "sweeps: {streaming: []}\n"},
		{"a sweep of one value", minimal + "sweeps: {concurrency: 4}\n"},
		{"a value twice", minimal + "sweeps: {request_rate: [1, 1.0]}\n"},
		{"an unknown sweep", minimal + "sweeps: {concurency: [1]}\n"},
		{"a sweep of headers", minimal + "sweeps: {headers.X-Key: [a]}\n"},
		{"an unsound value in a sweep", minimal + "sweeps: {concurrency: [1, 0]}\n"},
		{"a search over nothing", minimal + "search: {slos: {ttft.p95: 500}}\n"},
		{"a search for the maximum", minimal + "search: {over: concurrency, slos: {ttft.max: 500}}\n"},
		{"a precision that is no percentage", minimal + "search: {over: concurrency, precision: 0.05}\n"},
		{"a condition that is none", minimal + "stop_when: request_latency is high\n"},
		{"a margin that is no percentage", minimal + "gate: {ttft.p95: 5}\n"},
		{"a mock's duration without a unit", minimal + "mock: {ttft: 20}\n"},
		{"an unknown timing", minimal + "mock: {timing: batched}\n"},
		{"an unknown kind of fault", minimal + "mock: {faults: [{kind: cat}]}\n"},
		{"a negative jitter", minimal + "mock: {jitter: -1}\n"},
		{"an analysis that is not supported", minimal + "profiler: {dynamo_metrics: {enable: true}}\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if c.check(t, tt.text) == nil {
				t.Error("the schema takes it")
			}
			if _, err := sweep.Parse("b.yaml", []byte(tt.text), sweep.Options{}); err == nil {
				t.Error("loadgen takes it")
			}
		})
	}
}

func TestWhatLoadgenTakesFitsTheSchema(t *testing.T) {
	c := newChecker(t)
	tests := []struct{ name, text string }{
		{"the required keys alone", minimal},
		{"a placeholder for a swept key", strings.Replace(minimal, "concurrency: 4", "concurrency: 0", 1) + "sweeps: {concurrency: [1, 2]}\n"},
		{"a swept key that base_config lacks", strings.Replace(minimal, "  model: m\n", "", 1) + "sweeps: {model: [a, b]}\n"},
		{"what a search varies", strings.Replace(minimal, "concurrency: 4", "concurrency: -1", 1) + "search: {over: concurrency, slos: {error_rate: 0.01}}\n"},
		{"variables of the environment", strings.Replace(minimal, "concurrency: 4", "concurrency: ${USERS:-8}", 1)},
		{"a list from the environment", minimal + "sweeps:\n  concurrency: ${LEVELS:-[1, 2]}\n"},
		{"a warm-up by time", strings.Replace(minimal, "warmup_request_count: 1", "warmup_duration: 5", 1)},
		{"keys without a value", minimal + "  tokenizer:\n  slos:\nsweeps:\n"},
		{"numbers in quotes", strings.Replace(minimal, "concurrency: 4", `concurrency: "4"`, 1)},
		{"yes for true", minimal + "  streaming: yes\n"},
		{"an alias", minimal + "  prompt_input_tokens_mean: &n 100\n  prompt_output_tokens_mean: *n\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			nothing := func(string) (string, bool) { return "", false }
			if _, err := sweep.Parse("b.yaml", []byte(tt.text), sweep.Options{LookupEnv: nothing}); err != nil {
				t.Errorf("loadgen refuses it: %v", err)
			}
			if err := c.check(t, tt.text); err != nil {
				t.Errorf("the schema refuses it: %v", err)
			}
		})
	}
}

// values are what is tried for every key.
var values = []string{
	"null", "0", "1", "2", "-1", "0.5", "1.5", "8.0", "1e3", "200000", "20000000", "5000000000", "-0.5",
	`"8"`, `" 8 "`, `"0x10"`, "0x10", "1_000", `""`, "true", "yes", "No", "t", "word", "auto", "none", "chat", "1.1", "/v1/x", "v1/x",
	"http://localhost:8000", "https://h/v1", "http://u:p@h", "mock://", "ftp://h", "HTTP://h", "http://:80", "http://h?x=1",
	"20ms", "-5ms", "1h30m", "5 ms", "5%", "0%", "-5%", "105%", "5", `"${X:-8}"`, "a/b", ".hidden", "name ", "NVIDIA_API_KEY", "x-y",
	"[]", "[1]", "[a, b]", "{}", "{a: 1}", "{a: b}", "{time_to_first_token: 500}", "{time_to_first_token: 0}", "{request_latency.p99: 1}",
	"{TTFT.p95: 500}", "{ttft.p95: 5%}", "{ttft.std: 5%}", "{error_rate: 0.01}", "{lag_p99: 1}", "{X-Key: v}", "{X-Key: 1}", "{\"a b\": v}",
	"{tier: {ttft.p95: 500}}", "{tier: 5}", "[ttft.p95 > +5%]", "[\"ttft.p95 > +5\"]", "[\"throughput < -3%\"]",
	"INVALID x 2", "INVALID x 0", "time_to_first_token.p95 > 30000", "[request_error_rate > 50]", "time_to_first_token.p98 > 1", "request_latency > fast",
	"[parquet, junit]", "[parqet]", "[{to: otlp, url: http://h}]", "[{to: otlp, url: h}]", "[{url: http://h}]", "[otlp]",
	"[{kind: cut, every: 3}]", "[{kind: cat}]", "[{every: -1, kind: cut}]", "{ca_file: x}", "{insecure_skip_verify: yes}", "{enable: 1}", "{enabel: true}",
	"interleaved", "always", "batching", "reasoning", "gamma", "constant", "single_turn", "seamless", "staggered", "batch", "run", "server", "request_rate",
}

// TestEveryKeyIsCheckedAlike tries many values for every key: what loadgen takes
// the schema takes, and what it says of a value alone the schema says. -every 1
// tries all.
func TestEveryKeyIsCheckedAlike(t *testing.T) {
	const streamed = minimal + "  streaming: true\n"
	c := newChecker(t)
	tried, refused := 0, 0
	step := *every // another part of the values for each key
	if testing.Short() {
		step = max(step, 11)
	}
	for i, key := range everyKey(sweep.Describe()) {
		for j, value := range values {
			if (i+j)%step != 0 {
				continue
			}
			for _, assignment := range []string{key.Path + "=" + value, "sweeps." + strings.TrimPrefix(key.Path, "base_config.") + "=[" + value + "]"} {
				if strings.HasPrefix(assignment, "sweeps.") && (!strings.HasPrefix(key.Path, "base_config.") || key.Shape.Kind == sweep.Block) {
					continue
				}
				tried++
				_, err := sweep.Parse("b.yaml", []byte(streamed), sweep.Options{Overrides: []string{assignment}})
				path, text, _ := strings.Cut(assignment, "=")
				doc := decode(t, streamed)
				put(doc.(map[string]any), strings.SplitN(path, ".", segments(path)), decode(t, text))
				fit := c.Validate(doc)
				switch {
				case err == nil && fit != nil:
					t.Errorf("%s: loadgen takes it, the schema says %v", assignment, fit)
				case err != nil:
					refused++
					if message := ofOneValue(err, path); message != "" && fit == nil && !strings.HasPrefix(value, `"`) {
						t.Errorf("%s: the schema takes it, loadgen says: %s", assignment, message)
					}
				}
			}
		}
	}
	t.Logf("%d values tried, %d of them refused", tried, refused)
}

// segments is how many keys a path has: that of a sweep has dots in its last.
func segments(path string) int {
	if strings.HasPrefix(path, "sweeps.") {
		return 2
	}
	return -1
}

func put(m map[string]any, path []string, value any) {
	for len(path) > 1 {
		below, ok := m[path[0]].(map[string]any)
		if !ok {
			below = map[string]any{}
			m[path[0]] = below
		}
		m, path = below, path[1:]
	}
	m[path[0]] = value
}

func everyKey(keys []sweep.Key) []sweep.Key {
	var all []sweep.Key
	for _, k := range keys {
		if k.Shape.Kind == sweep.Block {
			all = append(all, everyKey(k.Shape.Keys)...)
			continue
		}
		all = append(all, k)
	}
	return all
}

// ofOneValue is what loadgen says of the value at a path, empty where it only
// says what does not go with other keys.
func ofOneValue(err error, path string) string {
	list := &sweep.Faults{}
	if !errors.As(err, &list) {
		return ""
	}
	for _, f := range list.List {
		if strings.HasPrefix(f.Key, path) && !together.MatchString(f.Message) {
			return f.Key + " " + f.Message
		}
	}
	return ""
}

// together matches what is said of keys that do not go with each other, and of
// values that no schema knows.
var together = regexp.MustCompile(`^cannot be|no effect|needs |is missing|leaves nothing|ends in /v1|sequence distribution`)
