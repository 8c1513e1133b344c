package sweep

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"loadgen/synth"
)

// checkConfig reports the values of a cell that contradict each other or need
// what is not there.
func (b *binder) checkConfig(c *Config, o Options) {
	b.checkEnd(c)
	b.checkLoad(c)
	b.checkRamps(c)
	b.checkFailures(c)
	b.checkService(c)
	b.checkPrompts(c)
	b.checkLimits(c)
	if o.LookupEnv != nil {
		b.checkSurroundings(c, o.LookupEnv)
	}
}

// base puts a key below base_config.
func base(key string) string { return "base_config." + key }

// written reports whether a key of base_config has a value that can be
// reasoned about.
func (b *binder) written(key string) bool { return b.sound(base(key)) }

// absent reports whether a key of base_config was not written at all; a faulty
// value is neither absent nor written, and has been reported.
func (b *binder) absent(key string) bool { return b.values[base(key)] == nil && !b.meant(base(key)) }

// judged reports whether the value of a key of base_config, written or by
// default, is what the user wants: it has no fault, nor has another key that
// was probably meant to be it.
func (b *binder) judged(key string) bool { return b.written(key) || b.absent(key) }

// contradict reports a fault at the value of a key of base_config.
func (b *binder) contradict(key, message, hint string) {
	if b.written(key) {
		b.fail(b.values[base(key)], base(key), message, hint)
	}
}

func (b *binder) checkEnd(c *Config) {
	if b.absent("benchmark_duration") && b.absent("request_count") && !c.FixedSchedule && b.judged("fixed_schedule") {
		b.failKey(base("benchmark_duration"), "is missing", "add benchmark_duration: 60 (seconds), or request_count to end by number")
	}
	if b.written("request_count") && b.written("concurrency") && c.Concurrency > c.RequestCount {
		b.contradict("concurrency", fmt.Sprintf("%d is above request_count %d: so many can never be in flight", c.Concurrency, c.RequestCount),
			fmt.Sprintf("lower it, or raise request_count to at least %d", c.Concurrency))
	}
}

func (b *binder) checkLoad(c *Config) {
	sources := []string{}
	for _, key := range []string{"request_rate", "user_request_rate", "fixed_schedule"} {
		if b.written(key) && (key != "fixed_schedule" || c.FixedSchedule) {
			sources = append(sources, key)
		}
	}
	for _, key := range sources[min(1, len(sources)):] {
		b.contradict(key, "cannot be combined with "+sources[0], "only one of them can say when requests are due")
	}
	needsConcurrency := "with a closed loop it is the number of users"
	switch {
	case c.RequestRate.Auto:
		needsConcurrency = "the rate is calculated from it"
		if b.written("warmup_request_count") && !c.WarmsUp() && b.judged("warmup_duration") {
			b.contradict("warmup_request_count", "must be at least 1: the rate is calculated from the warm-up's latency", "raise it, or give request_rate as a number")
		}
	case !b.absent("request_rate"), !b.absent("user_request_rate"), !b.absent("num_users"), c.FixedSchedule, !b.judged("fixed_schedule"):
		needsConcurrency = ""
	}
	if needsConcurrency != "" && b.absent("concurrency") {
		b.failKey(base("concurrency"), "is missing", "add concurrency: 8; "+needsConcurrency)
	}
	b.pair("num_users", "user_request_rate", "10", "0.5")
	if c.FixedSchedule && b.absent("input_file") {
		b.contradict("fixed_schedule", "needs input_file: the times come from a trace", "add input_file with a file whose entries carry timestamps")
	}
}

// checkFailures reports a share of failures that is none.
func (b *binder) checkFailures(c *Config) {
	if c.MaxErrorRate.Value >= 1 {
		b.contradict("max_error_rate", fmt.Sprintf("must be below 1, not %g: it is a share", c.MaxErrorRate.Value),
			"write 0.05 for 5 %, or none")
	}
}

