package mockllm

import (
	"bufio"
	"context"
	"crypto/tls"
	"net"
	"sync"
	"time"
)

const (
	// handshakeTime is how long a client may take to say what it wants.
	handshakeTime = 30 * time.Second
	// A connection whose client has said nothing for silentTicks of silentTick,
	// although it is its turn, is closed. One look at all of them now and then
	// costs less than a timer for each.
	silentTick  = 15 * time.Second
	silentTicks = 20
)

// closeSilent closes silent connections until the context ends.
func (s *Server) closeSilent(ctx context.Context, conns *connSet) {
	ticker := time.NewTicker(silentTick)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			conns.closeSilent(s.ticks.Add(1))
		case <-ctx.Done():
			return
		}
	}
}

// serveConn finds out what a connection speaks and serves it to its end; HTTP/2
// is handed over.
func (s *Server) serveConn(ctx context.Context, nc net.Conn, conns *connSet, h2 *http2Server) {
	if !conns.add(nc) {
		nc.Close()
		return
	}
	defer conns.remove(nc)
	inner, clock := withReceiveClock(nc)
	if s.cert != nil {
		cfg := &tls.Config{Certificates: []tls.Certificate{*s.cert}, NextProtos: []string{"http/1.1"}}
		if h2 != nil {
			cfg.NextProtos = []string{"h2", "http/1.1"}
		}
		secured := tls.Server(inner, cfg)
		hctx, cancel := context.WithTimeout(ctx, handshakeTime)
		err := secured.HandshakeContext(hctx)
		cancel()
		if err != nil {
			nc.Close()
			return
		}
		if secured.ConnectionState().NegotiatedProtocol == "h2" {
			h2.conns.give(secured)
			return
		}
		inner = secured
	}
	c := s.newConn1(inner, nc, clock)
	if h2 != nil && s.cert == nil {
		// Until it is known who serves the connection nobody else ends it.
		nc.SetReadDeadline(time.Now().Add(silentTicks * silentTick))
		start, err := c.br.Peek(4)
		if err != nil {
			nc.Close()
			return
		}
		if string(start) == "PRI " { // no method begins so
			nc.SetReadDeadline(time.Time{})
			h2.conns.give(&peeked{inner, c.br})
			return
		}
		nc.SetReadDeadline(time.Time{})
	}
	if conns.serving(nc, c) {
		c.serve(ctx)
	}
	c.Close()
}

// A peeked connection is read through the buffer that holds its first bytes.
type peeked struct {
	net.Conn
	br *bufio.Reader
}

func (p *peeked) Read(b []byte) (int, error) { return p.br.Read(b) }

// A connSet knows the open connections, so that the server can end them.
type connSet struct {
	mu     sync.Mutex
	conns  map[net.Conn]*conn1 // nil before its protocol is known
	ending bool
	empty  chan struct{} // closed when ending and the last has gone
}

func newConnSet() *connSet {
	return &connSet{conns: map[net.Conn]*conn1{}, empty: make(chan struct{})}
}

// add reports false when the server is ending.
func (s *connSet) add(nc net.Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.ending {
		s.conns[nc] = nil
	}
	return !s.ending
}

// serving notes who serves the connection.
func (s *connSet) serving(nc net.Conn, c *conn1) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.conns[nc] = c
	return !s.ending
}

func (s *connSet) remove(nc net.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, nc)
	if s.ending && len(s.conns) == 0 {
		close(s.empty)
	}
}

// drain closes what is idle and waits for the rest until the context ends.
func (s *connSet) drain(ctx context.Context) {
	s.mu.Lock()
	s.ending = true
	if len(s.conns) == 0 {
		close(s.empty)
	}
	for nc, c := range s.conns {
		if c == nil {
			nc.Close()
		} else {
			c.retire()
		}
	}
	s.mu.Unlock()
	select {
	case <-s.empty:
	case <-ctx.Done():
	}
}

// closeSilent closes the connections that have been silent for too long.
func (s *connSet) closeSilent(tick int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.conns {
		if c != nil {
			c.closeSilent(tick)
		}
	}
}

// closeAll cuts what is left.
func (s *connSet) closeAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for nc := range s.conns {
		nc.Close()
	}
}
