package client_test

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"loadgen"
	"loadgen/client"
	"loadgen/internal/memnet"
)

// TestKeepAliveTimerRace has the server close each connection soon after it
// has answered, so that requests keep meeting connections that have just been
// closed or are being closed: none of them fails.
func TestKeepAliveTimerRace(t *testing.T) {
	forEngines(t, func(t *testing.T, engine client.Engine) {
		srv := httptest.NewUnstartedServer(streaming(nil))
		srv.Config.IdleTimeout = 5 * time.Millisecond
		srv.Start()
		defer srv.Close()
		c := newClient(t, client.Config{URL: srv.URL, Engine: engine, Streaming: true})
		for i := range 60 {
			mustWinRace(t, c)
			time.Sleep(time.Duration(4800+i*10) * time.Microsecond)
		}
	})
}

// mustWinRace sends a request whose connection the server may just have closed. On a
// machine where this process was held for long behind it, that is no race any more.
func mustWinRace(t *testing.T, c *client.Client) {
	t.Helper()
	begun := time.Now()
	rec := send(t.Context(), c, "{}")
	if held := time.Since(begun)-rec.Conn.Wrote > 200*time.Millisecond; rec.Failure == nil || !held {
		mustSucceed(t, rec)
	}
}

// TestHeadsThatChange has the server answer on one connection with heads that
// are the same for a while and then another.
func TestHeadsThatChange(t *testing.T) {
	const whole = `{"choices":[{"message":{"content":"012"}}]}`
	heads := []struct {
		head, body string
		streamed   bool
	}{
		{"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 43\r\n\r\n", whole, false},
		{"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 43\r\nX-Request-Id: 7\r\n\r\n", whole, false},
		{"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n", "2b\r\n" + whole + "\r\n0\r\n\r\n", false},
		{three[:strings.Index(three, "\r\n\r\n")+4], three[strings.Index(three, "\r\n\r\n")+4:], true},
		{"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 43\r\n\r\n", whole, false},
	}
	order := []int{0, 0, 0, 1, 1, 0, 2, 2, 3, 3, 0, 0, 4, 4, 0, 1, 2, 3, 4, 0}
	forEngines(t, func(t *testing.T, engine client.Engine) {
		url := serveTCP(t, func(conn *net.TCPConn, in *bufio.Reader) {
			for i := 0; readRequest(in) == nil; i++ {
				io.WriteString(conn, heads[order[i]].head+heads[order[i]].body)
			}
		})
		c := newClient(t, client.Config{URL: url, Engine: engine, Streaming: true})
		for i, k := range order {
			rec := send(t.Context(), c, "{}")
			if rec.Failure != nil || string(rec.Text) != "012" || rec.Streamed != heads[k].streamed || rec.Conn.Reused != (i > 0) {
				t.Errorf("request %d: text %q, streamed %t, reused %t: %+v", i, rec.Text, rec.Streamed, rec.Conn.Reused, rec.Failure)
			}
		}
	})
}

// TestClosedBehindEveryAnswer has the server close the connection behind each
// answer without having said so, and the next request follow at once.
func TestClosedBehindEveryAnswer(t *testing.T) {
	forEngines(t, func(t *testing.T, engine client.Engine) {
		url := serveTCP(t, func(conn *net.TCPConn, in *bufio.Reader) {
			if readRequest(in) == nil {
				io.WriteString(conn, three)
			}
		})
		c := newClient(t, client.Config{URL: url, Engine: engine, Streaming: true})
		for range 100 {
			mustWinRace(t, c)
		}
	})
}

// TestClosedAfterTheRequest is that race lost for certain: the connection is
// closed when the second request is in.
func TestClosedAfterTheRequest(t *testing.T) {
	forEngines(t, func(t *testing.T, engine client.Engine) {
		var conns atomic.Int32
		url := serveTCP(t, func(conn *net.TCPConn, in *bufio.Reader) {
			first := conns.Add(1) == 1
			for readRequest(in) == nil {
				io.WriteString(conn, three)
				if first {
					in.Peek(1) // the second request has begun to come
					conn.SetLinger(0)
					return
				}
			}
		})
		c := newClient(t, client.Config{URL: url, Engine: engine, Streaming: true})
		mustSucceed(t, send(t.Context(), c, "{}"))
		rec := send(t.Context(), c, "{}")
		mustSucceed(t, rec)
		if got := c.Transport(); rec.Conn.Reused || got.Retried != 1 || got.Opened != 2 {
			t.Errorf("conn %+v, transport %+v", rec.Conn, got)
		}
	})
}

