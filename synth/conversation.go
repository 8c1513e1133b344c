package synth

import (
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"

	"loadgen"
)

// A turn is one request of a session, apart from its messages.
type turn struct {
	tokens int           // of the messages that are new in it
	target int           // tokens wanted; tokens, where none were
	output int           // tokens to ask for; 0 asks for none
	answer *string       // recorded by the dataset; nil: none
	delay  time.Duration // before it
	body   []byte        // the finished request, where the dataset has it
}

// A conversation is a session in the making. For each of its turns in order,
// the messages that are new in it go to the end of history, and then add makes
// the request.
type conversation struct {
	source  *Source
	session *loadgen.Session
	turns   int // added so far
	history []loadgen.Message
	tokens  int // of history
}

// A bundle is a session with all that one turn of one message needs, in one
// piece of memory: at high rates nearly all sessions are such.
type bundle struct {
	session  loadgen.Session
	turns    [1]*loadgen.Request
	requests [1]loadgen.Request
	messages [1]loadgen.Message
}

// begin begins the i-th session, of a number of turns.
func (s *Source) begin(i, turns int) conversation {
	b := &bundle{}
	session := &b.session
	session.Index = i
	session.Turns = slices.Grow(b.turns[:0], turns)[:turns]
	requests := slices.Grow(b.requests[:0], turns)[:turns]

	names := s.names(i, turns)
	first := len(names) - turns*loadgen.UUIDLen
	correlation := names[first-loadgen.UUIDLen : first]
	session.ID = names[:first-loadgen.UUIDLen]
	for k := range requests {
		r := &requests[k]
		r.ID = names[first+k*loadgen.UUIDLen:][:loadgen.UUIDLen]
		r.Session, r.Correlation, r.Turn = session.ID, correlation, k
		session.Turns[k] = r
	}
	return conversation{source: s, session: session, history: b.messages[:0]}
}

// names returns the names of a session in one string: its own, its UUID and
// that of each turn.
func (s *Source) names(i, turns int) string {
	rng := s.ids.At(i)
	var space [128]byte // for a single turn
	b := append(space[:0], s.name...)
	for least := 100_000; least > 1 && i < least; least /= 10 {
		b = append(b, '0')
	}
	b = strconv.AppendInt(b, int64(i), 10)
	for range 1 + turns {
		b = loadgen.AppendUUID(b, &rng)
	}
	return string(b)
}

// add makes the request of the next turn. Where the turn after it carries an
// answer, that is put into history.
func (c *conversation) add(t turn, text *rand.PCG) {
	s := c.source
	r := c.session.Turns[c.turns]
	c.turns++
	c.tokens += t.tokens
	r.Delay, r.Body, r.MaxTokens = t.delay, t.body, t.output
	r.Messages = slices.Clip(c.history) // shared with later turns, which only append
	r.InputTokens = c.tokens
	if s.writer.flat && len(c.history) > 1 {
		r.InputTokens = s.count(c.history)
	}
	r.TemplateTokens = s.template(r.Messages)
	r.SharedTokens = s.shared(r)
	if t.tokens != t.target {
		s.inexact.Add(1)
	}
	switch {
	case s.spec.History == ServerHistory || s.spec.Format == InputsJSON:
		c.history, c.tokens = nil, 0
	case c.turns < len(c.session.Turns):
		content, count := s.answer(t, text)
		c.history = append(c.history, loadgen.Message{Role: "assistant", Content: content})
		c.tokens += count
	}
}

// shared returns with how many tokens a session begins like others: the whole of
// a system prompt and of a prefix, or what a dataset's entries have in common.
func (s *Source) shared(r *loadgen.Request) int {
	switch {
	case r.Turn > 0:
		return 0 // see the session
	case s.sent != nil:
		return s.sent.add(r.Messages, r.InputTokens)
	}
	return min(s.spec.SystemTokens+s.spec.PrefixTokens, r.InputTokens)
}

// end returns the session, of which all turns have been added.
func (c *conversation) end() *loadgen.Session {
	c.source.sessions.Add(1)
	if c.turns > 1 {
		c.source.later.Add(int64(c.turns - 1))
	}
	return c.session
}

// answer returns what the assistant is made to have said to a turn, and its
// tokens.
func (s *Source) answer(t turn, rng *rand.PCG) (string, int) {
	if t.answer != nil {
		return *t.answer, s.writer.tok.Count(*t.answer)
	}
	return s.writer.text(max(1, t.output), rng)
}

// Follow completes a later turn of a conversation with what went before it: the
// messages of the turn that prev records, the server's answer to it, and then
// the turn's own message. InputTokens becomes the whole of that by the
// tokenizer, where it was the own message's. It reports whether the body is to
// be encoded anew: one that the dataset has is completed as it stands.
//
// It is to be called once for each turn but the first, during the think time.
// With synthetic history, and for turns whose body holds what went before, there
// is nothing to add and it does nothing. The reasoning of an answer is not
// carried, as servers ask for it.
func (s *Source) Follow(prev *loadgen.Record, next *loadgen.Request) (encode bool) {
	replayed := s.spec.Format == InputsJSON
	if next.Turn == 0 || !replayed && s.spec.History != ServerHistory || replayed && isWhole(prev.Request.Messages, next.Messages) {
		return false
	}
	answer := loadgen.Message{Role: "assistant", Content: string(prev.Text)}
	if replayed {
		body, ok := spliced(prev.Request.Body, answer.Content, next.Body)
		if !ok {
			return false
		}
		next.Body = body
	}
	next.Messages = slices.Concat(prev.Request.Messages, []loadgen.Message{answer}, next.Messages)
	next.TemplateTokens = s.template(next.Messages)
	if s.writer.flat {
		next.InputTokens = s.count(next.Messages)
	} else {
		next.InputTokens += prev.Request.InputTokens + s.writer.tok.Count(answer.Content)
	}
	return !replayed
}

// count returns the tokens of messages as the endpoint is sent them.
func (s *Source) count(messages []loadgen.Message) int {
	if !s.writer.flat {
		sum := 0
		for _, m := range messages {
			sum += s.writer.tok.Count(m.Content)
		}
		return sum
	}
	contents := make([]string, len(messages))
	for i, m := range messages {
		contents[i] = m.Content
	}
	return s.writer.tok.Count(strings.Join(contents, "\n"))
}
