package client

import (
	"context"
	"fmt"
	"io"
	"net"
	"runtime"
	"strconv"
	"time"

	"loadgen"
)

const (
	// oneWrite is the longest body that is copied behind its head; a longer
	// one goes out by writev.
	oneWrite = 16 << 10
	// interimMax is how many 1xx responses are passed over.
	interimMax = 64
	// A connection's buffer grows from bufferMin to bufferMax as long as a read
	// fills it: ten thousand streams whose tokens come one by one need little.
	bufferMin, bufferMax = 2 << 10, 64 << 10
	// swiftTime is how soon an answer begins that may be there as soon as a few
	// more requests have been written.
	swiftTime = 500 * time.Microsecond
)

// A conn is one connection of the raw engine, with the buffers and the state
// of the exchange on it. One goroutine uses it at a time; only its guard comes
// from others.
type conn struct {
	engine *raw
	wire   *wire
	stream net.Conn // wire, or TLS over it
	writer net.Conn // where long requests are written: the bare connection without TLS, so that writev is used
	local  string
	dial   time.Duration // how long it took to connect, without TLS

	in         []byte
	start, end int // the part of in that was read but not taken in
	readErr    error
	heads      headReader
	out        []byte
	parts      [2][]byte
	vector     net.Buffers

	answered bool          // a byte of the response came
	began    time.Duration // the connection was there to be written to, since Record.Start
	swift    bool          // the server began to answer the last one within swiftTime

	guard guard
}

func (c *conn) close() {
	c.guard.stop()
	c.wire.Close()
	c.engine.stats.closed()
}

// exchange writes the request and reads the response into r. reusable says
// whether the connection can carry another request.
func (c *conn) exchange(ctx context.Context, r *reply) (reusable bool, err error) {
	rec := r.rec
	if err := c.guard.begin(ctx, c.engine.deadline(rec)); err != nil {
		return false, err
	}
	defer c.guard.finish()
	c.answered, c.readErr, c.start, c.end = false, nil, 0, 0
	c.began = rec.Conn.Wait + rec.Conn.DNS + rec.Conn.Dial + rec.Conn.TLS
	wrote := c.write(rec.Request)
	rec.Conn.Wrote = time.Since(rec.Start)
	if wrote != nil && !broken(wrote) {
		return false, wrote
	}
	if c.swift {
		// Others get to write their requests before this one is waited for. By
		// then its answer has come, which saves a futile read and being woken.
		runtime.Gosched()
	}
	// A server that refuses a request early closes while it is being written:
	// its answer may be there all the same.
	reusable, err = c.read(r)
	c.swift = c.answered && rec.Head-rec.Conn.Wrote < swiftTime
	if wrote != nil && !c.answered {
		return false, wrote
	}
	return reusable && wrote == nil, err
}

func (c *conn) write(q *loadgen.Request) error {
	b := append(c.out[:0], c.engine.prefix...)
	b = strconv.AppendInt(b, int64(len(q.Body)), 10)
	if c.engine.ids[0] {
		b = append(append(b, "\r\n"+requestID+": "...), token(q.ID)...)
	}
	if c.engine.ids[1] {
		b = append(append(b, "\r\n"+correlationID+": "...), token(q.Correlation)...)
	}
	b = append(b, "\r\n\r\n"...)
	if len(q.Body) <= oneWrite {
		c.out = append(b, q.Body...)
		_, err := c.stream.Write(c.out)
		return err
	}
	c.out = b
	c.parts = [2][]byte{b, q.Body}
	c.vector = c.parts[:]
	_, err := c.vector.WriteTo(c.writer)
	c.parts[1] = nil
	return err
}

// fill reads once more. Bytes that came together with an error are taken in
// before the error is told.
func (c *conn) fill() error {
	if c.readErr != nil {
		return c.readErr
	}
	if c.start == c.end {
		if c.end == len(c.in) && len(c.in) < bufferMax {
			c.in = make([]byte, 2*len(c.in)) // it was filled to the brim: more came than one read takes
		}
		c.start, c.end = 0, 0
	}
	n, err := c.stream.Read(c.in[c.end:])
	c.end += n
	c.answered = c.answered || n > 0
	if c.readErr = err; n > 0 {
		return nil
	}
	if err == nil {
		return io.ErrNoProgress
	}
	return err
}

// arrival says when the last read's bytes came.
func (c *conn) arrival(rec *loadgen.Record) arrival {
	w := c.wire
	a := arrival{at: w.at.Sub(rec.Start), read: w.reads.number.Load()}
	if w.stamp == 0 {
		return a
	}
	age, ok := c.engine.clock.age(w.at, w.stamp)
	if at := a.at - age; ok && at >= c.began {
		// The answer can overtake the writer's own look at the clock.
		at = min(max(at, rec.Conn.Wrote), a.at)
		a = arrival{at: at, delay: a.at - at, kernel: true, read: a.read}
	}
	return a
}

// read takes in the response. reusable is false where the connection is not
// in a state to carry another request.
func (c *conn) read(r *reply) (reusable bool, err error) {
	h, err := c.head()
	if err != nil {
		return false, err
	}
	c.engine.stats.speaks("HTTP/1.1")
	now := c.arrival(r.rec)
	r.head(now.at, &h)
	t := newTransfer(&h)
	for draining := false; ; now = c.arrival(r.rec) {
		r.read(now)
		for c.start < c.end && !t.done {
			data, n, err := t.next(c.in[c.start:c.end])
			if err != nil {
				return false, r.end(err)
			}
			c.start += n
			if len(data) > 0 {
				r.push(data, now)
			}
		}
		if t.done {
			return h.keepAlive && c.start == c.end && c.readErr == nil, r.end(nil)
		}
		if r.ended() && !draining {
			draining = true
			c.guard.limitRead(drainTime)
		}
		if err := c.fill(); err != nil {
			r.read(c.arrival(r.rec))
			if err == io.EOF && t.state == untilClose {
				return false, r.end(nil)
			}
			return false, r.end(fmt.Errorf("the connection ended inside the response: %w", err))
		}
	}
}

// head reads up to the end of the final response's head, which lies in the
// buffer until the next fill.
func (c *conn) head() (response, error) {
	for interim := 0; interim <= interimMax; {
		h, n, err := c.heads.parse(c.in[c.start:c.end])
		switch {
		case err != nil:
			return h, err
		case n > 0 && h.status == 101:
			return h, errSwitches
		case n > 0:
			c.start += n
			if h.status >= 200 {
				return h, nil
			}
			interim++
			continue
		case c.end-c.start >= headMax:
			return h, badHead("the response's head is longer than %d bytes", headMax)
		}
		c.room()
		if err := c.fill(); err != nil {
			return h, fmt.Errorf("the connection ended before the response: %w", err)
		}
	}
	return response{}, badHead("more than %d interim responses", interimMax)
}

// room makes room behind a head that is not complete.
func (c *conn) room() {
	if c.start > 0 {
		c.end = copy(c.in, c.in[c.start:c.end])
		c.start = 0
	}
	if c.end == len(c.in) {
		c.in = append(c.in, make([]byte, len(c.in))...)
	}
}
