package client_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
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
	Head, Took, Last   time.Duration
	Chunks             []loadgen.Chunk
	Reads, MergedReads int
	Timing             loadgen.TimingSource
	Failure            loadgen.FailureKind
}

func timesOf(rec *loadgen.Record) times {
	got := times{rec.Head, rec.Took, rec.LastByte, rec.Chunks, rec.Reads, rec.MergedReads, rec.Timing, ""}
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
			times{Head: 5 * ms, Took: 2 * time.Second, Last: 5 * time.Second, Reads: 3, Chunks: []loadgen.Chunk{
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
			times{Head: 5 * ms, Took: 12 * ms, Last: 13 * ms, Reads: 3, MergedReads: 2, Chunks: []loadgen.Chunk{
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
			times{Head: 5 * ms, Took: 50 * ms, Last: 60 * ms, Reads: 1, Chunks: []loadgen.Chunk{{At: 50 * ms}}},
		},
		"a whole reply is one chunk at its last byte": {
			[]line{
				{100 * ms, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 41\r\n\r\n"},
				{200 * ms, `{"choices":[{"message":`},
				{300 * ms, `{"content":"a"}`},
				{310 * ms, `}]}`},
			},
			times{Head: 100 * ms, Took: 310 * ms, Last: 310 * ms, Reads: 1, Chunks: []loadgen.Chunk{{At: 310 * ms}}},
		},
		"a server that keeps the stream open behind [DONE] does not hold the request": {
			[]line{{5 * ms, streamHead + delta("content", "a") + data("[DONE]")}, {time.Hour, bodyEnd}},
			times{Head: 5 * ms, Took: 5 * ms, Last: 5 * ms, Reads: 1, Chunks: []loadgen.Chunk{{At: 5 * ms}}},
		},
		"the last byte may be of the framing alone": {
			[]line{
				{5 * ms, streamHead + delta("content", "a") + data("[DONE]")},
				{70 * ms, bodyEnd[:2]},
				{90 * ms, bodyEnd[2:]},
			},
			times{Head: 5 * ms, Took: 5 * ms, Last: 90 * ms, Reads: 1, Chunks: []loadgen.Chunk{{At: 5 * ms}}},
		},
		"a body that the connection's end ends brings no byte with it": {
			[]line{
				{5 * ms, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n"},
				{10 * ms, `{"choices":[{"text":"a"}]}`},
				{30 * ms, ""},
			},
			times{Head: 5 * ms, Took: 10 * ms, Last: 10 * ms, Reads: 1, Chunks: []loadgen.Chunk{{At: 10 * ms}}},
		},
		"the timeout ends a request that is not answered": {
			[]line{{2 * time.Minute, streamHead}},
			times{Took: time.Minute, Failure: loadgen.FailTimeout},
		},
		"the timeout ends a stream that does not": {
			[]line{{5 * ms, streamHead}, {10 * ms, delta("content", "a")}, {2 * time.Minute, bodyEnd}},
			times{Head: 5 * ms, Took: time.Minute, Last: 10 * ms, Reads: 1, Chunks: []loadgen.Chunk{{At: 10 * ms}}, Failure: loadgen.FailTimeout},
		},
		"a connection that the server closes in the stream": {
			[]line{{5 * ms, streamHead}, {10 * ms, delta("content", "a")}, {30 * ms, ""}},
			times{Head: 5 * ms, Took: 30 * ms, Last: 10 * ms, Reads: 1, Chunks: []loadgen.Chunk{{At: 10 * ms}}, Failure: loadgen.FailStreamCut},
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

// TestDelaysOfTheReader reads a stream by the kernel's time, of which each read
// with output is late by as much as is said.
func TestDelaysOfTheReader(t *testing.T) {
	const us = time.Microsecond
	token := "data: {\"choices\":[{\"text\":\"a\"}]}\n\n"
	role := "data: {\"choices\":[{\"delta\":{\"role\":\"assistant\"}}]}\n\n"
	done := "data: [DONE]\n\n"
	type delays struct{ First, Mean, Most, Took, Last time.Duration }
	piece := func(read int64, text string, at, delay time.Duration) client.Arrival {
		return client.Arrival{Bytes: []byte(text), At: at, Delay: delay, Kernel: true, Read: read}
	}
	unstamped := func(read int64, text string, at time.Duration) client.Arrival {
		return client.Arrival{Bytes: []byte(text), At: at, Read: read}
	}
	for name, c := range map[string]struct {
		pieces []client.Arrival
		timing loadgen.TimingSource
		want   delays
		chunks []loadgen.Chunk
	}{
		"reads without output do not count": {
			[]client.Arrival{
				piece(1, role, ms, 900*us), piece(2, token, 2*ms, 20*us), piece(3, token+token, 3*ms, 10*us),
				piece(4, token, 4*ms, 60*us), piece(5, done, 5*ms, 800*us),
			},
			loadgen.Kernel, delays{20 * us, 30 * us, 60 * us, 4 * ms, 5 * ms},
			[]loadgen.Chunk{{At: 2 * ms}, {At: 3 * ms}, {At: 3 * ms, Merged: true}, {At: 4 * ms}},
		},
		"a read that goes on is one read, and its chunks keep their times": {
			[]client.Arrival{
				piece(1, token+token, ms, 300*us), piece(1, token+token, ms+200*us, 110*us), piece(2, token+done, 2*ms, 100*us),
			},
			loadgen.Kernel, delays{300 * us, 200 * us, 300 * us, 2 * ms, 2 * ms},
			[]loadgen.Chunk{
				{At: ms}, {At: ms, Merged: true}, {At: ms + 200*us, Merged: true}, {At: ms + 200*us, Merged: true}, {At: 2 * ms},
			},
		},
		"the end of a burst is the end of the reply": {
			[]client.Arrival{piece(1, token, ms, 10*us), piece(1, token+done, ms+40*us, 50*us)},
			loadgen.Kernel, delays{10 * us, 10 * us, 50 * us, ms + 40*us, ms + 40*us},
			[]loadgen.Chunk{{At: ms}, {At: ms + 40*us, Merged: true}},
		},
		"one read without the kernel's time": {
			[]client.Arrival{piece(1, token, ms, 10*us), unstamped(2, token, 2*ms), piece(3, token+done, 2*ms-100*us, 20*us)},
			loadgen.Reader, delays{Took: 2 * ms, Last: 2 * ms},
			[]loadgen.Chunk{{At: ms}, {At: 2 * ms}, {At: 2 * ms}},
		},
		"the rest of a read without the kernel's time": {
			[]client.Arrival{piece(1, token, ms, 10*us), unstamped(1, token+done, ms+10*us)},
			loadgen.Reader, delays{Took: ms + 10*us, Last: ms + 10*us},
			[]loadgen.Chunk{{At: ms}, {At: ms + 10*us, Merged: true}},
		},
		"a failure has no delays, as its times are called the reader's": {
			[]client.Arrival{piece(1, token, ms, 10*us), piece(2, "data: {", 2*ms, 10*us)},
			loadgen.Reader, delays{Last: 2 * ms}, []loadgen.Chunk{{At: ms}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			rec := client.ReadArrivals(c.pieces...)
			got := delays{rec.FirstDelay, rec.MeanDelay, rec.ReaderDelay, rec.Took, rec.LastByte}
			if got != c.want || rec.Timing != c.timing {
				t.Errorf("%+v by the %v, want %+v by the %v", got, rec.Timing, c.want, c.timing)
			}
			if diff := cmp.Diff(c.chunks, rec.Chunks); diff != "" {
				t.Errorf("chunks: want −, got +\n%s", diff)
			}
		})
	}
}

// TestABurstIsOneRead has chunks come at once and in numbers that no buffer
// holds: none of the gaps between them was seen.
func TestABurstIsOneRead(t *testing.T) {
	for _, n := range []int{20, 60, 200, 1000} { // 4 to 200 KiB
		burst := strings.Repeat(delta("content", strings.Repeat("x", 155)), n)
		end := data("[DONE]") + bodyEnd
		chunks := func(at time.Duration) []loadgen.Chunk {
			all := slices.Repeat([]loadgen.Chunk{{At: at, Merged: true}}, n)
			all[0].Merged = false
			return all
		}
		for name, c := range map[string]struct {
			script []line
			want   times
		}{
			"behind the head": {
				[]line{{5 * ms, streamHead}, {10 * ms, burst}, {20 * ms, end}},
				times{Head: 5 * ms, Took: 10 * ms, Last: 20 * ms, Reads: 1, MergedReads: 1, Chunks: chunks(10 * ms)},
			},
			"with the head and the end": {
				[]line{{5 * ms, streamHead + burst + end}},
				times{Head: 5 * ms, Took: 5 * ms, Last: 5 * ms, Reads: 1, MergedReads: 1, Chunks: chunks(5 * ms)},
			},
		} {
			t.Run(fmt.Sprintf("%d %s", n, name), func(t *testing.T) {
				inBubble(t, client.Config{Streaming: true}, c.script, func(t *testing.T, cl *client.Client) {
					for range 2 {
						rec := send(t.Context(), cl, "{}")
						if diff := cmp.Diff(c.want, timesOf(rec)); diff != "" {
							t.Errorf("want −, got +\n%s\n%+v", diff, rec.Failure)
						}
					}
				})
			})
		}
	}
}

// TestFullBuffersAreNoBurst has chunks come one by one, each of which happens to
// fill the buffer it is read into.
func TestFullBuffersAreNoBurst(t *testing.T) {
	// exactly returns a chunk that is so long on the wire, with what is before it.
	exactly := func(size int, before string) string {
		pad := size - len(before) - len(delta("content", strings.Repeat("x", size/2))) + size/2
		return before + delta("content", strings.Repeat("x", pad))
	}
	for engine, sizes := range map[client.Engine][3]int{
		client.Raw: {2 << 10, 4 << 10, 8 << 10}, // as its buffer grows
		client.Std: {16 << 10, 16 << 10, 16 << 10},
	} {
		var script []line
		for i, size := range sizes {
			before := ""
			if i == 0 {
				before = streamHead
			}
			whole := exactly(size, before)
			if len(whole) != size {
				t.Fatalf("%d bytes, want %d", len(whole), size)
			}
			script = append(script, line{time.Duration(i+1) * ms, whole})
		}
		script = append(script, line{9 * ms, data("[DONE]") + bodyEnd})
		want := times{Head: ms, Took: 3 * ms, Last: 9 * ms, Reads: 3, Chunks: []loadgen.Chunk{{At: ms}, {At: 2 * ms}, {At: 3 * ms}}}
		inBubble(t, client.Config{Streaming: true}, script, func(t *testing.T, cl *client.Client) {
			if cl.Transport().Engine != string(engine) {
				return
			}
			rec := send(t.Context(), cl, "{}")
			if diff := cmp.Diff(want, timesOf(rec)); diff != "" {
				t.Errorf("want −, got +\n%s\n%+v", diff, rec.Failure)
			}
		})
	}
}

// TestChunksOverHTTP2AreToldApart has two streams share a connection.
func TestChunksOverHTTP2AreToldApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := memnet.Listen()
		srv := &http.Server{Protocols: new(http.Protocols), Handler: http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
			io.Copy(io.Discard, q.Body)
			w.Header().Set("Content-Type", "text/event-stream")
			for range 3 {
				time.Sleep(10 * ms)
				fmt.Fprint(w, "data: {\"choices\":[{\"text\":\"x\"}]}\n\n")
				w.(http.Flusher).Flush()
			}
			fmt.Fprint(w, "data: [DONE]\n\n")
		})}
		srv.Protocols.SetUnencryptedHTTP2(true)
		go srv.Serve(l)
		c, err := client.New(client.Config{URL: "http://server", HTTP: client.HTTP2, Streaming: true, Dial: l.DialContext})
		if err != nil {
			t.Fatal(err)
		}
		var both sync.WaitGroup
		for i := range 2 {
			time.Sleep(3 * ms)
			both.Go(func() {
				rec := send(t.Context(), c, "{}")
				want := []loadgen.Chunk{{At: 10 * ms}, {At: 20 * ms}, {At: 30 * ms}}
				if diff := cmp.Diff(want, rec.Chunks); diff != "" || rec.Conn.Reused != (i > 0) {
					t.Errorf("stream %d, reused %t: want −, got +\n%s\n%+v", i, rec.Conn.Reused, diff, rec.Failure)
				}
			})
		}
		both.Wait()
		c.Close()
		srv.Close()
	})
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

// TestLaterDeathIsNoRetry has the server answer the first request and close the
// connection some time after it has read the second one. Up to three times what
// dialling took and 50 ms, but no more than a second, that may be a keep-alive
// timer which raced with the request; later it is none.
func TestLaterDeathIsNoRetry(t *testing.T) {
	for name, c := range map[string]struct {
		dial, death time.Duration
		retried     int
	}{
		"at once":                         {0, 0, 1},
		"a moment later":                  {0, 49 * ms, 1},
		"the server was busy with it":     {0, 51 * ms, 0},
		"for most of a second":            {0, 900 * ms, 0},
		"a server far away, in time":      {100 * ms, 349 * ms, 1},
		"a server far away, too late":     {100 * ms, 351 * ms, 0},
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

func TestLongBodiesGoOutWhole(t *testing.T) {
	script := []line{{5 * ms, streamHead + delta("content", "a") + data("[DONE]") + bodyEnd}}
	inBubble(t, client.Config{Streaming: true}, script, func(t *testing.T, c *client.Client) {
		rec := send(t.Context(), c, strings.Repeat("x", 200_000))
		if rec.Failure != nil || rec.BytesOut != 200_000 {
			t.Errorf("sent %d bytes: %+v", rec.BytesOut, rec.Failure)
		}
	})
}
