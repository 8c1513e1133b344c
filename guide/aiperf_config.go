package guide

import (
	"fmt"
	"slices"
	"strings"

	"loadgen/internal/secret"
)

// bodyKeys may also stand at the top of AIPerf's file, where they once did.
var bodyKeys = []string{
	"model", "models", "endpoint", "dataset", "datasets", "phases", "warmup", "profiling", "artifacts", "slos", "tokenizer",
	"gpu_telemetry", "server_metrics", "network_latency", "otel", "mlflow", "wandb", "runtime", "logging", "metrics", "accuracy", "scenario",
}

// config reads a YAML file of AIPerf's second schema.
func (c *conversion) config(tree map[string]any) {
	top := c.bagOf("", tree)
	top.only("schema_version", "2.0", 2.0)
	if variables := top.takeBag("variables"); variables != nil {
		c.variables = variables.m
	}
	if seed, ok := top.take("random_seed"); ok {
		c.set("random_seed", seed)
	}
	body := top.takeBag("benchmark")
	if body == nil {
		body = c.bagOf("benchmark", map[string]any{})
	}
	for _, key := range bodyKeys {
		if v, ok := top.m[key]; ok {
			body.m[key] = v
			delete(top.m, key)
		}
	}
	c.body(body)
	if runs := top.takeBag("multi_run"); runs != nil {
		c.multiRun(runs)
	}
	if sweep := top.takeBag("sweep"); sweep != nil {
		c.sweep(sweep)
	}
	top.end()
}

func (c *conversion) body(b *bag) {
	c.models(b)
	if t := b.m["tokenizer"]; t != nil {
		if _, named := t.(string); named {
			b.to("tokenizer", "tokenizer")
		} else {
			t := b.takeBag("tokenizer")
			t.to("name", "tokenizer")
			t.only("revision", "main")
			t.only("trust_remote_code", false)
			t.end()
		}
	}
	if e := b.takeBag("endpoint"); e != nil {
		c.endpoint(e)
	}
	if d := b.takeBag("dataset"); d != nil {
		c.dataset(d)
	}
	if w := b.takeBag("warmup"); w != nil {
		c.warmup(w)
	}
	if p := b.takeBag("profiling"); p != nil {
		c.profiling(p)
	}
	c.phases(b)
	if slos, ok := b.take("slos"); ok {
		c.draft.Set("base_config.slos", slos, "")
	}
	if a := b.takeBag("artifacts"); a != nil {
		c.artifacts(a)
	}
	b.end()
}

func (c *conversion) models(b *bag) {
	b.to("model", "model")
	v, ok := b.take("models")
	if !ok {
		return
	}
	items, _ := v.([]any)
	if m, ok := v.(map[string]any); ok {
		items, _ = m["items"].([]any)
	}
	if len(items) != 1 {
		b.problem(b.at("models"), "a run has one model: sweep over model for several")
		return
	}
	if name, ok := items[0].(string); ok {
		b.set("model", name)
		return
	}
	item := b.bagOf(b.at("models"), items[0])
	item.to("name", "model")
	item.to("tokenizer", "tokenizer")
	item.only("weight", 1, 1.0)
	item.end()
}

func (c *conversion) endpoint(e *bag) {
	if v, ok := e.take("urls"); ok {
		if list, ok := v.([]any); ok && len(list) == 1 {
			e.m["url"] = list[0]
		} else {
			e.problem(e.at("urls"), "a run has one URL")
		}
	}
	e.only("url_strategy", "round_robin")
	e.to("type", "endpoint_type")
	e.to("path", "endpoint")
	if v, ok := e.take("url"); ok {
		c.url(e.at("url"), v)
	}
	if v, ok := e.take("api_key"); ok {
		c.apiKey(e.at("api_key"), v)
	}
	e.seconds("timeout", "request_timeout")
	e.to("streaming", "streaming")
	e.only("transport", "http")
	e.only("connection_reuse", "pooled")
	e.to("use_legacy_max_tokens", "use_legacy_max_tokens")
	e.to("use_server_token_count", "use_server_token_count")
	if v, ok := e.take("headers"); ok {
		c.headers(e.at("headers"), v)
	}
	e.to("extra", "extra_inputs")
	e.end()
}

