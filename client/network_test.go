package client_test

import (
	"bufio"
	"context"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"loadgen"
	"loadgen/client"
)

var quiet = log.New(io.Discard, "", 0)

// newClient returns a client of the engine that is closed with the test.
func newClient(t *testing.T, cfg client.Config) *client.Client {
	t.Helper()
	c, err := client.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// forEngines runs f for each engine.
func forEngines(t *testing.T, f func(*testing.T, client.Engine)) {
	for _, engine := range engines {
		t.Run(string(engine), func(t *testing.T) { f(t, engine) })
	}
}

// A seen request is what a handler was asked.
type seen struct {
	*http.Request
	body string
}

// streaming answers with three tokens and tells of the request, if told whom.
func streaming(tell chan<- seen) http.HandlerFunc {
	return func(w http.ResponseWriter, q *http.Request) {
		body, _ := io.ReadAll(q.Body)
		if tell != nil {
			tell <- seen{q, string(body)}
		}
		w.Header().Set("Content-Type", "text/event-stream")
		for i := range 3 {
			fmt.Fprintf(w, "data: {\"choices\":[{\"delta\":{\"content\":\"%d\"}}]}\n\n", i)
			w.(http.Flusher).Flush()
		}
		fmt.Fprint(w, "data: [DONE]\n\n")
	}
}

func mustSucceed(t *testing.T, rec *loadgen.Record) {
	t.Helper()
	if rec.Failure != nil {
		t.Fatalf("failed: %+v", *rec.Failure)
	}
	if string(rec.Text) != "012" || len(rec.Chunks) != 3 || !rec.Streamed {
		t.Fatalf("text %q, chunks %v, streamed %t", rec.Text, rec.Chunks, rec.Streamed)
	}
}

func mustFail(t *testing.T, rec *loadgen.Record, kind loadgen.FailureKind) {
	t.Helper()
	if rec.Failure == nil || rec.Failure.Kind != kind {
		t.Fatalf("want failure %s, got %+v (status %d)", kind, rec.Failure, rec.Status)
	}
	if rec.Took <= 0 || strings.Contains(rec.Failure.Message, "\n") {
		t.Errorf("took %v, message %q", rec.Took, rec.Failure.Message)
	}
}

func TestRequestAsTheServerSeesIt(t *testing.T) {
	forEngines(t, func(t *testing.T, engine client.Engine) {
		asked := make(chan seen, 1)
		srv := httptest.NewServer(streaming(asked))
		defer srv.Close()
		c := newClient(t, client.Config{
			URL: srv.URL + "/base", Engine: engine, Streaming: true, APIKey: "key-1234", Version: "1.2.3",
			Headers: map[string]string{"x-tenant": "blue", "user-agent": "mine", "X-Correlation-ID": "theirs"},
		})
		mustSucceed(t, send(t.Context(), c, `{"a":1}`))
		seen := <-asked
		if seen.Method != "POST" || seen.URL.Path != "/base/v1/chat/completions" || seen.body != `{"a":1}` {
			t.Errorf("%s %s %s", seen.Method, seen.URL.Path, seen.body)
		}
		for name, want := range map[string]string{
			"Content-Type": "application/json", "Accept": "text/event-stream", "Authorization": "Bearer key-1234",
			"X-Request-Id": "request-1", "X-Correlation-Id": "theirs", "X-Tenant": "blue", "User-Agent": "mine",
			"Accept-Encoding": "identity",
		} {
			if got := strings.Join(seen.Header[name], "|"); got != want {
				t.Errorf("%s: %q, want %q", name, got, want)
			}
		}
		if seen.ContentLength != 7 || seen.Host != strings.TrimPrefix(srv.URL, "http://") {
			t.Errorf("length %d, host %s", seen.ContentLength, seen.Host)
		}
	})
}

func TestConnectionFacts(t *testing.T) {
	forEngines(t, func(t *testing.T, engine client.Engine) {
		srv := httptest.NewServer(streaming(nil))
		defer srv.Close()
		url := strings.Replace(srv.URL, "127.0.0.1", "localhost", 1)
		c := newClient(t, client.Config{URL: url, Engine: engine, Streaming: true})
		first, second := send(t.Context(), c, "{}"), send(t.Context(), c, "{}")
		mustSucceed(t, first)
		mustSucceed(t, second)
		if k := first.Conn; k.Reused || k.Dial <= 0 || k.Wrote <= 0 || k.Wrote > first.Head || k.Local == "" {
			t.Errorf("first: %+v", k)
		}
		if k := second.Conn; !k.Reused || k.Dial != 0 || k.DNS != 0 || k.Local != first.Conn.Local {
			t.Errorf("second: %+v", k)
		}
		got := c.Transport()
		if got.Engine != string(engine) || got.Protocol != "HTTP/1.1" || got.Opened != 1 || got.Reused != 1 || got.MaxOpen != 1 {
			t.Errorf("transport: %+v", got)
		}
	})
}

// tlsServer starts a server under TLS and returns its certificate's file.
func tlsServer(t *testing.T, http2 bool) (*httptest.Server, string) {
	srv := httptest.NewUnstartedServer(streaming(nil))
	srv.EnableHTTP2 = http2
	srv.Config.ErrorLog = quiet
	srv.StartTLS()
	t.Cleanup(srv.Close)
	file := filepath.Join(t.TempDir(), "ca.pem")
	block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: srv.Certificate().Raw})
	if err := os.WriteFile(file, block, 0o600); err != nil {
		t.Fatal(err)
	}
	return srv, file
}

