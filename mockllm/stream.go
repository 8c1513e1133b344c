package mockllm

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"
)

// stream sends the answer as an event stream, each chunk when its tokens are
// made.
func (a *answer) stream(ctx context.Context) {
	a.w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
	a.w.Header().Set("Cache-Control", "no-cache")
	a.w.WriteHeader(http.StatusOK)
	if a.plan.has(faultCloses) {
		a.w.Close()
	}
	e := a.newEvents()
	if a.plan.has(faultBOM) {
		e.buf = append(e.buf, "\ufeff"...)
	}
	hold := 1
	switch {
	case a.plan.has(faultBurst):
		hold = math.MaxInt
	case a.plan.has(faultGroup):
		hold = a.plan.size(faultGroup, 2)
	}
	if a.chat {
		e.add(e.delta(`{"role":"assistant","content":""}`))
	}
	if hold == 1 {
		e.flush()
	}
	if !a.body(ctx, e, hold) {
		return
	}
	a.tail(ctx, e)
}

// body sends the tokens, hold chunks in a write, and reports whether the stream
// goes on.
func (a *answer) body(ctx context.Context, e *events, hold int) bool {
	chunk := 0
	for from := 0; from < a.seq.want; {
		to := from
		for i := 0; i < hold && to < a.seq.want; i++ {
			to = a.chunkEnd(to)
		}
		if !a.await(ctx, to) {
			return false
		}
		for ; from < to; chunk++ {
			if !a.disturb(ctx, e, chunk, from) {
				return false
			}
			end := a.chunkEnd(from)
			a.chunk(e, from, end)
			from = end
		}
		if from < a.seq.want { // the last ones go out with the tail
			e.flush()
		}
	}
	return a.disturb(ctx, e, chunk, a.seq.want)
}

// chunkEnd returns where the chunk that begins at token from ends: the first
// token goes alone and at once, then TokensPerChunk each; reasoning, content
// and tool call never share one.
func (a *answer) chunkEnd(from int) int {
	if from == 0 {
		return 1
	}
	size := a.srv.cfg.TokensPerChunk
	end := min(1+((from-1)/size+1)*size, a.seq.want)
	for _, border := range []int{a.reasoning, a.toolFrom} {
		if from < border && border < end {
			end = border
		}
	}
	return end
}

// disturb injects the faults that strike before a chunk, and reports whether
// the stream goes on.
func (a *answer) disturb(ctx context.Context, e *events, chunk, from int) bool {
	if a.plan.at(faultStall, chunk) {
		e.flush()
		if !pause(ctx, a.plan[faultStall].For) {
			return false
		}
	}
	switch {
	case a.plan.at(faultErrorEvent, chunk):
		e.add(errorBody(http.StatusInternalServerError, "injected", "An injected fault."))
		a.keepStamps()
		e.flush()
	case a.plan.at(faultCut, chunk):
		e.flush()
		a.keepStamps()
		a.w.Abort(nil, false)
	case a.plan.at(faultTorn, chunk):
		e.flush()
		a.keepStamps()
		if from < a.seq.want {
			a.chunk(e, from, a.chunkEnd(from))
		}
		a.w.Abort(e.buf, false)
	default:
		return true
	}
	return false
}

// tail sends what follows the last token.
func (a *answer) tail(ctx context.Context, e *events) {
	if d := a.srv.cfg.FinishDelay; d > 0 {
		e.flush()
		if !pause(ctx, d) {
			return
		}
	}
	a.done()
	last := e.choice(`"delta":{}`, strconv.Quote(a.finish))
	if !a.chat {
		last = e.choice(`"text":""`, strconv.Quote(a.finish))
	}
	if !a.usage {
		last = a.appendReceived(last)
	}
	e.add(append(last, '}'))
	if a.usage {
		b := append(bytes.Clone(e.head), `"choices":[],"usage":`...)
		e.add(append(a.appendReceived(a.appendUsage(b)), '}'))
	}
	if !a.plan.has(faultNoDone) {
		e.add([]byte("[DONE]"))
	}
	a.w.Write(e.buf) // goes out with the end of the reply
}