// TestLaterDeathIsNoRetry has the server answer the first request and close the
// connection some time after it has read the second one. Up to three times what
// dialling took and 200 ms, but no more than a second, that may be a keep-alive
// timer which raced with the request; later it is none.
func TestLaterDeathIsNoRetry(t *testing.T) {
	for name, c := range map[string]struct {
		dial, death time.Duration
		retried     int
	}{
		"at once":                         {0, 0, 1},
		"a moment later":                  {0, 199 * ms, 1},
		"the server was busy with it":     {0, 201 * ms, 0},
		"for most of a second":            {0, 900 * ms, 0},
		"a server far away, in time":      {100 * ms, 499 * ms, 1},
		"a server far away, too late":     {100 * ms, 501 * ms, 0},
		"a dial that took long, in time":  {3 * time.Second, 999 * ms, 1},
		"a dial that took long, too late": {3 * time.Second, 1001 * ms, 0},
	} {
		t.Run(name, func(t *testing.T) {
			forEngines(t, func(t *testing.T, engine client.Engine) {
				synctest.Test(t, func(t *testing.T) {
					l := memnet.Listen()
					requests := 0
					go accept(l, func(conn net.Conn) {
						for in := bufio.NewReader(conn); readRequest(in) == nil; {
							if requests++; requests == 2 {
								time.Sleep(c.death)
								return
							}
							io.WriteString(conn, three)
						}
					})
					cl, err := client.New(client.Config{
						URL: "http://server", Streaming: true, Engine: engine,
						Dial: func(ctx context.Context, network, addr string) (net.Conn, error) {
							time.Sleep(c.dial)
							return l.DialContext(ctx, network, addr)
						},
					})
					if err != nil {
						t.Fatal(err)
					}
					mustSucceed(t, send(t.Context(), cl, "{}"))
					rec := newRecord("{}")
					time.Sleep(ms)
					cl.Send(t.Context(), rec)
					if c.retried > 0 {
						mustSucceed(t, rec)
					} else {
						mustFail(t, rec, loadgen.FailStreamCut)
					}
					if got := cl.Transport(); got.Retried != c.retried || requests != 2+c.retried {
						t.Errorf("%d requests, transport %+v; want %d retried", requests, got, c.retried)
					}
					cl.Close()
					l.Close()
				})
			})
		})
	}
}

// TestEndedByTheClientIsNoClosedConnection has a request on a connection that
// carried one before end by its timeout, and by its context, soon after it was
// written: the server has it and did nothing wrong.
func TestEndedByTheClientIsNoClosedConnection(t *testing.T) {
	for name, c := range map[string]struct {
		timeout, cancel time.Duration
		kind            loadgen.FailureKind
		message         string
	}{
		"timeout": {300 * ms, time.Hour, loadgen.FailTimeout, "not answered within the request timeout of 300ms: the request was sent, no response had come"},
		"cancel":  {time.Hour, 20 * ms, loadgen.FailCancelled, "cancelled after 0.020 s"},
	} {
		t.Run(name, func(t *testing.T) {
			forEngines(t, func(t *testing.T, engine client.Engine) {
				synctest.Test(t, func(t *testing.T) {
					l := memnet.Listen()
					requests := 0
					go accept(l, func(conn net.Conn) {
						for in := bufio.NewReader(conn); readRequest(in) == nil; {
							if requests++; requests == 1 {
								io.WriteString(conn, three)
							}
						}
					})
					cl, err := client.New(client.Config{
						URL: "http://server", Engine: engine, Dial: l.DialContext, Streaming: true, RequestTimeout: c.timeout,
					})
					if err != nil {
						t.Fatal(err)
					}
					mustSucceed(t, send(t.Context(), cl, "{}"))
					ctx, cancel := contextAfter(t, c.cancel)
					defer cancel()
					rec := newRecord("{}")
					time.Sleep(ms) // a request that was written in no time at all would look unsent
					cl.Send(ctx, rec)
					mustFail(t, rec, c.kind)
					if rec.Failure.Message != c.message || !rec.Conn.Reused || rec.Took != min(c.timeout, c.cancel) {
						t.Errorf("%q after %v, reused %t", rec.Failure.Message, rec.Took, rec.Conn.Reused)
					}
					if got := cl.Transport(); got.Retried != 0 || got.DialErrors != 0 || got.Opened != 1 {
						t.Errorf("transport %+v", got)
					}
					cl.Close()
					l.Close()
					synctest.Wait()
					if requests != 2 {
						t.Errorf("the server saw %d requests, want 2", requests)
					}
				})
			})
		})
	}
}

// TestCancelledOnASocket is the same on a socket, whose errors are the
// system's.
func TestCancelledOnASocket(t *testing.T) {
	forEngines(t, func(t *testing.T, engine client.Engine) {
		var requests atomic.Int32
		ctx, cancel := context.WithCancel(t.Context())
		url := serveTCP(t, func(conn *net.TCPConn, in *bufio.Reader) {
			for readRequest(in) == nil {
				if requests.Add(1) == 1 {
					io.WriteString(conn, three)
				} else {
					cancel()
				}
			}
		})
		c := newClient(t, client.Config{URL: url, Engine: engine, Streaming: true})
		mustSucceed(t, send(ctx, c, "{}"))
		rec := send(ctx, c, "{}")
		mustFail(t, rec, loadgen.FailCancelled)
		if got := c.Transport(); !rec.Conn.Reused || got.Retried != 0 || got.DialErrors != 0 || requests.Load() != 2 {
			t.Errorf("conn %+v, transport %+v, %d requests", rec.Conn, got, requests.Load())
		}
	})
}
