package client

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"time"

	"loadgen"
)

// An arrival says when a read delivered its bytes.
type arrival struct {
	at     time.Duration // since Record.Start, by the best clock there is
	delay  time.Duration // how much later the reader saw them, where kernel
	kernel bool          // at is the kernel's
	read   int64         // which read of the connection it was
}

// delays are how much later the reader saw what the kernel had received.
type delays struct{ first, sum, most time.Duration }

const objectMax = 100 // how much a message quotes of what should have been an object

// A reply reads the body of one response, pushed in as it arrives, into a
// record. Both engines drive it the same way: head, then push for each piece,
// then end.
type reply struct {
	rec             *loadgen.Record
	form            form
	mime            mime // what the head says of the body
	asked           bool // an event stream was asked for
	secrets         redactor
	asksFor         string   // the model that is asked for
	codings         []string // that the body may be encoded with
	memory          *memory  // for all replies together
	decoder         *decoder // nil for a body that is not encoded
	sse             sse
	parser          parser
	body            []byte
	now             arrival       // of the piece being pushed
	last            arrival       // of the last chunk of output
	many            bool          // the last chunk's read is counted in MergedReads
	delays          delays        // of the reads with output
	readers         bool          // some chunk carries the reader's time
	done            bool          // [DONE] was seen
	fault           error         // what the reply itself said went wrong
	said            string        // the words of an object that is no answer
	advice, advised string        // what the head of a refusal says, and what of it is the server's
	pause           time.Duration // that the head asks for before the next request

	model, finish recurring
}

func (r *reply) reset(rec *loadgen.Record) {
	r.sse.reset()
	r.parser.reset()
	*r = reply{
		rec: rec, asked: r.asked, secrets: r.secrets, asksFor: r.asksFor, codings: r.codings, memory: r.memory,
		sse: r.sse, parser: r.parser, body: emptied(r.body), model: r.model, finish: r.finish,
	}
}

// head takes in the final response's head.
func (r *reply) head(at time.Duration, h *response) {
	r.rec.Status, r.rec.Head = h.status, at
	r.mime = mimeOf(h.contentType)
	r.rec.Streamed = r.mime == streamType && h.status/100 == 2 // until the body shows what it is
	if len(h.retryAfter) > 0 || len(h.retryAfterMs) > 0 {
		r.pause = h.pause()
	}
	switch {
	case h.status < 200 || h.status > 299:
		r.form = errorForm
		r.advice, r.advised = h.advice()
	case h.encoded() && !r.asksCoding(h.encoding):
		r.fault = faultf(loadgen.FailBadStream, "reply is encoded as %s, which was not asked for", h.encoding)
	}
	if h.encoded() && r.fault == nil {
		if open := codings[strings.ToLower(string(h.encoding))]; open != nil {
			r.decoder = newDecoder(open)
		}
	}
}

func (r *reply) asksCoding(name []byte) bool {
	return slices.ContainsFunc(r.codings, func(asked string) bool { return is(name, asked) })
}

// read takes in that a read has returned: with bytes of the reply, of its body or
// of what frames it, or with the end of the connection or of the wait for it.
func (r *reply) read(now arrival) { r.rec.Over = max(r.rec.Over, now.at) }

// push takes in the next piece of the body.
func (r *reply) push(p []byte, now arrival) {
	r.rec.BytesIn += len(p)
	if r.ended() {
		return
	}
	r.now = now
	if r.decoder != nil {
		r.decode(p)
		return
	}
	r.accept(p)
}

// accept takes in the next piece of the body, decoded where that was needed.
func (r *reply) accept(p []byte) {
	if r.form == unknownForm {
		if p = r.decide(p, false); r.form == unknownForm {
			return
		}
	}
	r.take(p)
}

// take takes in the next piece of a body of a known form.
func (r *reply) take(p []byte) {
	switch r.form {
	case streamForm:
		if r.stream(p); r.fault == nil {
			r.weigh()
		}
	case errorForm:
		r.body = append(r.body, p[:min(len(p), errorMax-len(r.body))]...)
	case wholeForm:
		if len(r.body)+len(p) > maxEvent {
			r.overflow(loadgen.FailBadStream, "the reply is longer than %d bytes", maxEvent)
			break
		}
		r.body = append(r.body, p...)
		r.weigh()
	case pageForm:
		r.fault = faultf(loadgen.FailBadStream, "status %d with an HTML page instead of an answer: is the endpoint's path right?", r.rec.Status)
	}
}

