package metrics_test

import (
	"math"
	"testing"

	"loadgen/metrics"
)

// TestUnevenArrivalsWidenAnInterval: 400 Poisson arrivals near the limit are known to
// 1/20, times 1.6 for how they come in bursts: 8 %, and the interval reaches 1.96 times
// as far, to exp(0.157) = 1.17 at least.
func TestUnevenArrivalsWidenAnInterval(t *testing.T) {
	l, err := metrics.ParseLimit("ttft.p95", 100)
	if err != nil {
		t.Fatal(err)
	}
	probe := func(load, y float64) metrics.Probe {
		return metrics.Probe{Load: load, Margins: []metrics.Margin{{Limit: l, N: 100, Y: y, S: 0.021}}}
	}
	probes := []metrics.Probe{probe(1, -0.2), probe(1.05, -0.1), probe(1.15, 0.1), probe(1.21, 0.2)}
	fit := func(arrivals float64) metrics.Fit {
		return metrics.FitCapacity(probes, []metrics.Limit{l}, metrics.Fitted{Open: true, Precision: 0.01, Confidence: 0.95, Arrivals: arrivals})
	}
	even, uneven := fit(0), fit(1)
	if even.Capacity != uneven.Capacity {
		t.Errorf("%v and %v", even.Capacity, uneven.Capacity)
	}
	if up, was := float64(uneven.Upper/uneven.Capacity), float64(even.Upper/even.Capacity); up < 1.17 || up > 1.17*was {
		t.Errorf("reaches to %g, without to %g", up, was)
	}
	if se := math.Sqrt(even.SE*even.SE + 0.08*0.08); math.Abs(uneven.SE-se) > 1e-9 {
		t.Errorf("standard error %g, want %g", uneven.SE, se)
	}
}
