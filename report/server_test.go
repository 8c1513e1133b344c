package report_test

import (
	"strings"
	"testing"

	"loadgen"
	"loadgen/metrics"
	"loadgen/report"
)

func TestWhatTheServerSaysIsShown(t *testing.T) {
	cost, rate, joule := 2.5, 800.0, 1.25
	s := &metrics.Summary{
		GPUs: 2, RoundTrip: 1.5,
		Metrics: []metrics.Metric{
			{Tag: "time_to_first_token", Stats: &metrics.Stats{P50: 50, Count: 9}}, {Tag: "output_token_throughput", Value: &rate}, {Tag: metrics.CostPerOutput, Value: &cost}, {Tag: "nvidia_output_tokens_per_joule", Value: &joule},
		},
		Server: &metrics.Server{
			Server: &loadgen.Server{
				Engines: []string{"vllm\x1b[2J"},
				Loaded:  &loadgen.ServerWindow{Levels: map[string]loadgen.ServerLevel{"running": {Avg: 15.44}, "waiting": {Avg: 0.5}, "kv_usage": {Avg: 0.42}}},
				Measured: &loadgen.ServerWindow{
					Counts: map[string]float64{"preemptions": 3},
				},
				GPUs: []loadgen.GPU{
					{Index: "0", Levels: map[string]loadgen.ServerLevel{"power": {Avg: 300}, "temperature": {Max: 80}}, Throttled: -1},
					{Index: "1", Levels: map[string]loadgen.ServerLevel{"power": {Avg: 400}, "temperature": {Max: 91}}, Throttled: 0.4, Reasons: []string{"hardware thermal slowdown"}},
				},
			},
			TTFT:   &metrics.Split{Client: 55, Server: 50.5, Outside: 4.5, Queue: 10.2, Prefill: 40},
			Prefix: &metrics.PrefixUse{HitRate: 0.25, Bound: 0.8},
		},
	}
	text := (&report.Run{Summary: s}).Text(report.Options{})
	for _, want := range []string{
		" the server (vllm\ufffd[2J) under load: 15.4 running, 0.5 waiting, KV cache 42 % full, 25 % of the prompt tokens from the prefix cache (at most 80 %), 3 preemptions\n",
		" the network's round trip takes 1.50 ms by the kernel's account, of a median TTFT of 50.0 ms\n",
		" of a mean TTFT of 55.0 ms the server saw 50.5: 10.2 in its queue, 40.0 of prefill\n",
		" 2 GPUs, 350 W, up to 91 °C, clocks of GPU 1 held back in 40 % of the samples (hardware thermal slowdown), 1.250 output tokens/J\n",
		" a million tokens of answers cost 2.50, at 3.60 a GPU and hour\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
}
