package mockllm

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"
)

// A Server is a simulated endpoint. It is made by New and served once.
type Server struct {
	cfg    Config
	engine *engine
	quota  *rate.Limiter // nil for none
	stamps *stampRing
	cert   *tls.Certificate // nil without TLS
	pem    []byte
	born   time.Time

	requests            atomic.Uint64 // completions asked for: the index that seeds chance
	connections         atomic.Uint64
	rejected            atomic.Int64
	stopped, lengthened atomic.Int64
	late                lateness

	bodies room
	ticks  atomic.Int64 // of silentTick, since the server is served
}

// lateness is by how much this process wrote chunks after they were due.
type lateness struct{ chunks, over, sum, max atomic.Int64 }

func (l *lateness) add(d time.Duration) {
	d = max(d, 0)
	l.chunks.Add(1)
	l.sum.Add(int64(d))
	if d > time.Millisecond {
		l.over.Add(1)
	}
	for {
		old := l.max.Load()
		if int64(d) <= old || l.max.CompareAndSwap(old, int64(d)) {
			return
		}
	}
}

// New returns a server for the configuration, or all its faults.
func New(cfg Config) (*Server, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("configuring the simulated endpoint: %w", err)
	}
	cfg = cfg.filled()
	s := &Server{cfg: cfg, engine: newEngine(cfg), stamps: newStampRing(cfg.StampsKept), born: time.Now()}
	if cfg.RequestsPerSecond > 0 {
		s.quota = rate.NewLimiter(rate.Limit(cfg.RequestsPerSecond), cfg.Burst)
	}
	if cfg.TLS {
		cert, pem, err := SelfSigned("localhost", "127.0.0.1", "::1")
		if err != nil {
			return nil, err
		}
		s.cert, s.pem = &cert, pem
	}
	return s, nil
}

// CertPEM returns the certificate to trust, PEM-encoded; nil without TLS.
func (s *Server) CertPEM() []byte { return s.pem }

// Serve answers on the listener until the context ends, closes it, and returns
// when the last goroutine has ended: nil, or what made accepting impossible.
// Requests in flight get Config.Grace.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	running, stop := context.WithCancel(context.WithoutCancel(ctx)) // outlives ctx by the grace
	defer stop()
	var all sync.WaitGroup
	all.Go(func() { s.engine.run(running) })

	warmReceiveClock(l)
	conns := newConnSet()
	all.Go(func() { s.closeSilent(running, conns) })
	var h2 *http2Server
	if s.cfg.HTTP2 {
		h2 = s.serveHTTP2(&all, l.Addr())
	}
	unwatch := context.AfterFunc(ctx, func() { l.Close() })
	err := s.accept(l, func(nc net.Conn) {
		all.Go(func() { s.serveConn(running, nc, conns, h2) })
	})
	unwatch()
	l.Close()

	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.cfg.Grace)
	conns.drain(grace)
	if h2 != nil {
		h2.drain(grace)
	}
	cancel()
	stop()
	conns.closeAll()
	all.Wait()
	if ctx.Err() != nil {
		return nil
	}
	return fmt.Errorf("accepting connections: %w", err)
}

// accept hands connections over until the listener is closed. A passing
// shortage, of descriptors for instance, is waited out.
func (s *Server) accept(l net.Listener, serve func(net.Conn)) error {
	for {
		nc, err := l.Accept()
		if err != nil {
			var passing interface{ Temporary() bool }
			if errors.As(err, &passing) && passing.Temporary() && !errors.Is(err, net.ErrClosed) {
				time.Sleep(5 * time.Millisecond)
				continue
			}
			return err
		}
		if s.refuses(s.connections.Add(1) - 1) {
			reset(nc)
			continue
		}
		serve(nc)
	}
}

// reset closes the connection so that the peer sees a reset.
func reset(nc net.Conn) {
	if l, ok := nc.(interface{ SetLinger(sec int) error }); ok {
		l.SetLinger(0)
	}
	nc.Close()
}

// A call is one HTTP request, read to its end.
type call struct {
	*http.Request
	body     []byte
	at       time.Time // received: read to its end
	received int64     // unix ns, by source
	source   string
	room     *room // that holds the body
}

// drop gives up the body: a request that waits need not hold its prompt.
func (c *call) drop() {
	c.room.free(cap(c.body))
	c.body = nil
}

// A reply is the way back. Nothing is sent before Flush or the handler's end.
type reply interface {
	http.ResponseWriter
	Flush()
	// Shred tears every later flush into writes of n bytes.
	Shred(n int)
	// Delimit ends the body by closing the connection; before WriteHeader.
	Delimit()
	// Close ends the connection after the reply, without saying so.
	Close()
	// Abort ends the connection, or for HTTP/2 the stream, now: after half of
	// torn, by a reset if so asked. The handler returns next.
	Abort(torn []byte, reset bool)
}