// appendReceived adds when the request came, where the client asked for it.
func (a *answer) appendReceived(b []byte) []byte {
	if !a.marked {
		return b
	}
	return fmt.Appendf(b, `,"mock_received_ns":%d,"mock_received_source":%q`, a.call.received, a.call.source)
}

// chunk adds the event of tokens from..to.
func (a *answer) chunk(e *events, from, to int) {
	if from == a.toolFrom {
		name, _ := json.Marshal(a.tool) // a string: cannot fail
		e.add(e.delta(`{"tool_calls":[{"index":0,"id":"call_0","type":"function","function":{"name":` + string(name) + `,"arguments":""}}]}`))
	}
	b := append(e.json[:0], e.head...)
	b = append(b, e.open...)
	end := `"}`
	switch {
	case !a.chat:
		b, end = append(b, `"text":"`...), `"`
	case from < a.reasoning:
		b = append(append(append(b, `"delta":{"`...), a.key...), `":"`...)
	case from >= a.toolFrom:
		b, end = append(b, `"delta":{"tool_calls":[{"index":0,"function":{"arguments":"`...), `"}}]}`
	default:
		b = append(b, `"delta":{"content":"`...)
	}
	for i := from; i < to; i++ {
		if i >= a.toolFrom {
			b = append(b, strings.ReplaceAll(a.token(i), `"`, `\"`)...)
		} else {
			b = append(b, a.token(i)...)
		}
	}
	b = append(append(b, end...), `,"logprobs":null,"finish_reason":null}]`...)
	if from == 0 && a.plan.has(faultPad) {
		b = append(append(append(b, `,"padding":"`...), bytes.Repeat([]byte("x"), a.plan.size(faultPad, 64<<10))...), '"')
	}
	a.sent()
	if a.marked {
		b = append(b, `,"mock_sent_ns":`...)
		b = strconv.AppendInt(b, a.chunks[len(a.chunks)-1], 10)
	}
	e.json = append(b, '}')
	e.add(e.json)
}

// events writes server-sent events in the way the faults ask for.
type events struct {
	w         reply
	buf       []byte // events not yet written
	json      []byte // scratch of chunk
	head      []byte // what every chunk begins with
	open      string // what the one choice begins with
	before    string // the data
	eol       string
	multiline bool
}

func (a *answer) newEvents() *events {
	object := "text_completion"
	if a.chat {
		object = "chat.completion.chunk"
	}
	model, _ := json.Marshal(a.model) // a string: cannot fail
	e := &events{w: a.w, open: `"choices":[{"index":0,`, before: "data: ", eol: "\n", multiline: a.plan.has(faultMultiline)}
	e.head = fmt.Appendf(nil, `{"id":%q,"object":%q,"created":%d,"model":%s,`, a.id, object, a.created, model)
	if a.plan.has(faultTight) {
		e.before = "data:"
	}
	if a.plan.has(faultCRLF) {
		e.eol = "\r\n"
	}
	if a.plan.has(faultComments) {
		e.before = ": keep-alive" + e.eol + e.eol + e.before
	}
	return e
}

// choice begins a chunk with its only choice; the caller closes it.
func (e *events) choice(body, reason string) []byte {
	b := append(bytes.Clone(e.head), e.open...)
	return append(append(b, body...), `,"logprobs":null,"finish_reason":`+reason+`}]`...)
}

// delta makes a chunk that carries no output.
func (e *events) delta(delta string) []byte {
	return append(e.choice(`"delta":`+delta, "null"), '}')
}

// add appends an event.
func (e *events) add(data []byte) {
	e.buf = append(e.buf, e.before...)
	if at := bytes.IndexByte(data, ','); e.multiline && at > 0 {
		e.buf = append(append(e.buf, data[:at+1]...), e.eol...)
		e.buf = append(e.buf, "data: "...)
		data = data[at+1:]
	}
	e.buf = append(append(append(e.buf, data...), e.eol...), e.eol...)
}

// flush writes what was added.
func (e *events) flush() {
	if len(e.buf) > 0 {
		e.w.Write(e.buf)
		e.buf = e.buf[:0]
	}
	e.w.Flush()
}
