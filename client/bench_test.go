package client_test

import (
	"bytes"
	"fmt"
	"net"
	"testing"
	"time"

	"loadgen"
	"loadgen/client"
)

// cheapServer answers every request on loopback with the same bytes and costs
// as little as a server can: what is measured is the client.
func cheapServer(tb testing.TB, answer []byte) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				buffer := make([]byte, 64<<10)
				for have := 0; ; {
					n, err := conn.Read(buffer[have:])
					if err != nil {
						return
					}
					// The benchmarks' bodies end in the only "]}" of a request.
					if have += n; !bytes.HasSuffix(buffer[:have], []byte("]}")) {
						continue
					}
					have = 0
					if _, err := conn.Write(answer); err != nil {
						return
					}
				}
			}()
		}
	}()
	return "http://" + l.Addr().String()
}

func streamAnswer(chunks int) []byte {
	var b bytes.Buffer
	b.WriteString("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
	event := func(s string) { fmt.Fprintf(&b, "%x\r\ndata: %s\n\n\r\n", len(s)+8, s) }
	for range chunks {
		event(`{"id":"chatcmpl-123456789012","object":"chat.completion.chunk","created":1700000000,"model":"m-1","choices":[{"index":0,"delta":{"content":" token"},"logprobs":null,"finish_reason":null}]}`)
	}
	event(`{"id":"chatcmpl-123456789012","model":"m-1","choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"usage":{"prompt_tokens":10,"completion_tokens":100}}`)
	event(`[DONE]`)
	b.WriteString("0\r\n\r\n")
	return b.Bytes()
}

func wholeAnswer() []byte {
	body := `{"id":"chatcmpl-123456789012","object":"chat.completion","created":1700000000,"model":"m-1","choices":[{"index":0,"message":{"role":"assistant","content":"Hello, how can I help?"},"finish_reason":"stop"}],"usage":{"prompt_tokens":10,"completion_tokens":7,"total_tokens":17}}`
	return fmt.Appendf(nil, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
}

func BenchmarkSend(b *testing.B) {
	for _, kind := range []struct {
		name   string
		answer []byte
		stream bool
	}{
		{"json", wholeAnswer(), false},
		{"sse100", streamAnswer(100), true},
	} {
		for _, engine := range engines {
			b.Run(kind.name+"/"+string(engine), func(b *testing.B) {
				c, err := client.New(client.Config{
					URL: cheapServer(b, kind.answer), Engine: engine,
					Streaming: kind.stream, RequestTimeout: time.Minute,
				})
				if err != nil {
					b.Fatal(err)
				}
				defer c.Close()
				b.ReportAllocs()
				b.SetParallelism(8)
				b.RunParallel(func(p *testing.PB) {
					rec := &loadgen.Record{}
					req := &loadgen.Request{
						ID: "request-1", Session: "session-1",
						Body: []byte(`{"model":"m-1","messages":[{"role":"user","content":"hi"}]}`),
					}
					for p.Next() {
						rec.Reset()
						rec.Request, rec.Start = req, time.Now()
						c.Send(b.Context(), rec)
						if rec.Failure != nil {
							b.Error(rec.Failure)
							return
						}
					}
				})
			})
		}
	}
}

func BenchmarkPayload(b *testing.B) {
	p, err := client.NewPayload(client.PayloadOptions{Model: "m-1", Streaming: true, Extra: map[string]any{"ignore_eos": true}})
	if err != nil {
		b.Fatal(err)
	}
	prompt := string(bytes.Repeat([]byte("the quick brown fox "), 100))
	req := &loadgen.Request{Messages: []loadgen.Message{{Role: "user", Content: prompt}}, MaxTokens: 200}
	b.ReportAllocs()
	b.SetBytes(int64(len(prompt)))
	var body []byte
	for b.Loop() {
		body = p.Append(body[:0], req)
	}
}
