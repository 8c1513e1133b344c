package client

import (
	"bytes"

	"loadgen"
)

// kinds is a set of what an event carried.
type kinds uint8

const (
	hasReasoning kinds = 1 << iota
	hasContent
	hasTool
)

// chunk returns the kind of a chunk that carried these.
func (k kinds) chunk() loadgen.ChunkKind {
	return [...]loadgen.ChunkKind{
		hasReasoning:                        loadgen.Reasoning,
		hasContent:                          loadgen.Content,
		hasTool:                             loadgen.ToolCall,
		hasReasoning | hasContent:           loadgen.ReasoningContent,
		hasReasoning | hasTool:              loadgen.ReasoningTool,
		hasContent | hasTool:                loadgen.ContentTool,
		hasReasoning | hasContent | hasTool: loadgen.ReasoningContentTool,
	}[k]
}

// An event is what one JSON object of a reply said. Its text has gone straight
// into the record; its spans are valid as long as the JSON is.
type event struct {
	rec    *loadgen.Record
	kinds  kinds
	pieces int  // texts of content and reasoning
	last   text // the last of them
	finish text
	model  text
	usage  loadgen.Usage
	failed bool   // the object reports an error
	others bool   // it holds a choice that is not the first one
	said   string // the words of an object without an answer
}

// A parser reads the objects of one reply. The events of a stream are mostly
// alike to the byte but for their text, so it remembers the last one and reads
// the next by comparing, where that will do.
type parser struct {
	// front and back are what stood before and behind the last plain text, in
	// the event's usual frame: dataField and a blank line.
	front, back []byte
	kind        kinds // which text it was; 0 where there is none to compare with
}

// maxLearned is the longest event that is remembered: what is much longer than
// its text is not worth the memory.
const maxLearned = 32 << 10

// The usual frame of an event.
const (
	dataField = "data: "
	blankLine = "\n\n"
)

func (p *parser) reset() { *p = parser{front: emptied(p.front), back: emptied(p.back)} }

// before and after are what stood around the text in the object itself.
func (p *parser) before() []byte { return p.front[len(dataField):] }
func (p *parser) after() []byte  { return p.back[:len(p.back)-len(blankLine)] }

// next reads the event at the beginning of a stream's bytes, if it is the
// remembered one in the usual frame with another plain text. n is its length
// with the frame, 0 where it is anything else, or not complete.
func (p *parser) next(b []byte) (text []byte, n int) {
	if p.kind == 0 || !bytes.HasPrefix(b, p.front) {
		return nil, 0
	}
	b = b[len(p.front):]
	size := plain(b)
	if size == 0 || !bytes.HasPrefix(b[size:], p.back) {
		return nil, 0
	}
	return b[:size], len(p.front) + size + len(p.back)
}

// parse reads one object, streamed or whole, and appends its text to rec. ok is
// false where data is no JSON object.
func (p *parser) parse(data []byte, rec *loadgen.Record) (e event, ok bool) {
	e = event{rec: rec, usage: loadgen.NoUsage}
	if raw, ok := p.alike(data); ok {
		e.piece(p.kind, text{raw: raw})
		return e, true
	}
	text, thought, tools := len(rec.Text), len(rec.Thought), len(rec.Tools)
	s := scanner{b: data}
	if e.object(&s); s.end() {
		p.learn(data, &e)
		return e, true
	}
	rec.Text, rec.Thought, rec.Tools = rec.Text[:text], rec.Thought[:thought], rec.Tools[:tools]
	e = event{rec: rec, usage: loadgen.NoUsage}
	return e, e.slow(data)
}

// alike returns the text of an object that is the remembered one with another
// plain text.
func (p *parser) alike(data []byte) (text []byte, ok bool) {
	if p.kind == 0 || !bytes.HasPrefix(data, p.before()) {
		return nil, false
	}
	data = data[len(p.before()):]
	size := plain(data)
	return data[:size], size > 0 && bytes.Equal(data[size:], p.after())
}

// learn remembers an event that says nothing but one plain text. What it says
// of the model has been taken in with it. Data of several lines has lost their
// field names, so that it could be taken for what the stream does not say.
func (p *parser) learn(data []byte, e *event) {
	p.kind = 0
	usual := e.kinds == hasContent || e.kinds == hasReasoning
	if e.pieces != 1 || !usual || e.last.escaped || e.failed || e.others || !e.finish.empty() || e.usage != loadgen.NoUsage ||
		len(data) > maxLearned || bytes.IndexByte(data, '\n') >= 0 || bytes.IndexByte(data, '\r') >= 0 {
		return
	}
	p.kind = e.kinds
	p.front = append(append(p.front[:0], dataField...), data[:e.last.start]...)
	p.back = append(append(p.back[:0], data[e.last.start+len(e.last.raw):]...), blankLine...)
}

func (e *event) content(t text) { e.piece(hasContent, t) }

func (e *event) reasoning(t text) { e.piece(hasReasoning, t) }

// piece appends a text to what it is a piece of.
func (e *event) piece(kind kinds, t text) {
	if t.empty() {
		return
	}
	e.kinds |= kind
	e.pieces++
	e.last = t
	to := kind.part(e.rec)
	*to = t.appendTo(*to)
}

// part returns the part of a record that texts of one kind are pieces of.
func (k kinds) part(rec *loadgen.Record) *[]byte {
	if k == hasContent {
		return &rec.Text
	}
	return &rec.Thought
}

// tool keeps a call's name on a line of its own and its arguments, which come
// in pieces, on the next.
func (e *event) tool(name, arguments text) {
	if !name.empty() {
		e.kinds |= hasTool
		if len(e.rec.Tools) > 0 && e.rec.Tools[len(e.rec.Tools)-1] != '\n' {
			e.rec.Tools = append(e.rec.Tools, '\n')
		}
		e.rec.Tools = append(name.appendTo(e.rec.Tools), '\n')
	}
	if !arguments.empty() {
		e.kinds |= hasTool
		e.rec.Tools = arguments.appendTo(e.rec.Tools)
	}
}

// counted keeps the counts of tokens. A total that is the sum of prompt and
// completion is no news.
func (e *event) counted(u loadgen.Usage) {
	u.TotalTokens = max(u.TotalTokens, 0)
	if u.PromptTokens >= 0 && u.CompletionTokens >= 0 && u.TotalTokens == u.PromptTokens+u.CompletionTokens {
		u.TotalTokens = 0
	}
	e.usage = u
}
