package mockllm

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

const (
	readBuffer = 2 << 10 // small: ten thousand streams may be open
	maxHead    = 1 << 20 // bytes of a request before its body
)

// A conn1 serves HTTP/1.1 on one connection by hand: it is cheaper than
// net/http's server, and its faults reach down to the bytes. One goroutine
// reads requests, so that a client that leaves is noticed at once, another
// answers them in order.
type conn1 struct {
	net.Conn
	raw   net.Conn // below TLS
	srv   *Server
	clock *receiveClock // nil where the kernel's receive times cannot be had
	head  headReader
	br    *bufio.Reader
	calls chan *call
	leave context.CancelFunc // ends the answer under way

	seen atomic.Int64 // the tick at which something last came, or was last answered

	mu        sync.Mutex
	open      int  // requests begun and not answered
	receiving bool // one of them has not come as a whole
	closing   bool // close when idle
}

// A headReader ends a head that goes on for ever.
type headReader struct {
	net.Conn
	left int // bytes that may still come, -1 for any number
}

var errHeadTooLong = errors.New("head too long")

func (r *headReader) Read(p []byte) (int, error) {
	if r.left == 0 {
		return 0, errHeadTooLong
	}
	n, err := r.Conn.Read(p)
	if r.left > 0 {
		r.left = max(r.left-n, 0)
	}
	return n, err
}

func (s *Server) newConn1(nc, raw net.Conn, clock *receiveClock) *conn1 {
	c := &conn1{Conn: nc, raw: raw, srv: s, clock: clock, head: headReader{nc, -1}, calls: make(chan *call)}
	c.br = bufio.NewReaderSize(&c.head, readBuffer)
	c.progress()
	return c
}

// serve returns when the connection and both goroutines have ended.
func (c *conn1) serve(ctx context.Context) {
	ctx, c.leave = context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		c.answer(ctx)
	}()
	c.idle()
	c.receive(ctx)
	c.leave()
	close(c.calls)
	<-done
	c.Close()
}

// receive reads requests until the connection ends or one cannot be read.
func (c *conn1) receive(ctx context.Context) {
	for {
		if _, err := c.br.Peek(1); err != nil {
			return
		}
		c.begin()
		req, err := http.ReadRequest(c.br)
		if err != nil {
			io.WriteString(c, "HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
			return
		}
		if req.Header.Get("Expect") == "100-continue" {
			io.WriteString(c, "HTTP/1.1 100 Continue\r\n\r\n")
		}
		c.head.left = -1
		body, err := c.srv.bodies.readBody(req, c.progress)
		if err != nil {
			c.refuse(err)
			c.srv.bodies.free(cap(body))
			return
		}
		in := &call{Request: req, body: body, at: time.Now()}
		in.room = &c.srv.bodies
		c.received()
		in.received, in.source = in.at.UnixNano(), "read"
		if c.clock != nil && c.clock.last != 0 {
			in.received, in.source = c.clock.last, "kernel"
		}
		select {
		case c.calls <- in:
		case <-ctx.Done():
			in.drop()
			return
		}
	}
}

// refuse says why a body was not read to its end, where anybody listens.
func (c *conn1) refuse(err error) {
	status, body := unreadable(err)
	if status == 0 {
		return
	}
	fmt.Fprintf(c, "HTTP/1.1 %d %s\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s",
		status, http.StatusText(status), len(body), body)
}

// answer handles the requests in order.
func (c *conn1) answer(ctx context.Context) {
	for in := range c.calls {
		w := &response1{conn: c, bare: in.Method == http.MethodHead, noLength: in.ProtoMinor == 0, close: in.Close || in.ProtoMinor == 0}
		c.srv.handle(ctx, w, in)
		in.drop()
		w.finish()
		if !c.finished(w.close) {
			return
		}
	}
}

// begin notes that a request has begun: the keep-alive time no longer runs.
func (c *conn1) begin() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.open++
	c.receiving = true
	c.head.left = maxHead
	c.progress()
	if c.srv.cfg.KeepAlive > 0 {
		c.SetReadDeadline(time.Time{})
	}
}

// received notes that the last request has come as a whole.
func (c *conn1) received() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.receiving = false
}

// progress notes that something happened on the connection.
func (c *conn1) progress() { c.seen.Store(c.srv.ticks.Load()) }

