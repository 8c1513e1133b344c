package client_test

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"loadgen"
	"loadgen/client"
	"loadgen/internal/memnet"
)

// A line of a script is what the server writes, and when, since it has read
// the request.
type line struct {
	at   time.Duration
	text string
}

const (
	ms         = time.Millisecond
	streamHead = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
	bodyEnd    = "0\r\n\r\n"
)

func data(event string) string { return fmt.Sprintf("%x\r\ndata: %s\n\n\r\n", len(event)+8, event) }

func delta(name, text string) string {
	return data(fmt.Sprintf(`{"choices":[{"delta":{%q:%q}}]}`, name, text))
}

func finish(reason string) string {
	return data(fmt.Sprintf(`{"choices":[{"delta":{},"finish_reason":%q}]}`, reason))
}

// play serves the script on every connection, again for each request, until
// over is closed.
func play(l *memnet.Listener, script []line, over <-chan struct{}) {
	accept(l, func(conn net.Conn) {
		for in := bufio.NewReader(conn); readRequest(in) == nil && perform(conn, script, over); {
		}
	})
}

// playInTurn answers the requests of a connection by one script each.
func playInTurn(l *memnet.Listener, scripts [][]line, over <-chan struct{}) {
	accept(l, func(conn net.Conn) {
		in := bufio.NewReader(conn)
		for _, script := range scripts {
			if readRequest(in) != nil || !perform(conn, script, over) {
				return
			}
		}
	})
}

// accept has each connection served by a goroutine, which then closes it.
func accept(l *memnet.Listener, serve func(net.Conn)) {
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			defer conn.Close()
			serve(conn)
		}()
	}
}

// perform writes the lines of a script when they are due, and reports whether
// the server goes on.
func perform(conn net.Conn, script []line, over <-chan struct{}) bool {
	begin := time.Now()
	for _, s := range script {
		select {
		case <-time.After(time.Until(begin.Add(s.at))):
		case <-over:
			return false
		}
		if s.text == "" { // the server leaves
			return false
		}
		if _, err := conn.Write([]byte(s.text)); err != nil {
			return false
		}
	}
	return true
}

// inBubble performs f with a client of each engine against a server that plays
// the script, in virtual time.
func inBubble(t *testing.T, cfg client.Config, script []line, f func(*testing.T, *client.Client)) {
	for _, engine := range engines {
		t.Run(string(engine), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := memnet.Listen()
				over := make(chan struct{})
				go play(l, script, over)
				cfg := cfg
				cfg.URL, cfg.Engine, cfg.Dial = "http://server", engine, l.DialContext
				c, err := client.New(cfg)
				if err != nil {
					t.Fatal(err)
				}
				f(t, c)
				c.Close()
				l.Close()
				close(over)
			})
		})
	}
}

// times is all of a record that is a time, and what goes with it.
type times struct {
	Head, Took, Over   time.Duration
	Chunks             []loadgen.Chunk
	Reads, MergedReads int
	Timing             loadgen.TimingSource
	Failure            loadgen.FailureKind
}

func timesOf(rec *loadgen.Record) times {
	got := times{rec.Head, rec.Took, rec.Over, rec.Chunks, rec.Reads, rec.MergedReads, rec.Timing, ""}
	if rec.Failure != nil {
		got.Failure = rec.Failure.Kind
	}
	return got
}

