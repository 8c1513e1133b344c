package mockllm

import (
	"context"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"time"
)

// An http2Server serves the connections it is handed over net/http.
type http2Server struct {
	server *http.Server
	conns  *handover
}

func (s *Server) serveHTTP2(all *sync.WaitGroup, addr net.Addr) *http2Server {
	protocols := new(http.Protocols)
	protocols.SetHTTP2(true)
	protocols.SetUnencryptedHTTP2(true)
	h := &http2Server{
		conns: &handover{conns: make(chan net.Conn), done: make(chan struct{}), addr: addr},
		server: &http.Server{
			Protocols: protocols,

			ReadHeaderTimeout: silentTicks * silentTick,
			IdleTimeout:       silentTicks * silentTick,
			HTTP2:             &http.HTTP2Config{MaxConcurrentStreams: 1 << 20},
			ErrorLog:          log.New(io.Discard, "", 0), // faults are wanted here
			Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body, err := s.bodies.readBody(r, func() {})
				c := &call{Request: r, body: body, at: time.Now(), source: "handler", room: &s.bodies}
				defer c.drop()
				if err != nil {
					if status, words := unreadable(err); status != 0 {
						send(&response2{ResponseWriter: w}, status, "application/json", words)
					}
					return
				}
				c.received = c.at.UnixNano()
				s.handle(r.Context(), &response2{ResponseWriter: w}, c)
			}),
		},
	}
	all.Go(func() { h.server.Serve(h.conns) }) // ends with ErrServerClosed
	return h
}

// drain waits for the streams in flight until the context ends, and then cuts
// them.
func (h *http2Server) drain(ctx context.Context) {
	if h.server.Shutdown(ctx) != nil {
		h.server.Close()
	}
}

// A handover is a listener whose connections somebody else has accepted.
type handover struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
	addr  net.Addr
}

func (h *handover) Accept() (net.Conn, error) {
	select {
	case c := <-h.conns:
		return c, nil
	case <-h.done:
		return nil, net.ErrClosed
	}
}

func (h *handover) Close() error {
	h.once.Do(func() { close(h.done) })
	return nil
}

func (h *handover) Addr() net.Addr { return h.addr }

// give hands a connection over, or closes it when the server has ended.
func (h *handover) give(nc net.Conn) {
	select {
	case h.conns <- nc:
	case <-h.done:
		nc.Close()
	}
}

// A response2 is a reply over HTTP/2. Faults of the connection become faults of
// the stream, faults of chunked encoding do not exist.
type response2 struct {
	http.ResponseWriter
	piece int
}

func (w *response2) Write(p []byte) (int, error) {
	if w.piece == 0 {
		return w.ResponseWriter.Write(p)
	}
	for q := p; len(q) > 0; {
		n := min(w.piece, len(q))
		if _, err := w.ResponseWriter.Write(q[:n]); err != nil {
			return 0, err
		}
		w.Flush()
		q = q[n:]
	}
	return len(p), nil
}

func (w *response2) Flush()      { w.ResponseWriter.(http.Flusher).Flush() }
func (w *response2) Shred(n int) { w.piece = n }
func (w *response2) Delimit()    {}
func (w *response2) Close()      {}

func (w *response2) Abort(torn []byte, rst bool) {
	if len(torn) > 0 {
		w.Write(torn[:len(torn)/2])
	}
	w.Flush()
	panic(http.ErrAbortHandler) // resets the stream
}
