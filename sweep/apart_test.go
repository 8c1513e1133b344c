package sweep_test

import (
	"strings"
	"testing"

	"loadgen/sweep"
)

// TestAKeyIsNotShownElsewhere has values refer to the variable that holds a key.
func TestAKeyIsNotShownElsewhere(t *testing.T) {
	env := func(name string) (string, bool) {
		v, ok := map[string]string{"K": "sk-secret-1", "T": "tok-secret-2", "M": "a-model"}[name]
		return v, ok
	}
	const head = "batch_name: b\noutput_base_dir: o\nbase_config:\n  url: mock://\n  api_key_env_var: K\n  headers: {X-Auth-Token: 'T ${T}', X-Model: '${M}'}\n  benchmark_duration: 1\n  warmup_request_count: 1\n"
	for name, c := range map[string]struct {
		lines string
		fault string // empty where all is well
	}{
		"a model":                  {"  concurrency: 1\n  model: ${M}\n", ""},
		"the query of an endpoint": {"  concurrency: 1\n  model: m\n  endpoint: /v1/chat/completions?k=${K}\n", ""},
		"the endpoint's own key":   {"  concurrency: 1\n  model: m\nmock: {api_key: '${K}'}\n", ""},
		"a number":                 {"  concurrency: ${K}\n  model: m\n", "base_config.concurrency: refers to K, which is a key: api_key_env_var uses it"},
		"a name":                   {"  concurrency: 1\n  model: x-${T}\n", "base_config.model: refers to T, which is a key: headers.X-Auth-Token uses it"},
		"the body of a request":    {"  concurrency: 1\n  model: m\n  extra_inputs: {user: {id: '${K}'}}\n", "base_config.extra_inputs.user.id: refers to K"},
		"a sweep":                  {"  model: m\nsweeps: {model: [a, '${K}']}\n", "refers to K"},
		"the batch":                {"  concurrency: 1\n  model: m\nbatch_name: ${K}\n", "batch_name: refers to K"},
	} {
		t.Run(name, func(t *testing.T) {
			text := head + c.lines
			if name == "the batch" {
				text = strings.Replace(text, "batch_name: b\n", "", 1)
			}
			_, err := sweep.Parse("b.yaml", []byte(text), sweep.Options{LookupEnv: env})
			switch {
			case c.fault == "" && err != nil:
				t.Error(err)
			case c.fault != "" && (err == nil || !strings.Contains(err.Error(), c.fault)):
				t.Errorf("got %v, want %s", err, c.fault)
			case err != nil && strings.Contains(err.Error(), "secret-"):
				t.Errorf("%v tells a secret", err)
			}
		})
	}
}

// TestAMistakeTellsNoSecret misspells what holds one, in the file and in --set.
func TestAMistakeTellsNoSecret(t *testing.T) {
	const head = "batch_name: b\noutput_base_dir: o\nbase_config:\n  model: m\n  url: mock://\n  concurrency: 1\n  warmup_request_count: 1\n  benchmark_duration: 1\n"
	for name, c := range map[string]struct{ lines, set string }{
		"header for headers":      {lines: "  header: {X-Tenant: hidden-123}\n"},
		"headers at the top":      {lines: "headers: {X-Tenant: hidden-123}\n"},
		"extra_headers":           {lines: "  extra_headers: {X-Tenant: hidden-123}\n"},
		"a list of headers":       {lines: "  headers: [hidden-123]\n"},
		"a map for a value":       {lines: "  headers: {X-Tenant: {a: hidden-123}}\n"},
		"a key for its variable":  {lines: "  api_key_env_var: hidden-123\n"},
		"a key by another name":   {lines: "  api_key: hidden-123\n"},
		"a token by another name": {lines: "  auth_token: hidden-123\n"},
		"--set header":            {set: "base_config.header.X-Tenant=hidden-123"},
		"--set with a colon":      {set: "base_config.headers.X-Tenant: hidden-123"},
		"--set with a blank":      {set: "base_config.headers.X-Tenant hidden-123"},
		"--set without the base":  {set: "headers.X-Tenant=hidden-123"},
		"--set of an unknown key": {set: "base_config.api_key=hidden-123"},
		"--set of a list":         {set: "base_config.headers.X-Tenant=['hidden-123']"},
		"--set of a map":          {set: "base_config.headers={X-Tenant: 'hidden-123', X-Other: [hidden-123]}"},
		"--set that is no YAML":   {set: "base_config.headers.X-Tenant='hidden-123"},
		"--set of a url":          {set: "base_config.url=http://u:hidden-123@h"},
	} {
		t.Run(name, func(t *testing.T) {
			o := sweep.Options{}
			if c.set != "" {
				o.Overrides = []string{c.set}
			}
			_, err := sweep.Parse("b.yaml", []byte(head+c.lines), o)
			if err == nil || strings.Contains(err.Error(), "hidden") {
				t.Errorf("got %v", err)
			}
		})
	}
}
