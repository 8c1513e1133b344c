package fleet

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"time"

	"loadgen"
)

// errBadRecord is a record that cannot have been written by this version.
var errBadRecord = errors.New("a record that came from a worker cannot be read")

// appendRecord appends a finished record, all of it that figures and files need:
// the texts of prompts and answers stay where they are. In front stands how long
// it is, so that a reader knows a record that was cut off.
//
// Start is told since a moment that all workers know by their own clocks.
func appendRecord(b []byte, r *loadgen.Record, since time.Time) []byte {
	from := len(b)
	b = append(b, 0, 0, 0, 0)
	w := writer{b}
	w.flags(r.Ramp, r.First, r.Crossing, r.Streamed, r.Failure != nil, r.Request != nil, r.Phase == loadgen.Warmup, r.Timing == loadgen.Kernel)
	w.ints(r.Index, r.Worker, r.Status, r.Reads, r.MergedReads, r.BytesOut, r.BytesIn, r.OutputTokens, r.ReasoningTokens)
	w.times(r.Start.Sub(since), r.Due, r.Sent, r.Held, r.Ended, r.Head, r.Took, r.Over, r.FirstDelay, r.MeanDelay, r.ReaderDelay)
	u := &r.Usage
	w.ints(u.PromptTokens, u.CompletionTokens, u.ReasoningTokens, u.CachedTokens, u.TotalTokens)
	c := &r.Conn
	w.flags(c.Reused)
	w.times(c.Wait, c.DNS, c.Dial, c.TLS, c.Wrote)
	w.texts(c.Local, r.FinishReason, r.Model)
	if q := r.Request; q != nil {
		w.id(q.ID)
		w.id(q.Correlation)
		w.texts(q.Session)
		w.ints(q.Turn, q.InputTokens, q.SharedTokens, q.TemplateTokens, q.MaxTokens)
		w.times(q.Delay)
		w.roles(r.Phase, q.Messages)
	}
	if f := r.Failure; f != nil {
		w.texts(string(f.Kind), f.Message)
		w.ints(f.Status)
		w.times(f.RetryAfter)
	}
	w.chunks(r.Chunks)
	binary.LittleEndian.PutUint32(w.b[from:], uint32(len(w.b)-from-frame))
	return w.b
}

// frame is what stands before a record: its length.
const frame = 4

// next parts the first record from the rest. It returns nil where that is not all
// there.
func next(b []byte) (record, rest []byte) {
	if len(b) < frame {
		return nil, b
	}
	n := int(binary.LittleEndian.Uint32(b))
	if n < 0 || n > len(b)-frame {
		return nil, b
	}
	return b[frame : frame+n], b[frame+n:]
}

// A cutter parts a stream of bytes into records.
type cutter struct{ rest []byte }

// cut takes in the next bytes, and passes on the records that are whole now.
func (c *cutter) cut(b []byte, take func(record []byte) error) error {
	joined := len(c.rest) > 0
	if joined {
		c.rest = append(c.rest, b...)
		b = c.rest
	}
	for {
		record, rest := next(b)
		if record == nil {
			break
		}
		if err := take(record); err != nil {
			return err
		}
		b = rest
	}
	if joined {
		c.rest = c.rest[:copy(c.rest, b)]
	} else {
		c.rest = append(c.rest, b...)
	}
	return nil
}

// whole returns how many of the bytes are whole records.
func whole(b []byte) int {
	size := len(b)
	for {
		record, rest := next(b)
		if record == nil {
			return size - len(b)
		}
		b = rest
	}
}

// readRecord reads a record into r, which keeps nothing of b.
func readRecord(b []byte, r *loadgen.Record, since time.Time) error {
	in := reader{b: b}
	r.Reset()
	var failed, asked, warm, kernel bool
	in.flags(&r.Ramp, &r.First, &r.Crossing, &r.Streamed, &failed, &asked, &warm, &kernel)
	if warm {
		r.Phase = loadgen.Warmup
	}
	if kernel {
		r.Timing = loadgen.Kernel
	}
	in.ints(&r.Index, &r.Worker, &r.Status, &r.Reads, &r.MergedReads, &r.BytesOut, &r.BytesIn, &r.OutputTokens, &r.ReasoningTokens)
	var start time.Duration
	in.times(&start, &r.Due, &r.Sent, &r.Held, &r.Ended, &r.Head, &r.Took, &r.Over, &r.FirstDelay, &r.MeanDelay, &r.ReaderDelay)
	r.Start = since.Add(start)
	u := &r.Usage
	in.ints(&u.PromptTokens, &u.CompletionTokens, &u.ReasoningTokens, &u.CachedTokens, &u.TotalTokens)
	c := &r.Conn
	in.flags(&c.Reused)
	in.times(&c.Wait, &c.DNS, &c.Dial, &c.TLS, &c.Wrote)
	in.texts(&c.Local, &r.FinishReason, &r.Model)
	if asked {
		q := &loadgen.Request{}
		q.ID, q.Correlation = in.id(), in.id()
		in.texts(&q.Session)
		in.ints(&q.Turn, &q.InputTokens, &q.SharedTokens, &q.TemplateTokens, &q.MaxTokens)
		in.times(&q.Delay)
		q.Messages = in.roles(r.Phase)
		r.Request = q
	}
	if failed {
		f := &loadgen.Failure{}
		kind := ""
		in.texts(&kind, &f.Message)
		f.Kind = loadgen.FailureKind(kind)
		in.ints(&f.Status)
		in.times(&f.RetryAfter)
		r.Failure = f
	}
	r.Chunks = in.chunks(r.Chunks)
	if in.bad || len(in.b) > 0 {
		return errBadRecord
	}
	return nil
}

