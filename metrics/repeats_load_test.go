package metrics_test

import (
	"testing"

	"loadgen/metrics"
)

func TestRepeatsShowTheRatesUnderLoad(t *testing.T) {
	run := func(whole, loaded float64) *metrics.Summary {
		latency := 7.0
		return &metrics.Summary{
			Metrics: []metrics.Metric{
				{Tag: "request_throughput", Unit: "requests/sec", Value: &whole},
				{Tag: "max_latency", Unit: "ms", Value: &latency},
			},
			Loaded: &metrics.Window{From: 1, To: 2, RequestThroughput: loaded},
		}
	}
	runs := []*metrics.Summary{run(10, 40), run(14, 60)}
	whole := metrics.Repeats(runs, 0.95)
	loaded := metrics.RepeatsUnderLoad(whole, runs, 0.95)
	if whole[0].Mean != 12 || loaded[0].Mean != 50 || loaded[0].Min != 40 || loaded[0].Max != 60 || loaded[1].Mean != 7 {
		t.Errorf("whole %v, under load %v", whole, loaded)
	}
	runs[1].Loaded = nil
	if mixed := metrics.RepeatsUnderLoad(whole, runs, 0.95); mixed[0].Mean != 12 {
		t.Errorf("rates of two kinds are folded: %v", mixed[0])
	}
}