// url takes the path of the API out of a URL that holds it.
func (c *conversion) url(path string, v any) {
	text, ok := v.(string)
	if !ok {
		c.problem(path, "must be a text")
		return
	}
	if !strings.Contains(text, "://") {
		text = "http://" + text
	}
	for _, api := range []string{"/v1/chat/completions", "/v1/completions", "/v1"} {
		if rest, found := strings.CutSuffix(strings.TrimSuffix(text, "/"), api); found {
			text = rest
			break
		}
	}
	c.set("url", strings.TrimSuffix(text, "/"))
}

// apiKey names the variable that holds the key: a batch file never holds one.
func (c *conversion) apiKey(path string, v any) {
	text := strings.Trim(fmt.Sprint(v), `"'`)
	if m := environment.FindStringSubmatch(text); m != nil && m[0] == text && m[2] == "" {
		c.set("api_key_env_var", m[1])
		return
	}
	if name, ok := strings.CutPrefix(text, "$"); ok {
		c.set("api_key_env_var", name)
		return
	}
	c.problem(path, "a batch file holds no key: put it into an environment variable, and write ${NAME}")
}

func (c *conversion) headers(path string, v any) {
	named, ok := v.(map[string]any)
	if !ok {
		c.problem(path, "must be a mapping")
		return
	}
	headers := map[string]any{}
	for name, value := range named {
		headers[name] = c.headerValue(path+"."+name, name, fmt.Sprint(value))
	}
	c.set("headers", headers)
}

// headerValue is the value of a header, which holds no key.
func (c *conversion) headerValue(path, name, value string) string {
	if key := strings.EqualFold(name, "authorization") || secret.NamesKey(name); key && !strings.Contains(value, "${") {
		c.problem(path, "holds a key: put it into an environment variable, and write ${NAME}")
		return ""
	}
	return value
}

func (c *conversion) dataset(d *bag) {
	kind, _ := d.take("type")
	switch kind {
	case "file":
		d.to("path", "input_file")
		d.to("format", "custom_dataset_type")
		d.only("sampling", "sequential")
		d.distribution("osl", "prompt_output_tokens_mean", "prompt_output_tokens_stddev")
	case nil, "synthetic":
		c.synthetic(d)
	default:
		d.problem(d.at("type"), "%v has no counterpart in a batch file", kind)
	}
	d.end()
}

func (c *conversion) synthetic(d *bag) {
	if n, ok := d.take("entries"); ok {
		c.note("%s: %v prompts that come again and again have no counterpart: every request has a prompt of its own, so that no cache answers it", d.at("entries"), n)
	}
	d.to("random_seed", "random_seed")
	d.only("sampling", "sequential", "shuffle", "random")
	for _, at := range []*bag{d, d.takeBag("prompts")} {
		if at == nil {
			continue
		}
		at.distribution("isl", "prompt_input_tokens_mean", "prompt_input_tokens_stddev")
		at.distribution("osl", "prompt_output_tokens_mean", "prompt_output_tokens_stddev")
		at.only("batch_size", 1)
		c.mixture(at)
		if at != d {
			at.end()
		}
	}
	if p := d.takeBag("prefix_prompts"); p != nil {
		p.to("pool_size", "num_prefix_prompts")
		p.to("length", "prefix_prompt_length")
		p.to("shared_system_length", "shared_system_prompt_length")
		p.end()
	}
	d.distribution("turns", "session_turns_mean", "session_turns_stddev")
	d.distribution("turn_delay", "session_turn_delay_mean", "session_turn_delay_stddev")
}

// mixture writes a sequence distribution in one line.
func (c *conversion) mixture(b *bag) {
	v, ok := b.take("sequence_distribution")
	if !ok {
		return
	}
	if text, ok := v.(string); ok {
		c.set("sequence_distribution", text)
		return
	}
	list, _ := v.([]any)
	var pairs []string
	for i, x := range list {
		pair := b.bagOf(fmt.Sprintf("%s[%d]", b.at("sequence_distribution"), i), x)
		side := func(key string) string {
			v, _ := pair.take(key)
			if m, shaped := v.(map[string]any); shaped {
				return fmt.Sprintf("%v|%v", m["mean"], m["stddev"])
			}
			return fmt.Sprint(v)
		}
		isl, osl := side("isl"), side("osl")
		share, _ := pair.take("probability")
		pairs = append(pairs, fmt.Sprintf("%s,%s:%v", isl, osl, share))
		pair.end()
	}
	c.set("sequence_distribution", strings.Join(pairs, ";"))
}

