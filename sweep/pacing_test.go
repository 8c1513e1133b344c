package sweep_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"loadgen"
	"loadgen/sweep"
)

func TestPacing(t *testing.T) {
	const base = `batch_name: b
output_base_dir: out
base_config:
  model: m
  url: http://localhost:8000
  warmup_request_count: 1
  benchmark_duration: 60
`
	tests := []struct {
		name, keys string
		want       sweep.Pacing
		says       string
	}{
		{
			name: "no rate is a closed loop",
			keys: "  concurrency: 4\n  concurrency_ramp_duration: 10\n",
			want: sweep.Pacing{Mode: loadgen.ClosedLoop, Concurrency: 4, ConcurrencyRamp: 10 * time.Second},
			says: "closed loop of 4 users",
		},
		{
			name: "a rate has constant gaps and no ceiling by default",
			keys: "  request_rate: 2.5\n",
			want: sweep.Pacing{Mode: loadgen.OpenLoop, Rate: 2.5},
			says: "2.5 requests/s at constant gaps",
		},
		{
			name: "concurrency is the ceiling of a rate",
			keys: "  request_rate: 0.25\n  request_rate_mode: poisson\n  concurrency: 4\n",
			want: sweep.Pacing{Mode: loadgen.OpenLoop, Rate: 0.25, Smoothness: 1, Concurrency: 4},
			says: "0.25 requests/s at Poisson arrivals, at most 4 in flight",
		},
		{
			name: "gamma gaps take their shape from the smoothness",
			keys: "  request_rate: 5\n  request_rate_mode: gamma\n  request_rate_smoothness: 3\n  request_rate_ramp_duration: 4\n",
			want: sweep.Pacing{Mode: loadgen.OpenLoop, Rate: 5, Smoothness: 3, RateRamp: 4 * time.Second},
			says: "5 requests/s at gamma gaps of shape 3",
		},
		{
			name: "auto asks the warm-up for the rate and has no ceiling",
			keys: "  request_rate: auto\n  request_rate_mode: poisson\n  concurrency: 8\n",
			want: sweep.Pacing{Mode: loadgen.OpenLoop, Auto: true, WarmupConcurrency: 8, Smoothness: 1},
			says: "as many requests/s as 8 users made in the warm-up at Poisson arrivals",
		},
		{
			name: "a swept request_rate_mode without a rate means auto",
			keys: "  concurrency: 8\nsweeps: {request_rate_mode: [constant]}\n",
			want: sweep.Pacing{Mode: loadgen.OpenLoop, Auto: true, WarmupConcurrency: 8},
			says: "as many requests/s as 8 users made in the warm-up at constant gaps",
		},
		{
			name: "a rate stays as written when its mode is swept",
			keys: "  concurrency: 8\n  request_rate: 3\nsweeps: {request_rate_mode: [poisson]}\n",
			want: sweep.Pacing{Mode: loadgen.OpenLoop, Rate: 3, Concurrency: 8, Smoothness: 1},
			says: "3 requests/s at Poisson arrivals, at most 8 in flight",
		},
		{
			name: "users with a pace of their own",
			keys: "  num_users: 10\n  user_request_rate: 0.5\n",
			want: sweep.Pacing{Mode: loadgen.UserPaced, Users: 10, UserGap: 2 * time.Second},
			says: "10 users, each sending every 2s",
		},
		{
			name: "users with a pace keep it when request_rate_mode is swept",
			keys: "  num_users: 10\n  user_request_rate: 4\nsweeps: {request_rate_mode: [poisson]}\n",
			want: sweep.Pacing{Mode: loadgen.UserPaced, Users: 10, UserGap: 250 * time.Millisecond},
			says: "10 users, each sending every 250ms",
		},
		{
			name: "the times of a trace",
			keys: "  fixed_schedule: true\n  input_file: trace.jsonl\n  custom_dataset_type: mooncake_trace\n  concurrency: 100\n",
			want: sweep.Pacing{Mode: loadgen.FixedSchedule, Concurrency: 100},
			says: "at the times of the trace, at most 100 in flight",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			cell := parse(t, base+tt.keys).Cells()[0]
			if diff := cmp.Diff(tt.want, cell.Pacing); diff != "" {
				t.Errorf("pacing (-want +got):\n%s", diff)
			}
			if got := cell.Pacing.String(); got != tt.says {
				t.Errorf("it is called %q, want %q", got, tt.says)
			}
		})
	}
}

func TestRunsMayEndByNumber(t *testing.T) {
	batch := parse(t, "batch_name: b\noutput_base_dir: o\nbase_config: {model: m, url: 'mock://', warmup_request_count: 0, request_count: 5, concurrency: 5}\n")
	if c := batch.Cells()[0].Config; c.RequestCount != 5 || c.BenchmarkDuration != 0 {
		t.Errorf("got %d requests in %v", c.RequestCount, c.BenchmarkDuration)
	}
}

func TestEndpoints(t *testing.T) {
	tests := []struct{ name, keys, target, health string }{
		{"chat by default", "", "http://localhost:8000/v1/chat/completions", "http://localhost:8000/v1/models"},
		{"completions have a path of their own", "  endpoint_type: completions\n", "http://localhost:8000/v1/completions", "http://localhost:8000/v1/models"},
		{"what is written wins", "  endpoint: /x?version=2\n  health_check_endpoint: /up\n", "http://localhost:8000/x?version=2", "http://localhost:8000/up"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := parse(t, minimal+tt.keys).Cells()[0].Config
			if target, health := c.URL+c.Endpoint, c.URL+c.HealthCheckEndpoint; target != tt.target || health != tt.health {
				t.Errorf("requests go to %s and the check to %s, want %s and %s", target, health, tt.target, tt.health)
			}
		})
	}
}
