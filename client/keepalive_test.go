package client_test

import (
	"bufio"
	"io"
	"net"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"loadgen/client"
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
			rec := send(t.Context(), c, "{}")
			mustSucceed(t, rec)
			time.Sleep(time.Duration(4800+i*10) * time.Microsecond)
		}
	})
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
			mustSucceed(t, send(t.Context(), c, "{}"))
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
