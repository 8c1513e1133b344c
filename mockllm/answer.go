package mockllm

import (
	"context"
	"encoding/json"
	"fmt"
	"hash/maphash"
	"math"
	"net/http"
	"strconv"
	"time"
)

// An answer is the reply to one completion request while it is made.
type answer struct {
	srv     *Server
	w       reply
	call    *call
	chat    bool
	usage   bool // the stream ends with a usage chunk
	plan    plan
	seq     *sequence
	id      string
	model   string
	created int64
	finish  string // reason

	reasoning int    // tokens that come first
	toolFrom  int    // the token at which a tool call begins; seq.want for none
	tool      string // its function
	key       string // of reasoning

	stamps bool    // true times are recorded
	marked bool    // and written into every chunk
	chunks []int64 // true send times, unix ns
}

// complete answers a completion request.
func (s *Server) complete(ctx context.Context, w reply, c *call, chat bool) {
	if s.overQuota(w, c) {
		return
	}
	n := s.requests.Add(1) - 1
	p, err := s.faultsOf(n, c.Header.Values("X-Mock-Fault"))
	if err != nil {
		s.fail(w, http.StatusBadRequest, "bad_fault", err.Error())
		return
	}
	if s.failed(ctx, w, p) {
		return
	}
	a, err := parseAsk(c.body, chat)
	if err != nil {
		s.fail(w, http.StatusBadRequest, "invalid_request", err.Error())
		return
	}
	if !s.serves(a.Model) {
		s.fail(w, http.StatusNotFound, "model_not_found", fmt.Sprintf("The model %q does not exist.", a.Model))
		return
	}
	text, err := a.prompt(chat, s.cfg.TemplateTokens)
	if err != nil {
		s.fail(w, http.StatusBadRequest, "invalid_request", err.Error())
		return
	}
	seq := s.sequence(c, text, n)
	c.drop()
	ans := &answer{
		srv: s, w: w, call: c, chat: chat, usage: a.StreamOptions.IncludeUsage, plan: p, seq: seq,
		model: a.Model, created: time.Now().Unix(), key: s.cfg.ReasoningKey,
		marked: c.Header.Get("X-Mock-Stamps") == "1",
	}
	ans.stamps = s.cfg.Stamps || ans.marked
	seq.want, ans.finish = a.length(&s.cfg, n)
	if room := s.cfg.KVCacheTokens; room > 0 && s.cfg.Timing != Fixed && seq.reserve() > room {
		s.fail(w, http.StatusBadRequest, "context_length_exceeded",
			fmt.Sprintf("The prompt of %d tokens and %d to make exceed the KV cache of %d.", seq.prompt, seq.want, room))
		return
	}
	ans.shape(a, n)
	if id := c.Header.Get("X-Request-Id"); id != "" {
		w.Header().Set("X-Request-Id", id)
	}
	s.engine.submit(seq)
	defer s.engine.drop(seq)
	if a.Stream {
		ans.stream(ctx)
	} else {
		ans.whole(ctx)
	}
}

// sequence makes the model's view of a prompt.
func (s *Server) sequence(c *call, text prompt, n uint64) *sequence {
	seq := &sequence{
		index:   n,
		arrived: c.at.Sub(s.engine.epoch),
		prompt:  max(text.tokens(), 1),
		name:    maphash.Bytes(hashSeed, text),
		wake:    make(chan struct{}, 1),
	}
	if s.cfg.Timing == Fixed {
		seq.jitter = newJitter(s.cfg.Jitter, s.cfg.Seed, "request", n)
	} else if s.cfg.PrefixCache {
		seq.blocks = text.blocks()
	}
	return seq
}

func (s *Server) serves(model string) bool {
	for _, m := range s.cfg.Models {
		if m == model {
			return true
		}
	}
	return len(s.cfg.Models) == 0
}

// shape decides what the answer's tokens are.
func (a *answer) shape(in *ask, n uint64) {
	a.id = "cmpl-" + strconv.FormatUint(mix(a.srv.cfg.Seed)^mix(n), 16)
	a.reasoning = 0
	a.toolFrom = a.seq.want
	if !a.chat {
		return
	}
	a.id = "chat" + a.id
	a.reasoning = min(a.srv.cfg.ReasoningTokens, a.seq.want)
	if name, from := in.tool(a.seq.want - a.reasoning); name != "" {
		a.tool, a.toolFrom = name, a.reasoning+from
		if a.seq.want-a.toolFrom >= 3 { // fewer tokens are no complete call
			a.finish = "tool_calls"
		}
	}
}

// failed injects the faults that stand in place of an answer and reports
// whether one did.
func (s *Server) failed(ctx context.Context, w reply, p plan) bool {
	if f, ok := p[faultSlowHead]; ok && !pause(ctx, f.For) {
		return true
	}
	if n := p.size(faultShred, 1); p.has(faultShred) {
		w.Shred(n)
	}
	if p.has(faultInformational) {
		w.WriteHeader(http.StatusEarlyHints)
	}
	f := p[faultStatus]
	switch {
	case p.has(faultHangup):
		w.Abort(nil, false)
	case p.has(faultReset):
		w.Abort(nil, true)
	case p.has(faultGarbage):
		s.rejected.Add(1)
		send(w, http.StatusOK, "text/html", page(http.StatusOK))
	case p.has(faultStatus):
		if f.RetryAfter > 0 {
			w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(f.RetryAfter.Seconds()))))
		}
		if f.HTML {
			s.rejected.Add(1)
			send(w, f.status(), "text/html", page(f.status()))
			break
		}
		s.fail(w, f.status(), "injected", "An injected fault.")
	default:
		if p.has(faultDelimited) {
			w.Delimit()
		}
		return false
	}
	return true
}