func (c *conversion) artifacts(a *bag) {
	if dir, ok := a.take("dir"); ok {
		c.draft.Set("output_base_dir", dir, "")
	}
	for _, key := range []string{"summary", "records"} {
		if _, ok := a.take(key); ok {
			c.note("%s: a run always leaves the summary as JSON and CSV, and the records as JSON lines", a.at(key))
		}
	}
	if _, ok := a.take("slice_duration"); ok {
		c.note("%s: series.json and the page have the course of a run in slices of their own", a.at("slice_duration"))
	}
	a.end()
}

func (c *conversion) multiRun(m *bag) {
	if n, ok := m.take("num_runs"); ok {
		c.draft.Set("repeats", n, "")
	}
	if s, ok := m.take("cooldown_seconds"); ok {
		c.draft.Set("rest_between_runs", s, "")
	}
	m.only("confidence_level", 0.95)
	m.only("set_consistent_seed", true)
	m.only("disable_warmup_after_first", false)
	if vary, ok := m.take("vary_seed_per_trial"); ok {
		c.draft.Set("vary_seed", vary, "")
	}
	m.end()
}

// sweptKeys are the keys of AIPerf that a batch file can vary, by the end of
// their paths.
var sweptKeys = map[string]string{
	"concurrency": "concurrency", "rate": "request_rate", "request_rate": "request_rate", "requests": "request_count",
	"duration": "benchmark_duration", "users": "num_users", "smoothness": "request_rate_smoothness", "model": "model",
	"isl": "prompt_input_tokens_mean", "isl.mean": "prompt_input_tokens_mean", "isl.stddev": "prompt_input_tokens_stddev",
	"osl": "prompt_output_tokens_mean", "osl.mean": "prompt_output_tokens_mean", "osl.stddev": "prompt_output_tokens_stddev",
	"random_seed": "random_seed", "streaming": "streaming", "pool_size": "num_prefix_prompts", "length": "prefix_prompt_length",
}

func (c *conversion) sweep(s *bag) {
	kind, _ := s.take("type")
	if kind != "grid" && kind != nil {
		s.problem(s.at("type"), "%v has no counterpart: sweeps makes every combination", kind)
		return
	}
	s.only("iteration_order", "repeated")
	s.only("same_seed", false)
	if p := s.takeBag("parameters"); p != nil {
		var paths []string
		for path := range p.m {
			paths = append(paths, path)
		}
		slices.Sort(paths) // AIPerf's order: the last varies fastest
		for _, path := range paths {
			values, _ := p.take(path)
			c.sweepPath(p.at(path), path, values)
		}
	}
	s.end()
}

func (c *conversion) sweepPath(at, path string, values any) {
	parts := strings.Split(path, ".")
	ours := ""
	for n := min(2, len(parts)); n > 0 && ours == ""; n-- {
		ours = sweptKeys[strings.Join(parts[len(parts)-n:], ".")]
	}
	list, ok := values.([]any)
	switch {
	case ours == "" || strings.HasPrefix(path, "warmup.") || strings.Contains(path, ".warmup."):
		c.problem(at, "has no counterpart in a batch file")
	case !ok:
		c.problem(at, "must be a list of values")
	default:
		if ours == "benchmark_duration" {
			if list, ok = c.secondsOf(at, list); !ok {
				return
			}
		}
		c.draft.Sweep(ours, list)
		c.open = c.open || ours == "request_rate"
		c.ended = c.ended || ours == "request_count" || ours == "benchmark_duration"
	}
}

func (c *conversion) secondsOf(at string, list []any) ([]any, bool) {
	v, ok := c.each(at, list, inSeconds)
	if !ok {
		return nil, false
	}
	return v.([]any), true
}
