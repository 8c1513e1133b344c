package metrics_test

import (
	"math"
	"testing"

	"loadgen"
	"loadgen/metrics"
)

// TestEnergyAndCost has 500 requests of 10 users with 100 tokens each, 200 ms long,
// for which two GPUs used 5,000 J in 10 s, and which cost 3.6 an hour.
func TestEnergyAndCost(t *testing.T) {
	server := &loadgen.Server{GPUs: []loadgen.GPU{
		{Vendor: "nvidia", Joules: 3000, Seconds: 10, Levels: map[string]loadgen.ServerLevel{"power": {Avg: 310}}},
		{Vendor: "nvidia", Joules: 2000, Seconds: 10, Levels: map[string]loadgen.ServerLevel{"power": {Avg: 205}}},
	}}
	facts := metrics.Facts{Load: loadgen.Load{Users: 10}, GPUs: 2, GPUHourCost: 3.6}
	s := judged(t, facts, loadgen.Outcome{Server: server}, healthy(), loadgen.Transport{}, steadyRun(func(_ int, r *loadgen.Record) {
		r.Usage.CompletionTokens, r.Request.InputTokens = 100, 300
	})...)
	rate, requests := value(t, s, "output_token_throughput"), value(t, s, "request_throughput")
	for tag, want := range map[string]float64{
		"nvidia_total_gpu_power": 515, "nvidia_average_gpu_power": 500, "nvidia_total_gpu_energy": 5000,
		"nvidia_output_tokens_per_joule": 10, "nvidia_energy_per_output_token": 100, "nvidia_energy_per_total_token": 25,
		"nvidia_energy_per_request": 10, "nvidia_energy_per_user": 500, "nvidia_energy_delay_product": 2,
		"nvidia_performance_per_watt": requests / 500, "nvidia_output_tps_per_watt": rate / 500,
		"output_token_throughput_per_gpu": rate / 2,
		// 7.2 an hour are 0.002 a second.
		metrics.CostPerOutput: 0.002 / rate * 1e6, metrics.CostPerToken: 0.002 / (4 * rate) * 1e6,
	} {
		if got := value(t, s, tag); math.Abs(got-want) > 1e-9*want {
			t.Errorf("%s is %g, want %g", tag, got, want)
		}
	}
	if s.Metric("amd_total_gpu_energy") != nil || s.Metric("nvidia_goodput_per_watt") != nil {
		t.Error("there are figures of what is not there")
	}
}