// page is what a proxy in front of an endpoint answers with.
func page(status int) []byte {
	text := http.StatusText(status)
	return fmt.Appendf(nil, "<html><head><title>%d %s</title></head><body><h1>%s</h1></body></html>\n", status, text, text)
}

// pause reports false when the context ended first. A pause of 0 lasts until
// then.
func pause(ctx context.Context, d time.Duration) bool {
	if d == 0 {
		<-ctx.Done()
		return false
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// whole sends the answer as one JSON object when it is complete.
func (a *answer) whole(ctx context.Context) {
	if !a.await(ctx, a.seq.want) {
		return
	}
	text := func(from, to int) string {
		var b []byte
		for i := from; i < to; i++ {
			b = append(b, a.token(i)...)
		}
		return string(b)
	}
	want := a.seq.want
	choice := map[string]any{"index": 0, "finish_reason": a.finish, "logprobs": nil}
	object := "text_completion"
	if a.chat {
		object = "chat.completion"
		m := map[string]any{"role": "assistant", "content": text(a.reasoning, a.toolFrom)}
		if a.reasoning > 0 {
			m[a.key] = text(0, a.reasoning)
		}
		if a.tool != "" {
			m["tool_calls"] = []any{map[string]any{
				"id": "call_0", "type": "function",
				"function": map[string]string{"name": a.tool, "arguments": text(a.toolFrom, want)},
			}}
		}
		choice["message"] = m
	} else {
		choice["text"] = text(0, want)
	}
	out := map[string]any{
		"id": a.id, "object": object, "created": a.created, "model": a.model,
		"choices": []any{choice}, "usage": json.RawMessage(a.appendUsage(nil)),
	}
	a.sent()
	if a.marked {
		out["mock_sent_ns"] = a.chunks[0]
		out["mock_received_ns"] = a.call.received
		out["mock_received_source"] = a.call.source
	}
	body, _ := json.Marshal(out) // strings and numbers only: cannot fail
	a.done()
	send(a.w, http.StatusOK, "application/json", body)
	if a.plan.has(faultCloses) {
		a.w.Close()
	}
}

// await waits until the model has made n tokens; false when the client left.
func (a *answer) await(ctx context.Context, n int) bool {
	for int(a.seq.made.Load()) < n {
		select {
		case <-a.seq.wake:
		case <-ctx.Done():
			return false
		}
	}
	return true
}

// token returns the i-th token's text, fit to stand in a JSON string.
func (a *answer) token(i int) string {
	switch {
	case i >= a.toolFrom:
		return argument(a.srv.cfg.Seed, i-a.toolFrom, a.seq.want-a.toolFrom)
	case a.plan.has(faultUnicode):
		return pictogram(a.srv.cfg.Seed, i)
	}
	return word(a.srv.cfg.Seed, i)
}

// sent stamps a chunk that is about to be written.
func (a *answer) sent() {
	now := time.Now()
	if len(a.plan) == 0 { // a fault may hold chunks back on purpose
		a.srv.late.add(now.Sub(a.srv.engine.epoch) - time.Duration(a.seq.madeAt.Load()))
	}
	if a.stamps {
		a.chunks = append(a.chunks, now.UnixNano())
	}
}

// done counts a complete answer; before its last write, so that who has read
// it finds it counted.
func (a *answer) done() {
	if a.finish == "length" {
		a.srv.lengthened.Add(1)
	} else {
		a.srv.stopped.Add(1)
	}
	a.keepStamps()
}

func (a *answer) keepStamps() {
	if a.stamps {
		a.srv.stamps.add(Stamp{
			RequestID: a.call.Header.Get("X-Request-Id"), Received: a.call.received, Source: a.call.source,
			Chunks: a.chunks, Tokens: int(a.seq.made.Load()), Prompt: a.seq.prompt, Cached: a.seq.hits,
		})
	}
}

// appendUsage writes the usage object in OpenAI's form.
func (a *answer) appendUsage(b []byte) []byte {
	made := a.seq.want
	b = append(b, `{"prompt_tokens":`...)
	b = strconv.AppendInt(b, int64(a.seq.prompt), 10)
	b = append(b, `,"completion_tokens":`...)
	b = strconv.AppendInt(b, int64(made), 10)
	b = append(b, `,"total_tokens":`...)
	b = strconv.AppendInt(b, int64(a.seq.prompt+made), 10)
	b = append(b, `,"prompt_tokens_details":{"cached_tokens":`...)
	b = strconv.AppendInt(b, int64(a.seq.hits), 10)
	b = append(b, `},"completion_tokens_details":{"reasoning_tokens":`...)
	b = strconv.AppendInt(b, int64(a.reasoning), 10)
	return append(b, "}}"...)
}
