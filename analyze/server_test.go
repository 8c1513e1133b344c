package analyze_test

import (
	"testing"

	"loadgen"
	"loadgen/analyze"
	"loadgen/metrics"
)

// TestAQueueIsSureWhereBothSidesTellIt has an endpoint with 4 places, and a server
// that has 4 running and 12 waiting of 16 requests, as llama.cpp's tells it: without
// times.
func TestAQueueIsSureWhereBothSidesTellIt(t *testing.T) {
	e := endpoint{slots: 4, decode: 0.01, output: 20, prompt: unique(100), cached: -1}
	for _, row := range []struct {
		name   string
		loads  []int
		beside *loadgen.Beside
		want   analyze.Confidence
	}{
		{"a single load, of which nobody knows who waits", []int{16}, nil, analyze.Medium},
		{"as many in the server as in flight", []int{16}, &loadgen.Beside{N: 10, Client: 16, Server: 15.6}, analyze.High},
		{"fewer in the server than in flight", []int{16}, &loadgen.Beside{N: 10, Client: 30, Server: 16}, analyze.Medium},
		{"too few looks", []int{16}, &loadgen.Beside{N: 3, Client: 16, Server: 16}, analyze.Medium},
		{"loads that show it from here", []int{1, 4, 16}, nil, analyze.High},
	} {
		cells := e.sweep(row.loads...)
		level := func(v float64) loadgen.ServerLevel { return loadgen.ServerLevel{Avg: v, Min: v, Max: v, N: 10} }
		w := &loadgen.ServerWindow{Levels: map[string]loadgen.ServerLevel{"running": level(4), "waiting": level(12)}}
		cells[len(cells)-1].Server = &metrics.Server{Server: &loadgen.Server{Loaded: w, Measured: w, Beside: row.beside}}
		found := analyze.Findings(cells, analyze.Defaults())
		if found[0].ID != "queue" || found[0].Confidence != row.want {
			t.Errorf("%s: %s, %s confidence; want a queue, %s", row.name, found[0].ID, found[0].Confidence, row.want)
		}
	}
}