// closeSilent closes the connection if its client has been due to say something
// for too long.
func (c *conn1) closeSilent(tick int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if (c.open == 0 || c.receiving) && tick-c.seen.Load() > silentTicks {
		c.raw.Close()
	}
}

// finished notes that a request was answered and reports whether the connection
// goes on.
func (c *conn1) finished(last bool) bool {
	c.mu.Lock()
	c.open--
	last = last || c.closing && c.open == 0
	c.mu.Unlock()
	if last {
		c.leave()
		c.Close()
		return false
	}
	c.idle()
	return true
}

// idle starts the keep-alive time unless a request has begun.
func (c *conn1) idle() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.progress()
	if c.open == 0 && c.srv.cfg.KeepAlive > 0 {
		c.SetReadDeadline(time.Now().Add(c.srv.cfg.KeepAlive))
	}
}

// retire closes the connection when it is idle, at the latest after the present
// answer.
func (c *conn1) retire() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closing = true
	if c.open == 0 {
		c.Close()
	}
}

// A response1 is a reply over HTTP/1.1.
type response1 struct {
	conn     *conn1
	header   http.Header
	buf      []byte // not yet flushed
	status   int    // 0 before WriteHeader
	bare     bool   // only the header: the answer to HEAD
	chunked  bool
	noLength bool // the body ends with the connection
	close    bool // close the connection after the reply
	piece    int  // tear flushes into this many bytes
	aborted  bool
}

func (w *response1) Header() http.Header {
	if w.header == nil {
		w.header = make(http.Header, 4)
	}
	return w.header
}

func (w *response1) WriteHeader(status int) {
	if w.status != 0 {
		return
	}
	w.buf = append(w.buf, "HTTP/1.1 "...)
	w.buf = strconv.AppendInt(w.buf, int64(status), 10)
	w.buf = append(append(w.buf, ' '), http.StatusText(status)...)
	w.buf = append(w.buf, "\r\n"...)
	if status < 200 {
		w.buf = append(w.buf, "\r\n"...)
		return
	}
	w.status = status
	for key, values := range w.header {
		for _, v := range values {
			w.buf = append(append(append(append(w.buf, key...), ": "...), v...), "\r\n"...)
		}
	}
	switch {
	case w.noLength:
		w.close = true
		w.buf = append(w.buf, "Connection: close\r\n"...)
	case w.header.Get("Content-Length") == "":
		w.chunked = true
		w.buf = append(w.buf, "Transfer-Encoding: chunked\r\n"...)
	}
	if w.close && !w.noLength {
		w.buf = append(w.buf, "Connection: close\r\n"...)
	}
	w.buf = append(w.buf, "\r\n"...)
}

func (w *response1) Write(p []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	if w.bare {
		return len(p), nil
	}
	if w.chunked && len(p) > 0 {
		w.buf = strconv.AppendInt(w.buf, int64(len(p)), 16)
		w.buf = append(append(append(w.buf, "\r\n"...), p...), "\r\n"...)
	} else {
		w.buf = append(w.buf, p...)
	}
	return len(p), nil
}

// Flush writes what is buffered; if that fails the client has gone, and the
// answer is told so through its context.
func (w *response1) Flush() {
	if len(w.buf) == 0 || w.aborted {
		return
	}
	piece := w.piece
	if piece == 0 {
		piece = len(w.buf)
	}
	for p := w.buf; len(p) > 0; {
		n := min(piece, len(p))
		if _, err := w.conn.Write(p[:n]); err != nil {
			w.aborted = true
			w.conn.leave()
			return
		}
		p = p[n:]
	}
	w.buf = w.buf[:0]
}

func (w *response1) Shred(n int) { w.piece = n }
func (w *response1) Delimit()    { w.noLength = true }

// Close takes effect after the header, which does not announce it.
func (w *response1) Close() { w.close = true }

func (w *response1) Abort(torn []byte, rst bool) {
	if len(torn) > 0 {
		n := len(w.buf)
		w.Write(torn) // the chunk's head promises all of it
		w.buf = w.buf[:n+(len(w.buf)-n)/2]
	}
	w.Flush()
	w.aborted, w.close = true, true
	if rst {
		reset(w.conn.raw)
	}
}

// finish sends what ends the reply.
func (w *response1) finish() {
	if w.aborted {
		return
	}
	w.WriteHeader(http.StatusOK)
	if w.chunked && !w.bare {
		w.buf = append(w.buf, "0\r\n\r\n"...)
	}
	w.Flush()
}