func TestTimesAreExact(t *testing.T) {
	cfg := client.Config{Streaming: true, RequestTimeout: time.Minute}
	for name, c := range map[string]struct {
		script []line
		want   times
	}{
		"only output is stamped, and the last output ends the request": {
			[]line{
				{5 * ms, streamHead},
				{10 * ms, delta("role", "assistant")},
				{20 * ms, delta("content", "")},
				{1234 * ms, delta("reasoning", "hm")},
				{1250 * ms, delta("content", "a")},
				{2 * time.Second, delta("content", "b")},
				{3 * time.Second, finish("stop")},
				{4 * time.Second, data(`{"choices":[],"usage":{"completion_tokens":3}}`)},
				{5 * time.Second, data("[DONE]") + bodyEnd},
			},
			times{Head: 5 * ms, Took: 2 * time.Second, Over: 5 * time.Second, Reads: 3, Chunks: []loadgen.Chunk{
				{At: 1234 * ms, Kind: loadgen.Reasoning}, {At: 1250 * ms}, {At: 2 * time.Second},
			}},
		},
		"chunks of one read are marked": {
			[]line{
				{5 * ms, streamHead + delta("content", "a") + delta("content", "b")},
				{9 * ms, delta("content", "c")},
				{12 * ms, delta("content", "d") + delta("content", "e") + delta("content", "f") + finish("stop")},
				{13 * ms, data("[DONE]") + bodyEnd},
			},
			times{Head: 5 * ms, Took: 12 * ms, Over: 13 * ms, Reads: 3, MergedReads: 2, Chunks: []loadgen.Chunk{
				{At: 5 * ms},
				{At: 5 * ms, Merged: true},
				{At: 9 * ms},
				{At: 12 * ms},
				{At: 12 * ms, Merged: true},
				{At: 12 * ms, Merged: true},
			}},
		},
		"an event cut in two has come when its end has": {
			[]line{
				{5 * ms, streamHead + delta("content", "a")[:30]},
				{50 * ms, delta("content", "a")[30:]},
				{60 * ms, finish("stop") + data("[DONE]") + bodyEnd},
			},
			times{Head: 5 * ms, Took: 50 * ms, Over: 60 * ms, Reads: 1, Chunks: []loadgen.Chunk{{At: 50 * ms}}},
		},
		"a whole reply is one chunk at its last byte": {
			[]line{
				{100 * ms, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 41\r\n\r\n"},
				{200 * ms, `{"choices":[{"message":`},
				{300 * ms, `{"content":"a"}`},
				{310 * ms, `}]}`},
			},
			times{Head: 100 * ms, Took: 310 * ms, Over: 310 * ms, Reads: 1, Chunks: []loadgen.Chunk{{At: 310 * ms}}},
		},
		"a server that keeps the stream open behind [DONE] does not hold the request": {
			[]line{{5 * ms, streamHead + delta("content", "a") + data("[DONE]")}, {time.Hour, bodyEnd}},
			times{Head: 5 * ms, Took: 5 * ms, Over: 105 * ms, Reads: 1, Chunks: []loadgen.Chunk{{At: 5 * ms}}},
		},
		"the last byte may be of the framing alone": {
			[]line{
				{5 * ms, streamHead + delta("content", "a") + data("[DONE]")},
				{70 * ms, bodyEnd[:2]},
				{90 * ms, bodyEnd[2:]},
			},
			times{Head: 5 * ms, Took: 5 * ms, Over: 90 * ms, Reads: 1, Chunks: []loadgen.Chunk{{At: 5 * ms}}},
		},
		"a body may end with the connection": {
			[]line{
				{5 * ms, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n"},
				{10 * ms, `{"choices":[{"text":"a"}]}`},
				{30 * ms, ""},
			},
			times{Head: 5 * ms, Took: 10 * ms, Over: 30 * ms, Reads: 1, Chunks: []loadgen.Chunk{{At: 10 * ms}}},
		},
		"the timeout ends a request that is not answered": {
			[]line{{2 * time.Minute, streamHead}},
			times{Took: time.Minute, Failure: loadgen.FailTimeout},
		},
		"the timeout ends a stream that does not": {
			[]line{{5 * ms, streamHead}, {10 * ms, delta("content", "a")}, {2 * time.Minute, bodyEnd}},
			times{Head: 5 * ms, Took: time.Minute, Over: time.Minute, Reads: 1, Chunks: []loadgen.Chunk{{At: 10 * ms}}, Failure: loadgen.FailTimeout},
		},
		"a connection that the server closes in the stream": {
			[]line{{5 * ms, streamHead}, {10 * ms, delta("content", "a")}, {30 * ms, ""}},
			times{Head: 5 * ms, Took: 30 * ms, Over: 30 * ms, Reads: 1, Chunks: []loadgen.Chunk{{At: 10 * ms}}, Failure: loadgen.FailStreamCut},
		},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, cfg, c.script, func(t *testing.T, cl *client.Client) {
				for range 2 { // the second one on the same connection, where it survives
					rec := send(t.Context(), cl, "{}")
					if diff := cmp.Diff(c.want, timesOf(rec), cmp.Transformer("nil", func(c []loadgen.Chunk) string { return fmt.Sprint(c) })); diff != "" {
						t.Errorf("want −, got +\n%s\n%+v", diff, rec.Failure)
					}
				}
			})
		})
	}
}