func TestTLSAndHTTP2(t *testing.T) {
	for name, c := range map[string]struct {
		engine   client.Engine
		http     client.HTTPVersion
		server2  bool
		protocol string
		used     string
	}{
		"auto speaks HTTP/1.1 by itself":        {client.Auto, client.AnyHTTP, true, "HTTP/1.1", "raw"},
		"auto takes net/http for HTTP/2":        {client.Auto, client.HTTP2, true, "HTTP/2.0", "std"},
		"net/http follows ALPN to HTTP/2":       {client.Std, client.AnyHTTP, true, "HTTP/2.0", "std"},
		"net/http follows ALPN to HTTP/1.1":     {client.Std, client.AnyHTTP, false, "HTTP/1.1", "std"},
		"net/http is held to HTTP/1.1 if asked": {client.Std, client.HTTP1, true, "HTTP/1.1", "std"},
	} {
		t.Run(name, func(t *testing.T) {
			srv, ca := tlsServer(t, c.server2)
			cl := newClient(t, client.Config{
				URL: srv.URL, Engine: c.engine, HTTP: c.http, Streaming: true, TLS: client.TLS{CAFile: ca},
			})
			rec := send(t.Context(), cl, "{}")
			mustSucceed(t, rec)
			if got := cl.Transport(); got.Protocol != c.protocol || got.Engine != c.used || !got.TLS || rec.Conn.TLS <= 0 {
				t.Errorf("transport %+v, conn %+v", got, rec.Conn)
			}
			mustSucceed(t, send(t.Context(), cl, strings.Repeat("x", 100_000)))
		})
	}
}

func TestHTTP2WithoutTLS(t *testing.T) {
	srv := httptest.NewUnstartedServer(streaming(nil))
	srv.Config.Protocols = new(http.Protocols)
	srv.Config.Protocols.SetUnencryptedHTTP2(true)
	srv.Start()
	defer srv.Close()
	c := newClient(t, client.Config{URL: srv.URL, HTTP: client.HTTP2, Streaming: true})
	mustSucceed(t, send(t.Context(), c, "{}"))
	if got := c.Transport().Protocol; got != "HTTP/2.0" {
		t.Errorf("protocol %s", got)
	}
}

func TestUntrustedCertificateIsATLSFailure(t *testing.T) {
	forEngines(t, func(t *testing.T, engine client.Engine) {
		srv, _ := tlsServer(t, false)
		mustFail(t, send(t.Context(), newClient(t, client.Config{URL: srv.URL, Engine: engine}), "{}"), loadgen.FailTLS)
		c := newClient(t, client.Config{URL: srv.URL, Engine: engine, Streaming: true, TLS: client.TLS{InsecureSkipVerify: true}})
		mustSucceed(t, send(t.Context(), c, "{}"))
	})
}

func TestNobodyListensIsAConnectFailure(t *testing.T) {
	forEngines(t, func(t *testing.T, engine client.Engine) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		l.Close()
		c := newClient(t, client.Config{URL: "http://" + l.Addr().String(), Engine: engine})
		mustFail(t, send(t.Context(), c, "{}"), loadgen.FailConnect)
		if c.Transport().DialErrors != 1 {
			t.Errorf("transport %+v", c.Transport())
		}
	})
}

