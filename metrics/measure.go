package metrics

import (
	"math"
	"time"

	"loadgen"
)

// A Measurement holds one record's metric values in display units. What does
// not apply to the record is absent. The zero value is empty; Measure fills
// it, and it may be used again.
type Measurement struct {
	values [perRequest]float64
	mask   uint64
	// Gaps says that the record's chunks arrived at times worth differing:
	// the inter_chunk_latency list is meaningful.
	Gaps bool
	// Coalesced marks a streamed reply of several tokens that arrived all at
	// once: what lies between its tokens was not observed, so that ITL and
	// the rates made from it are absent.
	Coalesced bool
	// FromUsage says that the output length is the server's count, not the
	// tokenizer's.
	FromUsage bool
	// ServerInput asks for the server's count of a prompt as its length, where
	// there is one; it is said before the record is measured.
	ServerInput bool

	merged int // chunks that came out of the same read as the one before
}

// Value returns the value of a metric and whether the record has it.
func (m *Measurement) Value(id ID) (float64, bool) {
	return m.values[id], m.mask&(1<<id) != 0
}

func (m *Measurement) set(id ID, v float64) {
	m.values[id] = v
	m.mask |= 1 << id
}

// setCount stores a token count; a negative one was not given.
func (m *Measurement) setCount(id ID, n int) {
	if n >= 0 {
		m.set(id, float64(n))
	}
}

func (m *Measurement) setTime(id ID, d time.Duration) { m.set(id, millis(d)) }

func millis(d time.Duration) float64 { return float64(d) / 1e6 }

// Measure computes a record's metrics. A failed record has none but the
// length of its input.
func Measure(r *loadgen.Record, m *Measurement) {
	m.mask, m.Gaps, m.Coalesced, m.FromUsage, m.merged = 0, false, false, false, 0
	isl, _ := m.inputTokens(r)
	if !r.OK() {
		m.setCount(ErrorISL, isl)
		return
	}
	m.setTime(RequestLatency, r.Took)
	m.setTime(CreditToStart, r.Lag())
	m.setTime(EffectiveLatency, r.Lag()+r.Took)
	m.setCount(ISL, isl)
	osl := m.lengths(r)
	if osl > 0 && r.Took > 0 {
		m.set(OutputRateE2E, float64(osl)/r.Took.Seconds())
	}
	if r.Streamed && len(r.Chunks) > 0 {
		m.stream(r, isl, osl)
	}
	m.usage(r)
	m.trace(r)
}

// inputTokens prefers the local count of the prompt's text, which is what
// AIPerf calls ISL, unless the server's is asked for; that includes its chat
// template. It reports whether the count is the server's; -1 is for none.
func (m *Measurement) inputTokens(r *loadgen.Record) (n int, server bool) {
	local, told := -1, -1
	if r.Request != nil && r.Request.InputTokens > 0 {
		local = r.Request.InputTokens
	}
	if r.Usage.PromptTokens > 0 {
		told = r.Usage.PromptTokens
	}
	if told > 0 && (m.ServerInput || local < 0) {
		return told, true
	}
	return local, false
}

// lengths sets the output's token counts and returns the OSL, -1 if unknown.
// A server that claims zero tokens for an answer is not believed where the
// tokenizer knows better.
func (m *Measurement) lengths(r *loadgen.Record) int {
	local := localOutput(r)
	osl := local
	if served := r.Usage.OutputTokens(); served > 0 || (served == 0 && local < 0) {
		osl, m.FromUsage = served, true
	}
	if osl < 0 {
		return -1
	}
	reasoning := max(r.ReasoningTokens, 0)
	if r.Usage.ReasoningTokens >= 0 && m.FromUsage {
		reasoning = r.Usage.ReasoningTokens
	}
	reasoning = min(reasoning, osl)
	m.setCount(OSL, osl)
	m.setCount(OutputTokens, osl-reasoning)
	if reasoning > 0 || r.Usage.ReasoningTokens >= 0 {
		m.setCount(ReasoningTokens, reasoning)
	}
	if asked := askedTokens(r); asked > 0 {
		m.set(OSLMismatch, 100*float64(osl-asked)/float64(asked))
	}
	return osl
}

// localOutput is the tokenizer's count of the whole answer, -1 if not counted.
func localOutput(r *loadgen.Record) int {
	if r.OutputTokens < 0 {
		return -1
	}
	return r.OutputTokens + max(r.ReasoningTokens, 0)
}

func askedTokens(r *loadgen.Record) int {
	if r.Request == nil {
		return 0
	}
	return r.Request.MaxTokens
}