// handle answers one request.
func (s *Server) handle(ctx context.Context, w reply, c *call) {
	if s.cfg.APIKey != "" && strings.HasPrefix(c.URL.Path, "/v1/") && !s.authorized(c.Header.Get("Authorization")) {
		s.fail(w, http.StatusUnauthorized, "invalid_api_key", "Incorrect API key provided.")
		return
	}
	method := c.Method
	if method == http.MethodHead {
		method = http.MethodGet // the connection keeps the body back
	}
	switch route := method + " " + c.URL.Path; route {
	case "POST /v1/chat/completions":
		s.complete(ctx, w, c, true)
	case "POST /v1/completions":
		s.complete(ctx, w, c, false)
	case "GET /v1/models":
		s.listModels(w)
	case "GET /health":
		send(w, http.StatusOK, "text/plain", nil)
	case "GET /metrics":
		s.metrics(w)
	case "POST /reset_prefix_cache":
		s.engine.forget()
		send(w, http.StatusOK, "text/plain", nil)
	case "GET /mock/stats":
		b, _ := json.Marshal(s.Stats()) // numbers only: cannot fail
		send(w, http.StatusOK, "application/json", b)
	case "GET /mock/stamps":
		var b bytes.Buffer
		enc := json.NewEncoder(&b)
		for _, st := range s.stamps.all() {
			enc.Encode(st)
		}
		send(w, http.StatusOK, "application/jsonl", b.Bytes())
	case "DELETE /mock/stamps":
		s.stamps.clear()
		send(w, http.StatusOK, "text/plain", nil)
	default:
		if name, asked := strings.CutPrefix(route, "GET /v1/models/"); asked {
			s.showModel(w, name)
			return
		}
		s.fail(w, http.StatusNotFound, "not_found", "There is nothing at "+route+".")
	}
}

// authorized compares in constant time, by habit.
func (s *Server) authorized(header string) bool {
	got, want := sha256.Sum256([]byte(header)), sha256.Sum256([]byte("Bearer "+s.cfg.APIKey))
	return subtle.ConstantTimeCompare(got[:], want[:]) == 1
}

func (s *Server) models() []string {
	if len(s.cfg.Models) == 0 {
		return []string{"mock-model"}
	}
	return s.cfg.Models
}

// A served is an entry of the list of models.
type served struct {
	ID      string `json:"id"`
	Object  string `json:"object"`
	Created int64  `json:"created"`
	OwnedBy string `json:"owned_by"`
}

func (s *Server) served(id string) served { return served{id, "model", s.born.Unix(), "mockllm"} }

func (s *Server) listModels(w reply) {
	list := struct {
		Object string   `json:"object"`
		Data   []served `json:"data"`
	}{Object: "list"}
	for _, id := range s.models() {
		list.Data = append(list.Data, s.served(id))
	}
	b, _ := json.Marshal(list) // strings and numbers only: cannot fail
	send(w, http.StatusOK, "application/json", b)
}

// showModel answers for a model by its name: any is served where none is given.
func (s *Server) showModel(w reply, name string) {
	if len(s.cfg.Models) > 0 && !slices.Contains(s.cfg.Models, name) {
		s.fail(w, http.StatusNotFound, "model_not_found", fmt.Sprintf("The model %q does not exist.", name))
		return
	}
	b, _ := json.Marshal(s.served(name)) // likewise
	send(w, http.StatusOK, "application/json", b)
}

// overQuota reports whether the request exceeds the quota, and has then
// answered it.
func (s *Server) overQuota(w reply, c *call) bool {
	if s.quota == nil {
		return false
	}
	r := s.quota.ReserveN(c.at, 1)
	wait := r.DelayFrom(c.at)
	if wait == 0 {
		return false
	}
	r.CancelAt(c.at)
	w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(wait.Seconds()))))
	s.fail(w, http.StatusTooManyRequests, "rate_limit_exceeded", "Rate limit reached.")
	return true
}

// fail answers with an error in OpenAI's form.
func (s *Server) fail(w reply, status int, code, message string) {
	s.rejected.Add(1)
	send(w, status, "application/json", errorBody(status, code, message))
}

// send answers with a whole body.
func send(w reply, status int, contentType string, body []byte) {
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	w.Write(body)
}

func errorBody(status int, code, message string) []byte {
	kind := "server_error"
	switch {
	case status == http.StatusTooManyRequests:
		kind = "rate_limit_error"
	case status == http.StatusUnauthorized:
		kind = "authentication_error"
	case status < 500:
		kind = "invalid_request_error"
	}
	type fault struct {
		Message string  `json:"message"`
		Type    string  `json:"type"`
		Param   *string `json:"param"`
		Code    string  `json:"code"`
	}
	b, _ := json.Marshal(map[string]fault{"error": {message, kind, nil, code}}) // strings only: cannot fail
	return b
}
