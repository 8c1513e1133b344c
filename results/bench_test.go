package results_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"loadgen"
	"loadgen/metrics"
	"loadgen/results"
)

// paced is a record of so many chunks that each came alone.
func paced(chunks int) *loadgen.Record {
	r := handmade()[1]
	r.Chunks = r.Chunks[:0]
	for i := range chunks {
		r.Chunks = append(r.Chunks, loadgen.Chunk{At: 20*ms + time.Duration(i)*10_123_457})
	}
	r.Reads = chunks
	r.Took = r.Chunks[chunks-1].At
	r.Ended = r.Sent + r.Took
	return r
}

// merged is a record of a hundred chunks that came in so many reads.
func merged(reads int) *loadgen.Record {
	r := paced(100)
	for i := range r.Chunks {
		read := i * reads / len(r.Chunks)
		r.Chunks[i] = loadgen.Chunk{At: 20*ms + time.Duration(read)*123_457, Merged: i > 0 && read == (i-1)*reads/len(r.Chunks)}
	}
	r.Reads, r.MergedReads = reads, reads
	r.Took = r.Chunks[99].At
	r.Ended = r.Sent + r.Took
	return r
}

// whole is a record of a reply that was one JSON object.
func whole() *loadgen.Record {
	r := paced(1)
	r.Streamed = false
	return r
}

// A kind is a record as runs of a high rate have them.
type kind struct {
	name string
	make func() *loadgen.Record
}

func kinds() []kind {
	return []kind{
		{"whole", whole},
		{"100chunks_1read", func() *loadgen.Record { return merged(1) }},
		{"100chunks_2reads", func() *loadgen.Record { return merged(2) }},
		{"128chunks_paced", func() *loadgen.Record { return paced(128) }},
	}
}

// many returns records of a kind that differ as those of one run do: in
// their IDs and in all their times.
func many(k kind) []*loadgen.Record {
	rng := rand.New(rand.NewPCG(5, 6))
	records := make([]*loadgen.Record, 1000)
	for i := range records {
		r := k.make()
		r.Request.ID = fmt.Sprintf("%08x-%04x-4%03x-8%03x-%012x", rng.Uint32(), rng.Uint32()>>16, rng.Uint32()>>20, rng.Uint32()>>20, rng.Uint64()>>16)
		r.Request.Correlation = fmt.Sprintf("%08x-%04x-4%03x-8%03x-%012x", rng.Uint32(), rng.Uint32()>>16, rng.Uint32()>>20, rng.Uint32()>>20, rng.Uint64()>>16)
		r.Request.Session = fmt.Sprintf("session_%06d", i)
		r.Request.MaxTokens = 100
		r.Index, r.Worker = i, rng.IntN(64)
		r.Text = fmt.Appendf(r.Text, "%400d", i%7)
		r.Model, r.Conn.Local = "mock-model", "127.0.0.1:40000"
		r.Usage = loadgen.Usage{PromptTokens: 104, CompletionTokens: 100, ReasoningTokens: -1, CachedTokens: -1}
		r.Conn.Wrote = time.Duration(20_000 + rng.IntN(10_000))
		r.ReaderDelay = time.Duration(rng.IntN(40_000))
		shift := time.Duration(rng.IntN(5_000_000))
		r.Head += shift
		for j := range r.Chunks {
			if !r.Chunks[j].Merged {
				shift += time.Duration(rng.IntN(1_000))
			}
			r.Chunks[j].At += shift
		}
		r.Took = r.Chunks[len(r.Chunks)-1].At
		at(r, time.Duration(i)*10*time.Microsecond, time.Duration(rng.IntN(90_000)))
		records[i] = r
	}
	return records
}

// at moves a record to a time of the run.
func at(r *loadgen.Record, due, lag time.Duration) {
	r.Due, r.Sent = due, due+lag
	r.Ended = r.Sent + r.Took + 20*time.Microsecond
}

func BenchmarkLine(b *testing.B) {
	for _, k := range kinds() {
		b.Run(k.name, func(b *testing.B) {
			records := many(k)
			var w results.LineWriter
			var m metrics.Measurement
			var buf []byte
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				r := records[i%len(records)]
				metrics.Measure(r, &m)
				buf = results.Append(&w, buf[:0], r, &m)
			}
			b.SetBytes(int64(len(buf)))
		})
	}
}

// letters counts every letter for a token.
type letters struct{}

func (letters) CountBytes(text []byte) int { return len(text) }

// BenchmarkFinished is all that becomes of a finished record but for the
// writing of its line: the tokens of its answer are counted, its metrics are
// folded and the line is made.
func BenchmarkFinished(b *testing.B) {
	for _, k := range kinds() {
		b.Run(k.name, func(b *testing.B) {
			tokens := metrics.NewTokenCount(letters{})
			c, err := metrics.NewCollector(metrics.Facts{})
			if err != nil {
				b.Fatal(err)
			}
			records := many(k)
			var w results.LineWriter
			var buf []byte
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				r := records[i%len(records)]
				at(r, time.Duration(i)*10*time.Microsecond, r.Lag())
				tokens.Fill(r)
				buf = results.Append(&w, buf[:0], r, c.Add(r))
			}
		})
	}
}

func BenchmarkRecord(b *testing.B) {
	for _, k := range kinds() {
		b.Run(k.name, func(b *testing.B) {
			batch, err := results.CreateBatch(b.TempDir(), "bench", time.Unix(0, epoch))
			if err != nil {
				b.Fatal(err)
			}
			run, err := batch.Begin(results.Metadata{})
			if err != nil {
				b.Fatal(err)
			}
			defer run.Close()
			records := many(k)
			var m metrics.Measurement
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				r := records[i%len(records)]
				at(r, time.Duration(i)*10*time.Microsecond, r.Lag())
				metrics.Measure(r, &m)
				if err := run.Record(r, &m); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
