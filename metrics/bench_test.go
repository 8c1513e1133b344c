package metrics_test

import (
	"math/rand/v2"
	"runtime"
	"testing"
	"time"

	"loadgen"
	"loadgen/metrics"
)

// hundred is a record of a hundred chunks, each of which came alone.
func hundred() *loadgen.Record {
	r := with(streamed(0, evenly(time.Second, 100)...), 100)
	r.Usage.PromptTokens, r.OutputTokens, r.ReasoningTokens = 104, 100, 0
	r.Request.InputTokens, r.Request.MaxTokens = 100, 100
	r.Head, r.Conn.Wrote = 2*ms, ms
	return r
}

// merged is the same, come in two reads.
func merged() *loadgen.Record {
	r := hundred()
	for i := range r.Chunks {
		r.Chunks[i] = loadgen.Chunk{At: r.Chunks[i/50].At, Merged: i%50 > 0}
	}
	r.Took = r.Chunks[99].At
	return r
}

// whole is the same, not streamed.
func whole() *loadgen.Record {
	r := hundred()
	r.Streamed, r.Chunks = false, r.Chunks[99:]
	return r
}

// many returns records that differ in all their times, as those of a run do.
func many(one func() *loadgen.Record) []*loadgen.Record {
	rng := rand.New(rand.NewPCG(1, 2))
	records := make([]*loadgen.Record, 1000)
	for i := range records {
		r := one()
		late := time.Duration(rng.IntN(5_000_000))
		r.Head += late
		for j := range r.Chunks {
			if !r.Chunks[j].Merged {
				late += time.Duration(rng.IntN(100_000))
			}
			r.Chunks[j].At += late
		}
		r.Took += late
		r.Conn.Wrote = time.Duration(rng.IntN(50_000))
		r.Timing, r.ReaderDelay = loadgen.Kernel, time.Duration(rng.IntN(50_000))
		records[i] = r
	}
	return records
}

// send makes a record that of a run's i-th request, of 50,000 a second.
func send(r *loadgen.Record, i int) {
	r.Due = time.Duration(i) * 20 * time.Microsecond
	r.Sent = r.Due + time.Duration(i*7919%100_000)
	r.Ended = r.Sent + r.Took
}

func BenchmarkAdd(b *testing.B) {
	for _, row := range []struct {
		name string
		one  func() *loadgen.Record
	}{{"whole", whole}, {"merged", merged}, {"paced", hundred}} {
		b.Run(row.name, func(b *testing.B) {
			c, err := metrics.NewCollector(metrics.Facts{SLOs: map[string]float64{"time_to_first_token": 100}})
			if err != nil {
				b.Fatal(err)
			}
			records := many(row.one)
			i := 0
			for ; i <= metrics.ExactLimit; i++ { // past what takes memory
				r := records[i%len(records)]
				send(r, i)
				c.Add(r)
			}
			b.ReportAllocs()
			for ; b.Loop(); i++ {
				r := records[i%len(records)]
				send(r, i)
				c.Add(r)
			}
		})
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
		records := many(hundred)
		peak := uint64(0)
		var stats runtime.MemStats
		for i := range 1_000_000 {
			r := records[i%len(records)]
			send(r, i)
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
