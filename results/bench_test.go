package results_test

import (
	"testing"
	"time"

	"loadgen"
	"loadgen/results"
)

// hundred is a record of a hundred chunks.
func hundred() *loadgen.Record {
	r := handmade()[1]
	r.Chunks = r.Chunks[:0]
	for i := range 100 {
		r.Chunks = append(r.Chunks, loadgen.Chunk{At: 20*ms + time.Duration(i)*10_123_457})
	}
	r.Took = r.Chunks[99].At
	r.Ended = r.Sent + r.Took
	return r
}

func BenchmarkLine(b *testing.B) {
	rec := hundred()
	var w results.LineWriter
	var buf []byte
	b.ReportAllocs()
	for b.Loop() {
		buf = results.Append(&w, buf[:0], rec)
	}
	b.SetBytes(int64(len(buf)))
}

func BenchmarkRecord(b *testing.B) {
	batch, err := results.CreateBatch(b.TempDir(), "bench", time.Unix(0, epoch))
	if err != nil {
		b.Fatal(err)
	}
	run, err := batch.Begin(results.Metadata{})
	if err != nil {
		b.Fatal(err)
	}
	defer run.Close()
	rec := hundred()
	b.ReportAllocs()
	for b.Loop() {
		if err := run.Record(rec); err != nil {
			b.Fatal(err)
		}
	}
}