// pair reports a key of two that is written without the other.
func (b *binder) pair(first, second, firstExample, secondExample string) {
	if b.absent(second) {
		b.contradict(first, "needs "+second, fmt.Sprintf("add %s: %s", second, secondExample))
	}
	if b.absent(first) {
		b.contradict(second, "needs "+first, fmt.Sprintf("add %s: %s", first, firstExample))
	}
}

func (b *binder) checkRamps(c *Config) {
	if !b.written("benchmark_duration") {
		return
	}
	for key, ramp := range map[string]float64{
		"concurrency_ramp_duration":  c.ConcurrencyRampDuration.Seconds(),
		"request_rate_ramp_duration": c.RequestRateRampDuration.Seconds(),
	} {
		if ramp >= c.BenchmarkDuration.Seconds() {
			b.contradict(key, fmt.Sprintf("%g s leaves nothing of benchmark_duration: %g s", ramp, c.BenchmarkDuration.Seconds()),
				"figures are taken after the ramp: shorten it")
		}
	}
}

func (b *binder) checkService(c *Config) {
	b.checkPath(c)
	b.pair("tls.cert_file", "tls.key_file", "client.pem", "client.key")
	if c.Transport == "raw" && c.HTTPVersion == "2" {
		b.contradict("http_version", "2 is not spoken by transport raw", "write transport: std")
	}
	first := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(c.Headers)) {
		lower := strings.ToLower(name)
		if before, twice := first[lower]; twice {
			b.failKey(base("headers."+name), "is the same header as "+before, "remove one")
		}
		first[lower] = name
		if lower == "authorization" && b.written("api_key_env_var") {
			b.failKey(base("headers."+name), "is set by api_key_env_var too", "remove one of the two")
		}
	}
	for key, instead := range map[string]string{"stream": "streaming", "messages": "input_file", "prompt": "input_file"} {
		if b.written("extra_inputs." + key) {
			b.failKey(base("extra_inputs."+key), "would replace what is measured", "use "+instead)
		}
	}
	for key, value := range c.ExtraInputs {
		if value != nil && secretName.MatchString(key) && b.written("extra_inputs."+key) {
			b.failKey(base("extra_inputs."+key), keptInRequest, keptInRequestHint)
		}
	}
	for _, key := range []string{"n", "best_of"} {
		value := c.ExtraInputs[key]
		if one := value == nil || value == 1 || value == 1.0; b.written("extra_inputs."+key) && !one {
			b.failKey(base("extra_inputs."+key), "asks for several answers to a request: times and tokens are those of one",
				"remove it; raise concurrency for more answers at once")
		}
	}
}

// checkPath reports an endpoint that is not of its type, and a url that holds
// what the endpoint says too.
func (b *binder) checkPath(c *Config) {
	if !b.judged("endpoint") || !b.judged("endpoint_type") {
		return
	}
	path, _, _ := strings.Cut(c.Endpoint, "?")
	serves := ""
	switch {
	case strings.HasSuffix(path, "/chat/completions"):
		serves = "chat"
	case strings.HasSuffix(path, "/completions"):
		serves = "completions"
	}
	if serves != "" && serves != c.EndpointType {
		b.contradict("endpoint", fmt.Sprintf("%s does not serve endpoint_type %s", path, c.EndpointType), "write endpoint_type: "+serves)
	}
	service := strings.TrimRight(c.URL, "/")
	switch twice := overlap(service, path); {
	case twice != "":
		b.contradict("url", fmt.Sprintf("ends in %s, and so would be asked for %s%s", twice, twice, path), "write it without "+twice)
	case strings.HasSuffix(service, "/completions"):
		b.contradict("url", "ends in the path of an endpoint, to which "+path+" would be added",
			"write the service's base as url, and the path as endpoint")
	}
}