// stream sets what only a stream of chunks can tell.
func (m *Measurement) stream(r *loadgen.Record, isl, osl int) {
	first, n := r.Chunks[0].At, len(r.Chunks)
	m.setTime(TTFT, first)
	m.setTime(TTFTFromDue, r.Lag()+first)
	if isl > 0 && first > 0 {
		m.set(PrefillRatePerUser, float64(isl)/first.Seconds())
	}
	for _, c := range r.Chunks {
		if c.Kind != loadgen.Reasoning { // alone
			m.setTime(TTFO, c.At)
			break
		}
	}
	m.merged = mergedChunks(r.Chunks)
	decode := r.Took - first
	if m.merged == n-1 || decode <= 0 { // all came out of one read
		m.Coalesced = n > 1 || osl > 1
		return
	}
	m.Gaps = true
	m.setTime(TTST, r.Chunks[1].At-first)
	m.setTime(DecodeDuration, decode)
	if osl > 1 {
		m.set(ITL, millis(decode)/float64(osl-1))
		m.set(OutputRatePerUser, float64(osl-1)/decode.Seconds())
	}
}

func mergedChunks(chunks []loadgen.Chunk) int {
	n := 0
	for _, c := range chunks[1:] {
		if c.Merged {
			n++
		}
	}
	return n
}

func (m *Measurement) usage(r *loadgen.Record) {
	u := r.Usage
	m.setCount(UsagePrompt, u.PromptTokens)
	m.setCount(UsageCompletion, u.CompletionTokens)
	if u.TotalTokens > 0 {
		m.setCount(UsageTotal, u.TotalTokens)
	} else if u.PromptTokens >= 0 && u.CompletionTokens >= 0 {
		m.setCount(UsageTotal, u.PromptTokens+u.CompletionTokens)
	}
	m.setCount(UsageReasoning, u.ReasoningTokens)
	m.setCount(UsageCacheRead, u.CachedTokens)
	if r.Request != nil && r.Request.InputTokens > 0 {
		m.setDiff(UsagePromptDiff, u.PromptTokens, r.Request.InputTokens+r.Request.TemplateTokens)
	}
	m.setDiff(UsageCompletionDiff, u.OutputTokens(), localOutput(r))
	m.setDiff(UsageReasoningDiff, u.ReasoningTokens, r.ReasoningTokens)
}

// setDiff stores how far the server's count is from the local one, in percent
// of the local one, without sign.
func (m *Measurement) setDiff(id ID, server, local int) {
	if server >= 0 && local > 0 {
		m.set(id, 100*math.Abs(float64(server-local))/float64(local))
	}
}

// discrepancyPct is AIPerf's limit for usage_discrepancy_count.
const discrepancyPct = 10

func (m *Measurement) discrepant() bool {
	for _, id := range [...]ID{UsagePromptDiff, UsageCompletionDiff, UsageReasoningDiff} {
		if v, ok := m.Value(id); ok && v > discrepancyPct {
			return true
		}
	}
	return false
}

// missesOSL is AIPerf's rule: off by more than 5 % of what was asked, or by
// more than 50 tokens, whichever is less.
func (m *Measurement) missesOSL(r *loadgen.Record) bool {
	osl, ok := m.Value(OSL)
	asked := float64(askedTokens(r))
	return ok && asked > 0 && math.Abs(osl-asked) > min(asked*0.05, 50)
}

func (m *Measurement) trace(r *loadgen.Record) {
	m.set(HTTPSent, kilobytes(r.BytesOut))
	m.set(HTTPReceived, kilobytes(r.BytesIn))
	c := r.Conn
	m.set(HTTPReused, 0)
	if c.Reused {
		m.set(HTTPReused, 1)
	}
	m.setTime(HTTPBlocked, c.Wait)
	m.setTime(HTTPLookup, c.DNS)
	m.setTime(HTTPConnecting, c.Dial+c.TLS)
	overhead := c.Wait + c.DNS + c.Dial + c.TLS
	m.setTime(HTTPOverhead, overhead)
	if c.Wrote <= 0 || r.Head < c.Wrote || r.Took < r.Head {
		return
	}
	sending := max(c.Wrote-overhead, 0)
	m.setTime(HTTPSending, sending)
	m.setTime(HTTPWaiting, r.Head-c.Wrote)
	m.setTime(HTTPReceiving, r.Took-r.Head)
	m.setTime(HTTPDuration, sending+r.Took-c.Wrote)
	m.setTime(HTTPTotal, overhead+sending+r.Took-c.Wrote)
}

// kilobytes are of 1024 bytes, as AIPerf's are.
func kilobytes(n int) float64 { return float64(n) / 1024 }