// ended reports whether nothing that may still come is of interest.
func (r *reply) ended() bool {
	return r.done || r.fault != nil || r.form == errorForm && len(r.body) == errorMax
}

// end takes in how the body ended: nil where it was complete, as far as HTTP
// can tell, else the error that cut it short. It returns what is wrong with the
// reply, nil for a success.
func (r *reply) end(cut error) error {
	if r.decoder != nil {
		r.decoded(cut == nil && !r.ended())
	}
	if r.form == errorForm {
		// Even half an error message says more than the cut.
		return r.refusal()
	}
	if cut == nil && !r.ended() {
		r.complete()
	}
	switch stray := r.stray(); {
	case stray != nil:
		return stray
	case r.fault != nil:
		return r.fault
	}
	if err := gaveUp(r.rec.FinishReason); err != nil {
		return err
	}
	switch {
	case cut != nil && !r.done:
		return cut
	case len(r.rec.Chunks) == 0 && r.said != "":
		return faultf(loadgen.FailNoTokens, "the reply is complete but holds no output: it says %s", r.said)
	case len(r.rec.Chunks) == 0:
		return faultf(loadgen.FailNoTokens, "the reply is complete but holds no output")
	}
	r.rec.Took = r.last.at
	if !r.readers {
		r.rec.Timing = loadgen.Kernel
		r.rec.FirstDelay, r.rec.ReaderDelay = r.delays.first, r.delays.most
		r.rec.MeanDelay = r.delays.sum / time.Duration(r.rec.Reads)
	}
	return nil
}

// complete reads what only the end of the body makes readable.
func (r *reply) complete() {
	if r.form == unknownForm && (len(r.body) > 0 || r.mime != otherType) {
		if p := r.decide(nil, true); len(p) > 0 {
			r.take(p)
		}
	}
	switch r.form {
	case streamForm:
		unfinished := r.sse.has || len(r.sse.line) > 0
		if kind, data, found := r.sse.last(); found {
			r.event(kind, data)
		}
		var f *fault
		switch {
		case unfinished && errors.As(r.fault, &f) && f.kind == loadgen.FailBadStream:
			r.fault = faultf(loadgen.FailStreamCut, "the stream ended inside an event")
		case r.fault == nil && !r.done && r.rec.FinishReason == "":
			r.fault = r.endless()
		}
	case wholeForm:
		r.whole()
	}
}

// endless is a stream without an end. What came in place of events says why.
func (r *reply) endless() error {
	const what = "the stream ended without [DONE] and without a finish reason"
	switch {
	case r.said != "":
		return faultf(loadgen.FailStreamCut, what+": it says %s", r.said)
	case len(r.sse.stray) > 0:
		return faultf(loadgen.FailStreamCut, what+": it says %q", r.secrets.excerpt(r.sse.stray, objectMax))
	}
	return faultf(loadgen.FailStreamCut, what)
}

func (r *reply) whole() {
	if len(r.body) >= large { // what cannot be read in place is copied several times
		r.memory.litter.add(4 * len(r.body))
	}
	e, ok := r.parser.parse(r.body, r.rec)
	switch complaint := complaintIn(r.body, ok); {
	case e.failed:
		r.fault = r.inBand(r.body)
	case complaint != nil:
		r.fault = r.inBand(complaint)
	case !ok:
		r.fault = faultf(loadgen.FailBadStream, "the reply is not a JSON object: %q", r.secrets.excerpt(r.body, objectMax))
	case e.others:
		r.fault = severalChoices()
	default:
		r.note(&e)
		if e.kinds != 0 {
			r.chunk(loadgen.Content)
		}
	}
}

func severalChoices() error {
	return faultf(loadgen.FailBadStream, "the reply holds several choices, whose times and tokens cannot be told as those of one answer: ask for one (n: 1)")
}

// stray returns the error that a server wrote into an event stream as bare
// JSON, nil for none.
func (r *reply) stray() error {
	if len(r.sse.stray) == 0 {
		return nil
	}
	if complaint := complaintIn(r.sse.stray, false); complaint != nil {
		return r.inBand(complaint)
	}
	return nil
}