func TestCancelEndsARequestAtOnce(t *testing.T) {
	script := []line{{5 * ms, streamHead}, {10 * ms, delta("content", "a")}, {time.Hour, bodyEnd}}
	inBubble(t, client.Config{Streaming: true, RequestTimeout: time.Minute}, script, func(t *testing.T, c *client.Client) {
		ctx, cancel := contextAfter(t, 250*ms)
		defer cancel()
		rec := send(ctx, c, "{}")
		if !rec.Cancelled() || rec.Took != 250*ms || string(rec.Text) != "a" {
			t.Errorf("cancelled at 250 ms: took %v, text %q, failure %+v", rec.Took, rec.Text, rec.Failure)
		}
		before := time.Now()
		if rec := send(ctx, c, "{}"); !rec.Cancelled() || time.Since(before) != 0 {
			t.Errorf("sent under a context that has ended: %+v", rec.Failure)
		}
	})
}

// TestCancelOfOneRunSparesTheNext uses a connection under a second context
// after the first one, under which it was idle, has ended.
func TestCancelOfOneRunSparesTheNext(t *testing.T) {
	script := []line{{5 * ms, streamHead + delta("content", "a") + data("[DONE]") + bodyEnd}}
	inBubble(t, client.Config{Streaming: true}, script, func(t *testing.T, c *client.Client) {
		ctx, cancel := contextAfter(t, time.Hour)
		send(ctx, c, "{}")
		cancel()
		synctest.Wait()
		rec := send(t.Context(), c, "{}")
		if rec.Failure != nil || !rec.Conn.Reused {
			t.Errorf("reused %t, failure %+v", rec.Conn.Reused, rec.Failure)
		}
	})
}

// TestTimeoutIsThatOfTheRequest has requests follow one another on a connection
// whose alarm was set for an earlier one.
func TestTimeoutIsThatOfTheRequest(t *testing.T) {
	quick := []line{{ms, streamHead + delta("content", "a") + data("[DONE]") + bodyEnd}}
	for _, engine := range engines {
		t.Run(string(engine), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				scripts := [][]line{quick, {{time.Hour, ""}}}
				for _, idle := range []time.Duration{0, 4 * time.Second, 10*time.Second - ms, 25 * time.Second} {
					l := memnet.Listen()
					over := make(chan struct{})
					go playInTurn(l, scripts, over)
					c, err := client.New(client.Config{
						URL: "http://server", Engine: engine, Dial: l.DialContext, Streaming: true, RequestTimeout: 10 * time.Second,
					})
					if err != nil {
						t.Fatal(err)
					}
					if rec := send(t.Context(), c, "{}"); rec.Failure != nil {
						t.Errorf("the first request failed: %+v", rec.Failure)
					}
					time.Sleep(idle)
					rec := send(t.Context(), c, "{}")
					if rec.Failure == nil || rec.Failure.Kind != loadgen.FailTimeout || rec.Took != 10*time.Second || !rec.Conn.Reused {
						t.Errorf("idle for %v: %+v after %v, reused %t; want a timeout after 10s, true", idle, rec.Failure, rec.Took, rec.Conn.Reused)
					}
					c.Close()
					l.Close()
					close(over)
				}
			})
		})
	}
}

func TestTimeoutEndsADial(t *testing.T) {
	for _, engine := range engines {
		t.Run(string(engine), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, err := client.New(client.Config{
					URL: "http://server", Engine: engine, RequestTimeout: time.Second,
					Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
						<-ctx.Done()
						return nil, ctx.Err()
					},
				})
				if err != nil {
					t.Fatal(err)
				}
				rec := send(t.Context(), c, "{}")
				if rec.Failure == nil || rec.Failure.Kind != loadgen.FailTimeout || rec.Took != time.Second {
					t.Errorf("took %v: %+v", rec.Took, rec.Failure)
				}
				c.Close()
			})
		})
	}
}

func TestLongBodiesGoOutWhole(t *testing.T) {
	script := []line{{5 * ms, streamHead + delta("content", "a") + data("[DONE]") + bodyEnd}}
	inBubble(t, client.Config{Streaming: true}, script, func(t *testing.T, c *client.Client) {
		rec := send(t.Context(), c, strings.Repeat("x", 200_000))
		if rec.Failure != nil || rec.BytesOut != 200_000 {
			t.Errorf("sent %d bytes: %+v", rec.BytesOut, rec.Failure)
		}
	})
}
