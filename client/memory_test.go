package client_test

import (
	"bufio"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"loadgen"
	"loadgen/client"
	"loadgen/internal/memnet"
)

const mib = 1 << 20

// endless are bodies that never end: of a stream with content, of one with an
// endless line, of one with an endless event, and of a reply in JSON.
var endless = map[string]struct{ contentType, begin, piece string }{
	"content":  {"text/event-stream", "", eventOf("content", 8000)},
	"thoughts": {"text/event-stream", "", eventOf("reasoning", 8000)},
	"chunks":   {"text/event-stream", "", strings.Repeat(eventOf("content", 1), 200)},
	"a line":   {"text/event-stream", "data: ", strings.Repeat("x", 8000)},
	"a name":   {"text/event-stream", "event: ", strings.Repeat("x", 8000)},
	"an event": {"text/event-stream", "", strings.Repeat("data: "+strings.Repeat("x", 100)+"\n", 100)},
	"JSON":     {"application/json", `{"choices":[{"message":{"content":"`, strings.Repeat("x", 8000)},
}

func eventOf(name string, size int) string {
	return `data: {"choices":[{"delta":{"` + name + `":"` + strings.Repeat("x", size) + `"}}]}` + "\n\n"
}

// TestEndlessRepliesShareOneMemory has more connections read what never ends than
// the memory can hold, each of which stays below its own bound.
func TestEndlessRepliesShareOneMemory(t *testing.T) {
	const connections, limit = 4, 2 * mib
	for name, e := range endless {
		t.Run(name, func(t *testing.T) {
			forEngines(t, func(t *testing.T, engine client.Engine) {
				head := "HTTP/1.1 200 OK\r\nContent-Type: " + e.contentType + "\r\nConnection: close\r\n\r\n"
				l := serveEndless(t, head+e.begin, e.piece)
				c := newClient(t, client.Config{URL: "http://server", Engine: engine, Streaming: true, Memory: limit, Dial: l.DialContext})
				done := make(chan struct{})
				var watch, all sync.WaitGroup
				watch.Go(func() {
					for {
						select {
						case <-done:
							return
						case <-time.After(time.Millisecond):
							if used := client.MemoryUsed(c); used > limit {
								t.Errorf("%d bytes are held, more than %d", used, limit)
								return
							}
						}
					}
				})
				for range connections {
					all.Go(func() {
						rec := send(t.Context(), c, "{}")
						f := rec.Failure
						if f == nil || f.Kind != loadgen.FailLocal || !strings.Contains(f.Message, "2 MiB of memory together: raise response_memory_limit") {
							t.Errorf("%+v, want %s that names the limit", f, loadgen.FailLocal)
						}
						if n := len(rec.Text) + len(rec.Thought) + len(rec.Chunks); n > 0 {
							t.Errorf("%d bytes and chunks of what was given up are kept", n)
						}
						rec.Release()
					})
				}
				all.Wait()
				close(done)
				watch.Wait()
				if used := client.MemoryUsed(c); used != 0 {
					t.Errorf("%d bytes are held when all is over", used)
				}
			})
		})
	}
}

// serveEndless answers every request with a beginning and then the same piece
// over and over.
func serveEndless(t *testing.T, begin, piece string) *memnet.Listener {
	l := memnet.Listen()
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				if readRequest(bufio.NewReader(conn)) != nil {
					return
				}
				io.WriteString(conn, begin)
				writeForEver(conn, piece)
			}()
		}
	}()
	return l
}

func writeForEver(conn net.Conn, piece string) {
	b := []byte(piece)
	for {
		if _, err := conn.Write(b); err != nil {
			return
		}
	}
}

// TestALargeAnswerIsHeldUntilItIsTakenIn reads answers of 3 MiB of text, which
// are kept in 4, and one of a word.
func TestALargeAnswerIsHeldUntilItIsTakenIn(t *testing.T) {
	long := streamHead + strings.Repeat(delta("content", strings.Repeat("x", 8<<10)), 384) + data("[DONE]") + bodyEnd
	short := streamHead + delta("content", "x") + data("[DONE]") + bodyEnd
	forEngines(t, func(t *testing.T, engine client.Engine) {
		s := newStage(t, client.Config{Engine: engine, Streaming: true, Memory: 16 * mib}, false)
		defer s.close()
		var held []*loadgen.Record
		for len(held) < 100 {
			rec := s.answer(t, []byte(long))
			if rec.Failure != nil {
				break
			}
			held = append(held, rec)
		}
		if n := len(held); n < 2 || n > 5 {
			t.Errorf("%d answers of 3 MiB are held in 16", n)
		}
		if rec := s.answer(t, []byte(short)); rec.Failure != nil {
			t.Errorf("an answer of a word fails: %+v", rec.Failure)
		}
		for _, rec := range held {
			rec.Release()
		}
		if used := client.MemoryUsed(s.client); used != 0 {
			t.Errorf("%d bytes are held when all is taken in", used)
		}
		if rec := s.answer(t, []byte(long)); rec.Failure != nil {
			t.Errorf("with the memory free again: %+v", rec.Failure)
		}
	})
}