// serveTCP hands each connection to f, in a goroutine of its own, and waits
// for all of them at the end of the test.
func serveTCP(t *testing.T, f func(conn *net.TCPConn, in *bufio.Reader)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var served sync.WaitGroup
	served.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			served.Go(func() {
				defer conn.Close()
				f(conn.(*net.TCPConn), bufio.NewReader(conn))
			})
		}
	})
	t.Cleanup(func() { l.Close(); served.Wait() })
	return "http://" + l.Addr().String()
}

var three = streamHead + delta("content", "0") + delta("content", "1") + delta("content", "2") + data("[DONE]") + bodyEnd

func TestResetInTheStreamIsACut(t *testing.T) {
	forEngines(t, func(t *testing.T, engine client.Engine) {
		url := serveTCP(t, func(conn *net.TCPConn, in *bufio.Reader) {
			readRequest(in)
			io.WriteString(conn, three[:len(streamHead)+10])
			conn.SetLinger(0)
		})
		c := newClient(t, client.Config{URL: url, Engine: engine, Streaming: true})
		rec := send(t.Context(), c, "{}")
		mustFail(t, rec, loadgen.FailStreamCut)
	})
}

func TestServerThatAbortsIsACut(t *testing.T) {
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		fmt.Fprint(w, "data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\n")
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	}))
	srv.Config.Protocols = new(http.Protocols)
	srv.Config.Protocols.SetHTTP1(true)
	srv.Config.Protocols.SetUnencryptedHTTP2(true)
	srv.Start()
	defer srv.Close()
	for name, cfg := range map[string]client.Config{
		"raw":    {Engine: client.Raw},
		"std":    {Engine: client.Std},
		"HTTP/2": {HTTP: client.HTTP2},
	} {
		t.Run(name, func(t *testing.T) {
			cfg.URL, cfg.Streaming = srv.URL, true
			rec := send(t.Context(), newClient(t, cfg), "{}")
			mustFail(t, rec, loadgen.FailStreamCut)
			if string(rec.Text) != "a" {
				t.Errorf("text %q", rec.Text)
			}
		})
	}
}

// TestEarlyRefusal has the server refuse a long body without reading it.
func TestEarlyRefusal(t *testing.T) {
	url := serveTCP(t, func(conn *net.TCPConn, in *bufio.Reader) {
		in.Peek(1)
		io.WriteString(conn, "HTTP/1.1 413 Too Large\r\nContent-Length: 7\r\nConnection: close\r\n\r\ntoo big")
		conn.CloseWrite()
		io.Copy(io.Discard, io.LimitReader(in, 1<<20)) // as nginx lingers
		io.Copy(io.Discard, in)
	})
	forEngines(t, func(t *testing.T, engine client.Engine) {
		c := newClient(t, client.Config{URL: url, Engine: engine, RequestTimeout: 10 * time.Second})
		rec := send(t.Context(), c, strings.Repeat("x", 8<<20))
		mustFail(t, rec, loadgen.FailHTTP4xx)
		if rec.Status != 413 || !strings.Contains(rec.Failure.Message, "too big") {
			t.Errorf("%+v", rec.Failure)
		}
	})
}

