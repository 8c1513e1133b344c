package client_test

import (
	"fmt"
	"io"
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
			loadgen.Kernel,
			delays{20 * us, 30 * us, 60 * us, 4 * ms, 5 * ms},
			[]loadgen.Chunk{{At: 2 * ms}, {At: 3 * ms}, {At: 3 * ms, Merged: true}, {At: 4 * ms}},
		},
		"a read that goes on is one read, and its chunks keep their times": {
			[]client.Arrival{
				piece(1, token+token, ms, 300*us), piece(1, token+token, ms+200*us, 110*us), piece(2, token+done, 2*ms, 100*us),
			},
			loadgen.Kernel,
			delays{300 * us, 200 * us, 300 * us, 2 * ms, 2 * ms},
			[]loadgen.Chunk{
				{At: ms}, {At: ms, Merged: true}, {At: ms + 200*us, Merged: true}, {At: ms + 200*us, Merged: true}, {At: 2 * ms},
			},
		},
		"the end of a burst is the end of the reply": {
			[]client.Arrival{piece(1, token, ms, 10*us), piece(1, token+done, ms+40*us, 50*us)},
			loadgen.Kernel,
			delays{10 * us, 10 * us, 50 * us, ms + 40*us, ms + 40*us},
			[]loadgen.Chunk{{At: ms}, {At: ms + 40*us, Merged: true}},
		},
		"one read without the kernel's time": {
			[]client.Arrival{piece(1, token, ms, 10*us), unstamped(2, token, 2*ms), piece(3, token+done, 2*ms-100*us, 20*us)},
			loadgen.Reader,
			delays{Took: 2 * ms, Last: 2 * ms},
			[]loadgen.Chunk{{At: ms}, {At: 2 * ms}, {At: 2 * ms}},
		},
		"the rest of a read without the kernel's time": {
			[]client.Arrival{piece(1, token, ms, 10*us), unstamped(1, token+done, ms+10*us)},
			loadgen.Reader,
			delays{Took: ms + 10*us, Last: ms + 10*us},
			[]loadgen.Chunk{{At: ms}, {At: ms + 10*us, Merged: true}},
		},
		"a failure has no delays, as its times are called the reader's": {
			[]client.Arrival{piece(1, token, ms, 10*us), piece(2, "data: {", 2*ms, 10*us)},
			loadgen.Reader,
			delays{Last: 2 * ms},
			[]loadgen.Chunk{{At: ms}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			rec := client.ReadArrivals(c.pieces...)
			got := delays{rec.FirstDelay, rec.MeanDelay, rec.ReaderDelay, rec.Took, rec.Over}
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
				times{Head: 5 * ms, Took: 10 * ms, Over: 20 * ms, Reads: 1, MergedReads: 1, Chunks: chunks(10 * ms)},
			},
			"with the head and the end": {
				[]line{{5 * ms, streamHead + burst + end}},
				times{Head: 5 * ms, Took: 5 * ms, Over: 5 * ms, Reads: 1, MergedReads: 1, Chunks: chunks(5 * ms)},
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
		want := times{Head: ms, Took: 3 * ms, Over: 9 * ms, Reads: 3, Chunks: []loadgen.Chunk{{At: ms}, {At: 2 * ms}, {At: 3 * ms}}}
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
