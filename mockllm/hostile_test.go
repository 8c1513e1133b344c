package mockllm_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// dial opens a connection to the endpoint.
func (b *bench) dial() net.Conn {
	b.t.Helper()
	conn, err := b.net.DialContext(b.t.Context(), "tcp", "mock")
	if err != nil {
		b.t.Fatal(err)
	}
	return conn
}

// TestSilentConnectionsAreClosed has clients stop at every stage of a request.
// They are looked at every 15 s, and closed when they have been silent for more
// than 20 looks.
func TestSilentConnectionsAreClosed(t *testing.T) {
	const head = "POST /v1/chat/completions HTTP/1.1\r\nHost: m\r\n"
	for name, said := range map[string]string{
		"before anything":          "",
		"inside the request line":  "POST /v1",
		"inside the head":          head,
		"before the body":          head + "Content-Length: 100\r\n\r\n",
		"inside the body":          head + "Content-Length: 100\r\n\r\n{",
		"inside a chunk of a body": head + "Transfer-Encoding: chunked\r\n\r\nff\r\n{",
		"after an answer":          "GET /health HTTP/1.1\r\nHost: m\r\n\r\n",
	} {
		for _, h2 := range []bool{false, true} {
			t.Run(fmt.Sprint(name, h2), func(t *testing.T) {
				cfg := fixed(0, 0)
				cfg.HTTP2 = h2
				inBubble(t, cfg, func(t *testing.T, b *bench) {
					conn := b.dial()
					defer conn.Close()
					io.WriteString(conn, said)
					start := time.Now()
					io.Copy(io.Discard, conn)
					if took := time.Since(start); took < 5*time.Minute || took > 330*time.Second {
						t.Errorf("closed after %v, want about five minutes", took)
					}
				})
			})
		}
	}
}

// TestAClientThatWaitsIsNotSilent has an answer take an hour, and a body come in
// pieces for longer than a silence may last.
func TestAClientThatWaitsIsNotSilent(t *testing.T) {
	inBubble(t, fixed(time.Hour, 0), func(t *testing.T, b *bench) {
		body := chat("x", `,"max_tokens":2`)
		conn := b.dial()
		defer conn.Close()
		fmt.Fprintf(conn, "POST /v1/chat/completions HTTP/1.1\r\nHost: m\r\nContent-Length: %d\r\n\r\n", len(body))
		for i := range 3 {
			time.Sleep(4 * time.Minute)
			io.WriteString(conn, body[i*len(body)/3:(i+1)*len(body)/3])
		}
		resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil || resp.StatusCode != http.StatusOK {
			t.Fatalf("%v, %v", resp, err)
		}
	})
}

// TestEndlessRequestsAreCut sends heads and bodies that never end, of one client
// and of more than there is room for.
func TestEndlessRequestsAreCut(t *testing.T) {
	const (
		post    = "POST /v1/chat/completions HTTP/1.1\r\nHost: m\r\n"
		chunked = post + "Transfer-Encoding: chunked\r\n\r\n"
	)
	piece := strings.Repeat("x", 64<<10)
	chunk := fmt.Sprintf("%x\r\n%s\r\n", len(piece), piece)
	for name, c := range map[string]struct {
		begin, piece string
		clients      int
		status       int
	}{
		"a head":                     {post + "X: ", piece, 1, http.StatusBadRequest},
		"a chunked body":             {chunked, chunk, 1, http.StatusRequestEntityTooLarge},
		"a body that promises 1 TiB": {post + "Content-Length: 1099511627776\r\n\r\n", piece, 1, http.StatusRequestEntityTooLarge},
		"chunked bodies":             {chunked, chunk, 12, http.StatusServiceUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			_, addr := onLoopback(t, fixed(0, 0))
			var all sync.WaitGroup
			var mu sync.Mutex
			statuses := map[int]int{}
			for range c.clients {
				all.Go(func() {
					conn, err := net.Dial("tcp", addr)
					if err != nil {
						t.Error(err)
						return
					}
					defer conn.Close()
					go func() {
						io.WriteString(conn, c.begin)
						for i := 0; i < 64<<20; i += len(piece) { // no test without an end
							if _, err := io.WriteString(conn, c.piece); err != nil {
								return
							}
						}
					}()
					resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
					mu.Lock()
					defer mu.Unlock()
					if err != nil { // the rest of the body came behind the answer
						statuses[0]++
						return
					}
					statuses[resp.StatusCode]++
				})
			}
			all.Wait()
			if statuses[http.StatusOK] > 0 || statuses[c.status]+statuses[0] == 0 {
				t.Errorf("answers by status: %v, want %d", statuses, c.status)
			}
		})
	}
}
