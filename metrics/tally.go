package metrics

import (
	"math"
	"math/bits"
	"time"

	"loadgen"
)

// A tally folds the records of one phase.
type tally struct {
	ok, failed, cancelled, good, ramp int
	coalesced, discrepant, missesOSL  int
	unfinished                        int
	errors                            map[failureKey]*Error

	dists  [perRequest]distribution
	gaps   distribution
	lag    distribution
	ownLag distribution // lag without the wait under the ceiling
	wait   distribution // for a free connection slot
	held   int          // requests that the ceiling held back

	// Of the successful requests: from sent until the last byte was written,
	// whatever that took, and from there to the first output.
	unwritten, fromWritten distribution

	pace pace

	// Of the successful requests with the kernel's times:
	readerDelay           distribution // the largest
	firstDelay            distribution
	meanDelay, chunkGap   distribution  // of streams that took several reads: means
	inFlight, inGenerator time.Duration // sums: of their times in flight, and of what of it came after their reply was over

	firstSent, lastSent, lastEnd time.Duration // of all requests
	okFirst, okLast              time.Duration // first sent and last output of the successful
	rampEnd                      time.Duration

	users    marks // who sent in the measurement, or was in flight when it began
	absent   away  // of the users of a closed loop
	silences silences
	cache    cacheUse
	hidden   hidden

	tokens    float64      // of output
	template  int          // tokens that a chat template adds, of the successful requests whose prompts are known with it
	templated int          // so many of them
	samples   list[sample] // of all requests; of none when they are more than ExactLimit
	// crossing are the requests of the warm-up that were in flight at the epoch:
	// no more than there are users, or than the ceiling lets in.
	crossing list[sample]
	series   series
	// handed is what the warm-up handed over, apart so that it makes no
	// difference which of both is read first.
	handed  series
	track   track // of the measurement only
	sources Sources
}

type failureKey struct {
	kind   loadgen.FailureKind
	status int
}

// A sample is what the steady window needs to know of one request. Values that
// it does not have are NaN.
type sample struct {
	span
	latency, ttft, itl, ttftFromDue float64
	fromWritten                     float64 // to the first output
	together                        int32   // further chunks that came with the first
	first                           bool    // its user's first
}

// part returns the stretch of the request that a time-weighted metric counts;
// one without a first token is neither prefill nor decode.
func (s sample) part(tag string) (span, bool) {
	first := max(s.from+time.Duration(math.Round(s.ttft*1e6)), 0)
	from := max(s.from, 0)
	switch tag {
	case "effective_prefill_concurrency":
		return span{from, first}, !math.IsNaN(s.ttft)
	case "effective_decode_concurrency":
		return span{first, s.to}, !math.IsNaN(s.ttft)
	}
	return span{from, s.to}, true
}

// A pace is when sessions were due and when they began, those of a ramp left
// out.
type pace struct {
	sessions                               int
	firstDue, lastDue, firstSent, lastSent time.Duration
}

func (p *pace) add(r *loadgen.Record) {
	if r.Ramp || r.Request != nil && r.Request.Turn > 0 {
		return
	}
	if p.sessions == 0 {
		p.firstDue, p.firstSent = r.Due, r.Sent
	}
	p.sessions++
	p.firstDue, p.lastDue = min(p.firstDue, r.Due), max(p.lastDue, r.Due)
	p.firstSent, p.lastSent = min(p.firstSent, r.Sent), max(p.lastSent, r.Sent)
}

// heldAfter is the wait under the ceiling above which a request counts as held
// back.
const heldAfter = time.Millisecond

func (t *tally) issued() int { return t.ok + t.failed + t.cancelled }

func (t *tally) add(r *loadgen.Record, m *Measurement, good bool) {
	if t.issued() == 0 || r.Sent < t.firstSent {
		t.firstSent = r.Sent
	}
	t.lastSent = max(t.lastSent, r.Sent)
	t.lastEnd = max(t.lastEnd, r.Ended)
	t.lag.add(millis(r.Lag()))
	t.ownLag.add(millis(r.Lag() - r.Held))
	if r.Held > heldAfter {
		t.held++
	}
	t.pace.add(r)
	if r.Conn.Wait > 0 {
		t.wait.add(millis(r.Conn.Wait))
	}
	if r.Ramp {
		t.ramp++
		t.rampEnd = max(t.rampEnd, r.Sent)
	}
	t.fly(r, m, good)
	t.users.set(r.Worker)
	t.silences.add(r)
	for mask := m.mask; mask != 0; mask &= mask - 1 {
		id := ID(bits.TrailingZeros64(mask))
		t.dists[id].add(m.values[id])
	}
	if n := t.issued(); n < ExactLimit {
		t.samples.add(newSample(r, m))
	} else if n == ExactLimit {
		t.samples = list[sample]{}
	}
	switch {
	case r.OK():
		t.addOK(r, m, good)
	case r.Cancelled():
		t.cancelled++
		t.fail(r)
	default:
		t.failed++
		t.fail(r)
	}
}

