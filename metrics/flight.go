package metrics

import (
	"time"

	"loadgen"
)

// fly counts the request where it was sent and where it ended, and spreads it
// over the time between.
func (t *tally) fly(r *loadgen.Record, m *Measurement, good bool) {
	t.series.fly(r, good)
	begun, flown := t.series.at(r.Sent), r.Ended-r.Sent
	begun.sent++
	begun.flight += flown
	begun.squares += flown.Seconds() * flown.Seconds()
	if r.OK() {
		begun.latency += r.Took
		begun.answered++
	}
	end := t.series.at(max(r.Ended, r.Sent))
	end.ended++
	end.residence += flown
	if r.OK() {
		end.ok++
		if good {
			end.good++
		}
		feed(&t.series, r, m)
	} else if r.Cancelled() {
		end.cancelled++
	}
}

// feed spreads the prompt over the time in which the server read it.
func feed(s *series, r *loadgen.Record, m *Measurement) {
	if isl, ok := m.Value(ISL); ok {
		s.feed(r.Sent, r.Sent+firstOutput(r), isl)
	}
}

// cross takes in a request of the warm-up that was in flight when the
// measurement began: it is load from then on, and what came of it then was
// made then, but its times are no result.
func (t *tally) cross(r *loadgen.Record, m *Measurement) {
	if r.Ended <= 0 {
		return
	}
	t.users.set(r.Worker)
	t.handed.fly(r, false)
	t.crossing.add(newSample(r, m))
	if !r.OK() {
		return
	}
	feed(&t.handed, r, m)
	if osl, ok := m.Value(OSL); ok && len(r.Chunks) > 0 {
		t.handed.spread(r, osl/float64(len(r.Chunks)))
	}
}

// align gives both series slices of one width.
func (t *tally) align() {
	for t.handed.width < t.series.width {
		t.handed.coarsen()
	}
	for t.series.width < t.handed.width {
		t.series.coarsen()
	}
}

// level returns the mean number of requests in flight in every slice of time.
func (t *tally) level() []float64 {
	level := t.series.inFlight()
	for i, more := range t.handed.inFlight()[:min(len(level), len(t.handed.bins))] {
		level[i] += more
	}
	return level
}

// write parts the time to the first output by when the request was written.
func (t *tally) write(r *loadgen.Record) {
	first := firstOutput(r)
	wrote := min(r.Conn.Wrote, first)
	t.unwritten.add(millis(wrote))
	t.fromWritten.add(millis(first - wrote))
}

// withFirst counts the chunks that came out of the same read as the first one,
// which has the time of the last of them.
func withFirst(chunks []loadgen.Chunk) int32 {
	n := int32(0)
	for i := 1; i < len(chunks) && chunks[i].Merged; i++ {
		n++
	}
	return n
}

// firstOutput is the time to the first output, the latency of a reply that was
// not streamed.
func firstOutput(r *loadgen.Record) time.Duration {
	if r.Streamed && len(r.Chunks) > 0 {
		return r.Chunks[0].At
	}
	return r.Took
}
