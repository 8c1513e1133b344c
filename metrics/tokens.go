package metrics

import "loadgen"

// A Counter counts the tokens of a text. It is called from one goroutine at a
// time and keeps nothing of the bytes.
type Counter interface{ CountBytes(text []byte) int }

// checkEvery is how often an answer is counted although the server has said
// how long it is: often enough to notice a server that miscounts, seldom
// enough not to cost the generator its CPU.
const checkEvery = 16

// CountTokens fills the record's own token counts. Failed requests are not
// counted, and of those whose server gave a count only one in sixteen is, to
// check the server.
func CountTokens(r *loadgen.Record, counter Counter) {
	if counter == nil || !r.OK() || (r.Usage.CompletionTokens > 0 && r.Index%checkEvery != 0) {
		return
	}
	r.OutputTokens, r.ReasoningTokens = 0, 0
	if len(r.Text) > 0 {
		r.OutputTokens = counter.CountBytes(r.Text)
	}
	if len(r.Tools) > 0 {
		r.OutputTokens += counter.CountBytes(r.Tools)
	}
	if len(r.Thought) > 0 {
		r.ReasoningTokens = counter.CountBytes(r.Thought)
	}
}