// stream takes in the next piece of an event stream.
func (r *reply) stream(p []byte) {
	for len(p) > 0 && !r.ended() {
		if r.sse.between() {
			if p = r.alike(p); len(p) == 0 {
				return
			}
		}
		kind, data, rest, found := r.sse.next(p)
		if found {
			r.event(kind, data)
		} else if r.sse.tooLong() {
			r.overflow(loadgen.FailBadStream, "an event is longer than %d bytes", maxEvent)
		}
		p = rest
	}
}

// alike takes in the events at the beginning of p that differ from the last one
// in nothing but their text, which is most of a stream, and returns what is
// left.
func (r *reply) alike(p []byte) []byte {
	kind := r.parser.kind
	for part := kind.part(r.rec); ; {
		text, n := r.parser.next(p)
		if n == 0 {
			return p
		}
		*part = append(*part, text...)
		r.chunk(kind.chunk())
		p = p[n:]
	}
}

// event takes in one server-sent event.
func (r *reply) event(kind, data []byte) {
	if bytes.Equal(bytes.TrimSpace(data), []byte("[DONE]")) {
		r.done = true
		return
	}
	if len(data) >= large {
		r.memory.litter.add(4 * len(data))
	}
	e, ok := r.parser.parse(data, r.rec)
	switch {
	case e.failed || string(kind) == "error":
		r.fault = r.inBand(data)
	case !ok:
		r.fault = faultf(loadgen.FailBadStream, "an event is not a JSON object: %q", r.secrets.excerpt(data, objectMax))
	case e.others:
		r.fault = severalChoices()
	default:
		r.note(&e)
		if e.kinds != 0 {
			r.chunk(e.kinds.chunk())
		}
	}
}

// note keeps what an event says beside its text.
func (r *reply) note(e *event) {
	if r.said == "" {
		r.said = e.said
	}
	if !e.finish.empty() {
		r.rec.FinishReason = r.finishReason(e.finish)
	}
	if r.rec.Model == "" && !e.model.empty() {
		r.rec.Model = r.model.keep(e.model, r.asksFor, r.secrets)
	}
	if e.usage != loadgen.NoUsage {
		r.rec.Usage = e.usage
	}
}

// finishReason returns what is kept of a reason: the usual ones are words of the
// protocol.
func (r *reply) finishReason(t text) string {
	for _, known := range [...]string{"stop", "length", "tool_calls", "content_filter"} {
		if string(t.raw) == known {
			return known
		}
	}
	return r.finish.keep(t, "", r.secrets)
}

// chunk records that output arrived with the read at hand.
func (r *reply) chunk(kind loadgen.ChunkKind) {
	rec := r.rec
	if len(rec.Chunks) > 0 && r.now.read == r.last.read {
		if r.now.at > r.last.at { // the read took another one
			r.last = r.now
			r.readers = r.readers || !r.now.kernel
			r.delays.most = max(r.delays.most, r.now.delay)
		}
		rec.Chunks = append(rec.Chunks, loadgen.Chunk{At: r.last.at, Kind: kind, Merged: true})
		if !r.many {
			r.many = true
			rec.MergedReads++
		}
		return
	}
	// A read without the kernel's time may lie before one with it.
	r.now.at = max(r.now.at, r.last.at)
	rec.Chunks = append(rec.Chunks, loadgen.Chunk{At: r.now.at, Kind: kind})
	if rec.Reads++; rec.Reads == 1 {
		r.delays.first = r.now.delay
	}
	r.many = false
	r.delays.sum += r.now.delay
	r.delays.most = max(r.delays.most, r.now.delay)
	r.readers = r.readers || !r.now.kernel
	r.last = r.now
}

// inBand is an error that came inside a reply with a status of success.
func (r *reply) inBand(data []byte) error {
	message, code := reported(data)
	if message == "" {
		message = r.secrets.excerpt(data, messageMax)
	}
	kind := loadgen.FailHTTP5xx
	if code != 0 {
		kind = statusKind(code)
	}
	return faultf(kind, "error inside the reply: %s", message)
}

// refusal is a status that is no success.
func (r *reply) refusal() error {
	message, _ := reported(r.body)
	if message == "" {
		message = r.secrets.excerpt(r.body, errorMax)
	}
	format, args := "status %d", []any{r.rec.Status}
	if r.advice != "" {
		format, args = format+": "+r.advice, append(args, r.advised)
	}
	if message = strings.TrimSpace(message); message != "" {
		format, args = format+": %s", append(args, message)
	}
	return faultf(statusKind(r.rec.Status), format, args...)
}
