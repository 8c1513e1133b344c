//go:build unix

package chaos_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// A wire is an endpoint made by hand of a socket, for what no server of HTTP
// would do. It answers well until its fault strikes, and keeps account.
type wire struct {
	url    string
	fault  wireFault
	begins time.Duration // from the first request until the fault strikes

	answered atomic.Int64
	first    atomic.Int64 // when the first request came, unix nanoseconds

	mu    sync.Mutex
	conns map[net.Conn]bool
	ended bool
}

// A wireFault is one thing that an endpoint may do wrong.
type wireFault struct {
	name string
	// strike is done in place of an answer. The connection is closed behind it,
	// unless it says otherwise.
	strike func(x *exchange)
	// early says that it strikes before a request was read: a connection has one.
	early bool
	// https says that the client is to speak TLS.
	https bool
	// alone says that it strikes from the beginning or not at all.
	alone bool
	// answered says that a request which meets it has an answer all the same;
	// harmless that a client must not even notice it as a failure.
	answered, harmless bool
}

// An exchange is a request that meets a fault.
type exchange struct {
	net.Conn
	r    *bufio.Reader
	keep bool // the connection
}

// serveWire starts an endpoint for the length of a test.
func serveWire(t *testing.T, fault wireFault, begins time.Duration) *wire {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &wire{fault: fault, begins: begins, conns: map[net.Conn]bool{}, url: "http://" + l.Addr().String()}
	if fault.https {
		w.url = "https://" + l.Addr().String()
	}
	var wait sync.WaitGroup
	wait.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			if w.hold(conn) {
				wait.Go(func() {
					w.serve(conn)
					w.release(conn)
				})
			}
		}
	})
	t.Cleanup(func() {
		l.Close()
		w.end()
		wait.Wait()
	})
	return w
}

func (w *wire) hold(conn net.Conn) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.ended {
		conn.Close()
		return false
	}
	w.conns[conn] = true
	return true
}

func (w *wire) release(conn net.Conn) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.conns, conn)
	conn.Close()
}

func (w *wire) end() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ended = true
	for conn := range w.conns {
		conn.Close()
	}
}

// serve answers the requests of a connection.
func (w *wire) serve(conn net.Conn) {
	x := &exchange{Conn: conn, r: bufio.NewReader(conn)}
	if w.fault.early && w.strikes() {
		if w.fault.answered {
			w.answered.Add(1)
		}
		w.fault.strike(x)
		return
	}
	for {
		req, err := http.ReadRequest(x.r)
		if err != nil {
			return
		}
		if _, err := io.Copy(io.Discard, req.Body); err != nil {
			return
		}
		if req.Method == http.MethodGet && !w.strikes() {
			if !x.say(head("application/json", fmt.Sprintf("Content-Length: %d", len(models))), models) {
				return
			}
			continue
		}
		if !w.fault.early && w.strikes() {
			if w.fault.answered || w.fault.harmless {
				w.answered.Add(1)
			}
			x.keep = false
			if w.fault.strike(x); !x.keep {
				return
			}
			continue
		}
		w.answered.Add(1)
		if !x.answer(w.fault.early) || w.fault.early {
			return
		}
	}
}

// strikes reports whether the time of the fault has come.
func (w *wire) strikes() bool {
	now := time.Now().UnixNano()
	w.first.CompareAndSwap(0, now)
	return time.Duration(now-w.first.Load()) >= w.begins
}

// answer is a good one of five tokens.
func (x *exchange) answer(closes bool) bool {
	time.Sleep(20 * time.Millisecond)
	more := "Transfer-Encoding: chunked"
	if closes {
		more += "\r\nConnection: close"
	}
	return x.say(head("text/event-stream", more)) && x.chunk(goodEvents) && x.chunk("")
}

// goodEvents are a whole answer.
var goodEvents = strings.Repeat(event("word "), 5) +
	`data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}` + "\n\n" +
	`data: {"choices":[],"usage":{"prompt_tokens":20,"completion_tokens":5,"total_tokens":25}}` + "\n\n" +
	"data: [DONE]\n\n"

// event is one of a stream, with some content.
func event(content string) string {
	return `data: {"choices":[{"index":0,"delta":{"content":"` + content + `"}}]}` + "\n\n"
}

// models is the list that the service is asked for.
const models = `{"object":"list","data":[{"id":"m"}]}`

// head is that of an answer.
func head(contentType string, more ...string) string {
	lines := append([]string{"HTTP/1.1 200 OK", "Content-Type: " + contentType}, more...)
	return strings.Join(lines, "\r\n") + "\r\n\r\n"
}

// say writes, and reports whether that went well.
func (x *exchange) say(parts ...string) bool {
	for _, part := range parts {
		if _, err := io.WriteString(x, part); err != nil {
			return false
		}
	}
	return true
}

// chunk writes a chunk of a body; an empty one ends it.
func (x *exchange) chunk(data string) bool {
	return x.say(fmt.Sprintf("%x\r\n%s\r\n", len(data), data))
}

// stream begins an answer that ends with its connection.
func (x *exchange) stream(parts ...string) bool {
	return x.say(head("text/event-stream")) && x.say(parts...)
}

// forever says something again and again, as long as somebody listens.
func (x *exchange) forever(part string, pause time.Duration) {
	for x.say(part) {
		time.Sleep(pause)
	}
}

// silent waits until the client leaves.
func (x *exchange) silent() { _, _ = io.Copy(io.Discard, x.r) }

// reset ends the connection by an RST.
func (x *exchange) reset() {
	if tcp, ok := x.Conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	x.Close()
}
