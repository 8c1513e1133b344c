package client

import (
	"bytes"

	"loadgen"
)

// seen guards against a name that comes twice, where encoding/json lets the
// last one win: unusual enough to leave to it.
type seen uint16

func (n *seen) once(bit int, s *scanner) {
	if *n&(1<<bit) != 0 {
		s.fail()
	}
	*n |= 1 << bit
}

// object reads what the scanner finds usual, and has it fail at the rest.
func (e *event) object(s *scanner) {
	var names seen
	answers, words := false, false
	for s.open('{'); s.more('}'); {
		switch string(s.key()) {
		case "choices":
			names.once(0, s)
			if s.null() {
				continue
			}
			answers = true
			i := 0
			for s.open('['); s.more(']'); i++ {
				e.choice(s, i)
			}
		case "usage":
			names.once(1, s)
			e.counts(s)
		case "model":
			names.once(2, s)
			e.model = s.text()
		case "error":
			names.once(3, s)
			s.noError()
		case "object":
			names.once(4, s)
			if bytes.Equal(s.text().raw, []byte("error")) {
				e.failed = true
			}
		case "detail", "errors", "message", "msg", "error_msg", "error_message": // of an error, where there is no answer
			if !s.nothing() {
				words = true
				s.skip(0)
			}
		default:
			s.skip(0)
		}
	}
	if words && !answers {
		s.fail()
	}
}

// choice reads one of the choices, the i-th of its list.
func (e *event) choice(s *scanner, i int) {
	var names seen
	for s.open('{'); s.more('}'); {
		switch string(s.key()) {
		case "delta", "message": // a choice has one of the three
			names.once(0, s)
			e.delta(s)
		case "text":
			names.once(0, s)
			e.content(s.text())
		case "finish_reason":
			names.once(1, s)
			if t := s.text(); !t.empty() {
				e.finish = t
			}
		case "index":
			names.once(2, s)
			if n := s.count(); n >= 0 {
				i = n
			}
		case "error":
			names.once(3, s)
			s.noError()
		default:
			s.skip(0)
		}
	}
	e.others = e.others || i > 0
}

func (e *event) delta(s *scanner) {
	if s.null() {
		return
	}
	var names seen
	var content, refusal, transcript text
	var thought text
	rank := len(thoughtNames) // of thought
	thinks := func(i int) {
		names.once(3+i, s)
		if t := s.text(); !t.empty() && i < rank {
			thought, rank = t, i
		}
	}
	structured := false
	for s.open('{'); s.more('}'); {
		switch string(s.key()) {
		case "content":
			names.once(0, s)
			content = s.text()
		case "refusal":
			names.once(1, s)
			refusal = s.text()
		case "audio":
			names.once(2, s)
			transcript = e.audio(s)
		case thoughtNames[0]:
			thinks(0)
		case thoughtNames[1]:
			thinks(1)
		case thoughtNames[2]:
			thinks(2)
		case thoughtNames[3]:
			thinks(3)
		case "reasoning_details", "thinking_blocks":
			if !s.nothing() {
				structured = true
				s.skip(0)
			}
		case "images":
			if !s.nothing() {
				s.fail()
			}
		case "tool_calls":
			names.once(7, s)
			if s.null() {
				continue
			}
			for s.open('['); s.more(']'); {
				e.toolCall(s)
			}
		case "function_call": // the older form of the same
			names.once(7, s)
			e.function(s)
		case "error":
			names.once(8, s)
			s.noError()
		default:
			s.skip(0)
		}
	}
	e.content(content)
	e.content(refusal)
	e.content(transcript)
	if structured && thought.empty() {
		s.fail() // it alone holds the words
	}
	e.reasoning(thought)
}

// thoughtNames are the members that reasoning comes in. Servers send the same
// words under several of them, so that the first one that says something is
// taken, and the structured forms where none does.
var thoughtNames = [...]string{"reasoning_content", "reasoning", "thinking", "reasoning_text"}

// audio reads sound and returns its transcript. Sound without words is output
// all the same.
func (e *event) audio(s *scanner) (transcript text) {
	if s.null() {
		return transcript
	}
	var names seen
	for s.open('{'); s.more('}'); {
		switch string(s.key()) {
		case "transcript":
			names.once(0, s)
			transcript = s.text()
		case "data":
			names.once(1, s)
			if !s.text().empty() {
				e.kinds |= hasContent
			}
		default:
			s.skip(0)
		}
	}
	return transcript
}

func (e *event) toolCall(s *scanner) {
	var names seen
	for s.open('{'); s.more('}'); {
		switch string(s.key()) {
		case "function", "custom":
			names.once(0, s)
			e.function(s)
		default:
			s.skip(0)
		}
	}
}

func (e *event) function(s *scanner) {
	if s.null() {
		return
	}
	var names seen
	var name, arguments text
	for s.open('{'); s.more('}'); {
		switch string(s.key()) {
		case "name":
			names.once(0, s)
			name = s.text()
		case "arguments", "input": // the latter is of custom tools
			names.once(1, s)
			arguments = s.text()
		default:
			s.skip(0)
		}
	}
	e.tool(name, arguments)
}

func (e *event) counts(s *scanner) {
	if s.null() {
		return
	}
	u, reasoning := loadgen.NoUsage, -1
	var names seen
	for s.open('{'); s.more('}'); {
		switch string(s.key()) {
		case "prompt_tokens":
			names.once(0, s)
			u.PromptTokens = s.count()
		case "completion_tokens":
			names.once(1, s)
			u.CompletionTokens = s.count()
		case "total_tokens":
			names.once(2, s)
			u.TotalTokens = s.count()
		case "completion_tokens_details":
			names.once(3, s)
			details(s, "reasoning_tokens", &u.ReasoningTokens)
		case "prompt_tokens_details":
			names.once(4, s)
			details(s, "cached_tokens", &u.CachedTokens)
		case "reasoning_tokens": // without the details
			names.once(5, s)
			reasoning = s.count()
		default:
			s.skip(0)
		}
	}
	if u.ReasoningTokens < 0 {
		u.ReasoningTokens = reasoning
	}
	e.counted(u)
}

func details(s *scanner, name string, count *int) {
	if s.null() {
		return
	}
	var names seen
	for s.open('{'); s.more('}'); {
		if string(s.key()) == name {
			names.once(0, s)
			*count = s.count()
		} else {
			s.skip(0)
		}
	}
}
