package client_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/andybalholm/brotli"
	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"

	"loadgen"
	"loadgen/client"
)

type flusher interface {
	io.WriteCloser
	Flush() error
}

var encoders = map[string]func(io.Writer) flusher{
	"gzip": func(w io.Writer) flusher { return gzip.NewWriter(w) },
	"br":   func(w io.Writer) flusher { return brotli.NewWriter(w) },
	"zstd": func(w io.Writer) flusher {
		z, err := zstd.NewWriter(w)
		if err != nil {
			panic(err)
		}
		return z
	},
}

// encoded returns texts as they are encoded one after another, each flushed,
// and the end of the encoding.
func encoded(coding string, texts ...string) [][]byte {
	var b bytes.Buffer
	w := encoders[coding](&b)
	var pieces [][]byte
	take := func() {
		pieces = append(pieces, bytes.Clone(b.Bytes()))
		b.Reset()
	}
	for _, text := range texts {
		io.WriteString(w, text)
		w.Flush()
		take()
	}
	w.Close()
	take()
	return pieces
}

func encodedHead(coding string) string {
	return "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Encoding: " + coding + "\r\nTransfer-Encoding: chunked\r\n\r\n"
}

func chunkOf(b []byte) string { return fmt.Sprintf("%x\r\n%s\r\n", len(b), b) }

// TestEncodedTokensArriveWhenTheyAreFlushed has a server flush every event.
func TestEncodedTokensArriveWhenTheyAreFlushed(t *testing.T) {
	event := func(s string) string { return `data: {"choices":[{"delta":{"content":"` + s + `"}}]}` + "\n\n" }
	for coding := range encoders {
		t.Run(coding, func(t *testing.T) {
			p := encoded(coding, event("a"), event("bc"), event("d"), "data: [DONE]\n\n")
			script := []line{
				{5 * ms, encodedHead(coding)},
				{10 * ms, chunkOf(p[0])},
				{20 * ms, chunkOf(p[1])},
				{35 * ms, chunkOf(p[2])},
				{50 * ms, chunkOf(p[3]) + chunkOf(p[4]) + bodyEnd},
			}
			cfg := client.Config{Streaming: true, Headers: map[string]string{"Accept-Encoding": coding + ";q=0.5, identity;q=0"}}
			inBubble(t, cfg, script, func(t *testing.T, cl *client.Client) {
				for range 2 {
					rec := send(t.Context(), cl, "{}")
					want := []loadgen.Chunk{{At: 10 * ms}, {At: 20 * ms}, {At: 35 * ms}}
					if diff := cmp.Diff(want, rec.Chunks); diff != "" || rec.Failure != nil || string(rec.Text) != "abcd" {
						t.Errorf("%q, want −, got +\n%s\n%+v", rec.Text, diff, rec.Failure)
					}
				}
			})
		})
	}
}

// TestEncodedBodies has bodies cut at every byte, complete and not.
func TestEncodedBodies(t *testing.T) {
	answer := `{"choices":[{"message":{"content":"` + strings.Repeat("so it is. ", 50) + `"},"finish_reason":"stop"}]}`
	for coding := range encoders {
		body := bytes.Join(encoded(coding, answer), nil)
		head := func(status string) []byte {
			return []byte("HTTP/1.1 " + status + "\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Encoding: " + coding +
				fmt.Sprintf("\r\nContent-Length: %d\r\n\r\n", len(body)))
		}
		forEngines(t, func(t *testing.T, engine client.Engine) {
			s := newStage(t, client.Config{Engine: engine, Headers: map[string]string{"accept-encoding": coding}}, true)
			defer s.close()
			for cut := range len(body) {
				rec := s.answer(t, slices.Concat(head("200 OK"), body[:cut]), body[cut:])
				if rec.Failure != nil || len(rec.Text) != 500 || rec.BytesIn != len(body) {
					t.Fatalf("%s, cut at %d: %d bytes of text of %d of body, %+v", coding, cut, len(rec.Text), rec.BytesIn, rec.Failure)
				}
			}
			broken := bytes.Clone(body)
			broken[len(body)/2] ^= 0x55
			if rec := s.answer(t, slices.Concat(head("200 OK"), broken)); rec.Failure == nil {
				t.Errorf("%s: a broken body is an answer: %q", coding, rec.Text)
			}
			short := bytes.Replace(head("200 OK"), fmt.Appendf(nil, "Length: %d", len(body)), fmt.Appendf(nil, "Length: %d", len(body)/2), 1)
			rec := s.answer(t, slices.Concat(short, body[:len(body)/2]))
			if rec.Failure == nil || rec.Failure.Kind != loadgen.FailStreamCut {
				t.Errorf("%s: half a body is %+v, want %s", coding, rec.Failure, loadgen.FailStreamCut)
			}
		})
	}
}

func TestAnEncodedRefusalIsRead(t *testing.T) {
	for coding := range encoders {
		body := bytes.Join(encoded(coding, `{"error":{"message":"no tenant"}}`), nil)
		forEngines(t, func(t *testing.T, engine client.Engine) {
			s := newStage(t, client.Config{Engine: engine, Streaming: true}, true)
			defer s.close()
			rec := s.answer(t, slices.Concat([]byte("HTTP/1.1 400 No\r\nContent-Encoding: "+coding+"\r\n\r\n"), body))
			if rec.Failure == nil || rec.Failure.Message != "status 400: no tenant" {
				t.Errorf("%s: %+v", coding, rec.Failure)
			}
		})
	}
}

func TestCodingsThatCannotBeUndoneAreRefused(t *testing.T) {
	for value, refused := range map[string]bool{
		"gzip": false, "GZIP, br;q=0.9 , zstd; q=0.1": false, "identity": false, "": false, "*;q=0": false, "deflate;q=0, gzip": false,
		"deflate": true, "gzip, compress": true, "*": true, "gzip;q=x, *;q=0.1": true,
	} {
		_, err := client.New(client.Config{URL: "h", Headers: map[string]string{"Accept-Encoding": value}})
		if (err != nil) != refused || err != nil && !strings.Contains(err.Error(), "cannot decode") {
			t.Errorf("%q: %v", value, err)
		}
	}
}
