package client

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync"
	"time"

	"loadgen"
)

const (
	readBuffer = 16 << 10
	keptIdle   = 300 * time.Second
)

// std is the engine on net/http.
type std struct {
	target    *target
	stats     *stats
	transport *http.Transport
	buffers   sync.Pool
}

func newStd(t *target, s *stats) *std {
	e := &std{target: t, stats: s, transport: t.transport(s)}
	e.buffers.New = func() any { return new([readBuffer]byte) }
	return e
}

// transport returns a net/http transport without its hidden limits.
func (t *target) transport(s *stats) *http.Transport {
	tr := &http.Transport{
		DialContext:         counted(t.dialer(), s),
		TLSClientConfig:     t.tls.Clone(),
		MaxIdleConnsPerHost: 1 << 20,
		IdleConnTimeout:     keptIdle,
		DisableCompression:  true,
		ReadBufferSize:      readBuffer,

		MaxResponseHeaderBytes: headMax,
		Protocols:              new(http.Protocols),
	}
	if t.Dial == nil {
		tr.Proxy = http.ProxyFromEnvironment
	}
	tr.Protocols.SetHTTP1(t.HTTP != HTTP2)
	tr.Protocols.SetHTTP2(t.HTTP != HTTP1)
	tr.Protocols.SetUnencryptedHTTP2(t.HTTP == HTTP2)
	return tr
}

// connectTime bounds how long a connection may take. Packets that are lost are
// sent again after 1, 3, 7 and 15 s: a host that has not answered to these drops
// them, and waiting for it until the request's time is over tells nothing more.
const connectTime = 30 * time.Second

func (t *target) dialer() DialFunc {
	dial := t.Dial
	if dial == nil {
		dial = (&net.Dialer{KeepAlive: 30 * time.Second}).DialContext
	}
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		limit := time.Now().Add(connectTime)
		if ends, ok := ctx.Deadline(); ok && ends.Before(limit) {
			return dial(ctx, network, addr)
		}
		bounded, done := context.WithDeadline(ctx, limit)
		defer done()
		conn, err := dial(bounded, network, addr)
		if err != nil && timedOut(err) {
			err = faultf(loadgen.FailConnect, "dial %s %s: no connection within %v", own(network), own(addr), connectTime)
		}
		return conn, err
	}
}

// counted keeps count of the connections that dial opens.
func counted(dial DialFunc, s *stats) DialFunc {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		if !s.mayDial() {
			return nil, errNoDescriptor
		}
		defer s.dialled()
		var dns time.Duration
		start := time.Now()
		conn, err := dial(traceDNS(ctx, &dns), network, addr)
		if err != nil {
			s.refused(err)
			return nil, &fault{loadgen.FailConnect, err}
		}
		s.connected()
		return &countedConn{Conn: conn, stats: s, dial: time.Since(start) - dns}, nil
	}
}

type countedConn struct {
	net.Conn
	stats *stats
	dial  time.Duration // how long it took to connect, without TLS
	reads reads
	once  sync.Once
}

func (c *countedConn) Read(p []byte) (int, error) {
	began := c.reads.begin()
	n, err := c.Conn.Read(p)
	c.reads.end(began, n, len(p))
	return n, err
}

// noConn stands for a connection that is not there.
var noConn = &countedConn{}

// countedBelow returns the counted connection under conn, which TLS may lie
// over.
func countedBelow(conn net.Conn) *countedConn {
	for {
		switch c := conn.(type) {
		case *countedConn:
			return c
		case interface{ NetConn() net.Conn }:
			conn = c.NetConn()
		default:
			return noConn
		}
	}
}

func (c *countedConn) Close() error {
	c.once.Do(c.stats.closed)
	return c.Conn.Close()
}

func (e *std) close() { e.transport.CloseIdleConnections() }

func (e *std) send(ctx context.Context, r *reply) error {
	inner, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	if e.target.RequestTimeout > 0 {
		left := time.Until(r.rec.Start.Add(e.target.RequestTimeout))
		timer := time.AfterFunc(left, func() { cancel(errTimeout) })
		defer timer.Stop()
	}
	err := e.exchange(inner, cancel, r)
	if errors.Is(err, context.Canceled) && context.Cause(inner) == errTimeout {
		return errTimeout
	}
	return err
}

func (e *std) exchange(ctx context.Context, cancel context.CancelCauseFunc, r *reply) error {
	resp, conn, err := e.roundTrip(ctx, r.rec)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if !e.agreed(resp) {
		return badHead("not the HTTP that was agreed on: %q", resp.Proto)
	}
	if resp.StatusCode == http.StatusSwitchingProtocols {
		return errSwitches // a read of what follows would not end with the context
	}
	e.stats.speaks(resp.Proto)
	r.head(time.Since(r.rec.Start), responseOf(resp))

	buffer := e.buffers.Get().(*[readBuffer]byte)
	defer e.buffers.Put(buffer)
	var drain *time.Timer
	for {
		n, err := resp.Body.Read(buffer[:])
		// The read that counts is the connection's. How net/http hands on what
		// it brought is a matter of buffers and framing.
		now := arrival{at: time.Since(r.rec.Start), read: conn.reads.number.Load()}
		r.read(now)
		if n > 0 {
			r.push(buffer[:n], now)
		}
		if r.ended() && drain == nil && err == nil {
			drain = time.AfterFunc(drainTime, func() { cancel(nil) })
			defer drain.Stop()
		}
		switch {
		case err == io.EOF:
			return r.end(nil)
		case err != nil:
			return r.end(err)
		}
	}
}

