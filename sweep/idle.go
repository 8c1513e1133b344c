package sweep

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"loadgen"
)

// An idleness is why a key has no effect, and which keys make it so.
type idleness struct {
	reason string
	causes []string
}

// idle returns the keys that were written but have no effect on a cell.
func (c *Config) idle() map[string]idleness {
	idle := map[string]idleness{}
	none := func(why idleness, keys ...string) {
		for _, key := range keys {
			if c.Given(key) {
				idle[key] = why
			}
		}
	}
	because := func(reason string, causes ...string) idleness { return idleness{reason, causes} }
	pacing := c.Pacing()
	if pacing.Mode != loadgen.OpenLoop && c.WarmupRequestRate == 0 {
		none(because("without request_rate there are no gaps to shape", "request_rate", "user_request_rate", "fixed_schedule"),
			"request_rate_mode", "request_rate_smoothness", "request_rate_ramp_duration")
	} else if c.RequestRateMode != "gamma" {
		none(because("only request_rate_mode gamma has a smoothness", "request_rate_mode"), "request_rate_smoothness")
	}
	if pacing.Mode == loadgen.UserPaced {
		none(because("there is one request in flight for each of num_users", "user_request_rate"), "concurrency")
	}
	if pacing.Concurrency == 0 {
		none(because("without concurrency there is nothing to raise", "concurrency", "request_rate"), "concurrency_ramp_duration")
	}
	c.idleStart(pacing, none)
	if c.Transport == "std" || c.HTTPVersion == "2" {
		none(because("only the raw engine opens connections ahead of the requests that need them", "transport", "http_version"), "preconnect")
	}
	if c.EndpointType == "completions" {
		none(because("completions endpoints know max_tokens only", "endpoint_type"), "use_legacy_max_tokens")
		none(because("completions endpoints apply no chat template", "endpoint_type"), "input_tokens_include_template")
	}
	if !strings.HasPrefix(c.URL, "https://") {
		none(because("the url is not https", "url"), "tls")
	}
	if c.InputFile == "" {
		none(because("without input_file there is no dataset", "input_file"), "custom_dataset_type")
	} else {
		none(because("the prompts come from input_file", "input_file"),
			"prompt_input_tokens_mean", "prompt_input_tokens_stddev", "input_tokens_include_template",
			"sequence_distribution", "prompt_corpus", "shared_system_prompt_length",
			"num_prefix_prompts", "prefix_prompt_length", "session_turns_mean", "session_turns_stddev",
			"session_turn_delay_mean", "session_turn_delay_stddev")
	}
	if c.CacheBust == "none" {
		none(because("cache_bust: none leaves the prompts to the seed alone", "cache_bust"), "cache_bust_salt")
	}
	if c.InputFile != "" && c.CustomDatasetType == "inputs_json" {
		none(because("what a turn carries is said by its payload", "input_file", "custom_dataset_type"), "conversation_history")
	}
	if c.sentAsIs() {
		none(because("the prompts of the dataset are sent as they are", "input_file", "custom_dataset_type"), "cache_bust", "cache_bust_salt")
	}
	if c.SequenceDistribution != "" {
		none(because("lengths come from sequence_distribution", "sequence_distribution"),
			"prompt_input_tokens_mean", "prompt_input_tokens_stddev",
			"prompt_output_tokens_mean", "prompt_output_tokens_stddev")
	}
	if !c.Given("prompt_output_tokens_mean") {
		none(because("without prompt_output_tokens_mean no output length is asked for", "prompt_output_tokens_mean"), "prompt_output_tokens_stddev")
	}
	if c.GPUs == 0 {
		none(because("without gpus it is not known how many cost that", "gpus"), "cost_per_gpu_hour")
	}
	if !c.Observes() {
		none(because("neither server_metrics nor gpu_metrics names a place to take metrics from", "server_metrics", "gpu_metrics"),
			"server_metrics_interval", "server_metrics_formats")
	}
	if c.singleTurn() {
		none(because("sessions have one turn: see session_turns_mean", "session_turns_mean", "session_turns_stddev", "input_file", "custom_dataset_type"),
			"session_turn_delay_mean", "session_turn_delay_stddev", "conversation_history")
	}
	return idle
}

// idleStart finds the keys without effect on how a run begins.
func (c *Config) idleStart(pacing Pacing, none func(why idleness, keys ...string)) {
	because := func(reason string, causes ...string) idleness { return idleness{reason, causes} }
	switch {
	case pacing.Load().Users == 0:
		none(because("without users nobody starts", "request_rate", "fixed_schedule"), "start")
	case c.ConcurrencyRampDuration > 0:
		none(because("concurrency_ramp_duration says when users start", "concurrency_ramp_duration"), "start")
	}
	if !c.WarmsUp() {
		none(because("there is no warm-up", "warmup_request_count", "warmup_duration"), "warmup_handover", "warmup_concurrency", "warmup_request_rate")
	}
	if pacing.Auto {
		none(because("request_rate: auto waits for the answers of a warm-up of concurrency users, and takes the rate from them", "request_rate", "request_rate_mode"),
			"warmup_handover", "warmup_concurrency", "warmup_request_rate")
	}
}

// certain leaves out the keys that are without effect only because another one
// has a fault, which has been told.
func (b *binder) certain(idle map[string]idleness) map[string]idleness {
	maps.DeleteFunc(idle, func(_ string, why idleness) bool {
		return slices.ContainsFunc(why.causes, func(cause string) bool { return !b.judged(cause) })
	})
	return idle
}

// sentAsIs reports whether prompts are texts of a dataset. Those of a trace are
// made up from its lengths.
func (c *Config) sentAsIs() bool { return c.InputFile != "" && c.CustomDatasetType != "mooncake_trace" }

// singleTurn reports whether every session is of one turn.
func (c *Config) singleTurn() bool {
	if c.InputFile != "" {
		return c.CustomDatasetType == "single_turn" || c.CustomDatasetType == "random_pool"
	}
	return c.SessionTurnsMean == 1 && c.SessionTurnsStddev == 0
}

// checkIdle refuses the keys that have no effect in any cell, and notes those
// that have none in some. A request_rate_mode without a rate is only noted:
// it says how requests would come if there were one.
func (b *binder) checkIdle(batch *Batch, cells []map[string]idleness) {
	count, reasons := map[string]int{}, map[string]string{}
	for _, idle := range cells {
		for key, why := range idle {
			count[key]++
			reasons[key] = why.reason
		}
	}
	for _, key := range slices.Sorted(maps.Keys(count)) {
		switch {
		case count[key] < len(cells):
			batch.Notes = append(batch.Notes, fmt.Sprintf("%s has no effect in %d of %d cells: %s", key, count[key], len(cells), reasons[key]))
		case key == "request_rate_mode":
			batch.Notes = append(batch.Notes, fmt.Sprintf("%s has no effect: %s", key, reasons[key]))
		case !b.unsound[base(key)]:
			b.failKey(base(key), "has no effect: "+reasons[key], "remove it")
		}
	}
}

// noteStreaming says why runs have no times of tokens.
func noteStreaming(batch *Batch) {
	without := 0
	for i := range batch.cells {
		if !batch.cells[i].Config.Streaming {
			without++
		}
	}
	const why = "answers come whole, so that there is no time to the first token nor between tokens: write streaming: true"
	switch {
	case without == 0:
	case without < len(batch.cells):
		batch.Notes = append(batch.Notes, fmt.Sprintf("%d of %d cells do not stream: their %s", without, len(batch.cells), why))
	default:
		batch.Notes = append(batch.Notes, "without streaming "+why)
	}
}
