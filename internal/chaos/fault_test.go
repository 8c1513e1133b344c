//go:build unix

package chaos_test

import (
	"time"

	"loadgen/mockllm"
)

// A mode is a way to load an endpoint.
type mode struct{ name, settings string }

// lasts is about how long a run goes on.
const lasts = 1500 * time.Millisecond

// modes are runs of about two seconds.
var modes = []mode{
	{"closed", `  warmup_request_count: 2
  benchmark_duration: 1.5
  concurrency: 4
`},
	{"open", `  warmup_request_count: 2
  benchmark_duration: 1.5
  request_rate: 30
  request_rate_mode: poisson
`},
	{"replay", `  warmup_request_count: 0
  fixed_schedule: true
  input_file: trace.jsonl
  custom_dataset_type: mooncake_trace
`},
	{"conversation", `  warmup_request_count: 2
  benchmark_duration: 1.5
  concurrency: 4
  session_turns_mean: 3
`},
	{"closed, net/http", `  warmup_request_count: 2
  benchmark_duration: 1.5
  concurrency: 4
  transport: std
`},
}

// faults are what a server of HTTP may do wrong, each alone; to all of its
// requests or to every third.
var faults = []mockllm.Fault{
	{Kind: "status", Status: 500},
	{Kind: "status", Status: 503, Every: 3},
	{Kind: "status", Status: 429, RetryAfter: time.Second, Every: 3},
	{Kind: "status", Status: 404},
	{Kind: "status", Status: 502, HTML: true, Every: 3},
	{Kind: "refuse"},
	{Kind: "refuse", Every: 2},
	{Kind: "hangup"},
	{Kind: "hangup", Every: 3},
	{Kind: "reset"},
	{Kind: "reset", Every: 3},
	{Kind: "slow_head", For: 300 * time.Millisecond, Every: 3},
	{Kind: "slow_head", For: time.Hour},
	{Kind: "garbage"},
	{Kind: "garbage", Every: 3},
	{Kind: "cut", After: 2},
	{Kind: "cut", After: 2, Every: 3},
	{Kind: "torn", After: 1, Every: 3},
	{Kind: "no_done", Every: 3},
	{Kind: "error_event", After: 2},
	{Kind: "error_event", After: 2, Every: 3},
	{Kind: "stall", After: 2},
	{Kind: "stall", After: 2, For: 200 * time.Millisecond, Every: 3},
	{Kind: "crlf"},
	{Kind: "comments"},
	{Kind: "multiline"},
	{Kind: "bom"},
	{Kind: "unicode"},
	{Kind: "pad", Every: 3},
	{Kind: "group"},
	{Kind: "burst"},
	{Kind: "shred"},
	{Kind: "delimited"},
	{Kind: "informational"},
	{Kind: "closes"},
}

// harmless are the faults that a client must not even notice as a failure. That
// of closes is none of them: whether a request meets a connection that is just
// being closed, and sees it in time, is up to the machine.
var harmless = []string{"crlf", "comments", "multiline", "bom", "unicode", "pad", "group", "burst", "shred", "delimited", "informational"}

const trace = `{"timestamp": 0, "input_length": 20, "output_length": 5}
{"timestamp": 200, "input_length": 20, "output_length": 5}
{"timestamp": 400, "input_length": 20, "output_length": 5}
{"timestamp": 401, "input_length": 20, "output_length": 5}
{"timestamp": 402, "input_length": 20, "output_length": 5}
{"timestamp": 900, "input_length": 20, "output_length": 5}
{"timestamp": 1200, "input_length": 20, "output_length": 5}
{"timestamp": 1500, "input_length": 20, "output_length": 5}
`
