package metrics_test

import (
	"testing"
	"time"

	"loadgen"
	"loadgen/metrics"
)

const ms = time.Millisecond

// streamed returns a successful streamed record of a request sent when it was
// due, whose chunks arrived so long after it was sent.
func streamed(sent time.Duration, at ...time.Duration) *loadgen.Record {
	r := blank(sent)
	r.Streamed, r.Status, r.Reads, r.FinishReason = true, 200, len(at), "stop"
	for _, t := range at {
		r.Chunks = append(r.Chunks, loadgen.Chunk{At: t})
	}
	r.Took = at[len(at)-1]
	r.Ended = sent + r.Took
	return r
}

func blank(sent time.Duration) *loadgen.Record {
	r := &loadgen.Record{}
	r.Reset()
	r.Request = &loadgen.Request{}
	r.Due, r.Sent = sent, sent
	r.Start = time.Unix(1_700_000_000, int64(sent))
	return r
}

func failed(sent, took time.Duration, kind loadgen.FailureKind) *loadgen.Record {
	r := blank(sent)
	r.Took, r.Ended = took, sent+took
	r.Failure = &loadgen.Failure{Kind: kind, Message: "why"}
	return r
}

// with sets an output length by the server's count.
func with(r *loadgen.Record, osl int) *loadgen.Record {
	r.Usage.CompletionTokens = osl
	return r
}

func collect(t *testing.T, facts metrics.Facts, records ...*loadgen.Record) metrics.Summary {
	t.Helper()
	return judged(t, facts, loadgen.Outcome{}, healthy(), loadgen.Transport{}, records...)
}

func judged(t *testing.T, facts metrics.Facts, o loadgen.Outcome, h loadgen.Health, tr loadgen.Transport, records ...*loadgen.Record) metrics.Summary {
	t.Helper()
	c, err := metrics.NewCollector(facts)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range records {
		c.Add(r)
	}
	if o.Issued == 0 {
		o.Issued = len(records)
	}
	return c.Summary(o, h, tr)
}

// healthy is a generator with little to do, on a machine of two CPUs.
func healthy() loadgen.Health {
	return loadgen.Health{
		GOMAXPROCS: 4, CPUs: 2, Wall: 10 * time.Second, ProcessCPU: time.Second, MachineBusy: 0.2,
		SchedLatency: loadgen.Quantiles{P50: 10e-6, P99: 200e-6, Max: 2e-3},
		GCPause:      loadgen.Quantiles{P50: 50e-6, P99: 100e-6, Max: 100e-6},
	}
}

// value returns a scalar, or the mean of a distribution.
func value(t *testing.T, s metrics.Summary, tag string) float64 {
	t.Helper()
	m := s.Metric(tag)
	if m == nil {
		t.Fatalf("no %s", tag)
	}
	if m.Value != nil {
		return *m.Value
	}
	return m.Stats.Avg
}
