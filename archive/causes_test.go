package archive

import (
	"math"
	"strings"
	"testing"

	"loadgen/analyze"
)

// The whole stack against the simulated endpoint, each with one cause of delay.
func TestTheFirstFindingNamesTheCause(t *testing.T) {
	const base = `batch_name: causes
output_base_dir: unused
base_config:
  model: m
  url: mock://
  streaming: true
  warmup_request_count: 0
`
	for _, tt := range []struct {
		name, parameters string
		want             string
		check            func(t *testing.T, f analyze.Finding)
	}{
		{
			name: "four run at once and up to sixteen ask: they queue",
			parameters: `  request_count: 120
  prompt_input_tokens_mean: 40
  prompt_output_tokens_mean: 20
sweeps: {concurrency: [1, 2, 4, 8, 16]}
mock: {max_num_seqs: 4, prefill_base: 2ms, prefill_per_token: 0s, decode_base: 10ms, decode_per_seq: 0s, prefix_cache: false}
`,
			want: "queue",
			check: func(t *testing.T, f analyze.Finding) {
				if !strings.Contains(f.Title, "about 4 are served at once") {
					t.Errorf("the title does not name the four: %s", f.Title)
				}
			},
		},
		{
			name: "a millisecond for each prompt token: slow prefill",
			parameters: `  request_count: 60
  concurrency: 1
  prompt_input_tokens_mean: 300
  prompt_input_tokens_stddev: 150
  prompt_output_tokens_mean: 4
mock: {prefill_base: 1ms, prefill_per_token: 1ms, decode_base: 2ms, decode_per_seq: 0s, prefix_cache: false}
`,
			want: "slow-prefill",
			check: func(t *testing.T, f analyze.Finding) {
				// The endpoint charges by its own tokens, of which it reports the number.
				if got := float64(f.Evidence[0].Value); math.Abs(got-0.001) > 1e-5 {
					t.Errorf("%v s for a token, the endpoint takes 0.001", got)
				}
			},
		},
		{
			name: "a system prompt that nobody caches: the shared prefix",
			parameters: `  request_count: 60
  concurrency: 1
  shared_system_prompt_length: 640
  prompt_input_tokens_mean: 80
  prompt_input_tokens_stddev: 30
  prompt_output_tokens_mean: 4
mock: {prefill_base: 1ms, prefill_per_token: 1ms, decode_base: 2ms, decode_per_seq: 0s, prefix_cache: false}
`,
			want: "shared-prefix",
		},
		{
			name: "a batch that slows down with its size is no queue",
			parameters: `  request_count: 120
  prompt_input_tokens_mean: 40
  prompt_output_tokens_mean: 40
sweeps: {concurrency: [1, 4, 16]}
mock: {max_num_seqs: 128, prefill_base: 2ms, prefill_per_token: 0s, decode_base: 5ms, decode_per_seq: 1ms, prefix_cache: false}
`,
			want: "slow-decode-under-load",
		},
		{
			name: "two levels far apart, four run at once: they queue",
			parameters: `  request_count: 120
  prompt_input_tokens_mean: 40
  prompt_output_tokens_mean: 60
sweeps: {concurrency: [1, 21]}
mock: {max_num_seqs: 4, prefill_base: 2ms, prefill_per_token: 0s, decode_base: 10ms, decode_per_seq: 20us, prefix_cache: false}
`,
			want: "queue",
		},
		{
			name: "more is asked than an endpoint of two places can serve: they queue",
			parameters: `  benchmark_duration: 20
  request_rate: 1
  prompt_input_tokens_mean: 40
  prompt_output_tokens_mean: 20
sweeps: {request_rate: [2, 8, 16]}
mock: {max_num_seqs: 2, prefill_base: 2ms, prefill_per_token: 0s, decode_base: 10ms, decode_per_seq: 0s, prefix_cache: false}
`,
			want: "queue",
		},
		{
			name: "half of the requests fail at once: that comes first, though it costs no time",
			parameters: `  request_count: 120
  prompt_input_tokens_mean: 40
  prompt_output_tokens_mean: 20
sweeps: {concurrency: [1, 2]}
mock: {faults: [{kind: status, every: 2}]}
`,
			want: "failures",
		},
		{
			name: "a ceiling holds requests back: that is told by its name",
			parameters: `  benchmark_duration: 20
  request_rate: 20
  concurrency: 2
  prompt_input_tokens_mean: 40
  prompt_output_tokens_mean: 20
`,
			want: "late-sends",
			check: func(t *testing.T, f analyze.Finding) {
				if !strings.Contains(f.Title, "the ceiling of 2") {
					t.Errorf("the title does not name the ceiling: %s", f.Title)
				}
			},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			found := findingsOf(t, base+tt.parameters)
			if found[0].ID != tt.want {
				t.Fatalf("the first finding is %s (%s), want %s", found[0].ID, found[0].Title, tt.want)
			}
			if tt.check != nil {
				tt.check(t, found[0])
			}
		})
	}
}
