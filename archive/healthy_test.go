package archive

import "testing"

// healthy are sweeps of an endpoint that does what it can: none of them has a
// cause of lost time to name.
var healthy = []struct{ name, parameters string }{
	{"two low levels", `  request_count: 60
sweeps: {concurrency: [1, 2]}
`},
	{"two low levels of few requests", `  request_count: 20
sweeps: {concurrency: [1, 2]}
`},
	{"three low levels", `  request_count: 60
sweeps: {concurrency: [1, 2, 4]}
`},
	{"the first run of a newcomer", `  benchmark_duration: 8
  prompt_input_tokens_mean: 200
  prompt_input_tokens_stddev: 20
  prompt_output_tokens_mean: 40
  prompt_output_tokens_stddev: 5
sweeps: {concurrency: [1, 4, 16]}
`},
	{"six levels", `  request_count: 130
  prompt_input_tokens_mean: 300
  prompt_input_tokens_stddev: 30
  prompt_output_tokens_mean: 60
sweeps: {concurrency: [1, 2, 4, 8, 16, 32]}
mock: {prefill_base: 3ms, prefill_per_token: 10us, decode_per_seq: 50us}
`},
	{"six levels by time", `  benchmark_duration: 10
  prompt_output_tokens_mean: 60
sweeps: {concurrency: [1, 2, 3, 4, 6, 8]}
`},
	{"two levels far apart", `  benchmark_duration: 10
  prompt_output_tokens_mean: 60
sweeps: {concurrency: [2, 16]}
`},
	{"long answers", `  request_count: 40
  prompt_output_tokens_mean: 400
sweeps: {concurrency: [1, 4, 8]}
`},
	{"short answers", `  request_count: 100
  prompt_input_tokens_mean: 50
  prompt_output_tokens_mean: 4
sweeps: {concurrency: [1, 2, 4]}
`},
	{"long prompts", `  request_count: 60
  prompt_input_tokens_mean: 2000
  prompt_input_tokens_stddev: 200
  prompt_output_tokens_mean: 100
sweeps: {concurrency: [1, 2]}
`},
	{"long prompts and four levels", `  request_count: 60
  prompt_input_tokens_mean: 1000
  prompt_input_tokens_stddev: 300
  prompt_output_tokens_mean: 200
sweeps: {concurrency: [1, 2, 4, 8]}
`},
	{"prompts of one length", `  request_count: 60
  prompt_input_tokens_mean: 500
  prompt_output_tokens_mean: 100
sweeps: {concurrency: [2, 4, 8]}
`},
	{"a prefill that takes a while", `  request_count: 60
  prompt_input_tokens_mean: 500
  prompt_input_tokens_stddev: 50
  prompt_output_tokens_mean: 100
sweeps: {concurrency: [1, 2, 3]}
mock: {prefill_base: 60ms, prefill_per_token: 100us}
`},
	{"a slow endpoint", `  request_count: 40
  prompt_output_tokens_mean: 50
sweeps: {concurrency: [1, 2, 4]}
mock: {decode_base: 60ms, prefill_base: 200ms}
`},
	{"times that vary", `  request_count: 80
  prompt_output_tokens_mean: 50
sweeps: {concurrency: [1, 2, 4, 8]}
mock: {jitter: 0.3}
`},
	{"times that vary, few requests", `  request_count: 15
  prompt_output_tokens_mean: 50
sweeps: {concurrency: [1, 2]}
mock: {jitter: 0.5}
`},
	{"low rates", `  request_count: 60
  request_rate: 1
  prompt_output_tokens_mean: 50
sweeps: {request_rate: [1, 2]}
`},
	{"rates far below what the endpoint can", `  benchmark_duration: 20
  prompt_output_tokens_mean: 50
  request_rate: 1
sweeps: {request_rate: [1, 2, 4, 6, 8]}
`},
	{"constant rates under a ceiling that does not bind", `  benchmark_duration: 20
  prompt_output_tokens_mean: 50
  request_rate: 1
  request_rate_mode: constant
  concurrency: 200
sweeps: {request_rate: [2, 5, 10]}
`},
	{"conversations", `  request_count: 120
  session_turns_mean: 4
  prompt_output_tokens_mean: 50
sweeps: {concurrency: [1, 2, 4]}
`},
	{"a system prompt that the endpoint caches", `  request_count: 100
  shared_system_prompt_length: 640
  prompt_input_tokens_mean: 80
  prompt_input_tokens_stddev: 30
  prompt_output_tokens_mean: 40
sweeps: {concurrency: [1, 2, 4]}
`},
	{"times that are always the same", `  request_count: 100
  prompt_output_tokens_mean: 40
sweeps: {concurrency: [1, 8, 64]}
mock: {timing: fixed, ttft: 80ms, itl: 10ms}
`},
	{"two lengths of prompts at two loads", `  request_count: 80
  concurrency: 1
  prompt_output_tokens_mean: 40
sweeps:
  prompt_input_tokens_mean: [100, 1500]
  concurrency: [1, 4]
`},
	{"prompts of many lengths at one load", `  request_count: 80
  concurrency: 2
  prompt_output_tokens_mean: 80
sweeps:
  prompt_input_tokens_mean: [100, 400, 1600]
`},
	{"users with a pace of their own", `  benchmark_duration: 30
  user_request_rate: 0.5
  num_users: 2
  prompt_output_tokens_mean: 40
sweeps: {num_users: [2, 4, 8]}
`},
	{"four levels by time", `  benchmark_duration: 10
  prompt_output_tokens_mean: 60
sweeps: {concurrency: [1, 2, 4, 8]}
`},
	{"the same load again and again", `  request_count: 60
  prompt_output_tokens_mean: 40
  random_seed: 1
sweeps:
  random_seed: [1, 2, 3]
  concurrency: [1, 2]
`},
}

func TestAHealthyEndpointHasNoCauseToName(t *testing.T) {
	const base = `batch_name: healthy
output_base_dir: unused
base_config:
  model: m
  url: mock://
  streaming: true
  warmup_request_count: 4
`
	for _, tt := range healthy {
		t.Run(tt.name, func(t *testing.T) {
			for _, f := range findingsOf(t, base+tt.parameters) {
				if !f.Lack() && f.ID != "nothing-stands-out" {
					t.Errorf("%s: %s", f.ID, f.Title)
				}
			}
		})
	}
}
