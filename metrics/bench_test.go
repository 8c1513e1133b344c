package metrics_test

import (
	"runtime"
	"testing"
	"time"

	"loadgen"
	"loadgen/metrics"
)

func hundred() *loadgen.Record {
	r := with(streamed(0, evenly(time.Second, 100)...), 100)
	r.Usage.PromptTokens, r.OutputTokens, r.ReasoningTokens = 104, 100, 0
	r.Request.InputTokens, r.Request.MaxTokens = 100, 100
	r.Head, r.Conn.Wrote = 2*ms, ms
	return r
}

func BenchmarkAdd(b *testing.B) {
	c, err := metrics.NewCollector(metrics.Facts{SLOs: map[string]float64{"time_to_first_token": 100}})
	if err != nil {
		b.Fatal(err)
	}
	r := hundred()
	for range metrics.ExactLimit + 1 { // past the growing of slices
		c.Add(r)
	}
	b.ReportAllocs()
	for b.Loop() {
		r.Due += 20 * time.Microsecond
		r.Sent, r.Ended = r.Due, r.Due+r.Took
		c.Add(r)
	}
}

func BenchmarkMeasure(b *testing.B) {
	r := hundred()
	var m metrics.Measurement
	b.ReportAllocs()
	for b.Loop() {
		metrics.Measure(r, &m)
	}
}

// BenchmarkMillion reports the memory that a million requests leave behind and
// the most that the process had.
func BenchmarkMillion(b *testing.B) {
	for b.Loop() {
		c, err := metrics.NewCollector(metrics.Facts{})
		if err != nil {
			b.Fatal(err)
		}
		r := hundred()
		peak := uint64(0)
		var stats runtime.MemStats
		for i := range 1_000_000 {
			r.Due = time.Duration(i) * 20 * time.Microsecond
			r.Sent, r.Ended = r.Due, r.Due+r.Took
			c.Add(r)
			if i%50_000 == 0 {
				runtime.ReadMemStats(&stats)
				peak = max(peak, stats.Sys)
			}
		}
		c.Summary(loadgen.Outcome{}, loadgen.Health{}, loadgen.Transport{})
		runtime.ReadMemStats(&stats)
		b.ReportMetric(float64(max(peak, stats.Sys))/(1<<20), "MiB-peak")
		runtime.GC()
		runtime.ReadMemStats(&stats)
		b.ReportMetric(float64(stats.HeapInuse)/(1<<20), "MiB-held")
		runtime.KeepAlive(c)
	}
}
