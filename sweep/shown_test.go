package sweep_test

import (
	"strings"
	"testing"

	"loadgen/sweep"
)

// TestFaultsShowNoKey has keys where only a mistake puts them.
func TestFaultsShowNoKey(t *testing.T) {
	const key = "sk-Zq7Kp0aV9xT3wL"
	for name, body := range map[string]string{
		"an alias":             "  headers: {X-Api-Key: *" + key + "}\n",
		"a key by itself":      "  token: " + key + "\n",
		"a url that is there":  "  url: https://user:" + key + "@h.example\n",
		"a url in broken YAML": "  tokenizer: [https://user:" + key + "@h.example\n",
		"a request's key":      "  extra_inputs: {api_key: " + key + "}\n",
	} {
		refuses(t, name, key, minimal+body, sweep.Options{})
	}
	for _, set := range []string{
		"=base_config.headers.X-Api-Key=" + key, "mock.api_keys=" + key, "base_config.extra_inputs.api_key=" + key,
		"base_config.token=" + key,
	} {
		refuses(t, set, key, minimal, sweep.Options{Overrides: []string{set}})
	}
}

func refuses(t *testing.T, name, key, text string, o sweep.Options) {
	t.Helper()
	if _, err := sweep.Parse("batch.yaml", []byte(text), o); err == nil || strings.Contains(err.Error(), key) {
		t.Errorf("%s: %v", name, err)
	}
}
