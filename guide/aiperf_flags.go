package guide

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// flags are those of aiperf profile that a key below base_config has the value
// of, as it stands.
var flags = map[string]string{
	"--model": "model", "--model-names": "model", "-m": "model", "--tokenizer": "tokenizer",
	"--endpoint-type": "endpoint_type", "--custom-endpoint": "endpoint", "--endpoint": "endpoint",
	"--concurrency": "concurrency", "--request-rate": "request_rate", "--request-count": "request_count",
	"--arrival-pattern": "request_rate_mode", "--request-rate-mode": "request_rate_mode",
	"--arrival-smoothness": "request_rate_smoothness", "--vllm-burstiness": "request_rate_smoothness",
	"--num-users":            "num_users",
	"--warmup-request-count": "warmup_request_count", "--warmup-concurrency": "warmup_concurrency", "--warmup-request-rate": "warmup_request_rate",
	"--random-seed":                 "random_seed",
	"--synthetic-input-tokens-mean": "prompt_input_tokens_mean", "--isl": "prompt_input_tokens_mean",
	"--synthetic-input-tokens-stddev": "prompt_input_tokens_stddev", "--isl-stddev": "prompt_input_tokens_stddev",
	"--output-tokens-mean": "prompt_output_tokens_mean", "--osl": "prompt_output_tokens_mean",
	"--output-tokens-stddev": "prompt_output_tokens_stddev", "--osl-stddev": "prompt_output_tokens_stddev",
	"--sequence-distribution": "sequence_distribution",
	"--num-prefix-prompts":    "num_prefix_prompts", "--prefix-prompt-length": "prefix_prompt_length",
	"--shared-system-prompt-length": "shared_system_prompt_length",
	"--session-turns-mean":          "session_turns_mean", "--conversation-turn-mean": "session_turns_mean",
	"--session-turns-stddev": "session_turns_stddev", "--conversation-turn-stddev": "session_turns_stddev",
	"--session-turn-delay-mean": "session_turn_delay_mean", "--session-turn-delay-stddev": "session_turn_delay_stddev",
	"--input-file": "input_file", "--custom-dataset-type": "custom_dataset_type",
	"--failed-request-threshold": "max_error_rate",
}

// durations are likewise, in seconds or with a unit.
var durations = map[string]string{
	"--benchmark-duration": "benchmark_duration", "--benchmark-grace-period": "grace_period",
	"--warmup-duration": "warmup_duration", "--request-timeout-seconds": "request_timeout",
	"--concurrency-ramp-duration": "concurrency_ramp_duration", "--request-rate-ramp-duration": "request_rate_ramp_duration",
}

// switches have no value of their own.
var switches = map[string]string{
	"--streaming": "streaming", "--fixed-schedule": "fixed_schedule",
	"--use-legacy-max-tokens": "use_legacy_max_tokens", "--use-server-token-count": "use_server_token_count",
}

// arguments reads the arguments of aiperf profile.
func (c *conversion) arguments(words []string) {
	headers, extra, rate := map[string]any{}, map[string]any{}, ""
	for len(words) > 0 {
		flag, value, given := strings.Cut(words[0], "=")
		words = words[1:]
		if flag == "--no-server-metrics" || flag == "--no-gpu-telemetry" {
			continue // they are off unless they are asked for
		}
		if ours, ok := switches[flag]; ok {
			c.set(ours, value != "false")
			c.open = c.open || flag == "--fixed-schedule"
			continue
		}
		if !strings.HasPrefix(flag, "-") {
			c.problem(flag, "is no flag")
			continue
		}
		if !given && len(words) > 0 && !isFlag(words[0]) {
			value, words, given = words[0], words[1:], true
		}
		if !given {
			c.problem(flag, "has no counterpart in a batch file")
			continue
		}
		switch flag {
		case "-H", "--header":
			c.header(headers, value)
		case "--extra-inputs":
			c.extraInputs(extra, value)
		case "--user-centric-rate":
			rate = value
		default:
			c.argument(flag, value)
		}
	}
	if len(headers) > 0 {
		c.set("headers", headers)
	}
	if len(extra) > 0 {
		c.set("extra_inputs", extra)
	}
	if rate != "" {
		users, _ := strconv.Atoi(c.draft.values["base_config.num_users"])
		perSecond, _ := strconv.ParseFloat(rate, 64)
		delete(c.draft.values, "base_config.num_users")
		c.open = true
		c.userCentric(c.bagOf("--user-centric-rate", map[string]any{"users": users, "rate": perSecond}))
	}
}