func (t *tally) addOK(r *loadgen.Record, m *Measurement, good bool) {
	if t.ok == 0 || r.Sent < t.okFirst {
		t.okFirst = r.Sent
	}
	t.ok++
	t.okLast = max(t.okLast, r.Sent+r.Took)
	if good {
		t.good++
	}
	if m.Coalesced {
		t.coalesced++
	}
	if r.FinishReason == "" {
		t.unfinished++
	}
	if m.discrepant() {
		t.discrepant++
	}
	if m.missesOSL(r) {
		t.missesOSL++
	}
	t.write(r)
	t.cache.add(r)
	t.hidden.add(r)
	if q := r.Request; q != nil && q.TemplateTokens > 0 {
		t.template += q.TemplateTokens
		t.templated++
	}
	t.spread(r, m)
	t.source(r, m)
}

// spread adds the gaps between chunks, and the tokens to the times at which
// they arrived.
func (t *tally) spread(r *loadgen.Record, m *Measurement) {
	osl, counted := m.Value(OSL)
	if counted {
		t.tokens += osl
	}
	if counted && len(r.Chunks) > 0 {
		t.series.spread(r, osl/float64(len(r.Chunks)))
	}
	if !m.Gaps {
		return
	}
	for i := 1; i < len(r.Chunks); i++ {
		t.gaps.add(millis(r.Chunks[i].At - r.Chunks[i-1].At))
	}
}

func (t *tally) source(r *loadgen.Record, m *Measurement) {
	s := &t.sources
	if r.Timing == loadgen.Kernel {
		s.KernelTimed++
		t.delays(r)
	} else {
		s.ReaderTimed++
	}
	if !r.Streamed {
		s.NotStreamed++
	} else {
		s.Chunks += len(r.Chunks)
		s.MergedChunks += m.merged
	}
	switch _, counted := m.Value(OSL); {
	case !counted:
		s.OSLNotCounted++
	case m.FromUsage:
		s.OSLUsage++
	default:
		s.OSLTokenizer++
	}
	if _, ok := m.Value(ISL); ok {
		s.ISL = "tokenizer, text without template"
		if _, server := m.inputTokens(r); server {
			s.ISL = "server usage"
		}
	}
}

// delays adds how long bytes that had arrived waited for the generator.
func (t *tally) delays(r *loadgen.Record) {
	t.readerDelay.add(millis(r.ReaderDelay))
	t.firstDelay.add(millis(r.FirstDelay))
	if r.Streamed && r.Reads > 1 && len(r.Chunks) > 1 {
		t.meanDelay.add(millis(r.MeanDelay))
		t.chunkGap.add(millis(r.Took-r.Chunks[0].At) / float64(len(r.Chunks)-1))
	}
	if r.Over > 0 {
		t.inFlight += r.Ended - r.Sent
		t.inGenerator += r.Ended - r.Sent - r.Over
	}
}

func (t *tally) fail(r *loadgen.Record) {
	if t.errors == nil {
		t.errors = map[failureKey]*Error{}
	}
	key := failureKey{r.Failure.Kind, r.Failure.Status}
	e := t.errors[key]
	if e == nil {
		e = &Error{Kind: key.kind, Status: key.status, Message: r.Failure.Message}
		t.errors[key] = e
	}
	e.Count++
}

func newSample(r *loadgen.Record, m *Measurement) sample {
	s := sample{span: span{r.Sent, r.Ended}, first: r.First, fromWritten: math.NaN()}
	if r.OK() {
		first := firstOutput(r)
		s.fromWritten, s.together = millis(first-min(r.Conn.Wrote, first)), withFirst(r.Chunks)
	}
	for _, v := range []struct {
		id ID
		to *float64
	}{{RequestLatency, &s.latency}, {TTFT, &s.ttft}, {ITL, &s.itl}, {TTFTFromDue, &s.ttftFromDue}} {
		if value, ok := m.Value(v.id); ok {
			*v.to = value
		} else {
			*v.to = math.NaN()
		}
	}
	return s
}

func (t *tally) counts(o loadgen.Outcome, judged bool) Counts {
	c := Counts{
		Issued: max(o.Issued, t.issued()), OK: t.ok, Failed: t.failed, Cancelled: t.cancelled,
		Missed: o.Missed, Coalesced: t.coalesced, Ramp: t.ramp, Unfinished: t.unfinished,
	}
	c.Lost = c.Issued - t.issued()
	if judged {
		good := t.good
		c.Good = &good
	}
	return c
}