type writer struct{ b []byte }

func (w *writer) flags(set ...bool) {
	var b byte
	for i, on := range set {
		if on {
			b |= 1 << i
		}
	}
	w.b = append(w.b, b)
}

func (w *writer) ints(list ...int) {
	for _, n := range list {
		w.b = binary.AppendVarint(w.b, int64(n))
	}
}

func (w *writer) times(list ...time.Duration) {
	for _, t := range list {
		w.b = binary.AppendVarint(w.b, int64(t))
	}
}

func (w *writer) texts(list ...string) {
	for _, s := range list {
		w.b = binary.AppendUvarint(w.b, uint64(len(s)))
		w.b = append(w.b, s...)
	}
}

// id appends the text of a UUID as its bytes, and any other text as it is.
func (w *writer) id(s string) {
	at := len(w.b)
	w.b = append(w.b, uuidBytes)
	if id, ok := parseUUID(s); ok {
		w.b = append(w.b, id[:]...)
		return
	}
	w.b[at] = 0
	w.texts(s)
}

// roles appends whose the messages of a warm-up are: what a chat template adds
// depends on it.
func (w *writer) roles(phase loadgen.Phase, messages []loadgen.Message) {
	if phase != loadgen.Warmup {
		return
	}
	w.ints(len(messages))
	for _, m := range messages {
		w.texts(m.Role)
	}
}

// chunks appends the times between arrivals.
func (w *writer) chunks(chunks []loadgen.Chunk) {
	w.ints(len(chunks))
	before := time.Duration(0)
	for _, c := range chunks {
		kind := int(c.Kind) << 1
		if c.Merged {
			kind |= 1
		}
		w.b = append(w.b, byte(kind))
		w.times(c.At - before)
		before = c.At
	}
}

// A reader reads what a writer has written; after the first fault all is zero.
type reader struct {
	b   []byte
	bad bool
}

func (r *reader) flags(set ...*bool) {
	if len(r.b) == 0 {
		r.bad = true
		return
	}
	for i, on := range set {
		*on = r.b[0]&(1<<i) != 0
	}
	r.b = r.b[1:]
}

func (r *reader) int() int64 {
	n, size := binary.Varint(r.b)
	if size <= 0 {
		r.bad, r.b = true, nil
		return 0
	}
	r.b = r.b[size:]
	return n
}

func (r *reader) ints(list ...*int) {
	for _, n := range list {
		*n = int(r.int())
	}
}

func (r *reader) times(list ...*time.Duration) {
	for _, t := range list {
		*t = time.Duration(r.int())
	}
}

func (r *reader) texts(list ...*string) {
	for _, s := range list {
		n, size := binary.Uvarint(r.b)
		if size <= 0 || n > uint64(len(r.b)-size) {
			r.bad, r.b = true, nil
			return
		}
		*s = string(r.b[size : size+int(n)])
		r.b = r.b[size+int(n):]
	}
}

func (r *reader) id() (s string) {
	if len(r.b) == 0 || r.b[0] != 0 && len(r.b) < 1+uuidBytes {
		r.bad = true
		return ""
	}
	kind := r.b[0]
	r.b = r.b[1:]
	if kind == 0 {
		r.texts(&s)
		return s
	}
	id := r.b[:uuidBytes]
	r.b = r.b[uuidBytes:]
	text := make([]byte, 0, loadgen.UUIDLen)
	text = hex.AppendEncode(text, id[:4])
	for _, group := range [][]byte{id[4:6], id[6:8], id[8:10], id[10:]} {
		text = hex.AppendEncode(append(text, '-'), group)
	}
	return string(text)
}

// count reads how many things follow that take at least a byte each.
func (r *reader) count() int {
	n := r.int()
	if n < 0 || n > int64(len(r.b)) {
		r.bad, r.b = true, nil
		return 0
	}
	return int(n)
}

func (r *reader) roles(phase loadgen.Phase) []loadgen.Message {
	if phase != loadgen.Warmup {
		return nil
	}
	messages := make([]loadgen.Message, r.count())
	for i := range messages {
		r.texts(&messages[i].Role)
	}
	return messages
}

func (r *reader) chunks(chunks []loadgen.Chunk) []loadgen.Chunk {
	at := time.Duration(0)
	for range r.count() {
		if len(r.b) == 0 {
			r.bad = true
			break
		}
		kind := r.b[0]
		r.b = r.b[1:]
		at += time.Duration(r.int())
		chunks = append(chunks, loadgen.Chunk{At: at, Kind: loadgen.ChunkKind(kind >> 1), Merged: kind&1 != 0})
	}
	return chunks
}

const uuidBytes = 16

// parseUUID reads a UUID in the lower-case form that loadgen writes; any other
// text is none, so that it comes back as it was.
func parseUUID(s string) (id [uuidBytes]byte, ok bool) {
	if len(s) != loadgen.UUIDLen || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return id, false
	}
	var digits [2 * uuidBytes]byte
	n := 0
	for i := range len(s) {
		switch c := s[i]; {
		case c >= '0' && c <= '9' || c >= 'a' && c <= 'f':
			if n == len(digits) {
				return id, false
			}
			digits[n] = c
			n++
		case c != '-':
			return id, false
		}
	}
	if n != len(digits) {
		return id, false
	}
	_, err := hex.Decode(id[:], digits[:])
	return id, err == nil
}