// isFlag tells a flag from a value, which may be a negative number.
func isFlag(word string) bool {
	if !strings.HasPrefix(word, "-") {
		return false
	}
	_, err := strconv.ParseFloat(word, 64)
	return err != nil
}

func (c *conversion) argument(flag, value string) {
	switch flag {
	case "--url", "-u":
		c.url(flag, value)
		return
	case "--api-key":
		c.apiKey(flag, value)
		return
	case "--goodput":
		c.goodput(value)
		return
	case "--artifact-dir", "--output-artifact-dir":
		c.draft.Set("output_base_dir", value, "")
		return
	case "--num-profile-runs":
		c.draft.Set("repeats", json.Number(value), "")
		return
	case "--profile-run-cooldown-seconds":
		c.draft.Set("rest_between_runs", json.Number(value), "")
		return
	case "--num-dataset-entries", "--num-conversations":
		c.note("%s: %s prompts that come again and again have no counterpart: every request has a prompt of its own", flag, value)
		return
	case "--slice-duration":
		c.note("%s: series.json and the page have the course of a run in slices of their own", flag)
		return
	case "--ui", "--ui-type":
		c.note("%s: loadgen has a flag --ui of its own", flag)
		return
	}
	if ours, ok := durations[flag]; ok {
		if v, ok := c.each(flag, split(value), inSeconds); ok {
			c.set(ours, single(v))
		}
		c.ended = c.ended || ours == "benchmark_duration"
		return
	}
	ours, ok := flags[flag]
	if !ok {
		c.problem(flag, "has no counterpart in a batch file")
		return
	}
	c.ended = c.ended || ours == "request_count"
	c.open = c.open || ours == "request_rate"
	if sweptFlag(flag) {
		c.set(ours, single(split(value)))
		return
	}
	c.set(ours, typed(value))
}

// sweptFlag reports whether commas in a flag's value make a sweep.
func sweptFlag(flag string) bool {
	return slices.Contains([]string{
		"--concurrency", "--request-rate", "--request-count", "--num-users", "--isl", "--isl-stddev", "--osl", "--osl-stddev",
		"--synthetic-input-tokens-mean", "--output-tokens-mean", "--conversation-turn-mean",
	}, flag)
}

func split(value string) any {
	var list []any
	for part := range strings.SplitSeq(value, ",") {
		list = append(list, typed(strings.TrimSpace(part)))
	}
	return list
}

// single is the one value of a list of one.
func single(v any) any {
	if list, ok := v.([]any); ok && len(list) == 1 {
		return list[0]
	}
	return v
}

// typed is a number where a text is one, and true or false likewise.
func typed(text string) any {
	if json.Valid([]byte(text)) {
		if _, err := strconv.ParseFloat(text, 64); err == nil {
			return json.Number(text)
		}
		if text == "true" || text == "false" {
			return text == "true"
		}
	}
	return text
}

func (c *conversion) header(headers map[string]any, text string) {
	name, value, ok := strings.Cut(text, ":")
	if !ok {
		c.problem("--header", "must be NAME:VALUE")
		return
	}
	name = strings.TrimSpace(name)
	headers[name] = c.headerValue("--header "+name, name, strings.TrimSpace(value))
}

// extraInputs reads NAME:VALUE, or a JSON object.
func (c *conversion) extraInputs(extra map[string]any, text string) {
	var object map[string]any
	if json.Unmarshal([]byte(text), &object) == nil {
		maps.Copy(extra, object)
		return
	}
	name, value, ok := strings.Cut(text, ":")
	if !ok {
		c.problem("--extra-inputs", "must be NAME:VALUE or a JSON object")
		return
	}
	extra[name] = typed(value)
}

// goodput reads limits: "time_to_first_token:500 request_latency:2000".
func (c *conversion) goodput(text string) {
	slos := map[string]any{}
	for _, limit := range strings.Fields(text) {
		tag, value, ok := strings.Cut(limit, ":")
		if !ok {
			c.problem("--goodput", "%q is no TAG:LIMIT", limit)
			return
		}
		slos[tag] = typed(value)
	}
	c.draft.Set("base_config.slos", slos, "")
}