// overlap returns the longest beginning of a path, of whole segments, that a URL
// ends in; empty for none.
func overlap(url, path string) string {
	for end := len(path); end > 0; end = strings.LastIndexByte(path[:end], '/') {
		if _, behind, _ := strings.Cut(url, "://"); strings.HasSuffix(behind, path[:end]) {
			return path[:end]
		}
	}
	return ""
}

func (b *binder) checkPrompts(c *Config) {
	b.pair("num_prefix_prompts", "prefix_prompt_length", "4", "512")
	if b.written("sequence_distribution") {
		if _, err := synth.ParseMixture(c.SequenceDistribution); err != nil {
			b.contradict("sequence_distribution", err.Error(), "such as 256,128:40;512,256:60")
		}
	}
	if b.absent("custom_dataset_type") && c.CustomDatasetType == "" {
		b.contradict("input_file", "needs custom_dataset_type", formatHint)
	}
	if c.ConversationHistory == "synthetic" && !c.singleTurn() && c.InputFile == "" &&
		b.absent("prompt_output_tokens_mean") && b.absent("sequence_distribution") {
		b.contradict("conversation_history", "needs prompt_output_tokens_mean: the length of the made-up answers", "add prompt_output_tokens_mean: 200")
	}
	if c.MinOutputTokens && b.absent("prompt_output_tokens_mean") && b.absent("sequence_distribution") && b.absent("input_file") {
		b.contradict("min_output_tokens", "needs an output length to ask for", "add prompt_output_tokens_mean: 200")
	}
}

// streamedMetrics can only be measured on streamed answers.
var streamedMetrics = []string{
	"time_to_first_token", "time_to_second_token", "time_to_first_output_token", "time_to_first_token_from_due",
	"inter_token_latency", "inter_chunk_latency", "output_token_throughput_per_user", "decode_duration",
	"prefill_throughput_per_user", "adj_time_to_first_token", "adj_inter_token_latency", "adj_decode_duration",
}

func (b *binder) checkLimits(c *Config) {
	if c.RequireSLOs && b.absent("slos") {
		b.contradict("require_slos", "needs slos", "add slos: {time_to_first_token: 500}")
	}
	if c.Streaming || !b.judged("streaming") {
		return
	}
	for _, limits := range []struct {
		key  string
		tags map[string]float64
	}{{"slos", c.SLOs}, {"budgets", c.Budgets}} {
		for _, name := range slices.Sorted(maps.Keys(limits.tags)) {
			tag, _, _ := strings.Cut(name, ".")
			if slices.Contains(streamedMetrics, tag) {
				b.failKey(base(limits.key+"."+name), "can only be measured with streaming", "add streaming: true")
			}
		}
	}
}

// checkSurroundings reports environment variables and files that a config
// refers to and that are not there.
func (b *binder) checkSurroundings(c *Config, lookupEnv func(string) (string, bool)) {
	if b.written("api_key_env_var") {
		if key, ok := lookupEnv(c.APIKeyEnvVar); !ok || key == "" {
			b.contradict("api_key_env_var", "names an environment variable that is not set", "export it before the run; never write the key itself")
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.Headers)) {
		if key := "headers." + name; b.written(key) {
			switch value, err := expandText(c.Headers[name], lookupEnv); {
			case err != nil:
				b.contradict(key, err.Error(), "export it before the run")
			case !isLine(value):
				b.contradict(key, "refers to an environment variable that holds a line break or another control character", "export it without")
			}
		}
	}
	for key, path := range map[string]string{
		"input_file": c.InputFile, "prompt_corpus": c.PromptCorpus,
		"tls.ca_file": c.TLS.CAFile, "tls.cert_file": c.TLS.CertFile, "tls.key_file": c.TLS.KeyFile,
	} {
		if !b.written(key) {
			continue
		}
		if info, err := os.Stat(path); err != nil {
			b.contradict(key, "cannot be read: "+reason(err), "paths are relative to the directory that loadgen is started in")
		} else if info.IsDir() {
			b.contradict(key, "is a directory, not a file", "")
		}
	}
}
