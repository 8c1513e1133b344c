package sweep_test

import (
	"strings"
	"testing"

	"loadgen/sweep"
)

func TestAURLWithoutASchemeIsTakenForWhatItLooksLike(t *testing.T) {
	for url, want := range map[string]string{
		"mock": "write mock://\n", "'mock:'": "write mock://\n", "localhost:8000": "write http://localhost:8000\n",
	} {
		_, err := sweep.Parse("b.yaml", []byte("batch_name: b\noutput_base_dir: o\nbase_config: {model: m, url: "+url+", warmup_request_count: 0, concurrency: 1, request_count: 2, prompt_input_tokens_mean: 4}\n"), sweep.Options{})
		if err == nil || !strings.Contains(err.Error()+"\n", want) {
			t.Errorf("%s: %v, want %q", url, err, want)
		}
	}
}
