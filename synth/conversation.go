package synth

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"loadgen"
)

// A turn is one request of a session before the history is added.
type turn struct {
	messages []loadgen.Message // new in this turn, the user's own last
	tokens   int               // of these messages
	target   int               // tokens wanted; tokens, where none were
	output   int               // tokens to ask for; 0 asks for none
	answer   *string           // recorded by the dataset; nil: none
	delay    time.Duration     // before it
	body     []byte            // the finished request, where the dataset has it
}

// session puts the turns of one conversation together.
func (s *Source) session(i int, turns []turn, rng *rand.Rand) *loadgen.Session {
	id := fmt.Sprintf("session_%06d", i)
	if s.spec.Phase == loadgen.Warmup {
		id = fmt.Sprintf("warmup_%06d", i)
	}
	session := &loadgen.Session{ID: id, Index: i, Turns: make([]*loadgen.Request, len(turns))}
	requests := make([]loadgen.Request, len(turns))
	correlation := s.spec.Seed.UUID(s.name+".session", uint64(i))

	var history []loadgen.Message
	tokens := 0
	for k, t := range turns {
		history = append(history, t.messages...)
		tokens += t.tokens
		r := &requests[k]
		*r = loadgen.Request{
			ID:          s.spec.Seed.UUID(s.name+".request", uint64(i)<<32|uint64(k)),
			Session:     id,
			Correlation: correlation,
			Turn:        k,
			Delay:       t.delay,
			Messages:    slices.Clip(history), // shared with later turns, which only append
			Body:        t.body,
			InputTokens: tokens,
			MaxTokens:   t.output,
		}
		r.TemplateTokens = s.template(r.Messages)
		if s.writer.flat && len(history) > 1 {
			r.InputTokens = s.count(history)
		}
		if t.tokens != t.target {
			s.inexact.Add(1)
		}
		session.Turns[k] = r
		if s.spec.History == ServerHistory || s.spec.Format == InputsJSON {
			history, tokens = nil, 0
			continue
		}
		if k < len(turns)-1 {
			content, count := s.answer(t, rng)
			history = append(history, loadgen.Message{Role: "assistant", Content: content})
			tokens += count
		}
	}
	s.sessions.Add(1)
	s.requests.Add(int64(len(turns)))
	return session
}

// answer returns what the assistant is made to have said to a turn, and its
// tokens.
func (s *Source) answer(t turn, rng *rand.Rand) (string, int) {
	if t.answer != nil {
		return *t.answer, s.writer.tok.Count(*t.answer)
	}
	return s.writer.text(max(1, t.output), rng)
}

// Follow completes a later turn of a conversation with what went before it: the
// messages of the turn that prev records, the server's answer to it, and then
// the turn's own message. InputTokens becomes the whole of that by the
// tokenizer, where it was the own message's.
//
// It is to be called once for each turn but the first, during the think time;
// the body is to be encoded after it. With synthetic history, and for turns
// whose body the dataset has, there is nothing to add and it does nothing. The
// reasoning of an answer is not carried, as servers ask for it.
func (s *Source) Follow(prev *loadgen.Record, next *loadgen.Request) {
	if s.spec.History != ServerHistory || next.Turn == 0 || s.spec.Format == InputsJSON {
		return
	}
	answer := loadgen.Message{Role: "assistant", Content: string(prev.Text)}
	next.Messages = slices.Concat(prev.Request.Messages, []loadgen.Message{answer}, next.Messages)
	next.TemplateTokens = s.template(next.Messages)
	if s.writer.flat {
		next.InputTokens = s.count(next.Messages)
		return
	}
	next.InputTokens += prev.Request.InputTokens + s.writer.tok.Count(answer.Content)
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
