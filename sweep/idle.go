package sweep

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// idle returns the keys that were written but have no effect on a cell, with
// the reason.
func (c *Config) idle() map[string]string {
	idle := map[string]string{}
	none := func(reason string, keys ...string) {
		for _, key := range keys {
			if c.Given(key) {
				idle[key] = reason
			}
		}
	}
	pacing := c.Pacing()
	if pacing.Mode != OpenLoop {
		none("without request_rate there are no gaps to shape", "request_rate_mode", "request_rate_smoothness", "request_rate_ramp_duration")
	} else if c.RequestRateMode != "gamma" {
		none("only request_rate_mode gamma has a smoothness", "request_rate_smoothness")
	}
	if pacing.Mode == UserPaced {
		none("there is one request in flight for each of num_users", "concurrency")
	}
	if pacing.Concurrency == 0 {
		none("without concurrency there is nothing to raise", "concurrency_ramp_duration")
	}
	if c.EndpointType == "completions" {
		none("completions endpoints know max_tokens only", "use_legacy_max_tokens")
		none("completions endpoints apply no chat template", "input_tokens_include_template")
	}
	if !strings.HasPrefix(c.URL, "https://") {
		none("the url is not https", "tls")
	}
	if c.InputFile == "" {
		none("without input_file there is no dataset", "custom_dataset_type")
	} else {
		none("the prompts come from input_file", "prompt_input_tokens_mean", "prompt_input_tokens_stddev", "input_tokens_include_template",
			"sequence_distribution", "prompt_corpus", "shared_system_prompt_length",
			"num_prefix_prompts", "prefix_prompt_length", "session_turns_mean", "session_turns_stddev",
			"session_turn_delay_mean", "session_turn_delay_stddev")
	}
	if c.SequenceDistribution != "" {
		none("lengths come from sequence_distribution", "prompt_input_tokens_mean", "prompt_input_tokens_stddev",
			"prompt_output_tokens_mean", "prompt_output_tokens_stddev")
	}
	if !c.Given("prompt_output_tokens_mean") {
		none("without prompt_output_tokens_mean no output length is asked for", "prompt_output_tokens_stddev")
	}
	if c.singleTurn() {
		none("sessions have one turn: see session_turns_mean", "session_turn_delay_mean", "session_turn_delay_stddev", "conversation_history")
	}
	return idle
}

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
func (b *binder) checkIdle(batch *Batch, cells []map[string]string) {
	count, reasons := map[string]int{}, map[string]string{}
	for _, idle := range cells {
		for key, reason := range idle {
			count[key]++
			reasons[key] = reason
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
