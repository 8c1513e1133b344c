package metrics

import (
	"bytes"
	"hash/maphash"

	"loadgen"
)

// A Counter counts the tokens of a text. It is called from one goroutine at a
// time and keeps nothing of the bytes.
type Counter interface{ CountBytes(text []byte) int }

// A TokenCount fills in the local token counts of records. It is used by one
// goroutine.
//
// Every answer is counted, that of a server that counts for itself too: both
// counts are kept, so that one can be held against the other. A text that was
// seen before is not counted anew: endpoints made for measuring answer alike,
// and what generates load for them must not spend its time on that.
type TokenCount struct {
	counter Counter
	seed    maphash.Seed
	seen    [1 << 10]counted // by the lowest bits of the hash
}

// counted is a text by its hash of 64 bits, with its tokens.
type counted struct {
	hash   uint64
	tokens int
}

// NewTokenCount returns a count by a counter, nil for none.
func NewTokenCount(counter Counter) *TokenCount {
	return &TokenCount{counter: counter, seed: maphash.MakeSeed()}
}

// Fill sets the record's OutputTokens and ReasoningTokens. Failed requests are
// not counted.
func (t *TokenCount) Fill(r *loadgen.Record) {
	if t.counter == nil || !r.OK() {
		return
	}
	r.OutputTokens = t.tokens(r.Text) + t.tokens(r.Tools)
	r.ReasoningTokens = t.tokens(r.Thought)
}

func (t *TokenCount) tokens(text []byte) int {
	if len(text) == 0 {
		return 0
	}
	hash := maphash.Bytes(t.seed, text)
	c := &t.seen[hash%uint64(len(t.seen))]
	if c.hash != hash || c.tokens == 0 {
		*c = counted{hash, t.count(text)}
	}
	return c.tokens
}

// wordMax is how much of a text is counted at once. A tokenizer takes memory by
// the longest word, and an answer may be one word of many megabytes.
const wordMax = 32 << 10

// count cuts a long text before the last blank of each part: but for a word that
// is longer than a part, and a run of blanks, the sum is exact.
func (t *TokenCount) count(text []byte) (tokens int) {
	for len(text) > wordMax {
		cut := bytes.LastIndexByte(text[:wordMax], ' ')
		if cut <= 0 {
			cut = wordMax
		}
		tokens += t.counter.CountBytes(text[:cut])
		text = text[cut:]
	}
	return tokens + t.counter.CountBytes(text)
}
