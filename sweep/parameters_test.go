package sweep_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"loadgen/sweep"
)

func TestEffectiveParameters(t *testing.T) {
	tests := []struct{ name, keys, want string }{
		{
			name: "a closed loop",
			want: `{"model":"m","url":"http://localhost:8000","endpoint":"/v1/chat/completions","endpoint_type":"chat",` +
				`"health_check_endpoint":"/v1/models","transport":"auto","http_version":"auto","warmup_request_count":1,` +
				`"warmup_handover":"seamless","start":"staggered","preconnect":true,` +
				`"benchmark_duration":60,"grace_period":30,"request_timeout":600,"give_up_after":10,"concurrency":4,"random_seed":42,` +
				`"prompt_input_tokens_mean":550,"cache_bust":"batch"}`,
		},
		{
			name: "what was written, in the units of the file, with headers redacted",
			keys: "  headers: {X-B: secret, X-A: '${HOME}'}\n  session_turns_mean: 2\n  session_turn_delay_mean: 1500\n" +
				"  slos: {request_latency: 100.5}\n  extra_inputs: {stop: [a], temperature: 0}\n  streaming: false\n" +
				"  request_rate: auto\n  grace_period: 0.5\n  http_version: 1.1\n",
			want: `{"model":"m","url":"http://localhost:8000","endpoint":"/v1/chat/completions","endpoint_type":"chat",` +
				`"health_check_endpoint":"/v1/models","headers":{"X-A":"<redacted>","X-B":"<redacted>"},"transport":"auto",` +
				`"http_version":"1.1","streaming":false,"warmup_request_count":1,"preconnect":true,"benchmark_duration":60,"grace_period":0.5,` +
				`"request_timeout":600,"give_up_after":10,"concurrency":4,"request_rate":"auto","request_rate_mode":"constant","random_seed":42,` +
				`"prompt_input_tokens_mean":550,"session_turns_mean":2,"session_turn_delay_mean":1500,` +
				`"conversation_history":"server","cache_bust":"batch","extra_inputs":{"stop":["a"],"temperature":0},"slos":{"request_latency":100.5}}`,
		},
		{
			name: "a dataset sets the prompt lengths aside, a mode without a rate is left out",
			keys: "  input_file: x\n  custom_dataset_type: single_turn\n  request_rate_mode: poisson\n  tls: {}\n",
			want: `{"model":"m","url":"http://localhost:8000","endpoint":"/v1/chat/completions","endpoint_type":"chat",` +
				`"health_check_endpoint":"/v1/models","transport":"auto","http_version":"auto","warmup_request_count":1,` +
				`"warmup_handover":"seamless","start":"staggered","preconnect":true,` +
				`"benchmark_duration":60,"grace_period":30,"request_timeout":600,"give_up_after":10,"concurrency":4,"random_seed":42,` +
				`"input_file":"x","custom_dataset_type":"single_turn"}`,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			text := strings.Replace(minimal+tt.keys, "  tls: {}\n", "", 1)
			effective := parse(t, text).Cells()[0].Config.Effective()
			var got bytes.Buffer
			enc := json.NewEncoder(&got)
			enc.SetEscapeHTML(false)
			if err := enc.Encode(effective); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want+"\n", got.String()); diff != "" {
				t.Errorf("parameters (-want +got):\n%s", diff)
			}
			if s := fmt.Sprint(effective); strings.Contains(s, "secret") {
				t.Errorf("a header is shown: %s", s)
			}
		})
	}
}

func TestHeadersAreExpandedOnlyForUse(t *testing.T) {
	env := map[string]string{"KEY": "s3cret", "EMPTY": ""}
	lookup := func(name string) (string, bool) { v, ok := env[name]; return v, ok }
	batch, err := sweep.Parse("b.yaml", []byte(minimal+"  headers: {X-Key: 'a ${KEY} b ${KEY}', X-Plain: $KEY}\n"), sweep.Options{LookupEnv: lookup})
	if err != nil {
		t.Fatal(err)
	}
	config := batch.Cells()[0].Config
	got, err := config.ExpandedHeaders(lookup)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{"X-Key": "a s3cret b s3cret", "X-Plain": "$KEY"}, got); diff != "" {
		t.Errorf("headers (-want +got):\n%s", diff)
	}
	if s := fmt.Sprintf("%+v", batch); strings.Contains(s, "s3cret") {
		t.Errorf("the batch holds the secret: %s", s)
	}
	delete(env, "KEY")
	if _, err := config.ExpandedHeaders(lookup); err == nil || err.Error() != "header X-Key refers to environment variable KEY, which is not set: export it before the run" {
		t.Errorf("got %v", err)
	}
}

func TestSurroundingsAreCheckedOnlyWithAnEnvironment(t *testing.T) {
	text := minimal + "  api_key_env_var: NOT_SET\n  headers: {X-Key: '${EMPTY}'}\n  input_file: no/such/file\n  custom_dataset_type: sharegpt\n"
	parse(t, text)
	var keys []string
	for _, fault := range faults(t, text, sweep.Options{LookupEnv: func(name string) (string, bool) { return "", name == "EMPTY" }}) {
		keys = append(keys, fault.Key)
	}
	want := []string{"base_config.api_key_env_var", "base_config.headers.X-Key", "base_config.input_file"}
	if diff := cmp.Diff(want, keys); diff != "" {
		t.Errorf("faults (-want +got):\n%s", diff)
	}
}

func TestNotes(t *testing.T) {
	batch := parse(t, minimal+"  streaming: true\n  request_rate: 5\n  request_rate_smoothness: 2\nsweeps: {request_rate_mode: [constant, gamma]}\n")
	want := []string{"request_rate_smoothness has no effect in 1 of 2 cells: only request_rate_mode gamma has a smoothness"}
	if diff := cmp.Diff(want, batch.Notes); diff != "" {
		t.Errorf("notes (-want +got):\n%s", diff)
	}
	for sweeps, want := range map[string]string{
		"":                                   notStreaming,
		"sweeps: {streaming: [true, false]}": "1 of 2 cells do not stream: their answers come whole, so that there is no time to the first token nor between tokens: write streaming: true",
	} {
		if diff := cmp.Diff([]string{want}, parse(t, minimal+sweeps+"\n").Notes); diff != "" {
			t.Errorf("%s: notes (-want +got):\n%s", sweeps, diff)
		}
	}
}