func TestManyStreamsAtOnce(t *testing.T) {
	const n = 1100
	if err := client.Preflight(2 * n); err != nil {
		t.Fatalf("this machine cannot hold the test's connections: %v", err)
	}
	for name, c := range map[string]struct {
		engine client.Engine
		http   client.HTTPVersion
	}{
		"raw":    {client.Raw, client.HTTP1},
		"std":    {client.Std, client.HTTP1},
		"HTTP/2": {client.Std, client.HTTP2},
	} {
		t.Run(name, func(t *testing.T) {
			var open, most atomic.Int32
			all := make(chan struct{})
			srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
				io.Copy(io.Discard, q.Body)
				now := open.Add(1)
				defer open.Add(-1)
				for m := most.Load(); now > m && !most.CompareAndSwap(m, now); m = most.Load() {
				}
				if now == n {
					close(all)
				}
				<-all
				streaming(nil)(w, q)
			}))
			srv.Config.Protocols = new(http.Protocols)
			srv.Config.Protocols.SetHTTP1(true)
			srv.Config.Protocols.SetUnencryptedHTTP2(true)
			srv.Start()
			defer srv.Close()
			cl := newClient(t, client.Config{
				URL: srv.URL, Engine: c.engine, HTTP: c.http, Streaming: true, RequestTimeout: time.Minute,
			})
			var wg sync.WaitGroup
			var ok atomic.Int32
			for range n {
				wg.Go(func() {
					if rec := send(context.Background(), cl, "{}"); rec.OK() && string(rec.Text) == "012" {
						ok.Add(1)
					}
				})
			}
			wg.Wait()
			if ok.Load() != n || most.Load() != n {
				t.Errorf("%d succeeded, %d at once, %+v", ok.Load(), most.Load(), cl.Transport())
			}
			if got := cl.Transport().MaxOpen; c.http == client.HTTP1 && got != n {
				t.Errorf("%d connections at once", got)
			}
		})
	}
}

func TestEventWithoutEndIsGivenUp(t *testing.T) {
	piece := []byte(strings.Repeat("x", 1<<20))
	url := serveTCP(t, func(conn *net.TCPConn, in *bufio.Reader) {
		readRequest(in)
		io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: ")
		for range 70 {
			if _, err := conn.Write(piece); err != nil {
				return
			}
		}
	})
	c := newClient(t, client.Config{URL: url, Streaming: true})
	mustFail(t, send(t.Context(), c, "{}"), loadgen.FailBadStream)
}

func TestKernelTimes(t *testing.T) {
	for name, tls := range map[string]bool{"plain": false, "under TLS": true} {
		t.Run(name, func(t *testing.T) {
			srv, cfg := httptest.NewServer(streaming(nil)), client.Config{}
			if tls {
				srv.Close()
				srv, cfg.TLS.CAFile = tlsServer(t, false)
			}
			defer srv.Close()
			cfg.URL, cfg.Streaming = srv.URL, true
			c := newClient(t, cfg)
			cfg.NoKernelTime = true
			plain := newClient(t, cfg)
			for range 20 {
				rec := send(t.Context(), c, "{}")
				mustSucceed(t, rec)
				first, mean, most := rec.FirstDelay, rec.MeanDelay, rec.ReaderDelay
				if min(first, mean) < 0 || max(first, mean) > most || rec.Timing == loadgen.Reader && most != 0 {
					t.Errorf("timing %v, reader delays %v, %v, %v", rec.Timing, first, mean, most)
				}
				if rec.Over < rec.Took || rec.Over > time.Since(rec.Start) {
					t.Errorf("over at %v, the last chunk at %v", rec.Over, rec.Took)
				}
				last := rec.Conn.Wrote
				for _, chunk := range rec.Chunks {
					if chunk.At < last || chunk.At > time.Since(rec.Start) {
						t.Errorf("chunk at %v behind %v", chunk.At, last)
					}
					last = chunk.At
				}
				if rec := send(t.Context(), plain, "{}"); rec.Timing != loadgen.Reader || rec.ReaderDelay != 0 {
					t.Errorf("not asked for, but timing %v", rec.Timing)
				}
			}
			if got := plain.Transport().Timing; got != "reader" {
				t.Errorf("timing %s where kernel times are not wanted", got)
			}
		})
	}
}

func TestSecretsStayOutOfFailures(t *testing.T) {
	forEngines(t, func(t *testing.T, engine client.Engine) {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
			w.WriteHeader(http.StatusUnauthorized)
			fmt.Fprintf(w, `{"error":{"message":"bad key %s, tenant %s"}}`, q.Header.Get("Authorization"), q.Header.Get("X-Tenant"))
		}))
		defer srv.Close()
		c := newClient(t, client.Config{
			URL: srv.URL, Engine: engine, APIKey: "sk-very-secret", Headers: map[string]string{"X-Tenant": "hidden-tenant"},
		})
		for _, message := range []string{send(t.Context(), c, "{}").Failure.Message, c.Ping(t.Context()).Error()} {
			if strings.Contains(message, "secret") || strings.Contains(message, "hidden") || !strings.Contains(message, "<redacted>") {
				t.Errorf("message %q", message)
			}
		}
	})
}
