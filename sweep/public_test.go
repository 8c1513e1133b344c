package sweep_test

import (
	"strings"
	"testing"

	"loadgen/sweep"
)

func TestTheTextThatIsKeptHoldsNoSecret(t *testing.T) {
	const head = "batch_name: b # ünïcode\noutput_base_dir: o\nbase_config:\n  model: m\n  url: mock://\n  warmup_request_count: 0\n  request_count: 4\n  concurrency: 1\n"
	for _, tt := range []struct{ name, text, want string }{
		{"nothing to hide", head, head},
		{"a name is no secret", head + "  headers: {X-A: '${TENANT}', Authorization: 'Bearer ${KEY}'}\n", ""},
		{"a value", head + "  headers:\n    X-A: sk-12345678\n    X-B: ${B}\n", head + "  headers:\n    X-A: <redacted>\n    X-B: ${B}\n"},
		{"a short value leaves other numbers alone", head + "  headers:\n    X-A: '4'\n", head + "  headers:\n    X-A: <redacted>\n"},
		{"a value beside a name", head + "  headers: {X-A: 'a-${TENANT}'}\n", head + "  headers: {X-A: <redacted>\n"},
		{"a default is written out", head + "  headers:\n    X-A: ${A:-sk-12345678}\n", head + "  headers:\n    X-A: <redacted>\n"},
		{"names in a query", head + "  endpoint: /v1/chat/completions?key=${KEY}\n", ""},
		{"a value beside a name in a query", head + "  endpoint: /v1/chat/completions?key=${KEY}&t=sk-12345678\n", head + "  endpoint: <redacted>\n"},
		{"names elsewhere", head + "  tokenizer: ${HOME}/t.json\nmock: {api_key: \"${KEY}\"}\n", ""},
		{"over several lines", head + "  headers:\n    X-A: >-\n      sk-12345678\n      abcdefgh\n", head + "  headers:\n    X-A: <redacted>\n      <redacted>\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			want := tt.want
			if want == "" {
				want = tt.text
			}
			batch, err := sweep.Parse("b.yaml", []byte(tt.text), sweep.Options{
				LookupEnv: func(name string) (string, bool) { return "the value of " + name, true },
			})
			if err != nil {
				t.Fatal(err)
			}
			if got := string(batch.Text); got != want {
				t.Errorf("kept:\n%s\nwant:\n%s", strings.TrimPrefix(got, head), strings.TrimPrefix(want, head))
			}
		})
	}
}
