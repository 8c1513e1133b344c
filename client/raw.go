package client

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http/httptrace"
	"sync"
	"sync/atomic"
	"time"

	"loadgen"
)

// raw is the engine that speaks HTTP/1.1 by itself, one request at a time on a
// connection, in the goroutine of the caller.
type raw struct {
	target *target
	stats  *stats
	clock  *clock
	tls    *tls.Config // nil for http://
	prefix []byte      // the head of every request up to the value of Content-Length
	ids    [2]bool     // whether the request and the correlation id are ours to write
	stamps io.Closer   // nil where no kernel times are wanted, or none are to be had
	named  bool        // the host is a name to be looked up, not an address
	closes atomic.Bool // the server has closed an idle connection

	mu     sync.Mutex
	idle   []*conn // the last one used is the first one used again
	closed bool
}

func newRaw(t *target, s *stats, c *clock) *raw {
	e := &raw{target: t, stats: s, clock: c}
	if t.tls != nil {
		e.tls = t.tls.Clone()
		e.tls.NextProtos = []string{"http/1.1"}
	}
	if kernelTimes && !t.NoKernelTime && t.Dial == nil {
		e.stamps = holdStamps()
	}
	e.prefix = fmt.Appendf(nil, "POST %s HTTP/1.1\r\nHost: %s\r\n", t.send.RequestURI(), t.send.Host)
	e.named = net.ParseIP(t.send.Hostname()) == nil
	var head headBuffer
	_ = t.header.WriteSubset(&head, nil) // a slice takes every write
	e.prefix = append(append(e.prefix, head...), "Content-Length: "...)
	e.ids = [2]bool{t.header.Get(requestID) == "", t.header.Get(correlationID) == ""}
	return e
}

type headBuffer []byte

func (b *headBuffer) Write(p []byte) (int, error) {
	*b = append(*b, p...)
	return len(p), nil
}

func (e *raw) close() {
	e.mu.Lock()
	idle := e.idle
	e.idle, e.closed = nil, true
	e.mu.Unlock()
	for _, c := range idle {
		c.close()
	}
	if e.stamps != nil {
		e.stamps.Close()
	}
}

func (e *raw) send(ctx context.Context, r *reply) error {
	for fresh := false; ; fresh = true {
		if err := ctx.Err(); err != nil {
			return err
		}
		c, err := e.conn(ctx, r.rec, fresh)
		if err != nil {
			return err
		}
		reusable, err := c.exchange(ctx, r)
		if reusable {
			e.put(c)
			return err
		}
		c.close()
		if err == nil || !lost(err, &r.rec.Conn, c.answered, time.Since(r.rec.Start), c.dial) {
			return err
		}
		e.closes.Store(true)
		e.stats.retried.Add(1)
	}
}

// conn returns an idle connection that is still alive, or a new one.
func (e *raw) conn(ctx context.Context, rec *loadgen.Record, fresh bool) (*conn, error) {
	rec.Conn = loadgen.Conn{}
	// Where several have been closed in a row, the rest has been too: dialling
	// is quicker than finding out one by one.
	for tries := 0; !fresh && tries < 3; tries++ {
		c := e.take()
		if c == nil {
			break
		}
		if !e.stale(c, rec.Start) {
			rec.Conn.Reused, rec.Conn.Local = true, c.local
			rec.Conn.Wait = time.Since(rec.Start)
			return c, nil
		}
		e.closes.Store(true)
		c.close()
	}
	return e.dial(ctx, rec)
}

// justUsed is how long ago a connection may have been read from and need not be
// looked at before it is used again: to look costs a system call.
const justUsed = time.Millisecond

// stale reports whether the server has closed an idle connection. One that was
// just used is believed to be alive, unless the server has been seen to close
// connections without a word.
func (e *raw) stale(c *conn, now time.Time) bool {
	if now.Sub(c.wire.at) < justUsed && !e.closes.Load() {
		return false
	}
	return c.wire.stale()
}

func (e *raw) take() *conn {
	e.mu.Lock()
	defer e.mu.Unlock()
	last := len(e.idle) - 1
	if last < 0 {
		return nil
	}
	c := e.idle[last]
	e.idle[last] = nil
	e.idle = e.idle[:last]
	return c
}

func (e *raw) put(c *conn) {
	e.mu.Lock()
	closed := e.closed
	if !closed {
		e.idle = append(e.idle, c)
	}
	e.mu.Unlock()
	if closed {
		c.close()
	}
}

// deadline returns when the request must be over, the zero time for never.
func (e *raw) deadline(rec *loadgen.Record) time.Time {
	if e.target.RequestTimeout == 0 {
		return time.Time{}
	}
	return rec.Start.Add(e.target.RequestTimeout)
}

func (e *raw) dial(ctx context.Context, rec *loadgen.Record) (*conn, error) {
	if d := e.deadline(rec); !d.IsZero() {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, d)
		defer cancel()
	}
	if !e.stats.mayDial() {
		return nil, errNoDescriptor
	}
	defer e.stats.dialled()
	start := time.Now()
	rec.Conn.Wait = start.Sub(rec.Start)
	if e.named {
		ctx = traceDNS(ctx, &rec.Conn.DNS)
	}
	bare, err := e.target.dialer()(ctx, "tcp", e.target.addr)
	dialled := time.Now()
	rec.Conn.Dial = dialled.Sub(start) - rec.Conn.DNS
	if err != nil {
		e.stats.refused(err)
		return nil, &fault{loadgen.FailConnect, err}
	}
	w := newWire(bare, !e.target.NoKernelTime)
	c := &conn{
		engine: e, wire: w, stream: w, writer: bare,
		in: make([]byte, bufferMin), heads: headReader{secrets: e.target.secrets},
	}
	if e.tls != nil {
		secure := tls.Client(w, e.tls)
		if err := secure.HandshakeContext(ctx); err != nil {
			bare.Close()
			return nil, &fault{loadgen.FailTLS, err}
		}
		rec.Conn.TLS = time.Since(dialled)
		c.stream, c.writer = secure, secure
	}
	c.guard.stream = c.stream
	e.stats.connected()
	c.local, c.dial = bare.LocalAddr().String(), rec.Conn.Dial
	rec.Conn.Local = c.local
	return c, nil
}

// traceDNS returns a context under which a dial notes how long the name
// look-up took.
func traceDNS(ctx context.Context, took *time.Duration) context.Context {
	var start time.Time
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		DNSStart: func(httptrace.DNSStartInfo) { start = time.Now() },
		DNSDone:  func(httptrace.DNSDoneInfo) { *took = time.Since(start) },
	})
}