// agreed reports whether a response is of a version that the connection can
// speak: net/http also reads a head that says HTTP/0.0, or HTTP/2.0 on HTTP/1.
func (e *std) agreed(resp *http.Response) bool {
	switch resp.Proto {
	case "HTTP/1.0", "HTTP/1.1":
		return true
	case "HTTP/2.0":
		return e.target.HTTP == HTTP2 || resp.TLS != nil && resp.TLS.NegotiatedProtocol == "h2"
	}
	return false
}

// responseOf returns what the reply needs of a head.
func responseOf(resp *http.Response) *response {
	value := func(name string) []byte { return []byte(strings.TrimSpace(resp.Header.Get(name))) }
	return &response{
		status: resp.StatusCode, contentType: value("Content-Type"), encoding: value("Content-Encoding"),
		retryAfter: value("Retry-After"), retryAfterMs: value("Retry-After-Ms"), date: value("Date"),
		location: value("Location"), allow: value("Allow"),
	}
}

// roundTrip sends the request, and again on another connection where the first
// one had been used before and was closed before anything was answered. A server
// that closes two in a row without a word has most likely closed all that are
// idle.
func (e *std) roundTrip(ctx context.Context, rec *loadgen.Record) (*http.Response, *countedConn, error) {
	const attempts = 5 // others give back connections that are stale, too
	for attempt := 1; ; attempt++ {
		tr := &trace{rec: rec, stats: e.stats, carrier: noConn}
		req := e.request(httptrace.WithClientTrace(ctx, tr.hooks()), rec.Request)
		resp, err := e.transport.RoundTrip(req)
		conn, carrier, answered := tr.finish()
		rec.Conn = conn
		switch {
		case err == nil:
			return resp, carrier, nil
		case attempt < attempts && ctx.Err() == nil && lost(err, &conn, answered, time.Since(rec.Start), carrier.dial):
			e.stats.retried.Add(1)
			if attempt > 1 {
				e.transport.CloseIdleConnections()
			}
		default:
			return nil, nil, tr.explain(err)
		}
	}
}

func (e *std) request(ctx context.Context, q *loadgen.Request) *http.Request {
	h := e.target.header.Clone()
	if h.Get(requestID) == "" {
		h.Set(requestID, token(q.ID))
	}
	if h.Get(correlationID) == "" {
		h.Set(correlationID, token(q.Correlation))
	}
	body := func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(q.Body)), nil }
	reader, _ := body()
	req := &http.Request{
		Method: http.MethodPost, URL: e.target.send, Host: e.target.send.Host,
		Header: h, Body: reader, GetBody: body, ContentLength: int64(len(q.Body)),
	}
	return req.WithContext(ctx)
}

// A trace notes what it took to get a request onto the wire. net/http calls
// its hooks from goroutines that may outlive the round trip, hence the lock and
// the copy.
type trace struct {
	rec   *loadgen.Record
	stats *stats

	mu              sync.Mutex
	conn            loadgen.Conn
	conns           int
	carrier         *countedConn // that the request went over, noConn before there is one
	answered        bool
	dialing, tls    bool
	asked           time.Duration
	dns, dial, tls0 time.Duration
}

func (t *trace) hooks() *httptrace.ClientTrace {
	start := t.rec.Start
	note := func(f func(now time.Duration)) {
		now := time.Since(start)
		t.mu.Lock()
		defer t.mu.Unlock()
		f(now)
	}
	return &httptrace.ClientTrace{
		GetConn:  func(string) { note(func(now time.Duration) { t.asked = now }) },
		DNSStart: func(httptrace.DNSStartInfo) { note(func(now time.Duration) { t.dns = now }) },
		DNSDone: func(httptrace.DNSDoneInfo) {
			note(func(now time.Duration) { t.conn.DNS = now - t.dns })
		},
		ConnectStart: func(string, string) {
			note(func(now time.Duration) { t.dial, t.dialing = now, true })
		},
		ConnectDone: func(string, string, error) {
			note(func(now time.Duration) { t.conn.Dial, t.dialing = now-t.dial, false })
		},
		TLSHandshakeStart: func() { note(func(now time.Duration) { t.tls0, t.tls = now, true }) },
		TLSHandshakeDone: func(_ tls.ConnectionState, err error) {
			note(func(now time.Duration) { t.conn.TLS, t.tls = now-t.tls0, err != nil })
		},
		GotConn: func(info httptrace.GotConnInfo) {
			note(func(now time.Duration) {
				if t.conns++; t.conns > 1 { // net/http saw a stale one itself
					t.stats.retried.Add(1)
				}
				t.conn.Reused = info.Reused
				t.carrier = countedBelow(info.Conn)
				t.conn.Local = info.Conn.LocalAddr().String()
				if info.Reused {
					t.conn.DNS, t.conn.Dial, t.conn.TLS = 0, 0, 0
				}
				t.conn.Wait = max(0, now-t.asked-t.conn.DNS-t.conn.Dial-t.conn.TLS)
			})
		},
		WroteRequest: func(httptrace.WroteRequestInfo) {
			note(func(now time.Duration) { t.conn.Wrote = now })
		},
		GotFirstResponseByte: func() { note(func(time.Duration) { t.answered = true }) },
	}
}

// finish returns what was noted.
func (t *trace) finish() (conn loadgen.Conn, carrier *countedConn, answered bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.conn, t.carrier, t.answered
}

// explain finds out at which step a round trip failed.
func (t *trace) explain(err error) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	var f *fault
	switch {
	case errors.As(err, &f):
		return err
	case t.tls && t.conns == 0:
		return &fault{loadgen.FailTLS, err}
	case t.conns == 0:
		return &fault{loadgen.FailConnect, err}
	}
	return err
}
